"""The git ledger in every kind of clone, and among everything that a user may have configured."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from broadcast.ledger.base import NO_LEDGER
from broadcast.ledger.git import GitLedger
from repositories import BRANCH, Clone, event, git, numbers, repository, untouched

pytestmark = pytest.mark.usefixtures("home")
"""A user without any configuration of git."""


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


@pytest.mark.parametrize("by", ["branch", "commit"])
@pytest.mark.parametrize("remotes", [1, 2])
def test_as_a_ci_job_checks_out(origin: Path, tmp_path: Path, clone: Clone, by: str, remotes: int) -> None:
    """What actions/checkout does: init, fetch of one commit, detached HEAD, a remote-tracking branch made by hand; and
    what others do: fetch a commit by its name, and check out what was fetched."""
    GitLedger(clone("earlier")).append([event(1)], NO_LEDGER)
    here = repository(tmp_path / "job")
    git(here, "remote", "add", "origin", f"file://{origin}")
    if remotes == 2:
        git(here, "remote", "add", "mirror", "file:///nowhere/at-all.git")
    if by == "branch":
        git(here, "fetch", "--quiet", "--depth=1", "--no-tags", "origin", "+refs/heads/main:refs/remotes/origin/main")
        git(here, "checkout", "--quiet", "--force", "--detach", "refs/remotes/origin/main")
    else:
        git(origin, "config", "uploadpack.allowAnySHA1InWant", "true")
        git(here, "fetch", "--quiet", "--depth=1", "origin", git(origin, "rev-parse", "main"))
        git(here, "checkout", "--quiet", "FETCH_HEAD")
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


def test_the_repository_s_own_hooks_and_forced_signing(clone: Clone, home: Path) -> None:
    """A signing program that never answers, and hooks where git looks for them by itself."""
    here = clone("here")
    for name in ("pre-push", "reference-transaction", "post-commit", "pre-auto-gc"):
        script = here / ".git" / "hooks" / name
        script.write_text("#!/bin/sh\nexit 1\n")
        script.chmod(0o755)
    git(home, "config", "--global", "commit.gpgSign", "true")
    git(home, "config", "--global", "gpg.program", "/bin/false")
    git(home, "config", "--global", "push.gpgSign", "true")
    ledger = GitLedger(here)
    ledger.append([event(1)], NO_LEDGER)
    ledger.append([event(2)], None)
    assert numbers(GitLedger(clone("there")).read()) == [1, 2]


def test_a_submodule_has_its_own_ledger(clone: Clone, alone: Path, origin: Path) -> None:
    allowed = ("-c", "protocol.file.allow=always")
    git(alone, *allowed, "submodule", "--quiet", "add", f"file://{origin}", "status")
    ledger = GitLedger(alone / "status")
    ledger.journal(event(1))
    ledger.append([event(2)], NO_LEDGER)
    assert numbers(GitLedger(clone("there")).read()) == numbers(ledger.read()) == [1, 2]
    assert git(alone, "for-each-ref", BRANCH, "refs/broadcast") == ""
    assert git(alone / "status", "status", "--porcelain") == ""


def test_a_linked_work_tree_of_a_clone(clone: Clone, tmp_path: Path) -> None:
    here = clone("here", "--depth=1")
    git(here, "worktree", "add", "--quiet", "-b", "other", str(tmp_path / "tree"))
    GitLedger(tmp_path / "tree").append([event(1)], NO_LEDGER)
    GitLedger(here).append([event(2)], None)
    assert numbers(GitLedger(clone("there")).read()) == numbers(GitLedger(tmp_path / "tree").read()) == [1, 2]
    untouched(tmp_path / "tree")


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


def test_a_folder_whose_name_is_no_utf_8(tmp_path: Path) -> None:
    try:
        here = repository(tmp_path / os.fsdecode(b"d\xffr"))
    except OSError:
        pytest.skip("this file system takes names in UTF-8 only")
    ledger = GitLedger(here)
    ledger.append([event(1)], NO_LEDGER)
    assert numbers(ledger.read()) == [1]
