"""What a chain says of its announcement: is it over, is it under way, how bad is it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Literal

from broadcast.model import Announcement, Update
from broadcast.source.statuses import FINAL

Phase = Literal["open", "upcoming", "past"]
Tone = Literal["critical", "major", "minor", "maintenance", "done", "release", "withdrawn"]

WAITING = frozenset({"scheduled", "delayed"})


def visible(announcement: Announcement, now: datetime) -> tuple[Update, ...]:
    """The updates that followers may see, oldest first: those that are not in the future."""
    return tuple(update for update in announcement.updates if update.time <= now)


def without(announcements: Sequence[Announcement], gone: Collection[tuple[str, datetime]]) -> list[Announcement]:
    """The announcements without these updates (slug, time), and without those of which nothing is left."""
    kept = []
    for announcement in announcements:
        updates = tuple(item for item in announcement.updates if (announcement.slug, item.time) not in gone)
        if updates:
            kept.append(replace(announcement, updates=updates))
    return kept


def phase(announcement: Announcement, status: str, now: datetime) -> Phase:
    """Where an announcement belongs on the front page.

    A maintenance that was only ever scheduled is under way during its window and over after it: its authors forgot to
    say so, and followers must not read of it as news for years.
    """
    if status in FINAL or announcement.kind == "release":
        return "past"
    if announcement.kind == "maintenance" and status in WAITING:
        if announcement.starts is None or now < announcement.starts:
            return "upcoming"
        if announcement.ends is not None and announcement.ends <= now:
            return "past"
    return "open"


def tone(announcement: Announcement, status: str) -> Tone:
    """How to color an announcement; the color never stands without words."""
    if status in {"withdrawn", "cancelled"}:
        return "withdrawn"
    if announcement.kind == "release":
        return "release"
    if status in FINAL:
        return "done"
    if announcement.kind == "maintenance":
        return "maintenance"
    return announcement.severity or "minor"
