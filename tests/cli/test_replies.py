"""An account on X that may post and not reply: posts stand on their own, numbered, and the next run knows."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from broadcast.rehearsal import x
from broadcast.rehearsal.server import Server
from kit import Desk, incident, table

LONG = "Searches are slow for some of you, and we do not know why yet. " * 12
FIRST, SECOND = ("Investigating", 30.0, LONG), ("Resolved", 5.0, "Search is fast again.")
LINK = "https://status.example.com/"


@pytest.fixture
def refused(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    """A project with one channel on X, which refuses replies."""
    world = x.create(x.Options(replies_allowed=False))
    with Server(world) as server:
        desk.worlds["x"], desk.servers["x"] = world, server
        desk.write("broadcast.toml", f'url = "{LINK}"\n' + table("x", world.options(server.url)))
        for key, value in world.secrets().items():
            monkeypatch.setenv(f"BROADCAST_X_{key}", value)
        yield desk


def attempts(desk: Desk) -> int:
    return sum((entry.method, entry.path) == ("POST", "/2/tweets") for entry in desk.servers["x"].log)


def test_it_falls_back_once_says_so_and_remembers(refused: Desk) -> None:
    refused.write("incidents/slow.md", incident(FIRST, SECOND))
    done = refused.run("publish", "--yes", "--json")
    assert done.code == 0, done.err
    rows = done.json()["results"]
    assert {row["state"] for row in rows} == {"posted"}
    assert ["refuses replies" in (row["error"] or "") for row in rows].count(True) == 1
    stands = refused.stands("x")
    assert len(stands) == len(rows) > 3
    assert {seen.reply_to for seen in stands} == {None}
    assert LINK in stands[0].text
    assert LINK in stands[-1].text
    assert stands[1].text.rstrip().endswith(f"2/{len(rows) - 1}")
    assert attempts(refused) == len(rows) + 1  # one reply was tried

    refused.write("incidents/other.md", incident(FIRST, title="Another one"))
    planned = [row for row in refused.run("plan", "--json").json()["actions"] if row["announcement"] == "other"]
    assert {row["reply_to"] for row in planned} == {None}
    assert all(LINK in row["text"] for row in planned)
    assert all(f"{row['part']}/{row['parts']}" in row["text"] for row in planned)
    before = attempts(refused)
    again = refused.run("publish", "--yes")
    assert again.code == 0, again.err
    assert attempts(refused) == before + len(planned)
    assert [seen.text for seen in refused.stands("x")[len(stands) :]] == [row["text"] for row in planned]
    assert refused.run("publish", "--yes").code == 0
    assert len(refused.stands("x")) == len(stands) + len(planned)


def test_always_makes_it_a_failure_and_never_does_not_try(refused: Desk) -> None:
    config = (refused.root / "broadcast.toml").read_text(encoding="utf-8")
    refused.write("broadcast.toml", config + 'replies = "always"\n')
    refused.write("incidents/slow.md", incident(FIRST))
    failed = refused.run("publish", "--yes")
    assert failed.code == 3
    assert len(refused.stands("x")) == 1
    refused.write("broadcast.toml", config + 'replies = "never"\n')
    done = refused.run("publish", "--yes")
    assert done.code == 0, done.err
    assert {seen.reply_to for seen in refused.stands("x")} == {None}
    planned = refused.run("plan", "--json").json()["actions"]
    assert [seen.text for seen in refused.stands("x")] == [row["text"] for row in planned]
    assert attempts(refused) == len(planned) + 1
