"""The git ledger where something is in its way, or was changed by hand."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from broadcast.errors import LedgerError
from broadcast.ledger.base import NO_LEDGER, Log
from broadcast.ledger.git import GitLedger
from broadcast.ledger.plumbing import masked
from repositories import BRANCH, COPY, Clone, event, git, numbers

pytestmark = pytest.mark.usefixtures("home")
"""A user without any configuration of git."""


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


def test_credentials_are_masked() -> None:
    assert (
        masked("fatal: 'https://me:p@ss@host/x' and ssh://git@host") == "fatal: 'https://***@host/x' and ssh://***@host"
    )
    assert masked("https://host/x?private_token=abc&y=1") == "https://host/x?private_token=***&y=1"
    assert masked("Authorization: Basic abc=") == "Authorization: Basic ***"
    assert masked("https://host/x failed") == "https://host/x failed"
