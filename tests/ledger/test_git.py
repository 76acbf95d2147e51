"""The git ledger on real repositories: reading, appending, comparing, and its journal."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from broadcast.errors import LedgerError, LedgerMovedError
from broadcast.ledger.base import NO_LEDGER, Log
from broadcast.ledger.branch import LocalBranch
from broadcast.ledger.git import GitLedger
from broadcast.ledger.plumbing import Git
from repositories import BRANCH, Clone, event, git, numbers, repository, untouched

pytestmark = pytest.mark.usefixtures("home")
"""A user without any configuration of git."""


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
