"""Plan -> receipts. A run only sends what it has itself claimed in the ledger, and asks before it sends again.

claim: intents for every post that is to do. send: channels side by side, the posts of a chain in order, each receipt
journaled at once. reconcile: what an earlier run claimed and has no receipt for is looked up on its platform.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby
from typing import Literal

from broadcast import runs
from broadcast.errors import CredentialsError, LostAnswerError, RefusedError, SendError, UnprovableError
from broadcast.ledger.base import Log
from broadcast.ledger.history import Sent, fold
from broadcast.model import Action, Event, Intent, Plan, Receipt, Ref, Result, Verdict
from broadcast.platforms import base as platforms
from broadcast.platforms.base import Connection

BUSY = "another run is sending it right now; run again to see it done"
STOPPED = "the run was stopped before it was sent"
CREDENTIALS = "the channel no longer accepts the credentials"

Key = tuple[str, datetime, str, int]
Clock = Callable[[], datetime]
Record = Callable[[Event], None]


@dataclass(frozen=True, slots=True)
class Job:
    """What this run has claimed of one thread. `parent` is what the first intent answers, when that stands already;
    `after` is the update whose last post it answers, when that one is sent by this run too."""

    announcement: str
    update: datetime
    channel: str
    intents: tuple[Intent, ...]
    parent: Ref | None
    after: datetime | None


@dataclass(frozen=True, slots=True)
class Sender:
    """What sending needs besides its jobs. `stop` ends the run after the request in flight."""

    run: str
    clock: Clock
    record: Record
    report: Callable[[Result], None]
    stop: threading.Event


def reconcile(
    plan: Plan, log: Log, connections: Mapping[str, Connection], *, run: str, now: datetime
) -> tuple[list[Event], list[Result]]:
    """Look up what an earlier run claimed and has no receipt for. Gives what was found out, as events, and a result
    for each post that stays in doubt: its run is still alive, or its platform does not say."""
    histories = _histories(plan, log)
    events: list[Event] = []
    doubts: list[Result] = []
    for rows in _threads(plan):
        first = rows[0]
        sent = histories[first.announcement].get((first.update, first.channel))
        if sent is None or first.channel not in connections or all(row.state != "uncertain" for row in rows):
            continue
        pending = [part.intent for part in sent.parts if part.state == "open" and part.intent is not None]
        if any(runs.alive(intent.run, intent.at, now) for intent in pending):
            doubts += [_result(intent, "failed", error=BUSY) for intent in pending]
            continue
        parent = _parent(rows[pending[0].part - 1], histories[first.announcement])[0]
        try:
            found = connections[first.channel].find(pending, parent)
        except UnprovableError as error:
            doubts += [_result(intent, "uncertain", error=str(error)) for intent in pending]
        except SendError as error:
            doubts += [_result(intent, "failed", error=f"cannot look whether it stands: {error}") for intent in pending]
        else:
            events += [_found(intent, found.get(intent.part), run, now) for intent in pending]
    return events, doubts


def _found(intent: Intent, ref: Ref | None, run: str, now: datetime) -> Event:
    return Receipt(*key(intent), now, run, ref) if ref else Verdict(*key(intent), now, run, "absent", "reconcile")


def claim(
    plan: Plan, log: Log, connections: Mapping[str, Connection], *, run: str, now: datetime
) -> tuple[list[Job], list[Result]]:
    """Jobs for all that is to do on the connected channels; their intents claim them once the ledger has them. And
    results for what cannot be prepared (an image that is no image)."""
    histories = _histories(plan, log)
    jobs: list[Job] = []
    failures: list[Result] = []
    expected: dict[tuple[str, str, datetime], Ref | None] = {}
    for rows in _threads(plan):
        first = rows[0]
        todo = [row for row in rows if row.state == "todo"]
        if not todo or first.channel not in connections or any(row.state == "uncertain" for row in rows):
            continue
        sent = histories[first.announcement].get((first.update, first.channel))
        parent, after = _parent(todo[0], histories[first.announcement])
        if after is not None and (first.announcement, first.channel, after) not in expected:
            continue  # it waits for a post that is in doubt
        known = expected[first.announcement, first.channel, after] if after is not None else parent
        try:
            intents = _intents(todo, sent, connections[first.channel], known, run=run, now=now)
        except SendError as error:
            failures += [Result(*key(row), "failed", error=str(error)) for row in todo]
            continue
        expected[first.announcement, first.channel, first.update] = intents[-1].ref
        jobs.append(Job(first.announcement, first.update, first.channel, intents, parent, after))
    return jobs, failures


def _intents(
    todo: Sequence[Action], sent: Sent | None, connection: Connection, parent: Ref | None, *, run: str, now: datetime
) -> tuple[Intent, ...]:
    """New claims. What an earlier run prepared for the same post is used again: its keys make a replay harmless."""
    earlier = {part.part: part.intent for part in sent.parts if part.intent is not None} if sent else {}
    before = [earlier[row.part] for row in todo if row.part in earlier]
    same = [intent.post for intent in before] == [row.post for row in todo]
    if same and (before[0].ref is None or before[0].parent == parent):
        return tuple(replace(intent, run=run, at=now) for intent in before)
    prepared = connection.prepare([row.post for row in todo], todo[0].language, parent)
    return tuple(
        Intent(
            announcement=row.announcement,
            update=row.update,
            channel=row.channel,
            part=row.part,
            parts=row.parts,
            at=now,
            run=run,
            status=row.status,
            post=row.post,
            language=row.language,
            source=row.source,
            payload=made.payload,
            ref=made.ref,
            parent=parent,
        )
        for row, made in zip(todo, prepared, strict=True)
    )


def send(jobs: Sequence[Job], connections: Mapping[str, Connection], sender: Sender) -> None:
    """Send every job; returns when all channels are through. One channel's failure stops no other."""
    channels: dict[str, list[Job]] = {}
    for job in jobs:
        channels.setdefault(job.channel, []).append(job)
    if not channels:
        return
    with ThreadPoolExecutor(max_workers=len(channels), thread_name_prefix="channel") as pool:
        futures = [pool.submit(_channel, work, connections[name], sender) for name, work in channels.items()]
        for future in futures:
            future.result()


def _channel(jobs: Sequence[Job], connection: Connection, sender: Sender) -> None:
    tails: dict[tuple[str, datetime], Ref] = {}
    broken: dict[str, str] = {}
    for job in jobs:
        why = broken.get(job.announcement) or broken.get("")
        if sender.stop.is_set() or sender.clock() - job.intents[0].at > runs.SENDING:
            why = why or STOPPED
        if why:
            _give_up(job.intents, sender, "skipped", why)
            continue
        parent = job.parent or (tails.get((job.announcement, job.after)) if job.after else None)
        tail, failure = _job(job, parent, connection, sender)
        if tail is not None:
            tails[job.announcement, job.update] = tail
        if failure is not None:
            broken["" if failure == CREDENTIALS else job.announcement] = "a post before it was not sent"


def _job(job: Job, parent: Ref | None, connection: Connection, sender: Sender) -> tuple[Ref | None, str | None]:
    """Send one thread. Gives the reference of its last post, or why it has none."""
    pending = list(job.intents)
    tail = parent
    try:
        for part, ref in connection.send(job.intents, parent):
            tail = _posted(pending, part, ref, sender)
            if pending and sender.stop.is_set():
                _give_up(pending, sender, "skipped", STOPPED)
                return None, STOPPED
    except RefusedError as error:
        _give_up(pending, sender, "failed", str(error))
        return None, CREDENTIALS if isinstance(error, CredentialsError) else str(error)
    except LostAnswerError as error:
        return _look(pending, tail, connection, sender, str(error))
    except Exception as error:  # noqa: BLE001 - a third party's platform may raise anything; the post is in doubt then
        return _look(pending, tail, connection, sender, f"unexpected {type(error).__name__}")
    return tail, None


def _look(
    pending: list[Intent], tail: Ref | None, connection: Connection, sender: Sender, why: str
) -> tuple[Ref | None, str | None]:
    """An answer was lost. What is found is receipted; what is not stays in doubt, because it may still be on its way:
    the next run looks again before it sends."""
    try:
        found = connection.find(pending, tail)
    except UnprovableError as error:
        for intent in pending:
            sender.report(_result(intent, "uncertain", error=f"{why}; {error}"))
        return None, why
    except SendError:
        found = {}
    for intent in tuple(pending):
        if intent.part in found:
            tail = _posted(pending, intent.part, found[intent.part], sender)
    for intent in pending:
        sender.report(_result(intent, "failed", error=f"{why}; run again: broadcast looks before it sends"))
    return (None, why) if pending else (tail, None)


def _posted(pending: list[Intent], part: int, ref: Ref, sender: Sender) -> Ref:
    intent = next(intent for intent in pending if intent.part == part)
    sender.record(Receipt(*key(intent), sender.clock(), sender.run, ref))
    pending.remove(intent)
    sender.report(_result(intent, "posted", ref=ref))
    return ref


def _give_up(pending: Sequence[Intent], sender: Sender, state: Literal["failed", "skipped"], why: str) -> None:
    """These were provably not sent: their claims are taken back, so that the next run need not look them up."""
    for number, intent in enumerate(pending):
        sender.record(Verdict(*key(intent), sender.clock(), sender.run, "absent", "publish"))
        sender.report(_result(intent, state if number == 0 else "skipped", error=why))


def edit(plan: Plan, log: Log, connections: Mapping[str, Connection], sender: Sender) -> None:
    """Make posts that were changed after publishing say what the files say, on the connected channels that can."""
    histories = _histories(plan, log)
    for rows in _threads(plan):
        connection = connections.get(rows[0].channel)
        sent = histories[rows[0].announcement].get((rows[0].update, rows[0].channel))
        if rows[0].state != "changed" or connection is None or sent is None or sender.stop.is_set():
            continue
        for row, part in zip(rows, sent.parts, strict=False):
            if part.intent is None or part.ref is None:
                continue
            if not platforms.load(row.platform).EDITS or len(rows) != len(sent.parts):
                why = "this platform" if len(rows) == len(sent.parts) else "a thread that got longer or shorter"
                sender.report(
                    _result(part.intent, "skipped", error=f"{why} cannot be edited; append an update instead")
                )
                continue
            intent = replace(part.intent, post=row.post, source=row.source, at=sender.clock(), run=sender.run)
            try:
                ref = connection.edit(part.ref, intent)
            except SendError as error:
                sender.report(_result(intent, "failed", error=str(error)))
                continue
            sender.record(intent)
            sender.record(Receipt(*key(intent), sender.clock(), sender.run, ref))
            sender.report(_result(intent, "posted", ref=ref))


def key(post: Action | Intent | Result) -> Key:
    """What names one post in plans, ledgers and results."""
    return (post.announcement, post.update, post.channel, post.part)


def untouched(row: Action) -> Result:
    """The result of a post that this run had nothing to do for."""
    if row.state == "done":
        return Result(*key(row), "done", row.ref.id if row.ref else None, row.ref.url if row.ref else None)
    return Result(*key(row), "skipped", error=row.note or None)


def _result(
    intent: Intent,
    state: Literal["posted", "failed", "uncertain", "skipped"],
    *,
    ref: Ref | None = None,
    error: str | None = None,
) -> Result:
    return Result(*key(intent), state, ref.id if ref else None, ref.url if ref else None, error)


def _threads(plan: Plan) -> Iterator[list[Action]]:
    for _, rows in groupby(plan.actions, key=lambda row: (row.announcement, row.update, row.channel)):
        yield list(rows)


def _histories(plan: Plan, log: Log) -> dict[str, Mapping[tuple[datetime, str], Sent]]:
    return {slug: fold(log.events.get(slug, ())) for slug in {row.announcement for row in plan.actions}}


def _parent(row: Action, history: Mapping[tuple[datetime, str], Sent]) -> tuple[Ref | None, datetime | None]:
    """What a post answers: its reference when it stands, else the update that is sent before it."""
    if row.reply_to is None:
        return None, None
    sent = history.get((row.reply_to.update, row.channel))
    for part in sent.parts if sent else ():
        if part.part == row.reply_to.part and part.state == "posted":
            return part.ref, None
    return None, row.reply_to.update
