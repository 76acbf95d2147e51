"""What a ledger says, held against the files and, through `find`, against what stands on the platforms."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

from broadcast.errors import SendError
from broadcast.ledger.base import Log
from broadcast.ledger.history import PartState, Sent, fold
from broadcast.model import Intent, Ref

Find = Callable[[str, Sequence[Intent], Ref | None], Mapping[int, Ref]]
"""Looks up intents on a channel (by its name), below a parent; see `platforms.base.Connection.find`."""


def against_files(log: Log, slugs: Collection[str], channels: Collection[str]) -> Iterator[str]:
    """What the ledger has that the files do not explain, and what is unfinished in it, in plain words."""
    for slug, events in log.events.items():
        history = fold(events)
        if slug not in slugs and any(_counts(sent) for sent in history.values()):
            yield f"{slug}: published, and has no file: was it renamed? (`broadcast ledger move {slug} NEW`)"
        for (update, channel), sent in history.items():
            where = f"{slug} {update:%Y-%m-%d %H:%M} UTC on {channel}"
            if channel not in channels and _counts(sent):
                command = f"broadcast ledger move --channel {channel} NEW"
                yield f"{where}: no channel has this name: was it renamed? (`{command}`)"
            yield from (f"{where}: {what}" for what in _gaps(sent))


def against_platforms(log: Log, channels: Collection[str], find: Find) -> Iterator[str]:
    """Posts that have a receipt and do not stand, or stand under another id."""
    for slug, events in log.events.items():
        history = fold(events)
        tails: dict[str, Ref | None] = {}
        for (update, channel), sent in sorted(history.items(), key=lambda item: item[0]):
            posted = [part for part in sent.parts if part.state == "posted" and part.ref and part.intent]
            if channel not in channels or not posted:
                continue
            where = f"{slug} {update:%Y-%m-%d %H:%M} UTC on {channel}"
            yield from (f"{where}: {what}" for what in _looked_up(channel, posted, tails.get(channel), find))
            tails[channel] = posted[-1].ref


def _looked_up(channel: str, posted: Sequence[PartState], parent: Ref | None, find: Find) -> Iterator[str]:
    try:
        found = find(channel, [part.intent for part in posted if part.intent], parent)
    except SendError as error:
        yield f"cannot be looked up: {error}"
        return
    for part in posted:
        there = found.get(part.part)
        if part.ref is not None and (there is None or there.id != part.ref.id):
            yield f"post {part.part} has a receipt ({part.ref.url or part.ref.id}) and does not stand"


def _counts(sent: Sent) -> bool:
    return sent.baseline or any(part.state in ("posted", "open") for part in sent.parts)


def _gaps(sent: Sent) -> Iterator[str]:
    states = {part.part: part.state for part in sent.parts}
    for part, state in states.items():
        if state == "open":
            yield f"post {part} may or may not stand: `broadcast publish` looks it up"
        if state == "posted" and states.get(part - 1, "posted") == "absent":
            yield f"post {part} stands, and post {part - 1} before it does not"
    if "posted" in states.values() and "absent" in states.values():
        yield "the thread is not finished: `broadcast publish` goes on"
