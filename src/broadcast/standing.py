"""Where each announcement stands: open or over, when followers are owed the next update, what stands where."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from broadcast.config import Config
from broadcast.model import Action, Announcement, ChannelStanding, Plan, Standing, State
from broadcast.source import statuses

_WORST: Sequence[State] = ("uncertain", "changed", "todo", "scheduled", "done", "skipped")


def standings(config: Config, announcements: Iterable[Announcement], plan: Plan, now: datetime) -> list[Standing]:
    """One for each announcement that has begun or is scheduled, newest update first."""
    rows: dict[str, list[Action]] = {}
    for action in plan.actions:
        rows.setdefault(action.announcement, []).append(action)
    seen: dict[str, Standing] = {}
    for announcement in announcements:
        if announcement.updates and not announcement.draft and announcement.slug not in seen:
            seen[announcement.slug] = _standing(config, announcement, rows.get(announcement.slug, []), now)
    return sorted(seen.values(), key=lambda standing: (standing.updated, standing.announcement), reverse=True)


def _standing(config: Config, announcement: Announcement, rows: Sequence[Action], now: datetime) -> Standing:
    begun = [update for update in announcement.updates if update.time <= now] or announcement.updates[:1]
    passed = [update.status for update in begun]
    status = statuses.current(announcement.kind, passed) or passed[0]
    over = status in statuses.FINAL
    due = None if over else _due(config, announcement, begun[-1].time, status)
    return Standing(
        announcement=announcement.slug,
        title=announcement.title,
        kind=announcement.kind,
        status=status,
        open=not over,
        updated=begun[-1].time,
        next_update_due=due,
        overdue=due is not None and due < now,
        channels=_channels(rows),
    )


def _due(config: Config, announcement: Announcement, updated: datetime, status: str) -> datetime | None:
    """Incidents owe an update every cadence; maintenance owes one when it starts and when it ends."""
    if announcement.kind == "incident":
        return updated + config.cadence_of(announcement)
    if announcement.update_every is not None and status not in ("scheduled", "delayed"):
        return updated + announcement.update_every
    if status in ("scheduled", "delayed"):
        return announcement.starts or announcement.ends
    return announcement.ends


def _channels(rows: Sequence[Action]) -> Mapping[str, ChannelStanding]:
    channels: dict[str, ChannelStanding] = {}
    by_channel: dict[str, list[Action]] = {}
    for row in rows:
        by_channel.setdefault(row.channel, []).append(row)
    for name, mine in by_channel.items():
        state = min((row.state for row in mine), key=_WORST.index)
        stand = [row.ref for row in mine if row.ref is not None and row.state != "skipped"]  # not what was retracted
        channels[name] = ChannelStanding(state, tuple(ref.url for ref in stand if ref.url))
    return channels
