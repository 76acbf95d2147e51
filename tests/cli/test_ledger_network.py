"""What a run costs on the network, with a ledger in git: docs/ledger.md says how much, and why not less."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from broadcast.errors import LedgerMovedError
from broadcast.ledger.git import GitLedger
from broadcast.model import Verdict
from kit import Desk, git, incident
from samples import at

FIRST = ("Investigating", 30, "Searches are slow.")
CONTACTS = {"fetch", "push", "ls-remote"}
"""The commands of git that talk to a remote."""


@pytest.fixture
def contacts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[str]]:
    """The times that git was told to talk to a remote since it was asked last, as git itself writes them down."""
    trace = tmp_path / "trace"
    monkeypatch.setenv("GIT_TRACE2_EVENT", str(trace))

    def told() -> list[str]:
        events = [json.loads(line) for line in trace.read_text(encoding="utf-8").splitlines()] if trace.exists() else []
        trace.unlink(missing_ok=True)
        # What git starts by itself to do so is not told where it works (-C).
        ours = [event["argv"] for event in events if event["event"] == "start" and "-C" in event["argv"]]
        return [word for argv in ours for word in argv if word in CONTACTS]

    return told


@pytest.fixture
def shared(live: Desk, tmp_path: Path) -> Desk:
    """A project with a remote that has a ledger."""
    git(tmp_path, "init", "--quiet", "--bare", "remote.git")
    git(live.root, "remote", "add", "origin", str(tmp_path / "remote.git"))
    live.write("incidents/slow.md", incident(FIRST))
    assert live.run("publish", "--yes").code == 0
    return live


def test_a_run_that_publishes_fetches_once_and_pushes_twice(
    shared: Desk, contacts: Callable[[], list[str]], tmp_path: Path
) -> None:
    """To all channels at once: the plan is made on the newest state, the claims are pushed before anything is sent,
    and the receipts when it is."""
    assert shared.run("resolve", "slow", "-m", "Fast again.").code == 0
    contacts()
    assert shared.run("publish", "--yes").code == 0
    assert contacts() == ["fetch", "push", "push"]
    assert git(tmp_path / "remote.git", "rev-list", "--count", "broadcast/ledger") == "4"


def test_with_nothing_to_do_it_fetches_once(shared: Desk, contacts: Callable[[], list[str]]) -> None:
    contacts()
    assert shared.run("publish", "--yes").code == 0
    assert contacts() == ["fetch"]
    for command in (["plan"], ["status"], ["ledger", "show"]):
        assert shared.run(*command).code == 0
        assert contacts() == ["fetch"]
    for command in (["check"], ["preview"]):
        assert shared.run(*command).code == 0
        assert contacts() == []


def test_the_first_run_of_all_asks_once_more(live: Desk, contacts: Callable[[], list[str]], tmp_path: Path) -> None:
    """A fetch of a branch that is not there fails like any other; only an empty answer says that it is not there."""
    git(tmp_path, "init", "--quiet", "--bare", "remote.git")
    git(live.root, "remote", "add", "origin", str(tmp_path / "remote.git"))
    live.write("incidents/slow.md", incident(FIRST))
    contacts()
    assert live.run("publish", "--yes").code == 0
    assert contacts() == ["fetch", "ls-remote", "push", "push"]


def test_a_lost_race_costs_a_push_and_two_fetches(
    shared: Desk, contacts: Callable[[], list[str]], tmp_path: Path
) -> None:
    git(tmp_path, "clone", "--quiet", "remote.git", "other")
    moment = at("2026-11-22T14:05")
    verdict = Verdict("slow", moment, "x", 9, moment, "run", "absent", "settle")
    mine, yours = GitLedger(shared.root), GitLedger(tmp_path / "other")
    seen = mine.read().version
    assert yours.read().version == seen
    yours.append([verdict], seen)
    contacts()
    with pytest.raises(LedgerMovedError):
        mine.append([verdict], seen)
    mine.append([verdict], mine.read().version)
    assert contacts() == ["push", "fetch", "fetch", "push"]
