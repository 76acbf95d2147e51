"""The git ledger on a remote: which one, what is believed of it, and pushes that go wrong."""

from __future__ import annotations

import socket
import subprocess
import time
from pathlib import Path

import pytest

from broadcast.errors import LedgerError, LedgerMovedError
from broadcast.ledger.base import NO_LEDGER, Log
from broadcast.ledger.git import GitLedger
from repositories import BRANCH, Clone, event, git, hook, numbers

pytestmark = pytest.mark.usefixtures("home")
"""A user without any configuration of git."""


def test_the_remote_is_the_truth(clone: Clone) -> None:
    here = clone("mine")
    mine, yours = GitLedger(here), GitLedger(clone("yours"))
    users = git(here, "for-each-ref", "refs/heads", "refs/remotes", "refs/tags")
    seen = mine.read().version
    yours.append([event(1)], yours.read().version)
    with pytest.raises(LedgerMovedError):
        mine.append([event(2)], seen)
    assert numbers(mine.read()) == [1]
    assert git(here, "for-each-ref", "refs/heads", "refs/remotes", "refs/tags") == users
    assert not (here / ".git" / "FETCH_HEAD").exists()
    mine.append([event(2)], mine.read().version)
    yours.append([event(3)], None)
    assert numbers(mine.read()) == [1, 2, 3]


def test_a_version_that_another_clone_has_read_is_good_here(clone: Clone) -> None:
    mine, yours = GitLedger(clone("mine")), GitLedger(clone("yours"))
    version = mine.append([event(1)], NO_LEDGER)
    yours.append([event(2)], version)
    assert numbers(mine.read()) == [1, 2]


def test_which_of_several_remotes(clone: Clone, origin: Path, tmp_path: Path) -> None:
    git(tmp_path, "clone", "--quiet", "--bare", str(origin), "fork.git")
    here = clone("here", "--origin=upstream")
    git(here, "remote", "add", "fork", f"file://{tmp_path}/fork.git")

    def where() -> list[str]:
        GitLedger(here).append([event(1)], None)
        holders = [name for name in ("origin", "fork") if git(tmp_path / f"{name}.git", "for-each-ref", BRANCH)]
        for name in holders:
            git(tmp_path / f"{name}.git", "update-ref", "-d", BRANCH)
        for reference in git(here, "for-each-ref", "--format=%(refname)", "refs/broadcast").splitlines():
            git(here, "update-ref", "-d", reference)
        return holders

    assert where() == ["origin"]  # the upstream of the branch
    git(here, "checkout", "--quiet", "--detach")
    with pytest.raises(LedgerError, match=r"several remotes \(fork, upstream\)") as caught:
        GitLedger(here).read()
    assert caught.value.hint == 'ledger = "git:broadcast/ledger@fork" in broadcast.toml'
    git(here, "remote", "rename", "fork", "origin")
    assert where() == ["fork"]
    GitLedger(here, remote="upstream").append([event(1)], None)
    assert git(origin, "for-each-ref", BRANCH)
    with pytest.raises(LedgerError, match="'elsewhere' is not among the repository's: origin, upstream"):
        GitLedger(here, remote="elsewhere").read()


def test_the_remote_stays_the_same_whatever_is_checked_out(clone: Clone, origin: Path, tmp_path: Path) -> None:
    """Somebody's fork is another remote, and the upstream of another branch."""
    git(tmp_path, "clone", "--quiet", "--bare", str(origin), "fork.git")
    here = clone("here", "--origin=upstream")
    GitLedger(here).append([event(1)], NO_LEDGER)
    git(here, "remote", "add", "origin", f"file://{tmp_path}/fork.git")
    git(here, "fetch", "--quiet", "origin")
    git(here, "config", "checkout.defaultRemote", "origin")
    git(here, "config", "remote.pushDefault", "origin")
    for checkout in (["--track", "-b", "mine", "origin/main"], ["--detach"], ["main"]):
        git(here, "checkout", "--quiet", *checkout)
        assert numbers(GitLedger(here).read()) == [1]
    GitLedger(here).append([event(2)], None)
    assert git(tmp_path / "fork.git", "for-each-ref", BRANCH) == ""
    assert numbers(GitLedger(clone("there")).read()) == [1, 2]
    # Until somebody names another one; from then on there are two, and the usual rule decides.
    assert numbers(GitLedger(here, remote="origin").read()) == [1, 2]
    GitLedger(here, remote="origin").append([event(3)], None)
    git(here, "checkout", "--quiet", "--detach")
    assert numbers(GitLedger(here).read()) == [1, 2, 3]


def test_what_git_pushes_to_by_default_does_not_decide(clone: Clone, origin: Path, tmp_path: Path) -> None:
    git(tmp_path, "clone", "--quiet", "--bare", str(origin), "fork.git")
    here = clone("here")
    git(here, "remote", "add", "fork", f"file://{tmp_path}/fork.git")
    for key in ("checkout.defaultRemote", "remote.pushDefault", "branch.main.pushRemote"):
        git(here, "config", key, "fork")
    GitLedger(here).append([event(1)], NO_LEDGER)
    assert git(origin, "for-each-ref", BRANCH)
    assert git(tmp_path / "fork.git", "for-each-ref", BRANCH) == ""


def test_a_ledger_from_before_there_was_a_remote_is_carried_to_it(alone: Path, clone: Clone, origin: Path) -> None:
    ledger = GitLedger(alone)
    ledger.append([event(1)], NO_LEDGER)
    ledger.append([event(2, "other")], None)
    git(alone, "remote", "add", "origin", f"file://{origin}")
    GitLedger(clone("there")).append([event(3)], NO_LEDGER)
    assert numbers(ledger.read()) == [3, 1]
    ledger.append([event(4)], ledger.read().version)
    log = GitLedger(clone("fresh")).read()
    assert (numbers(log), numbers(log, "other")) == ([3, 1, 4], [2])
    ledger.append([event(5)], None)
    assert numbers(ledger.read()) == [3, 1, 4, 5]
    git(alone, "remote", "remove", "origin")
    assert sorted(numbers(ledger.read())) == [1, 3, 4, 5]


def test_a_ledger_that_vanished_from_its_remote_is_not_taken_for_a_new_one(clone: Clone, origin: Path) -> None:
    here = clone("here")
    ledger = GitLedger(here)
    ledger.append([event(1)], NO_LEDGER)
    git(origin, "update-ref", "-d", BRANCH)
    with pytest.raises(LedgerError, match=r"is gone from the remote origin \(nothing was sent\)") as caught:
        ledger.read()
    subprocess.run(
        caught.value.hint.split("; ")[0].removeprefix("restore it: "),
        shell=True,
        cwd=here,
        check=True,
        capture_output=True,
    )
    assert numbers(ledger.read()) == [1]


def test_a_ledger_that_was_rewritten_is_not_believed(clone: Clone, origin: Path) -> None:
    here = clone("here")
    ledger = GitLedger(here)
    first = ledger.append([event(1)], NO_LEDGER)
    last = ledger.append([event(2)], first)
    git(origin, "update-ref", BRANCH, first)
    with pytest.raises(LedgerError, match="was rewritten") as caught:
        ledger.read()
    restore = caught.value.hint.split("restore it: ")[1].split("; ")[0]
    subprocess.run(restore, shell=True, cwd=here, check=True, capture_output=True)
    assert ledger.read().version == last


@pytest.mark.parametrize("address", ["file:///nowhere/at-all.git", "https://me:hunter2@127.0.0.1:9/x.git"])
def test_a_remote_that_cannot_be_reached(alone: Path, address: str) -> None:
    git(alone, "remote", "add", "origin", address)
    for call in (lambda: GitLedger(alone).read(), lambda: GitLedger(alone).append([event(1)], NO_LEDGER)):
        with pytest.raises(LedgerError, match=r"on the remote origin cannot be .*\(nothing was sent\)") as caught:
            call()
        assert "fatal: " in caught.value.message
        assert "hunter2" not in caught.value.message + caught.value.hint
    assert git(alone, "for-each-ref", "refs/broadcast") == ""


def test_a_remote_that_does_not_answer(alone: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        git(alone, "remote", "add", "origin", f"git://127.0.0.1:{server.getsockname()[1]}/x.git")
        started = time.monotonic()
        with pytest.raises(LedgerError, match="no answer in time"):
            GitLedger(alone, timeout=0.5).read()
        assert time.monotonic() - started < 8


def test_a_remote_that_refuses(clone: Clone, origin: Path) -> None:
    denied = hook(origin, "pre-receive", "printf 'Only \\033[31mbots\\033[0m may push here.\\n' >&2; exit 1")
    ledger = GitLedger(clone("here"))
    with pytest.raises(
        LedgerError, match=r"Only bots may push here.*pre-receive hook declined.*nothing was sent"
    ) as caught:
        ledger.append([event(1)], NO_LEDGER)
    assert not isinstance(caught.value, LedgerMovedError)
    denied.unlink()
    assert ledger.read() == Log(NO_LEDGER, {})


def test_a_push_whose_answer_is_lost_has_happened_once(clone: Clone, origin: Path) -> None:
    """The remote takes the commit, and dies before it says so."""
    here = clone("here")
    ledger = GitLedger(here)
    ledger.journal(event(1))
    killer = hook(origin, "reference-transaction", '[ "$1" = committed ] && kill -9 $PPID; exit 0')
    first = ledger.append([event(2)], NO_LEDGER)
    assert git(origin, "rev-parse", BRANCH) == first
    second = ledger.append([event(3)], None)
    killer.unlink()
    assert ledger.read() == Log(second, {"api-errors": (event(1), event(2), event(3))})
    assert not list(here.rglob("journal.jsonl"))
    assert git(origin, "rev-list", "--count", BRANCH) == "2"


def test_a_push_that_hangs_after_it_has_happened(clone: Clone, origin: Path) -> None:
    slow = hook(origin, "post-receive", "sleep 5")
    ledger = GitLedger(clone("here"), timeout=1.5)
    version = ledger.append([event(1)], NO_LEDGER)
    slow.unlink()
    assert ledger.read() == Log(version, {"api-errors": (event(1),)})


def test_somebody_pushes_between_our_look_and_our_push(clone: Clone, origin: Path) -> None:
    """The remote's own lock decides: it refuses us though it still showed us the old state."""
    here, there = clone("here"), clone("there")
    ledger = GitLedger(here)
    version = ledger.append([event(1)], NO_LEDGER)
    once = origin / "once"
    once.touch()
    other = f"GIT_DIR={there}/.git git push --quiet {origin} {BRANCH}"
    GitLedger(there).append([event(2)], None)
    git(there, "update-ref", BRANCH, git(origin, "rev-parse", BRANCH))
    git(origin, "update-ref", BRANCH, version)
    hook(
        origin,
        "pre-receive",
        f"[ -e {once} ] && rm {once} && unset $(git rev-parse --local-env-vars) GIT_QUARANTINE_PATH && {other}; exit 0",
    )
    with pytest.raises(LedgerMovedError):
        ledger.append([event(3)], version)
    ledger.append([event(4)], None)
    assert numbers(GitLedger(there).read()) == [1, 2, 4]
