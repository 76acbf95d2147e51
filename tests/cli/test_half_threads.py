"""Half a thread stands: what is left of it comes from the file, follows what stands, or waits for a human."""

from __future__ import annotations

from pathlib import Path

import pytest

from broadcast.rehearsal.base import Request, json_response
from broadcast.rehearsal.server import Fault
from kit import Desk, incident

CHANNELS = ("x", "mastodon")
POSTING = ("/2/tweets", "/api/v1/statuses")
LONG = "Searches are slow for some of you, and we do not know why yet. " * 12
LAST = "We are sorry for the trouble."


@pytest.fixture
def half(live: Desk) -> Path:
    """The first post stands on both channels, and the second was refused. Gives the file."""
    path = live.write("incidents/slow.md", incident(("Investigating", 30.0, f"{LONG}{LAST}")))
    seen: list[str] = []

    def refuse(request: Request, number: int) -> Fault | None:
        if request.method != "POST" or request.path not in POSTING:
            return None
        seen.append(request.path)
        refused = Fault(effect=False, answer=json_response({"error": "not now", "detail": "not now"}, 400))
        return refused if seen.count(request.path) > 1 else None

    for name in CHANNELS:
        live.servers[name].faults = refuse
    assert live.run("publish", "--yes").code == 3
    for name in CHANNELS:
        live.servers[name].faults = None
        assert len(live.stands(name)) == 1
    return path


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def assert_one_thread(desk: Desk, *, last: str) -> None:
    rows = desk.run("plan", "--json").json()["actions"]
    for name in CHANNELS:
        stands = desk.stands(name)
        assert len(stands) > 1
        assert [seen.reply_to for seen in stands] == [None, *(seen.id for seen in stands[:-1])]
        assert [seen.text for seen in stands] == [row["text"] for row in rows if row["channel"] == name]
        assert last in stands[-1].text
        assert sum(last in seen.text for seen in stands) == 1


def test_it_is_finished_as_it_was_begun_where_the_file_is_the_same(live: Desk, half: Path) -> None:
    assert live.run("publish", "--yes").code == 0
    assert_one_thread(live, last=LAST)


@pytest.mark.parametrize(
    "new", ["It is over now.", f"{LAST} {'There is more to say about that. ' * 20}And that is it."]
)
def test_what_is_left_to_say_is_what_the_file_says_now(live: Desk, half: Path, new: str) -> None:
    change(half, LAST, new)
    done = live.run("publish", "--yes")
    assert done.code == 0, done.err
    assert_one_thread(live, last=new[-15:])
    assert live.run("publish", "--yes").code == 0
    rows = live.run("plan", "--json").json()["actions"]
    assert {row["state"] for row in rows if row["channel"] in CHANNELS} == {"done"}
    change(half, new, "All of this was wrong.")
    rows = live.run("plan", "--json").json()["actions"]
    assert {row["state"] for row in rows} == {"changed"}


def test_where_the_file_begins_otherwise_now_nothing_is_sent_until_it_is_put_back(live: Desk, half: Path) -> None:
    change(half, "Searches are slow", "Everything is slow")
    before = {name: live.stands(name) for name in CHANNELS}
    for _ in range(2):
        done = live.run("publish", "--yes")
        assert done.code == 4, done.err
        assert "put the file back" in " ".join(done.out.split())
        assert "--absent" not in done.err  # which settle refuses here
        assert {name: live.stands(name) for name in CHANNELS} == before
    change(half, "Everything is slow", "Searches are slow")
    assert live.run("publish", "--yes").code == 0
    assert_one_thread(live, last=LAST)


def test_or_a_human_leaves_it_as_it_is_and_later_updates_go_out(live: Desk, half: Path) -> None:
    change(half, "Searches are slow", "Everything is slow")
    half.write_text(
        half.read_text(encoding="utf-8") + incident(("Resolved", 5.0, "Fast.")).split("---\n", 2)[2], encoding="utf-8"
    )
    assert live.run("publish", "--yes").code == 4
    rows = live.run("plan", "--json").json()["actions"]
    for name in CHANNELS:
        first, second = live.stands(name)
        assert "Fast." in second.text
        assert second.reply_to == first.id
        for row in rows:
            if row["channel"] == name and row["state"] == "uncertain":
                where = ("--update", row["update"], "--channel", name, "--part", str(row["part"]))
                assert live.run("ledger", "settle", "slow", *where, "--absent").code == 2
                assert live.run("ledger", "settle", "slow", *where, "--posted").code == 0
    assert live.run("publish", "--yes").code == 0
    assert [len(live.stands(name)) for name in CHANNELS] == [2, 2]
