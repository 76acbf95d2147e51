"""The git ledger on real repositories: every kind of clone, every kind of trouble."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from broadcast.errors import LedgerError, LedgerMovedError
from broadcast.ledger.base import NO_LEDGER, Log
from broadcast.ledger.branch import LocalBranch
from broadcast.ledger.git import GitLedger
from broadcast.ledger.plumbing import Git, masked
from broadcast.model import Receipt, Ref

BRANCH = "refs/heads/broadcast/ledger"
COPY = "refs/broadcast/broadcast%2Fledger/origin"
AT = datetime(2026, 11, 22, 14, 5, tzinfo=UTC)


def event(number: int, slug: str = "api-errors") -> Receipt:
    return Receipt(slug, AT, "x", 1, AT + timedelta(seconds=number), "run", Ref(str(number)))


def numbers(log: Log, slug: str = "api-errors") -> list[int]:
    return [int(found.ref.id) for found in log.events.get(slug, ()) if isinstance(found, Receipt)]


def git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(["git", "-C", folder, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user without any configuration of git, and so without an identity."""
    folder = tmp_path / "home"
    folder.mkdir()
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    for name in [*(name for name in os.environ if name.startswith("GIT_") and name != "GIT_CONFIG_NOSYSTEM"), "EMAIL"]:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    return folder


def repository(folder: Path) -> Path:
    folder.mkdir(parents=True)
    git(folder, "init", "--quiet", "--initial-branch=main")
    return folder


def commit(folder: Path) -> None:
    identity = ("-c", "user.name=somebody", "-c", "user.email=somebody@example.com")
    (folder / "README").write_text("A project.\n")
    git(folder, "add", "README")
    git(folder, *identity, "commit", "--quiet", "--message=Start")


@pytest.fixture
def alone(tmp_path: Path) -> Path:
    """A repository with a commit and no remote."""
    folder = repository(tmp_path / "alone")
    commit(folder)
    return folder


@pytest.fixture
def origin(alone: Path, tmp_path: Path) -> Path:
    """A bare repository with a commit, to clone."""
    git(tmp_path, "clone", "--quiet", "--bare", str(alone), "origin.git")
    return tmp_path / "origin.git"


Clone = Callable[..., Path]


@pytest.fixture
def clone(origin: Path, tmp_path: Path) -> Clone:
    def make(name: str, *options: str) -> Path:
        # A path would make --depth ignored.
        git(tmp_path, "clone", "--quiet", *options, f"file://{origin}", name)
        return tmp_path / name

    return make


def untouched(folder: Path) -> None:
    """Nothing that a user sees in a clone has changed, and nothing is broken."""
    assert git(folder, "status", "--porcelain") == ""
    assert git(folder, "stash", "list") == ""
    git(folder, "fsck", "--strict")


# --- without a remote -------------------------------------------------------------------------------------------------


def test_without_a_remote_the_ledger_is_a_local_branch(alone: Path) -> None:
    ledger = GitLedger(alone)
    assert ledger.read() == Log(NO_LEDGER, {})
    first = ledger.append([event(1), event(2, "other"), event(3)], NO_LEDGER)
    assert ledger.read() == Log(first, {"api-errors": (event(1), event(3)), "other": (event(2, "other"),)})
    second = ledger.append([event(4)], first)
    assert git(alone, "rev-parse", BRANCH, f"{BRANCH}^") == f"{second}\n{first}"
    assert numbers(GitLedger(alone).read()) == [1, 3, 4]
    assert (
        git(alone, "log", "--format=%an <%ae> %cn <%ce>", BRANCH).splitlines()
        == ["broadcast <broadcast@localhost> broadcast <broadcast@localhost>"] * 2
    )
    untouched(alone)


def test_an_append_rewrites_only_what_it_touches(alone: Path) -> None:
    ledger = GitLedger(alone)
    ledger.append([event(number, slug) for number, slug in enumerate("abc")], None)
    ledger.append([event(9, "b")], None)
    assert git(alone, "diff", "--name-only", f"{BRANCH}^", BRANCH) == "announcements/b.jsonl"
    assert git(alone, "diff", "--numstat", f"{BRANCH}^", BRANCH) == "1\t0\tannouncements/b.jsonl"


def test_nothing_to_append_makes_no_commit(alone: Path) -> None:
    ledger = GitLedger(alone)
    assert ledger.append([], None) == NO_LEDGER
    first = ledger.append([event(1)], None)
    assert ledger.append([], first) == ledger.append([], None) == first


def test_compare_and_swap(alone: Path) -> None:
    mine, yours = GitLedger(alone), GitLedger(alone)
    seen = mine.read().version
    assert yours.read().version == seen
    mine.append([event(1)], seen)
    with pytest.raises(LedgerMovedError):
        yours.append([event(2)], seen)
    assert numbers(yours.read()) == [1]
    yours.append([event(2)], None)
    assert numbers(mine.read()) == [1, 2]


def test_the_local_branch_moves_only_from_what_it_was(alone: Path) -> None:
    """What a killed run has started may still be at work when the next one holds the lock."""
    branch = LocalBranch(Git(alone, 60), "ledger")
    start = git(alone, "rev-parse", "HEAD")
    identity = ("-c", "user.name=somebody", "-c", "user.email=somebody@example.com")
    one, two = (git(alone, *identity, "commit-tree", "-m", text, f"{start}^{{tree}}") for text in "12")
    assert branch.move(None, one).code == 0
    for old in (None, start, two):
        assert branch.move(old, two).code != 0
    assert git(alone, "rev-parse", branch.reference) == one
    assert branch.move(one, two).code == 0


def test_a_repository_without_a_commit(tmp_path: Path) -> None:
    folder = repository(tmp_path / "new")
    GitLedger(folder).append([event(1)], NO_LEDGER)
    assert numbers(GitLedger(folder).read()) == [1]


def test_a_project_in_a_folder_of_the_repository(alone: Path) -> None:
    (alone / "status" / "page").mkdir(parents=True)
    GitLedger(alone / "status" / "page").append([event(1)], NO_LEDGER)
    ledger = GitLedger(alone / "status")
    ledger.journal(event(2))
    assert numbers(GitLedger(alone).read()) == numbers(ledger.read()) == [1, 2]
    ledger.append([event(3)], None)
    assert numbers(ledger.read()) == [1, 2, 3]
    assert git(alone, "ls-tree", "-r", "--name-only", BRANCH) == "announcements/api-errors.jsonl"


def test_work_trees_share_ledger_and_journal(alone: Path, tmp_path: Path) -> None:
    git(alone, "worktree", "add", "--quiet", "--detach", str(tmp_path / "tree"))
    GitLedger(tmp_path / "tree").journal(event(1))
    assert numbers(GitLedger(alone).read()) == [1]
    GitLedger(alone).append([event(2)], NO_LEDGER)
    assert numbers(GitLedger(tmp_path / "tree").read()) == [1, 2]
    untouched(tmp_path / "tree")


def test_two_branches_are_two_ledgers(alone: Path) -> None:
    one, two = GitLedger(alone, "ledger/one"), GitLedger(alone, "ledger/two")
    one.journal(event(1))
    one.append([event(2)], NO_LEDGER)
    two.append([event(3)], NO_LEDGER)
    assert (numbers(one.read()), numbers(two.read())) == ([1, 2], [3])


def test_what_else_is_on_the_branch_stays(alone: Path) -> None:
    ledger = GitLedger(alone)
    ledger.append([event(1)], None)
    blob = git(alone, "hash-object", "-w", "README")
    inside = git(alone, "ls-tree", "-z", f"{BRANCH}:announcements").rstrip("\0")
    assert inside.endswith("api-errors.jsonl")
    script = f"(git ls-tree {BRANCH}; printf '100644 blob {blob}\\tREADME\\n') | git mktree"
    tree = subprocess.run(script, shell=True, cwd=alone, capture_output=True, text=True, check=True).stdout.strip()
    identity = ("-c", "user.name=somebody", "-c", "user.email=somebody@example.com")
    git(alone, "update-ref", BRANCH, git(alone, *identity, "commit-tree", "-p", BRANCH, "-m", "Explain", tree))
    ledger.append([event(2)], None)
    assert git(alone, "ls-tree", "-r", "--name-only", BRANCH).splitlines() == [
        "README",
        "announcements/api-errors.jsonl",
    ]
    assert numbers(ledger.read()) == [1, 2]


# --- the journal ------------------------------------------------------------------------------------------------------


def test_the_journal_is_shown_at_once_and_carried_by_the_next_append(clone: Clone) -> None:
    here, there = clone("here"), clone("there")
    ledger = GitLedger(here)
    ledger.append([event(1)], ledger.read().version)
    ledger.journal(event(2))
    ledger.journal(event(3, "other"))
    log = ledger.read()
    assert numbers(log) == [1, 2]
    assert numbers(log, "other") == [3]
    assert numbers(GitLedger(there).read()) == [1]
    ledger.append([], None)
    assert numbers(ledger.read()) == numbers(GitLedger(there).read()) == [1, 2]
    assert ledger.append([], None) == ledger.read().version


def test_a_journal_that_outlives_its_push_is_not_carried_twice(clone: Clone) -> None:
    here = clone("here")
    ledger = GitLedger(here)
    ledger.journal(event(1))
    ledger.journal(event(1))  # an equal event, written down twice, is two
    file = next(here.rglob("journal.jsonl"))
    kept = file.read_bytes()
    version = ledger.append([event(2)], None)
    file.write_bytes(kept)  # as after a kill between the push and the clearing
    assert numbers(ledger.read()) == [1, 1, 2]
    assert ledger.append([], None) == version
    assert not file.exists()
    file.write_bytes(kept)
    ledger.append([event(3)], None)
    assert numbers(ledger.read()) == [1, 1, 2, 3]


def test_with_nothing_to_append_nobody_is_asked(clone: Clone, origin: Path) -> None:
    ledger = GitLedger(clone("here"))
    version = ledger.append([event(1)], NO_LEDGER)
    origin.rename(origin.with_name("away.git"))
    assert ledger.append([], None) == ledger.append([], version) == version


def test_the_journal_stays_when_the_push_fails(clone: Clone, origin: Path) -> None:
    here = clone("here")
    ledger = GitLedger(here)
    ledger.journal(event(1))
    origin.rename(origin.with_name("away.git"))
    with pytest.raises(LedgerError, match=r"cannot be .*journal is kept for the next run"):
        ledger.append([], None)
    origin.with_name("away.git").rename(origin)
    assert numbers(ledger.read()) == [1]
    ledger.append([], None)
    assert numbers(GitLedger(clone("there")).read()) == [1]


# --- every kind of clone ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "options",
    [
        pytest.param([], id="full"),
        pytest.param(["--depth=1"], id="depth-1"),
        pytest.param(["--depth=1", "--no-single-branch"], id="depth-1-all-branches"),
        pytest.param(["--filter=blob:none"], id="partial"),
        pytest.param(["--bare"], id="bare"),
        pytest.param(["--mirror"], id="mirror"),
        pytest.param(["--origin=upstream"], id="other-name"),
    ],
)
@pytest.mark.parametrize("already", [False, True], ids=["first-run", "later-run"])
def test_clones(clone: Clone, origin: Path, options: list[str], already: bool) -> None:
    git(origin, "config", "uploadpack.allowFilter", "true")
    if already:
        GitLedger(clone("earlier")).append([event(0)], NO_LEDGER)
        GitLedger(clone("earlier-too")).append([event(1)], None)
    before = [0, 1] if already else []
    here = clone("here", *options)
    ledger = GitLedger(here)
    log = ledger.read()
    assert numbers(log) == before
    ledger.append([event(2)], log.version)
    assert numbers(ledger.read()) == [*before, 2]
    GitLedger(clone("there")).append([event(3)], None)
    assert numbers(ledger.read()) == [*before, 2, 3]
    ledger.append([event(4)], None)
    assert numbers(GitLedger(clone("fresh", "--depth=1")).read()) == [*before, 2, 3, 4]
    assert git(origin, "rev-list", "--count", BRANCH) == str(len(before) + 3)
    git(here, "fsck")
    if "--bare" not in options and "--mirror" not in options:
        untouched(here)


def test_as_a_ci_job_checks_out(origin: Path, tmp_path: Path, clone: Clone) -> None:
    """What actions/checkout does: init, fetch of one commit, detached HEAD, a remote-tracking branch made by hand."""
    GitLedger(clone("earlier")).append([event(1)], NO_LEDGER)
    here = repository(tmp_path / "job")
    git(here, "remote", "add", "origin", f"file://{origin}")
    git(here, "fetch", "--quiet", "--depth=1", "--no-tags", "origin", "+refs/heads/main:refs/remotes/origin/main")
    git(here, "checkout", "--quiet", "--force", "--detach", "refs/remotes/origin/main")
    ledger = GitLedger(here)
    ledger.append([event(2)], ledger.read().version)
    assert numbers(GitLedger(clone("there")).read()) == [1, 2]
    assert git(here, "rev-parse", "--is-shallow-repository") == "true"
    untouched(here)


def test_a_shallow_clone_that_is_cut_off_later(clone: Clone) -> None:
    there = GitLedger(clone("there"))
    there.append([event(1)], NO_LEDGER)
    here = clone("here", "--depth=1", "--no-single-branch")
    ledger = GitLedger(here)
    assert numbers(ledger.read()) == [1]
    for number in (2, 3, 4):
        there.append([event(number)], None)
    git(here, "fetch", "--quiet", "--depth=1")
    assert numbers(ledger.read()) == [1, 2, 3, 4]
    ledger.append([event(5)], None)
    assert numbers(there.read()) == [1, 2, 3, 4, 5]


def test_a_user_s_own_fetches_and_configuration_do_not_disturb(clone: Clone, home: Path) -> None:
    here = clone("here")
    hooks = home / "hooks"
    hooks.mkdir()
    for name in ("pre-push", "reference-transaction", "post-checkout", "pre-commit"):
        (hooks / name).write_text("#!/bin/sh\nexit 1\n")
        (hooks / name).chmod(0o755)
    settings = here / ".git" / "config"
    settings.write_text(
        settings.read_text() + f"[core]\n\thooksPath = {hooks}\n\tquotePath = on\n\tautocrlf = true\n\tpager = false\n"
        "[commit]\n\tgpgSign = true\n[push]\n\tgpgSign = true\n\tfollowTags = true\n\tdefault = nothing\n"
        "[user]\n\tuseConfigOnly = true\n[fetch]\n\tprune = true\n\trecurseSubmodules = true\n"
        "[transfer]\n\tfsckObjects = true\n[color]\n\tui = always\n[i18n]\n\tcommitEncoding = latin1\n"
        '[remote "origin"]\n\ttagOpt = --tags\n'
    )
    ledger = GitLedger(here)
    ledger.append([event(1, "störung")], NO_LEDGER)
    hooks.rename(home / "gone")
    git(here, "fetch", "--quiet", "--prune")
    assert numbers(ledger.read(), "störung") == [1]


def test_variables_of_another_repository_are_not_obeyed(
    alone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What git sets for a hook, or a program that runs another git command."""
    other = repository(tmp_path / "other")
    monkeypatch.setenv("GIT_DIR", str(other / ".git"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(other / ".git" / "index"))
    monkeypatch.setenv("GIT_WORK_TREE", str(other))
    GitLedger(alone).append([event(1)], NO_LEDGER)
    for name in ("GIT_DIR", "GIT_INDEX_FILE", "GIT_WORK_TREE"):
        monkeypatch.delenv(name)
    assert git(other, "for-each-ref") == ""
    assert numbers(GitLedger(alone).read()) == [1]


# --- remotes ----------------------------------------------------------------------------------------------------------


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


# --- trouble ----------------------------------------------------------------------------------------------------------


def test_not_a_repository(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(LedgerError, match="is not in a git repository") as caught:
        GitLedger(tmp_path / "folder").read()
    assert caught.value.hint == "git init"
    with pytest.raises(LedgerError, match="is not in a git repository"):
        GitLedger(tmp_path / "folder").journal(event(1))


def test_a_repository_of_another_user(alone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    with pytest.raises(LedgerError, match="belongs to another user") as caught:
        GitLedger(alone).read()
    assert caught.value.hint == f"git config --global --add safe.directory {alone}"


def test_no_git(alone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(alone))
    with pytest.raises(LedgerError, match="git cannot be started") as caught:
        GitLedger(alone).read()
    assert caught.value.hint == "install git"


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


def hook(repository: Path, name: str, script: str) -> Path:
    file = repository / "hooks" / name
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o755)
    return file


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


def test_a_reference_s_lock_that_a_killed_git_left_is_removed(
    clone: Clone, alone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("broadcast.ledger.git._STALE", 0.3)
    here = clone("here")
    GitLedger(here).append([event(1)], NO_LEDGER)
    GitLedger(alone).append([event(1)], NO_LEDGER)
    for folder, reference in ((here, COPY), (alone, BRANCH)):
        (folder / ".git" / f"{reference}.lock").touch()
        GitLedger(folder).append([event(2)], None)
        assert numbers(GitLedger(folder).read()) == [1, 2]


@pytest.mark.parametrize(
    "slug", ["", ".", "..", "../x", "a/b", "/a", "a\\b", "a\0b", "a\nb", ".git", "a" * 250, "\ud800"]
)
def test_a_name_that_could_be_another_file_is_refused(alone: Path, slug: str) -> None:
    ledger = GitLedger(alone)
    for call in (lambda: ledger.append([event(1, slug)], None), lambda: ledger.journal(event(1, slug))):
        with pytest.raises(LedgerError, match="the ledger cannot have a file"):
            call()
    assert ledger.read() == Log(NO_LEDGER, {})


def rewritten(folder: Path, change: Callable[[str], str]) -> None:
    """Somebody edits the ledger by hand."""
    data = change(git(folder, "show", f"{BRANCH}:announcements/api-errors.jsonl"))
    script = f"""blob=$(git hash-object -w --stdin) &&
        tree=$(printf "100644 blob $blob\\tapi-errors.jsonl\\n" | git mktree) &&
        tree=$(printf "040000 tree $tree\\tannouncements\\n" | git mktree) &&
        git update-ref {BRANCH} $(git -c user.name=x -c user.email=x@x commit-tree -m x -p {BRANCH} $tree)"""
    subprocess.run(script, shell=True, cwd=folder, input=data, text=True, check=True)


def test_a_damaged_line_is_named(alone: Path) -> None:
    ledger = GitLedger(alone)
    ledger.append([event(1), event(2)], None)
    rewritten(alone, lambda text: text.replace('"v":1', '"v":7'))
    where = r"ledger git:broadcast/ledger, announcements/api-errors\.jsonl, line 1: version 7"
    for call in (ledger.read, lambda: ledger.append([event(3)], None)):
        with pytest.raises(LedgerError, match=where):
            call()


def test_a_line_in_the_wrong_file_is_named(alone: Path) -> None:
    ledger = GitLedger(alone)
    ledger.append([event(1), event(2)], None)
    rewritten(alone, lambda text: text[::-1].replace("srorre-ipa", "rehto", 1)[::-1])
    with pytest.raises(LedgerError, match=r"api-errors\.jsonl, line 2: speaks of 'other'"):
        ledger.read()


def test_an_editor_that_takes_the_last_line_feed_breaks_nothing(alone: Path) -> None:
    ledger = GitLedger(alone)
    ledger.append([event(1), event(2)], None)
    rewritten(alone, str.rstrip)
    ledger.append([event(3)], None)
    assert numbers(ledger.read()) == [1, 2, 3]


def test_the_number_of_git_processes_does_not_depend_on_the_size(
    alone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trace = tmp_path / "trace"
    monkeypatch.setenv("GIT_TRACE2_EVENT", str(trace))

    def started(call: Callable[[], object]) -> int:
        trace.write_text("")
        call()
        return sum(json.loads(line)["event"] == "start" for line in trace.read_text().splitlines())

    ledger = GitLedger(alone)
    ledger.append([event(1)], None)
    few = started(ledger.read), started(lambda: ledger.append([event(1)], None))
    ledger.append([event(number, f"slug-{number}") for number in range(300)], None)
    many = started(ledger.read), started(lambda: ledger.append([event(1, f"slug-{n}") for n in range(100)], None))
    assert few == many
    assert max(few) <= 12


def test_credentials_are_masked() -> None:
    assert (
        masked("fatal: 'https://me:p@ss@host/x' and ssh://git@host") == "fatal: 'https://***@host/x' and ssh://***@host"
    )
    assert masked("https://host/x?private_token=abc&y=1") == "https://host/x?private_token=***&y=1"
    assert masked("Authorization: Basic abc=") == "Authorization: Basic ***"
    assert masked("https://host/x failed") == "https://host/x failed"
