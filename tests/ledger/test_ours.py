"""A ledger writes only to a branch of its own: never where code is worked on, and never over other files."""

from __future__ import annotations

from pathlib import Path

import pytest

from broadcast.errors import BroadcastError, ConfigError, LedgerError
from broadcast.ledger import address
from broadcast.ledger.git import GitLedger
from repositories import Clone, commit, event, git, numbers


@pytest.mark.parametrize(
    "name",
    ["HEAD", "FETCH_HEAD", "ORIG_HEAD", "refs/heads/main", "refs", "heads/main", "remotes/origin/main", "tags/v1"],
)
def test_a_name_that_git_takes_for_something_else_is_refused(name: str) -> None:
    with pytest.raises(ConfigError, match="cannot be the name of a branch"):
        address.check(f"git:{name}")


@pytest.mark.parametrize("name", ["broadcast/ledger", "ledger", "head", "status/HEADs", "my-refs"])
def test_other_names_are_fine(name: str) -> None:
    assert address.check(f"git:{name}") == "git"


def test_the_branch_that_is_checked_out_is_refused(alone: Path) -> None:
    before = git(alone, "rev-parse", "main")
    ledger = GitLedger(alone, "main")
    for act in (ledger.read, ledger.recall, lambda: ledger.append([event(1)], None)):
        with pytest.raises(ConfigError, match="main is checked out"):
            act()
    assert git(alone, "rev-parse", "main") == before


def test_the_branch_of_another_work_tree_is_refused(alone: Path) -> None:
    git(alone, "worktree", "add", "--quiet", "-b", "topic", str(alone.parent / "topic"))
    with pytest.raises(ConfigError, match="topic is checked out"):
        GitLedger(alone, "topic").append([event(1)], None)


def test_the_default_branch_of_the_remote_is_refused(clone: Clone) -> None:
    here = clone("here")
    git(here, "switch", "--quiet", "--create", "work")
    with pytest.raises(ConfigError, match="main is the default one of the remote origin"):
        GitLedger(here, "main").read()


def test_a_branch_of_code_on_the_remote_is_refused_although_this_clone_never_heard_of_it(clone: Clone) -> None:
    there = clone("there")
    git(there, "switch", "--quiet", "--create", "develop")
    git(there, "push", "--quiet", "origin", "develop")
    here = clone("here")
    before = git(here, "ls-remote", "origin")
    ledger = GitLedger(here, "develop")
    acts = (ledger.read, lambda: ledger.append([event(1)], None), lambda: ledger.append([event(1)], "none"))
    for act in acts:
        with pytest.raises(BroadcastError) as caught:
            act()
        assert isinstance(caught.value, LedgerError)
    with pytest.raises(LedgerError, match="holds files that are no ledger's"):
        ledger.read()
    assert git(here, "ls-remote", "origin") == before


def test_a_branch_that_is_new_empty_or_holds_a_ledger_is_used(alone: Path) -> None:
    empty = git(alone, "hash-object", "-w", "-t", "tree", "/dev/null")
    identity = ("-c", "user.name=somebody", "-c", "user.email=somebody@example.com")
    git(alone, "update-ref", "refs/heads/fresh", git(alone, *identity, "commit-tree", empty, "-m", "Empty"))
    for branch in ("fresh", "new"):
        ledger = GitLedger(alone, branch)
        ledger.append([event(1)], None)
        ledger.append([event(2)], None)
        assert numbers(GitLedger(alone, branch).read()) == [1, 2]


def test_a_repository_without_a_commit_does_not_begin_with_a_ledger(tmp_path: Path, home: Path) -> None:
    git(tmp_path, "init", "--quiet", "--initial-branch=main", "here")
    with pytest.raises(ConfigError, match="main, which has no commit yet, is checked out"):
        GitLedger(tmp_path / "here", "main").append([event(1)], None)
    commit(tmp_path / "here")
