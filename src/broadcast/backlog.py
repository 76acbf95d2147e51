"""Never the backlog: why an update that a channel has not seen is published, or is not. Pure.

Files are renamed, channels are added and renamed, times are corrected, ledgers begin in the middle of a history. In
none of these is anything old posted, or anything posted twice: what looks new but was said before is recognized here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from broadcast.ledger.base import Log
from broadcast.ledger.history import Sent, fold
from broadcast.model import State, Thread

History = Mapping[tuple[datetime, str], Sent]
"""What became of each (update, channel) of one announcement."""


@dataclass(frozen=True, slots=True)
class Rules:
    """`stale_after`: an update older than this is not published without `backfill`."""

    now: datetime
    stale_after: timedelta
    backfill: bool = False


def due(thread: Thread, history: History, former: str | None, rules: Rules) -> tuple[State, str]:
    """The state of an update of which its channel has nothing, and why. `former` is the announcement, without a file
    today, under whose name the channel has this update."""
    if former is not None:
        return "skipped", f"published as {former}: type `broadcast ledger move {former} {thread.announcement}`"
    if thread.update > rules.now:
        return "scheduled", f"due {thread.update:%Y-%m-%d %H:%M} UTC"
    if thread.channel.dry:
        return "skipped", "the channel is dry"
    if rules.backfill:
        return "todo", ""
    if rules.now - thread.update > rules.stale_after:
        return "skipped", "older than stale_after; --backfill publishes it"
    name = thread.channel.name
    if any(stands(sent) and time > thread.update for (time, channel), sent in history.items() if channel == name):
        return "skipped", "older than what stands there; --backfill publishes it"
    others = [sent for (time, channel), sent in history.items() if time == thread.update and channel != name]
    if any(stands(sent) for sent in others) and not any(_meant_for(sent, name) for sent in others):
        return "skipped", "published before this channel was there; --backfill publishes it"
    return "todo", ""


def stands(sent: Sent) -> bool:
    """Whether anything of an update was published on a channel."""
    return sent.baseline or any(part.state == "posted" for part in sent.parts)


def corrected(thread: Thread, sent: Mapping[datetime, Sent], times: frozenset[datetime]) -> datetime | None:
    """The time under which this update was published on its channel (`sent`), when it was changed in the file since.
    `times` are those of all updates in the file.

    It is told by what was written, or by its status: a chain has each but `update` only once.
    """
    gone = [time for time in sorted(sent) if time not in times and stands(sent[time])]
    for time in gone:
        intents = [part.intent for part in sent[time].parts if part.intent is not None]
        if any(intent.source == thread.source for intent in intents):
            return time
    for time in gone:
        intents = [part.intent for part in sent[time].parts if part.intent is not None]
        if thread.status != "update" and any(intent.status == thread.status for intent in intents):
            return time
    return None


def renamed(log: Log, slugs: Iterable[str]) -> Mapping[tuple[datetime, str], str]:
    """What the ledger has of announcements without a file: (update, channel) -> slug. `slugs` are those with one."""
    here = set(slugs)
    return {
        key: slug
        for slug, events in log.events.items()
        if slug not in here
        for key, sent in fold(events).items()
        if stands(sent)
    }


def _meant_for(sent: Sent, channel: str) -> bool:
    """Whether an update went, or was to go, to this channel too when it was published: one that could not log in, or
    was not named, catches up; one that was added later does not."""
    return any(channel in part.intent.audience for part in sent.parts if part.intent is not None)
