"""What a chain says of its announcement: is it over, is it under way, how bad is it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Literal

from broadcast.model import Announcement, Update
from broadcast.source.statuses import FINAL

Phase = Literal["open", "upcoming", "past"]
Tone = Literal["critical", "major", "minor", "maintenance", "done", "release", "withdrawn"]

WAITING = frozenset({"scheduled", "delayed"})


def visible(announcement: Announcement, now: datetime) -> tuple[Update, ...]:
    """The updates that followers may see, oldest first: those that are not in the future."""
    return tuple(update for update in announcement.updates if update.time <= now)


def addressed(announcement: Announcement, channel: str, pace: timedelta | None) -> Announcement:
    """The announcement with the words that are meant for a page's `channel`, and its pace."""
    updates = tuple(
        replace(update, overrides={**update.overrides, "site": update.overrides[channel]})
        if channel in update.overrides
        else update
        for update in announcement.updates
    )
    return replace(announcement, updates=updates, update_every=pace)


def without(announcements: Sequence[Announcement], gone: Collection[tuple[str, datetime]]) -> list[Announcement]:
    """The announcements without these updates (slug, time), and without those of which nothing is left."""
    kept = []
    for announcement in announcements:
        updates = tuple(item for item in announcement.updates if (announcement.slug, item.time) not in gone)
        if updates:
            kept.append(replace(announcement, updates=updates))
    return kept


def phase(announcement: Announcement, status: str, now: datetime) -> Phase:
    """Where an announcement belongs on the front page. A maintenance is under way when its window begins, and until
    somebody says that it is over."""
    if status in FINAL or announcement.kind == "release":
        return "past"
    if announcement.kind == "maintenance" and status in WAITING:
        begins = announcement.starts or announcement.ends
        if begins is None or now < begins:
            return "upcoming"
    return "open"


def promised(announcement: Announcement, status: str, shown: Sequence[Update]) -> datetime | None:
    """When followers are owed the next update: after the last one of an incident, and at the end of a maintenance."""
    if status in FINAL or announcement.kind == "release":
        return None
    if announcement.kind == "incident":
        return shown[-1].time + announcement.update_every if announcement.update_every else None
    return announcement.ends


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
