"""`publish` as a user runs it, to a real PDS: its URL in `broadcast.toml`, an app password in the environment."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from broadcast.rehearsal.server import LOST, Server
from kit import GIT, Desk, incident, table
from pds_server import Pds, PdsWorld

LONG = "Searches are slow for some of you 🐢, and we do not know why yet: see https://example.com/status. "
FIRST = ("Investigating", 30, LONG * 12)
SECOND = ("Resolved", 5, "Search is fast again ✅")


@pytest.fixture
def world(pds: Pds, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> PdsWorld:
    """The account of the project's only channel."""
    account = pds.world()
    monkeypatch.setenv("BROADCAST_BLUESKY_APP_PASSWORD", account.secrets()["APP_PASSWORD"])
    lead_to(desk, account, pds.url)
    return account


def lead_to(desk: Desk, world: PdsWorld, url: str) -> None:
    desk.write("broadcast.toml", f'url = "https://status.example.com"\n{table("bluesky", world.options(url))}')


def test_publish_then_an_update_then_nothing(desk: Desk, world: PdsWorld) -> None:
    path = desk.write("incidents/slow.md", incident(FIRST))
    planned = desk.run("plan", "--json").json()["actions"]
    done = desk.run("publish", "--yes", "--json")
    assert done.code == 0, done.err
    first = world.timeline()
    assert len(first) >= 5
    assert [seen.text for seen in first] == [row["text"] for row in planned]
    assert [seen.id for seen in first] == [row["id"] for row in done.json()["results"]]
    assert [seen.url for seen in first] == [row["url"] for row in done.json()["results"]]
    links = [link for row in planned for link in row["links"]]
    assert len(links) > 5
    assert [(link.url, link.start, link.end) for seen in first for link in seen.links] == [
        (link["url"], link["start"], link["end"]) for link in links
    ]

    path.write_text(path.read_text(encoding="utf-8") + incident(SECOND).split("---\n", 2)[2], encoding="utf-8")
    assert desk.run("publish", "--yes").code == 0
    *old, last = world.timeline()
    assert tuple(old) == first
    assert "Search is fast again" in last.text
    reply = world.records()[-1]["value"]["reply"]
    assert (reply["root"]["uri"], reply["parent"]["uri"]) == (first[0].id, first[-1].id)

    again = desk.run("publish", "--yes", "--json")
    assert again.code == 0
    assert {row["state"] for row in again.json()["results"]} == {"done"}
    assert world.timeline() == (*first, last)


def test_the_command_of_its_own_process(desk: Desk, world: PdsWorld) -> None:
    desk.write("incidents/slow.md", incident(SECOND))
    command = [sys.executable, "-m", "broadcast", "publish", "--yes"]
    done = subprocess.run(
        command, cwd=desk.root, env={**os.environ, **GIT}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    (seen,) = world.timeline()
    assert seen.url in done.stdout
    assert world.secrets()["APP_PASSWORD"] not in done.stdout + done.stderr


def test_a_run_is_one_login_and_one_write(desk: Desk, world: PdsWorld) -> None:
    desk.write("incidents/slow.md", incident(FIRST))
    with Server(world) as server:
        lead_to(desk, world, server.url)
        assert desk.run("publish", "--yes").code == 0
        asked = [entry.path.rpartition(".")[2] for entry in server.log]
        assert asked == ["createSession", "listRecords", "applyWrites"], "an empty ledger may have been lost"
        assert desk.run("publish", "--yes").code == 0
        assert len(server.log) == 3, "where nothing is to do, nobody is asked"
    assert len(world.timeline()) >= 5


def test_an_answer_that_was_lost_is_looked_up(desk: Desk, world: PdsWorld) -> None:
    desk.write("incidents/slow.md", incident(FIRST))
    with Server(world) as server:
        server.faults = lambda request, number: LOST if request.path.endswith(".applyWrites") else None
        lead_to(desk, world, server.url)
        done = desk.run("publish", "--yes", "--json")
        assert done.code == 0, done.err
        assert {row["state"] for row in done.json()["results"]} == {"posted"}
        stands = world.timeline()
        asked = [entry.path.rpartition(".")[2] for entry in server.log]
        assert asked == ["createSession", "listRecords", "applyWrites", *["getRecord"] * len(stands)]
        assert desk.run("publish", "--yes").code == 0
    assert world.timeline() == stands


def test_a_wrong_password_sends_nothing(desk: Desk, world: PdsWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BROADCAST_BLUESKY_APP_PASSWORD", "wr0ng-secret")
    desk.write("incidents/slow.md", incident(FIRST))
    failed = desk.run("publish", "--yes")
    assert failed.code == 5
    assert "Invalid identifier or password" in failed.out + failed.err
    assert "wr0ng-secret" not in failed.out + failed.err
    assert not world.timeline()
