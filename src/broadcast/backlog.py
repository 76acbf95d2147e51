"""Never the backlog: why an update that a channel has not seen is published, or is not. Pure.

Files are renamed, channels are added and renamed, times are corrected, ledgers begin in the middle of a history. In
none of these is anything old posted, or anything posted twice: what looks new but was said before is recognized here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
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


@dataclass(frozen=True, slots=True)
class Told:
    """The history of one announcement by channel and by update, and the newest update that stands on each channel."""

    by_channel: Mapping[str, Mapping[datetime, Sent]]
    by_update: Mapping[datetime, Mapping[str, Sent]]
    newest: Mapping[str, datetime]


def told(history: History) -> Told:
    by_channel: dict[str, dict[datetime, Sent]] = {}
    by_update: dict[datetime, dict[str, Sent]] = {}
    for (time, channel), sent in history.items():
        by_channel.setdefault(channel, {})[time] = sent
        by_update.setdefault(time, {})[channel] = sent
    standing = ((name, [time for time, one in sent.items() if stands(one)]) for name, sent in by_channel.items())
    return Told(by_channel, by_update, {name: max(times) for name, times in standing if times})


def due(thread: Thread, history: Told, former: str | None, rules: Rules, *, is_open: bool = False) -> tuple[State, str]:
    """The state of an update of which its channel has nothing, and why. `former` is the announcement, without a file
    today, under whose name the channel has this update. `is_open`: followers there have the beginning of the chain and
    not its end, so that the update is no backlog however old it is."""
    if former is not None:
        return "skipped", f"published as {former}: type `broadcast ledger move {former} {thread.announcement}`"
    if thread.draft:
        return "skipped", "it is a draft; take `draft: true` out to publish it"
    if thread.update > rules.now:
        return "scheduled", f"due {thread.update:%Y-%m-%d %H:%M} UTC"
    if thread.left:
        return "skipped", f"left on purpose: `channels` says `-{thread.channel.name}`"
    if thread.channel.dry:
        return "skipped", "the channel is dry"
    if rules.backfill:
        return "todo", ""
    stays = "the announcement began on this channel and stays until it is over" if thread.stays else ""
    if rules.now - thread.update > rules.stale_after:
        if is_open:
            return "todo", "late: followers here wait for it"
        return "skipped", "older than stale_after; --backfill publishes it"
    name = thread.channel.name
    if name in history.newest and history.newest[name] > thread.update:
        return "skipped", "older than what stands there; --backfill publishes it"
    others = [sent for channel, sent in history.by_update.get(thread.update, {}).items() if channel != name]
    if any(stands(sent) for sent in others) and not any(_meant_for(sent, name) for sent in others):
        return "skipped", "published before this channel was there; --backfill publishes it"
    return "todo", stays


def stands(sent: Sent) -> bool:
    """Whether anything of an update was published on a channel."""
    return sent.baseline or any(part.state == "posted" for part in sent.parts)


def corrections(sent: Mapping[datetime, Sent], times: frozenset[datetime]) -> Callable[[Thread], datetime | None]:
    """Tells the time under which an update was published on its channel (`sent`), when it was changed in the file
    since. `times` are those of all updates in the file.

    It is told by what was written, or by its status: a chain has each but `update` only once.
    """
    by_source: dict[str, datetime] = {}
    by_status: dict[str, datetime] = {}
    for time in sorted(time for time, one in sent.items() if time not in times and stands(one)):
        for intent in (part.intent for part in sent[time].parts if part.intent is not None):
            by_source.setdefault(intent.source, time)
            by_status.setdefault(intent.status, time)

    def corrected(thread: Thread) -> datetime | None:
        by_words = by_source.get(thread.source)
        return by_words if by_words is not None or thread.status == "update" else by_status.get(thread.status)

    return corrected


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
