from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from broadcast.site.gallery import Gallery
from broadcast.site.links import anchor, page_name, permalink
from broadcast.site.overview import DETAILED, RECENT, Overview, overview
from broadcast.site.pages import duration, pages
from samples import announce, at

NOW = datetime(2026, 11, 22, 16, 0, tzinfo=UTC)


def whole(tmp_path: Path, *announcements: Any) -> Overview:
    return overview(pages(announcements, Gallery(tmp_path, tmp_path), url=None, now=NOW), NOW)


def test_nothing_is_open(tmp_path: Path) -> None:
    assert whole(tmp_path).headline == "No known problems"
    seen = whole(
        tmp_path, announce("a", ("investigating", "2026-11-22T14:05", "x"), ("resolved", "2026-11-22T15:00", "x"))
    )
    assert (seen.tone, seen.headline, seen.open) == ("done", "No known problems", ())
    assert [month.name for month in seen.recent] == ["November 2026"]


def test_the_worst_comes_first(tmp_path: Path) -> None:
    minor = announce("minor", ("investigating", "2026-11-22T15:05", "x"))
    major = announce("major", ("investigating", "2026-11-22T14:05", "x"), severity="major")
    assert whole(tmp_path, minor).headline == "Minor incident"
    seen = whole(tmp_path, minor, major)
    assert (seen.tone, seen.headline) == ("major", "2 open incidents, the worst is major")
    assert [page.slug for page in seen.open] == ["major", "minor"]


def test_an_incident_that_was_reopened_is_open(tmp_path: Path) -> None:
    chain = [(status, f"2026-11-22T{10 + hour}:00", "x") for hour, status in enumerate(("investigating", "resolved"))]
    assert whole(tmp_path, announce("a", *chain, ("postmortem", "2026-11-22T14:00", "x"))).open == ()
    assert len(whole(tmp_path, announce("a", *chain, ("reopened", "2026-11-22T14:00", "x"))).open) == 1


@pytest.mark.parametrize(
    ("starts", "ends", "where"),
    [
        ("2026-11-23T02:00", "2026-11-23T04:00", "upcoming"),
        (None, None, "upcoming"),
        ("2026-11-22T15:00", "2026-11-22T17:00", "open"),
        ("2026-11-22T15:00", None, "open"),
        ("2026-11-21T15:00", "2026-11-21T17:00", "open"),
    ],
)
def test_a_maintenance_that_is_only_scheduled_follows_its_window(
    tmp_path: Path, starts: str | None, ends: str | None, where: str
) -> None:
    planned = announce(
        "m",
        ("scheduled", "2026-11-20T09:00", "x"),
        kind="maintenance",
        starts=at(starts) if starts else None,
        ends=at(ends) if ends else None,
    )
    seen = whole(tmp_path, planned)
    assert [name for name in ("open", "upcoming", "recent") if getattr(seen, name)] == [where]
    if where == "open":
        passed = ends is not None and at(ends) <= NOW
        assert seen.headline == ("Maintenance should have ended" if passed else "Maintenance in progress")


def test_upcoming_maintenance_in_the_order_in_which_it_comes(tmp_path: Path) -> None:
    planned = [
        announce(
            f"m{day}", ("scheduled", "2026-11-20T09:00", "x"), kind="maintenance", starts=at(f"2026-11-{day}T02:00")
        )
        for day in (29, 24, 27)
    ]
    assert [page.slug for page in whole(tmp_path, *planned).upcoming] == ["m24", "m27", "m29"]


def test_a_release_is_never_open(tmp_path: Path) -> None:
    seen = whole(tmp_path, announce("r", ("released", "2026-11-22T14:05", "x"), kind="release"))
    assert seen.open == ()
    assert seen.recent[0].pages[0].tone == "release"


def test_many_are_listed_and_archived(tmp_path: Path) -> None:
    still = [announce(f"o{day}", ("investigating", f"2026-10-{day:02}T10:00", "x")) for day in range(1, 31)]
    over = [
        announce(
            f"p{index}", ("released", f"{at('2025-12-30T10:00') - timedelta(days=index):%FT%T}", "x"), kind="release"
        )
        for index in range(40)
    ]
    seen = whole(tmp_path, *still, *over)
    assert (len(seen.open), len(seen.listed)) == (DETAILED, 30 - DETAILED)
    assert sum(len(month.pages) for month in seen.recent) == RECENT
    assert [(year.number, year.count, year.file) for year in seen.years] == [
        (2026, 30, "history/2026.html"),
        (2025, 40, "history/2025.html"),
    ]


def test_links() -> None:
    assert permalink("https://s.example/status/", "api-errors") == "https://s.example/status/api-errors.html"
    assert permalink("https://s.example", "a b#c", "fr") == "https://s.example/a%20b%23c.fr.html"
    assert page_name("api", "fr") == "api.fr.html"
    assert anchor(at("2026-11-22T14:05")) == "u-20261122T140500Z"
    assert anchor(datetime.fromisoformat("2026-11-22T15:05:00+01:00")) == "u-20261122T140500Z"


@pytest.mark.parametrize(
    ("minutes", "words"), [(0, "1 min"), (59, "59 min"), (95, "1 h 35 min"), (120, "2 h"), (3000, "2 d 2 h")]
)
def test_durations(minutes: int, words: str) -> None:
    assert duration(timedelta(minutes=minutes)) == words


def test_a_window_that_passed_without_a_word_is_said(tmp_path: Path) -> None:
    """At e0fdd80 the page said "No known problems" over a maintenance that nobody had ended."""
    window: dict[str, Any] = {"kind": "maintenance", "starts": at("2026-11-21T15:00"), "ends": at("2026-11-21T17:00")}
    begun = ("in progress", "2026-11-21T15:00", "x")
    for chain in ([("scheduled", "2026-11-20T09:00", "x")], [("scheduled", "2026-11-20T09:00", "x"), begun]):
        seen = whole(tmp_path, announce("m", *chain, **window))
        assert seen.headline == "Maintenance should have ended"
        assert seen.open[0].overdue
    over = announce("m", ("scheduled", "2026-11-20T09:00", "x"), ("completed", "2026-11-21T16:00", "x"), **window)
    assert whole(tmp_path, over).headline == "No known problems"


def test_what_is_promised_is_on_the_page(tmp_path: Path) -> None:
    pace = timedelta(minutes=30)
    chain = [("investigating", "2026-11-22T14:05", "x"), ("identified", "2026-11-22T15:50", "x")]
    [page] = whole(tmp_path, announce("a", *chain, update_every=pace)).open
    assert (page.due, page.overdue) == (at("2026-11-22T16:20"), False)
    [page] = whole(tmp_path, announce("a", *chain[:1], update_every=pace)).open
    assert (page.due, page.overdue) == (at("2026-11-22T14:35"), True)
    over = announce("a", *chain, ("resolved", "2026-11-22T15:55", "x"), update_every=pace)
    assert whole(tmp_path, over).recent[0].pages[0].due is None
