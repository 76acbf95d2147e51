"""Dates that can be read and cannot be meant."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from broadcast.source.dates import doubts
from broadcast.source.parse import parse

NOW = datetime(2026, 11, 25, 20, 0, tzinfo=UTC)
DAY = timedelta(days=1)


def codes(*updates: tuple[str, str, str], head: str = "", told: bool = False) -> list[str]:
    """The doubts about a file, as `code: message`."""
    chain = "\n".join(f"## {status} - {time}\n{body}\n" for status, time, body in updates)
    one, _ = parse(f"---\ntitle: API errors\n{head}---\n{chain}", "incidents/api.md")
    assert one is not None
    known = {(one.slug, update.time) for update in one.updates} if told else set()
    found = doubts([one], NOW, told=known, posted={"api"}, stale_after=DAY)
    return [f"{each.code}:{each.place.line}" for each in found]


@pytest.mark.parametrize(
    ("time", "expected"),
    [
        ("2026-11-25 19:55 UTC", []),
        ("2026-11-25 20:50 UTC", []),
        ("2026-11-25 21:10 UTC", ["time-ahead:4"]),
        ("2026-11-26 08:00 UTC", ["time-ahead:4"]),
        ("2026-12-25 19:55 UTC", ["time-slip:4"]),
        ("2027-11-25 19:55 UTC", ["time-slip:4"]),
        ("2026-10-25 19:55 UTC", ["time-slip:4"]),
        ("2025-11-25 19:55 UTC", ["time-slip:4"]),
        ("2026-01-25 19:55 UTC", ["time-slip:4"]),
        ("2026-10-20 19:55 UTC", ["old-news:4"]),
        ("2026-11-24 19:00 UTC", ["old-news:4"]),
    ],
)
def test_a_first_update(time: str, expected: list[str]) -> None:
    assert codes(("Investigating", time, "We are looking.")) == expected
    known = [one for one in expected if "ahead" in one] or (["time-ahead:4"] if time > "2026-11-25 21" else [])
    assert codes(("Investigating", time, "We are looking."), told=True) == known


def test_between_two_updates() -> None:
    """Those of one incident follow each other: the same day and time in another month is a slip of the hand."""
    first = ("Investigating", "2026-11-25 19:00 UTC", "We are looking.")
    assert codes(first, ("Resolved", "2026-11-25 19:30 UTC", "Over.")) == []
    assert codes(first, ("Resolved", "2026-10-25 19:30 UTC", "Over.")) == ["time-slip:7"]
    assert codes(first, ("Resolved", "2025-11-25 19:30 UTC", "Over."), told=True) == ["time-slip:7"]
    assert codes(("Investigating", "2026-10-24 19:00 UTC", "x"), first, told=True) == []


def test_what_is_announced_ahead_is_fine() -> None:
    head = "kind: maintenance\nstarts: 2026-12-03 02:00 UTC\nends: 2026-12-03 04:00 UTC\n"
    chain = (("Scheduled", "2026-11-25 19:00 UTC", "Soon."), ("Completed", "2026-12-03 04:00 UTC", "Done."))
    assert codes(*chain, head=head) == []
    assert codes(("In progress", "2026-12-03 02:00 UTC", "Now."), head=head) == ["time-ahead:7"]
    assert codes(("Released", "2026-12-03 02:00 UTC", "New."), head="kind: release\nversion: 1\n") == ["time-ahead:6"]


@pytest.mark.parametrize(
    ("words", "past"),
    [
        ("Next update by 19:30.", True),
        ("Next update by 19:30 UTC", True),
        ("**Next update by 19:30 UTC.**", True),
        ("The next update follows at 19:30 GMT.", True),
        ("Next update by 2026-11-25 19:30 UTC.", True),
        ("Nächstes Update bis 19:30 UTC.", True),
        ("Prochain point avant 19:30 UTC.", True),
        ("Next update by 02:05 UTC.", False),
        ("Next update by 20:30 UTC.", False),
        ("Next update by 19:30 CET.", False),
        ("Next update tomorrow by 09:30 UTC.", False),
        ("Next update within the hour.", False),
        ("It began at 19:30 UTC.", False),
    ],
)
def test_a_promise_by_hand(words: str, past: bool) -> None:
    update = ("Investigating", "2026-11-25 19:00 UTC", f"We are looking. {words}")
    assert codes(update) == (["past-promise:4"] if past else [])
    assert codes(update, told=True) == []


def test_a_promise_that_was_past_when_it_was_written() -> None:
    update = ("Investigating", "2026-11-25 19:45 UTC", "We are looking. Next update by 02:05 UTC.")
    assert codes(update) == []
    assert codes((*update[:2], "We are looking. Next update by 18:05 UTC.")) == ["past-promise:4"]


def test_a_history_is_one_doubt() -> None:
    """297 imported files are not 297 warnings."""
    made = [
        parse(f"---\ntitle: Old\n---\n## Investigating - 2020-01-{day:02} 10:00 UTC\nx\n", f"i/a{day}.md")[0]
        for day in range(1, 20)
    ]
    several = [one for one in made if one is not None]
    found = doubts(several, NOW, told=(), posted={one.slug for one in several}, stale_after=DAY)
    assert [one.code for one in found] == ["old-news"]
    assert "18 more" in found[0].message
    assert not doubts(several, NOW, told=(), posted=(), stale_after=DAY)
