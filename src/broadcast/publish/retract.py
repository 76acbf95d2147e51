"""Taking back what was posted: newest first, every deletion kept at once, so that it can be run again."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from broadcast import runs
from broadcast.errors import LedgerMovedError, LostAnswerError, SendError, UnprovableError
from broadcast.ledger.base import Log
from broadcast.ledger.history import PartState, Sent, fold
from broadcast.model import Event, Intent, Receipt, Ref, Result, Verdict
from broadcast.platforms.base import Connection
from broadcast.publish.claim import BUSY
from broadcast.publish.posts import Key, key
from broadcast.publish.readback import LEFT, strangers
from broadcast.publish.run import ATTEMPTS, Outcome, Run, carry, log_in
from broadcast.publish.send import STOPPED

NO_ID = "broadcast was never told its id: delete it by hand"
NOT_TRIED = "not tried: a newer post could not be deleted"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What of an announcement is to be taken back: of one update, or of all; on these channels, or on all."""

    announcement: str
    update: datetime | None = None
    channels: Collection[str] | None = None


@dataclass(frozen=True, slots=True)
class Target:
    """A post that stands, or (`doubtful`) may stand. `ref` is None where nobody told how it is known. `told` is all
    that the ledger has of it."""

    announcement: str
    update: datetime
    channel: str
    part: int
    ref: Ref | None
    doubtful: bool
    told: PartState


def targets(wanted: Wanted, log: Log) -> list[Target]:
    """What stands or may stand of it, newest first, by channel."""
    found = [
        Target(wanted.announcement, update, channel, part.part, part.ref, part.state == "open", part)
        for (update, channel), sent in _stories(wanted, log)
        for part in sent.parts
        if part.state in ("posted", "open")
    ]
    newest_first = sorted(found, key=lambda one: (one.update, one.part), reverse=True)
    return sorted(newest_first, key=lambda one: one.channel)


def retracted(log: Log, channel: str) -> set[tuple[str, datetime]]:
    """The updates (slug, time) of which every post was taken back on a channel."""
    return {
        (slug, update)
        for slug, events in log.events.items()
        if any(isinstance(event, Verdict) and event.verdict == "retracted" for event in events)
        for (update, name), sent in fold(events).items()
        if name == channel and sent.parts and all(part.state == "retracted" for part in sent.parts)
    }


def retract(wanted: Wanted, log: Log, run: Run) -> Outcome:
    """Look up what is in doubt, then delete what stands, channels side by side. Raises `LedgerError` only before
    anything was deleted."""
    connections: dict[str, Connection] = {}
    refused: dict[str, str] = {}
    results: dict[Key, Result] = {}

    def keep(result: Result) -> None:
        results[key(result)] = result
        run.report(result)

    try:
        log_in(list(dict.fromkeys(one.channel for one in targets(wanted, log))), run, connections, refused)
        log, doubts = _settled(wanted, log, run, connections)
        work: dict[str, list[Target]] = {}
        for one in targets(wanted, log):
            doubt = doubts.get((one.update, one.channel))
            if one.channel in refused:
                keep(_result(one, "failed", refused[one.channel]))
            elif doubt == BUSY:
                keep(_result(one, "failed", BUSY))
            elif one.ref is None:
                keep(_result(one, "uncertain", doubt) if doubt and one.doubtful else _result(one, "failed", NO_ID))
            else:
                work.setdefault(one.channel, []).append(one)
        if work:
            with ThreadPoolExecutor(max_workers=len(work), thread_name_prefix="retract") as pool:
                futures = [pool.submit(_delete, some, connections[name], run, keep) for name, some in work.items()]
                for future in futures:
                    future.result()
    finally:
        for connection in connections.values():
            connection.close()
        unrecorded = carry(run.ledger)
    return Outcome(tuple(results.values()), unrecorded)


def _stories(wanted: Wanted, log: Log) -> Iterator[tuple[tuple[datetime, str], Sent]]:
    for (update, channel), sent in sorted(fold(log.events.get(wanted.announcement, ())).items()):
        chosen = wanted.update in (None, update) and (wanted.channels is None or channel in wanted.channels)
        if chosen and any(part.state in ("posted", "open") for part in sent.parts):
            yield (update, channel), sent


_Doubts = Mapping[tuple[datetime, str], str]
"""Why an update on a channel must be left as it is, in whole or in part."""


def _settled(wanted: Wanted, log: Log, run: Run, connections: Mapping[str, Connection]) -> tuple[Log, _Doubts]:
    """The log after looking up what is in doubt, and what stays so."""
    lost = 0
    while True:
        events, doubts = _look_up(wanted, log, run, connections)
        if not events:
            return log, doubts
        try:
            run.ledger.append(events, log.version)
        except LedgerMovedError:
            lost += 1
            if lost == ATTEMPTS:
                raise
            log = run.ledger.read()
        else:
            return run.ledger.read(), doubts


def _look_up(
    wanted: Wanted, log: Log, run: Run, connections: Mapping[str, Connection]
) -> tuple[list[Event], dict[tuple[datetime, str], str]]:
    """What there is to record before anything is deleted: what was found, and that the rest of a thread, which was
    never sent, must not be sent any more. A post is told from others by what it answers, so what is in doubt before it
    is looked up first, wanted or not."""
    doubts: dict[tuple[datetime, str], str] = {}
    events: list[Event] = []
    tails: dict[str, Ref | None] = {}
    blocked: dict[str, str] = {}
    now = run.clock()
    for (update, channel), sent in _stories(replace(wanted, update=None), log):
        if channel not in connections or (wanted.update is not None and update > wanted.update):
            continue
        if any(runs.alive(intent.run, intent.at, now) for intent in _open(sent)):
            doubts[update, channel] = blocked[channel] = BUSY
            continue
        if _open(sent) and channel in blocked:
            doubts[update, channel] = blocked[channel]
            continue
        try:
            found = _found(sent, tails.get(channel), connections[channel])
        except UnprovableError as error:
            doubts[update, channel] = blocked[channel] = str(error)
            continue
        for part in sent.parts:
            name = (wanted.announcement, update, channel, part.part)
            if part.part in found:
                events.append(Receipt(*name, now, run.name, found[part.part]))
            elif part.state in ("open", "absent") and wanted.update in (None, update):
                events.append(Verdict(*name, now, run.name, "retracted", "retract"))
            if part.state == "posted" or part.part in found:
                tails[channel] = found.get(part.part, part.ref)
    return events, doubts


def _open(sent: Sent) -> list[Intent]:
    return [part.intent for part in sent.parts if part.state == "open" and part.intent is not None]


def _found(sent: Sent, tail: Ref | None, connection: Connection) -> Mapping[int, Ref]:
    """Those of the posts in doubt that stand. `tail` is what the first post of the update answers."""
    pending = _open(sent)
    if not pending:
        return {}
    before = [part.ref for part in sent.parts if part.part < pending[0].part and part.ref is not None]
    return connection.find(pending, before[-1] if before else tail)


def _delete(posts: Sequence[Target], connection: Connection, run: Run, keep: Callable[[Result], None]) -> None:
    """Delete those that say what was sent: the ledger's word is not enough to delete a post of the account."""
    try:
        wrong = strangers([one.told for one in posts], connection)
    except SendError as error:
        for one in posts:
            keep(_result(one, "failed", f"it cannot be read back, so it was left alone: {error}"))
        return
    pending = {}
    for one in posts:
        if one.ref is not None and one.ref.id in wrong:
            keep(_result(one, "uncertain", f"{LEFT}: {wrong[one.ref.id]}"))
        elif one.ref is not None:
            pending[one.ref.id] = one
    try:
        for gone in connection.delete([one.ref for one in pending.values() if one.ref is not None]):
            for ref in gone:
                one = pending.pop(ref.id)
                name = (one.announcement, one.update, one.channel, one.part)
                run.ledger.journal(Verdict(*name, run.clock(), run.name, "retracted", "retract"))
                keep(_result(one, "done"))
            if pending and run.stop.is_set():
                for one in pending.values():
                    keep(_result(one, "skipped", STOPPED))
                return
    except SendError as error:
        lost = "; it may be gone: run again" if isinstance(error, LostAnswerError) else ""
        for number, one in enumerate(pending.values()):
            keep(_result(one, "failed", f"{error}{lost}") if number == 0 else _result(one, "skipped", NOT_TRIED))


def _result(one: Target, state: Literal["done", "failed", "uncertain", "skipped"], error: str | None = None) -> Result:
    ref = one.ref
    name = (one.announcement, one.update, one.channel, one.part)
    return Result(*name, state, ref.id if ref else None, ref.url if ref else None, error)
