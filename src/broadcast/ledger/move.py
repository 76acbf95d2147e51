"""Events under another name: what `ledger move` appends when a file or a channel was renamed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from broadcast.ledger.base import Log
from broadcast.model import Event, Verdict


def moved_announcement(log: Log, old: str, new: str, *, at: datetime, run: str) -> list[Event]:
    """Everything that the ledger has of `old`, said of `new`; and of `old`, that it is no longer there."""
    events = log.events.get(old, ())
    return [*(replace(event, announcement=new) for event in events), *_ended(events, at, run)]


def moved_channel(log: Log, old: str, new: str, *, at: datetime, run: str) -> list[Event]:
    """Everything that the ledger has of the channel `old`, said of `new`."""
    found: list[Event] = []
    for events in log.events.values():
        mine = [event for event in events if event.channel == old]
        found += [*(replace(event, channel=new) for event in mine), *_ended(mine, at, run)]
    return found


def _ended(events: Sequence[Event], at: datetime, run: str) -> list[Event]:
    """The old name stands for nothing from now on, so that nobody takes its posts for its own."""
    keys = dict.fromkeys((event.announcement, event.update, event.channel) for event in events)
    return [Verdict(*key, part=0, at=at, run=run, verdict="retracted", by="move") for key in keys]
