"""A chain ends where it began, late or not, and nothing is refused for saying what was said before."""

from __future__ import annotations

from pathlib import Path

import pytest

from kit import Desk, ago, incident

NETWORKED = ("x", "bluesky", "mastodon")
HOUR, DAY = 60, 24 * 60


def texts(desk: Desk, channel: str) -> list[str]:
    return [seen.text for seen in desk.stands(channel)]


def append(path: Path, status: str, minutes: float, text: str) -> None:
    path.write_text(f"{path.read_text(encoding='utf-8')}\n## {status} - {ago(minutes)}\n{text}\n", encoding="utf-8")


def routed(desk: Desk) -> None:
    """Minor incidents go to the page and to Mastodon only."""
    config = (desk.root / "broadcast.toml").read_text(encoding="utf-8")
    routes = '[[routes]]\nseverities = ["major"]\nchannels = ["*"]\n\n[[routes]]\nchannels = ["site", "mastodon"]\n'
    desk.write("broadcast.toml", f"{config}\n{routes}")


@pytest.mark.parametrize(
    ("line", "instead"),
    [("severity: major", "severity: minor"), ("severity: major", "severity: major\nchannels: [site]")],
)
def test_an_announcement_stays_where_it_began(live: Desk, line: str, instead: str) -> None:
    """At e0fdd80 the end was told on the page alone, with exit code 0."""
    routed(live)
    path = live.write("incidents/slow.md", incident(("Investigating", 30, "Searches are slow.")))
    assert live.run("publish", "--yes").code == 0
    path.write_text(path.read_text(encoding="utf-8").replace(line, instead), encoding="utf-8")
    append(path, "Resolved", 5, "Fast again.")
    shown = live.run("plan")
    assert "stays until it is over" in shown.out
    assert live.run("publish", "--yes").code == 0
    for channel in NETWORKED:
        first, second = live.stands(channel)
        assert second.reply_to == first.id
    append(path, "Postmortem", 1, "A cache was cold.")
    assert live.run("publish", "--yes").code == 0
    assert len(live.stands("x")) == len(live.stands("bluesky")) == 2
    rows = live.run("plan", "--json").json()["actions"]
    assert {row["state"] for row in rows} == {"done"}


def test_a_channel_is_left_on_purpose_only(live: Desk) -> None:
    path = live.write("incidents/slow.md", incident(("Investigating", 30, "Searches are slow.")))
    assert live.run("publish", "--yes").code == 0
    text = path.read_text(encoding="utf-8").replace("severity: major", "severity: major\nchannels: [-x]")
    path.write_text(text, encoding="utf-8")
    append(path, "Resolved", 5, "Fast again.")
    assert live.run("check").code == 0
    assert "left on purpose: `channels` says `-x`" in live.run("plan").out
    assert live.run("publish", "--yes").code == 0
    assert [len(live.stands(channel)) for channel in NETWORKED] == [1, 2, 2]


def test_to_leave_a_channel_that_does_not_exist_is_an_error(live: Desk) -> None:
    live.write("incidents/slow.md", incident(("Investigating", 30, "Slow."), more="channels: [-twitter]\n"))
    assert "error[unknown-channel]" in live.run("check").out


def test_the_end_of_a_chain_is_told_however_late(live: Desk) -> None:
    """At e0fdd80 it was skipped as stale, and `publish` and `status --fail-overdue` ended with 0."""
    config = (live.root / "broadcast.toml").read_text(encoding="utf-8")
    live.write("broadcast.toml", f'stale_after = "2h"\n{config}')
    path = live.write("incidents/slow.md", incident(("Investigating", 6 * HOUR, "Searches are slow.")))
    assert live.run("publish", "--yes", "--backfill").code == 0
    append(path, "Identified", 5 * HOUR, "A cold cache.")
    append(path, "Resolved", 4 * HOUR, "Fast again.")
    append(path, "Postmortem", 3 * HOUR, "What happened.")
    ended = path.read_text(encoding="utf-8").split("## Resolved - ")[1][:16]
    assert "late: followers here wait for it" in live.run("plan").out
    assert live.run("publish", "--yes").code == 0
    for channel in NETWORKED:
        first, second, third = live.stands(channel)
        assert (second.reply_to, third.reply_to) == (first.id, second.id)
        assert "A cold cache." in second.text
        assert "Next update" not in second.text
        assert f"({ended} UTC)" in third.text
    again = live.run("publish", "--yes", "--json").json()["results"]
    assert {row["state"] for row in again if row["update"] < again[-1]["update"]} == {"done"}
    assert [len(live.stands(channel)) for channel in NETWORKED] == [3, 3, 3]


def test_what_was_never_begun_stays_backlog(live: Desk) -> None:
    live.write("incidents/old.md", incident(("Investigating", 3 * DAY, "Slow."), ("Resolved", 2 * DAY, "Fast.")))
    assert live.run("publish", "--yes").code == 0
    assert [live.stands(channel) for channel in NETWORKED] == [[], [], []]


def test_x_is_never_told_the_same_twice(live: Desk) -> None:
    """At e0fdd80 the second ended with exit code 3 and "run again", which could never help."""
    path = live.write("incidents/slow.md", incident(("Investigating", 400, "We are still looking.")))
    append(path, "Update", 300, "Still investigating.")
    assert live.run("publish", "--yes").code == 0
    append(path, "Update", 200, "Still investigating.")
    append(path, "Update", 100, "still  investigating.")
    planned = [row["text"] for row in live.run("plan", "--json").json()["actions"] if row["channel"] == "x"]
    assert live.run("publish", "--yes").code == 0
    assert planned == texts(live, "x")
    times = [part[11:16] for part in path.read_text(encoding="utf-8").split("## Update - ")[1:]]
    second, third, fourth = texts(live, "x")[1:]
    assert "UTC)" not in second
    assert f"Slow search ({times[1]} UTC)" in third
    assert f"Slow search ({times[2]} UTC)" in fourth
    assert texts(live, "bluesky")[1] == texts(live, "bluesky")[2]
    assert {row["state"] for row in live.run("plan", "--json").json()["actions"]} == {"done"}


def test_x_is_never_told_the_same_by_two_announcements(live: Desk) -> None:
    config = (live.root / "broadcast.toml").read_text(encoding="utf-8")
    live.write("broadcast.toml", config.replace('platform = "x"', 'platform = "x"\nlink = "none"'))
    live.write("incidents/one.md", incident(("Investigating", 50, "We are looking."), title="API errors"))
    assert live.run("publish", "--yes").code == 0
    live.write("incidents/two.md", incident(("Investigating", 20, "We are looking."), title="API errors"))
    live.write("incidents/three.md", incident(("Investigating", 10, "We are looking."), title="API errors"))
    assert live.run("publish", "--yes").code == 0
    assert len(set(texts(live, "x"))) == 3


def test_words_for_x_alone_are_told_apart_too(live: Desk) -> None:
    path = live.write("incidents/slow.md", incident(("Investigating", 50, "Text")))
    for minutes in (40, 30):
        append(path, "Update", minutes, "Longer.\n\n```post x\nStill on it.\n```")
    assert live.run("publish", "--yes").code == 0
    one, two = texts(live, "x")[1:]
    assert one == "Still on it."
    assert two.startswith("Still on it. (")


def test_later_posts_of_threads_are_told_apart(live: Desk) -> None:
    long = "The same long story, told in full each time, because people join late. " * 8
    path = live.write("incidents/slow.md", incident(("Investigating", 50, long)))
    append(path, "Update", 40, long)
    append(path, "Update", 30, long)
    assert live.run("publish", "--yes").code == 0
    said = texts(live, "x")
    assert len(said) == len(set(said)) >= 6
    assert {row["state"] for row in live.run("publish", "--yes", "--json").json()["results"]} == {"done"}


def test_a_late_update_promises_no_time_that_is_gone(live: Desk) -> None:
    path = live.write("incidents/slow.md", incident(("Investigating", 90, "Slow.")))
    assert "Next update" not in "".join(row["text"] for row in live.run("plan", "--json").json()["actions"])
    assert live.run("publish", "--yes").code == 0
    append(path, "Update", 5, "Still slow.")
    assert live.run("publish", "--yes").code == 0
    for channel in NETWORKED:
        first, second = texts(live, channel)
        assert "Next update" not in first
        assert "Next update by" in second


def test_dates_that_cannot_be_meant_are_said_before_anything_is_sent(live: Desk) -> None:
    """At e0fdd80 `check` and `publish` had no word on any of these."""
    live.write("incidents/old.md", incident(("Investigating", 3 * DAY, "Searches are slow."), title="Old"))
    live.write("incidents/ahead.md", incident(("Investigating", -3 * HOUR, "Searches are slow."), title="Ahead"))
    promise = f"Searches are slow. Next update by {ago(60)[11:]}."
    live.write("incidents/promise.md", incident(("Investigating", 90, promise), title="Promise"))
    checked = live.run("check", "--json")
    assert checked.code == 0
    found = {(one["code"], one["path"].removeprefix("incidents/")) for one in checked.json()["problems"]}
    assert found == {("old-news", "old.md"), ("time-ahead", "ahead.md"), ("past-promise", "promise.md")}
    done = live.run("publish", "--dry-run")
    for words in ("ahead.md", "is the date right?", "which is past", "older than `stale_after`"):
        assert words in done.err
    assert live.run("publish", "--yes", "promise").code == 0
    again = live.run("check", "--json").json()["problems"]
    assert "past-promise" not in {one["code"] for one in again}, "it was told, and cannot be mended any more"
