"""Sending what was claimed: channels side by side, the posts of a chain in order, each receipt kept at once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from broadcast import runs
from broadcast.errors import (
    CredentialsError,
    DuplicateError,
    LostAnswerError,
    RefusedError,
    RepliesRefusedError,
    SendError,
    UnprovableError,
)
from broadcast.ledger.base import Log
from broadcast.ledger.history import REPLIES_REFUSED
from broadcast.model import Event, Intent, Plan, Receipt, Ref, Result, Verdict
from broadcast.platforms import base as platforms
from broadcast.platforms.base import Connection
from broadcast.publish import posts
from broadcast.publish.claim import Job
from broadcast.publish.posts import key, result
from broadcast.publish.readback import LEFT, strangers

STOPPED = "the run was stopped before it was sent"
EXPIRED = "it was not sent in time, and another run may take it over; run again"
CREDENTIALS = "the channel no longer accepts the credentials"

Clock = Callable[[], datetime]
Record = Callable[[Event], None]


@dataclass(frozen=True, slots=True)
class Sender:
    """What sending needs besides its jobs. `stop` ends the run after the request in flight."""

    run: str
    clock: Clock
    record: Record
    report: Callable[[Result], None]
    stop: threading.Event


@dataclass(frozen=True, slots=True)
class Refused:
    """Intents that were given back because their channel refuses replies: they have to be planned again, to be read on
    their own. `connections` are those of these channels."""

    intents: tuple[Intent, ...]
    connections: dict[str, Connection]


def send(jobs: Sequence[Job], connections: Mapping[str, Connection], sender: Sender) -> Refused | None:
    """Send every job; returns when all channels are through. One channel's failure stops no other."""
    channels: dict[str, list[Job]] = {}
    for job in jobs:
        channels.setdefault(job.channel, []).append(job)
    if not channels:
        return None
    with ThreadPoolExecutor(max_workers=len(channels), thread_name_prefix="channel") as pool:
        futures = [pool.submit(_channel, work, connections[name], sender) for name, work in channels.items()]
        refused = tuple(intent for future in futures for intent in future.result())
    names = {intent.channel for intent in refused}
    return Refused(refused, {name: connections[name] for name in names}) if refused else None


def _channel(jobs: Sequence[Job], connection: Connection, sender: Sender) -> list[Intent]:
    """Send a channel's jobs. Gives what has to be planned again, because replies are refused."""
    tails: dict[tuple[str, datetime], Ref] = {}
    broken: dict[str, str] = {}
    refused: list[Intent] = []
    for job in jobs:
        if refused:
            refused += _give_back(job.intents, sender, "publish")
            continue
        if why := broken.get(job.announcement) or broken.get(""):
            _give_up(job.intents, sender, "skipped", why)
            continue
        if _over(job, job.intents, sender):
            continue
        parent = job.parent or (tails.get((job.announcement, job.after)) if job.after else None)
        pending = list(job.intents)
        try:
            tail, failure = _job(job, pending, parent, connection, sender)
        except RepliesRefusedError:
            refused += _give_back(pending, sender, REPLIES_REFUSED)
            continue
        if tail is not None:
            tails[job.announcement, job.update] = tail
        if failure is not None:
            broken["" if failure == CREDENTIALS else job.announcement] = "a post before it was not sent"
    return refused


def _over(job: Job, pending: Sequence[Intent], sender: Sender) -> str | None:
    """Give up what is not sent yet when the run is to end, or when its claim is about to run out: another run would
    take this one for dead, and send the same."""
    if sender.stop.is_set():
        _give_up(pending, sender, "skipped", STOPPED)
        return STOPPED
    if sender.clock() - job.intents[0].at > runs.SENDING:
        _give_up(pending, sender, "failed", EXPIRED)
        return EXPIRED
    return None


def _job(
    job: Job, pending: list[Intent], parent: Ref | None, connection: Connection, sender: Sender
) -> tuple[Ref | None, str | None]:
    """Send one thread; what stands is taken out of `pending`. Gives the reference of its last post, or why it has none.
    Raises `RepliesRefusedError`."""
    tail = parent
    while True:
        try:
            for standing in connection.send(tuple(pending), tail):
                for part, ref in sorted(standing.items()):
                    tail = _posted(pending, part, ref, sender)
                if pending and (why := _over(job, pending, sender)):
                    return None, why
        except RepliesRefusedError:
            raise
        except RefusedError as error:
            _give_up(pending, sender, "failed", str(error))
            return None, CREDENTIALS if isinstance(error, CredentialsError) else str(error)
        except LostAnswerError as error:
            tail, failure = _look(
                pending, tail, connection, sender, str(error), claimed=isinstance(error, DuplicateError)
            )
        except Exception as error:  # noqa: BLE001 - a third party's platform may raise anything; the post is in doubt then
            tail, failure = _look(pending, tail, connection, sender, f"unexpected {type(error).__name__}")
        else:
            return tail, None
        if failure or not pending:
            return tail, failure
        if why := _over(job, pending, sender):
            return None, why


def _look(
    pending: list[Intent], tail: Ref | None, connection: Connection, sender: Sender, why: str, *, claimed: bool = False
) -> tuple[Ref | None, str | None]:
    """An answer was lost. What is found is receipted; where that is the first of what is pending, the rest was never
    tried and can be. Otherwise it stays in doubt, because it may still be on its way: the next run looks again before
    it sends. Where the platform has `claimed` that it stands, a human must look."""
    first = pending[0]
    try:
        found = connection.find(pending, tail)
    except UnprovableError as error:
        for intent in pending:
            sender.report(result(intent, "uncertain", error=f"{why}; {error}"))
        return None, why
    except SendError:
        found = {}
    for intent in tuple(pending):
        if intent.part in found:
            tail = _posted(pending, intent.part, found[intent.part], sender)
    if first.part in found:
        return tail, None
    for intent in pending:
        if claimed and intent is first:
            sender.report(result(intent, "uncertain", error=f"{why}, but it is not among the account's own posts"))
        else:
            sender.report(result(intent, "failed", error=f"{why}; run again: broadcast looks before it sends"))
    return None, why


def _posted(pending: list[Intent], part: int, ref: Ref, sender: Sender) -> Ref:
    intent = next(intent for intent in pending if intent.part == part)
    sender.record(Receipt(*key(intent), sender.clock(), sender.run, ref))
    pending.remove(intent)
    sender.report(result(intent, "posted", ref=ref, error=ref.data.get("note")))
    return ref


def _give_up(pending: Sequence[Intent], sender: Sender, state: Literal["failed", "skipped"], why: str) -> None:
    for number, intent in enumerate(_give_back(pending, sender, "publish")):
        sender.report(result(intent, state if number == 0 else "skipped", error=why))


def _give_back(pending: Sequence[Intent], sender: Sender, by: str) -> Sequence[Intent]:
    """These were provably not sent: their claims are taken back, so that the next run need not look them up."""
    for intent in pending:
        sender.record(Verdict(*key(intent), sender.clock(), sender.run, "absent", by))
    return pending


def edit(plan: Plan, log: Log, connections: Mapping[str, Connection], sender: Sender) -> None:
    """Make posts that were changed after publishing say what the files say, on the connected channels that can."""
    histories = posts.histories(plan, log)
    for rows in posts.threads(plan):
        connection = connections.get(rows[0].channel)
        sent = histories[rows[0].announcement].get((rows[0].update, rows[0].channel))
        if rows[0].state != "changed" or connection is None or sent is None or sender.stop.is_set():
            continue
        wrong: Mapping[str, str] = {}
        if platforms.load(rows[0].platform).EDITS and len(rows) == len(sent.parts):
            try:
                wrong = strangers(sent.parts, connection, {row.part: row.post for row in rows})
            except SendError as error:
                for row in rows:
                    sender.report(Result(*key(row), "failed", error=f"it cannot be read back: {error}"))
                continue
        for row, part in zip(rows, sent.parts, strict=False):
            if part.ref is not None and part.ref.id in wrong:
                why = f"{LEFT}: {wrong[part.ref.id]}"
                sender.report(Result(*key(row), "uncertain", part.ref.id, part.ref.url, why))
                continue
            if part.intent is None or part.ref is None:
                continue
            if not platforms.load(row.platform).EDITS or len(rows) != len(sent.parts):
                why = "this platform" if len(rows) == len(sent.parts) else "a thread that got longer or shorter"
                sender.report(result(part.intent, "skipped", error=f"{why} cannot be edited; append an update instead"))
                continue
            intent = replace(
                part.intent, post=row.post, language=row.language, source=row.source, at=sender.clock(), run=sender.run
            )
            sender.record(intent)  # before it is made: whoever reads the post back must know what it may say
            try:
                ref = connection.edit(part.ref, intent)
            except SendError as error:
                sender.report(result(intent, "failed", error=str(error)))
                continue
            sender.record(Receipt(*key(intent), sender.clock(), sender.run, ref))
            sender.report(result(intent, "posted", ref=ref))
