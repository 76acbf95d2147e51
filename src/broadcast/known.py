"""What the ledger knows of an announcement that changes what is rendered of it: where it began, what it said. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from broadcast.backlog import Rules, stands
from broadcast.config import Config
from broadcast.ledger.base import Log
from broadcast.ledger.history import Sent, beginning, fold
from broadcast.model import Announcement, Event, Intent, Limits, Post, Verdict
from broadcast.source.statuses import FINAL, UNMOVED
from broadcast.text.stamp import Make, essence, stamps, told_apart

Key = tuple[datetime, str]
"""An update on a channel, by its time and the channel's name."""
ALWAYS = datetime(1, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Known:
    """`begun`: the posts that stand of threads whose rest has to be laid out anew. `told`: the text of the first post
    of each update that a channel has (empty where nobody knows it). `stays`: the channels on which the announcement has
    begun though it would not go there any more. `over`: the updates before which it was over. `waiting`: the updates
    that are due however old they are, because followers have the beginning and not the end. `late`: those that come so
    late that the time for the next one has gone by. What is older than `since` is no news.
    """

    since: datetime = ALWAYS
    begun: Mapping[Key, tuple[Post, ...]] = field(default_factory=dict)
    told: Mapping[Key, str] = field(default_factory=dict)
    stays: frozenset[str] = frozenset()
    over: frozenset[datetime] = frozenset()
    waiting: frozenset[Key] = frozenset()
    late: frozenset[datetime] = frozenset()


def known(config: Config, base: Announcement, events: Sequence[Event], rules: Rules, *, rehearsed: bool) -> Known:
    """What is known of an announcement by the events of the ledger. What is `rehearsed` comes as if it came in time, if
    it is too old to be sent."""
    since = ALWAYS if rules.backfill else rules.now - rules.stale_after
    pace = config.cadence_of(base) if base.kind == "incident" else None
    news = rules.now - rules.stale_after if rehearsed else since
    gone = frozenset(one.time for one in base.updates if pace is not None and one.time + pace <= rules.now)
    late = frozenset(time for time in gone if time >= news)
    if not events:
        return Known(since, late=late)
    sent = fold(events)
    told = {key: _first_text(one) for key, one in sent.items() if _is_there(one)}
    goes = {channel.name for channel in config.channels_for(base)}
    begun_on = {name: min(time for time, channel in told if channel == name) for _, name in told}
    over = _over(base)
    waiting = frozenset(
        (one.time, name)
        for one in base.updates
        if one.time < since and one.time not in over
        for name, first in begun_on.items()
        if first < one.time and (one.time, name) not in told
    )
    cut_off = any(isinstance(event, Verdict) and event.verdict == "absent" for event in events)
    begun = {key: stand for key, one in sent.items() if cut_off and (stand := beginning(one))}
    stays = frozenset(name for name in begun_on if name in config.channels and name not in goes)
    return Known(since, begun, told, stays, over, waiting, late | gone & {time for time, _ in waiting})


def posts(known: Known, key: Key, make: Make, limits: Limits, taken: Collection[str]) -> tuple[Post, ...]:
    """The posts of an update on a channel, as `make` lays them out: as they were told; else told apart from what is
    `taken` on the channel, and with their date where they are late."""
    if (text := known.told.get(key)) is not None:
        for stamp in stamps(key[0]):
            if stamp in text and (stamped := make(stamp, 0)) and stamped[0].text == text:
                return stamped
        return make("", 0)
    if key in known.waiting:
        return make(list(stamps(key[0]))[1], 0)
    return told_apart(make, key[0], taken if key[0] >= known.since else (), limits)


def missing(log: Log, announcements: Collection[Announcement]) -> list[str]:
    """The announcements that followers see as open, and that have no file here. One that only has another name now is
    none: a file has its updates."""
    here = {one.slug for one in announcements}
    times = {update.time for one in announcements for update in one.updates}
    found = []
    for slug, events in log.events.items():
        if slug in here:
            continue
        told = {intent.update: intent.status for event in events if isinstance(intent := event, Intent)}
        shown = {time for (time, _), sent in fold(events).items() if any(part.state == "posted" for part in sent.parts)}
        is_open = False
        for time in sorted(shown & told.keys()):
            is_open = is_open if told[time] in UNMOVED else told[time] not in FINAL
        if is_open and not shown <= times:
            found.append(slug)
    return sorted(found)


def texts(log: Log, channels: Collection[str]) -> dict[str, set[str]]:
    """What stands on each of these channels, in essence."""
    found: dict[str, set[str]] = {name: set() for name in channels}
    for events in log.events.values() if found else ():
        for (_, name), sent in fold(events).items():
            if name in found:
                stand = (part.intent for part in sent.parts if part.state in {"posted", "open"} and part.intent)
                found[name].update(essence(intent.post.text) for intent in stand)
    return found


def _is_there(sent: Sent) -> bool:
    return stands(sent) or any(part.state == "open" for part in sent.parts)


def _first_text(sent: Sent) -> str:
    intent = sent.parts[0].intent if sent.parts else None
    return intent.post.text if intent is not None else ""


def _over(base: Announcement) -> frozenset[datetime]:
    over, found = False, set()
    for update in base.updates:
        if over and update.status not in FINAL and update.status != "reopened":
            found.add(update.time)
        over = over if update.status in UNMOVED else update.status in FINAL
    return frozenset(found)
