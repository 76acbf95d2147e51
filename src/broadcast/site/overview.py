"""The front page and the archive: what is open now, what is coming, and what was, month by month."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from broadcast.site.pages import Page
from broadcast.site.state import Tone

RECENT = 20
"""Past announcements on the front page; the archive has every one."""
DETAILED = 20
"""Open announcements that are shown with their newest update; more of them are listed."""
ORDER: tuple[Tone, ...] = ("critical", "major", "minor", "maintenance")
HEADLINES = {
    "critical": "Critical incident",
    "major": "Major incident",
    "minor": "Minor incident",
    "maintenance": "Maintenance in progress",
}


@dataclass(frozen=True, slots=True)
class Month:
    """`name` is for people, `November 2026`."""

    name: str
    pages: tuple[Page, ...]


@dataclass(frozen=True, slots=True)
class Year:
    """A page of the archive."""

    number: int
    file: str
    months: tuple[Month, ...]
    count: int


@dataclass(frozen=True, slots=True)
class Overview:
    """`tone` and `headline` are the overall state; `updated` is the time of the newest update of all."""

    tone: Tone
    headline: str
    updated: datetime | None
    open: tuple[Page, ...]
    listed: tuple[Page, ...]
    upcoming: tuple[Page, ...]
    recent: tuple[Month, ...]
    years: tuple[Year, ...]


def overview(pages: Sequence[Page], now: datetime) -> Overview:
    """The whole of the site, from pages that are sorted with the newest first."""
    open_now = sorted((page for page in pages if page.phase == "open"), key=lambda page: ORDER.index(page.tone))
    upcoming = sorted((page for page in pages if page.phase == "upcoming"), key=lambda page: page.starts or now)
    past = [page for page in pages if page.phase == "past"]
    worst: Tone = open_now[0].tone if open_now else "done"
    return Overview(
        tone=worst,
        headline=_headline(open_now, worst),
        updated=max((page.newest.time for page in pages), default=None),
        open=tuple(open_now[:DETAILED]),
        listed=tuple(open_now[DETAILED:]),
        upcoming=tuple(upcoming),
        recent=_months(past[:RECENT]),
        years=tuple(_years(pages)),
    )


def _headline(open_now: Sequence[Page], worst: Tone) -> str:
    if not open_now:
        return "No known problems"
    incidents = sum(page.kind == "incident" for page in open_now)
    if incidents > 1:
        return f"{incidents} open incidents, the worst is {worst}"
    if worst == "maintenance" and all(page.overdue for page in open_now):
        return "Maintenance should have ended"
    return HEADLINES[worst]


def _months(pages: Iterable[Page]) -> tuple[Month, ...]:
    return tuple(Month(name, tuple(group)) for name, group in groupby(pages, key=lambda page: f"{page.began:%B %Y}"))


def _years(pages: Iterable[Page]) -> Iterable[Year]:
    for number, group in groupby(pages, key=lambda page: page.began.year):
        months = _months(group)
        yield Year(number, f"history/{number}.html", months, sum(len(month.pages) for month in months))
