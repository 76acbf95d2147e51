"""The messages of an issue, in the order in which they were written, become updates with a status and a time each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from broadcast.model import Kind
from broadcast.source import statuses
from broadcast.source.cstate.messages import Message
from broadcast.source.cstate.text import clean
from broadcast.source.cstate.words import first_status, is_said, last_status
from broadcast.source.times import format_time

_SENTENCES: dict[Kind, str] = {
    "incident": "This incident has been resolved.",
    "maintenance": "The maintenance is complete.",
}
_STEP = timedelta(minutes=1)
_FAR = timedelta(days=7)
"""How far from an issue's date the time of its first message may be before it is taken for an error."""


@dataclass(slots=True)
class Entry:
    """One update in the making. Its time is known in the end."""

    status: str
    time: datetime | None
    text: str


@dataclass(frozen=True, slots=True)
class Frame:
    """When an issue began and ended (None where that is not known), and whether it is over."""

    start: datetime
    end: datetime | None
    resolved: bool


def in_order(found: Sequence[Message], *, resolved: bool) -> list[Message]:
    """The messages of a body, oldest first; there is always one."""
    preamble, messages = found[0], list(found[1:])
    if not messages:
        return [preamble]
    if preamble.time is not None:
        preamble, messages = Message(), list(found)
    roles = [each.role for each in messages]
    times = [each.time for each in messages if each.time is not None]
    opens = bool(preamble.text.strip()) and "first" not in roles
    if "first" in roles and len(roles) > 1:
        newest_first = roles[0] != "first"
    elif "last" in roles and len(roles) > 1:
        newest_first = roles[0] == "last"
    elif len(times) > 1:
        newest_first = times[0] > times[-1]
    else:
        newest_first = not opens
    if newest_first:
        messages.reverse()
    if opens:
        return [preamble, *messages]
    first = messages[0]
    if preamble.text.strip() and resolved and "last" not in roles and is_said(preamble.text):
        return [*messages, replace(preamble, role="last")]
    if preamble.text.strip():
        first.lines = [preamble.text.strip("\n"), "", first.text]
    return messages


def tell(kind: Kind, title: str, messages: Sequence[Message], frame: Frame, notes: list[str]) -> list[Entry]:
    """The updates of an issue, each later than the one before. Where nobody wrote that it is over, we do."""
    entries: list[Entry] = []
    ended = False
    for number, message in enumerate(messages):
        entry = Entry(message.status or "update", _written(message, notes), clean(message.text, kind, notes))
        if message.unread:
            notes.append(f"not kept: `{message.unread}`, in a message's mark")
        if number == 0:
            _begin(kind, title, message, entry, frame)
        elif frame.resolved and not ended and _ends(message, frame):
            entry.status = last_status(kind, entry.text)
            entry.text = entry.text or _SENTENCES[kind]
            if entry.time is None or entry.time <= frame.start:
                entry.time = frame.end
            ended = True
        if entry.text:
            entries.append(entry)
    if frame.resolved and not ended:
        entries.append(Entry(last_status(kind, ""), frame.end, _SENTENCES[kind]))
    _date(entries, frame.end, notes)
    _settle(kind, entries)
    return entries


def _written(message: Message, notes: list[str]) -> datetime | None:
    if message.time is None or not message.day_only:
        return message.time
    noon = message.time.replace(hour=12)
    notes.append(f"only the day of an update is written: noon was taken, {format_time(noon)}")
    return noon


def _begin(kind: Kind, title: str, message: Message, entry: Entry, frame: Frame) -> None:
    written = entry.time
    near = written is not None and abs(written - frame.start) < _FAR and (frame.end is None or written < frame.end)
    entry.time = written if near else frame.start
    if message.role == "last" or entry.status not in statuses.CHAINS[kind]:
        entry.status = first_status(kind, entry.text, late=written is not None and written > frame.start)
    entry.text = entry.text or f"{title}."


def _ends(message: Message, frame: Frame) -> bool:
    return message.role == "last" or (frame.end is not None and message.time == frame.end)


def _date(entries: list[Entry], end: datetime | None, notes: list[str]) -> None:
    """Give every entry a time, each later than the one before: what is written where it fits, else spread evenly."""
    entries.sort(key=lambda each: each.time is not None and end is not None and each.time > end)
    known: list[tuple[int, datetime]] = []
    for number, entry in enumerate(entries):
        if entry.time is None:
            continue
        if known and entry.time <= known[-1][1]:
            notes.append(f"the time {format_time(entry.time)} does not fit the order of the updates")
            entry.time = None
        else:
            known.append((number, entry.time))
    ahead = iter(known)
    (before, earlier), (after, later) = next(ahead), next(ahead, (0, None))
    previous = earlier - _STEP
    for number, entry in enumerate(entries):
        if number == after and later is not None:
            (before, earlier), (after, later) = (after, later), next(ahead, (0, None))
        elif number > before:
            gap = (later - earlier) / (after - before) if later is not None else _STEP
            time = earlier + (number - before) * gap
            entry.time = time.replace(second=0 if gap > 2 * _STEP else time.second, microsecond=0)
            if later is not None and entry.status == "update":
                taken = format_time(entry.time)
                notes.append(f"an update has no time of its own: {taken} was taken, between its neighbors'")
        if entry.time is None or entry.time <= previous:
            entry.time = previous.replace(microsecond=0) + timedelta(seconds=1)
        previous = entry.time


def _settle(kind: Kind, entries: list[Entry]) -> None:
    """A status that cannot stand where it does is an update."""
    state: str | None = None
    for entry in entries:
        known = entry.status in statuses.STATUSES[kind]
        if not known or statuses.step(kind, state, entry.status).reason:
            entry.status = "update"
        state = statuses.step(kind, state, entry.status).state
