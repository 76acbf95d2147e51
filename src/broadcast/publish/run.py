"""One run of `publish`: plan, claim by compare-and-swap, send, record; from the start again when another was faster."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime

from broadcast.errors import ConfigError, LedgerError, LedgerMovedError, SendError
from broadcast.ledger.base import Ledger, Log
from broadcast.model import Event, Plan, Result
from broadcast.platforms import base as platforms
from broadcast.publish.claim import BUSY, Job, claim, reconcile
from broadcast.publish.posts import Key, key, result, untouched
from broadcast.publish.recognize import Place, recognize
from broadcast.publish.send import Refused, Sender, edit, send

ATTEMPTS = 12
"""How often a run plans again after another run wrote to the ledger first."""


@dataclass(frozen=True, slots=True)
class Run:
    """What one `publish` needs besides its plan. `connect` logs in to a channel; `report` hears of each post as it
    happens, `note` of what else a person may want to know; `stop` ends the run after the requests in flight; `sleep`
    and `patience` are in seconds: how long it waits for another run that is sending the same posts."""

    name: str
    ledger: Ledger
    connect: Callable[[str], platforms.Connection]
    clock: Callable[[], datetime]
    report: Callable[[Result], None]
    stop: threading.Event
    edit: bool = False
    strict: bool = False
    sleep: Callable[[float], None] = time.sleep
    patience: float = 30.0
    note: Callable[[str], None] = lambda text: None


@dataclass(frozen=True, slots=True)
class Outcome:
    """A result for every post of the plan. `unrecorded` says why the ledger did not take the receipts: they stay in
    this clone's journal until the next run."""

    results: tuple[Result, ...]
    unrecorded: str | None = None


def publish(make_plan: Callable[[Log], Plan], log: Log, run: Run) -> Outcome:
    """Claim what is to do, send it, keep every receipt. `log` is what was read last; the ledger is only read again
    when it has moved since. Raises `LedgerError` only before anything was sent."""
    connections: dict[str, platforms.Connection] = {}
    results: dict[Key, Result] = {}

    def keep(found: Result) -> None:
        results[key(found)] = found
        run.report(found)

    try:
        current, log, jobs = _claim(make_plan, log, run, connections, keep)
        sender = Sender(run.name, run.clock, run.ledger.journal, keep, run.stop)
        if refused := send(jobs, connections, sender):
            current, log = _send_alone(make_plan, current, log, run, refused, sender)
        if run.edit:
            edit(current, log, connections, sender)
    finally:
        for connection in connections.values():
            connection.close()
        unrecorded = carry(run.ledger)
    found = tuple(results.get(key(row)) or untouched(row) for row in current.actions)
    return Outcome(found, unrecorded)


def carry(ledger: Ledger) -> str | None:
    """Carry the journal to the ledger, on every ending. What it does not take, the next run carries."""
    try:
        ledger.append((), None)
    except LedgerError as error:
        return error.message
    return None


def _send_alone(
    make_plan: Callable[[Log], Plan], current: Plan, log: Log, run: Run, refused: Refused, sender: Sender
) -> tuple[Plan, Log]:
    """Plan what was refused for being replies again, to be read on its own. The ledger knows by now."""
    connections = refused.connections

    def only(log: Log) -> Plan:
        plan = make_plan(log)
        return replace(plan, actions=tuple(row for row in plan.actions if row.channel in connections))

    try:
        run.ledger.append((), None)
        _, log, jobs = _claim(only, run.ledger.read(), run, connections, sender.report)
    except LedgerError as error:
        for intent in refused.intents:
            sender.report(result(intent, "failed", error=f"replies are refused; run again: {error.message}"))
        return current, log
    send(jobs, connections, sender)
    return make_plan(log), log


def _claim(
    make_plan: Callable[[Log], Plan],
    log: Log,
    run: Run,
    connections: dict[str, platforms.Connection],
    keep: Callable[[Result], None],
) -> tuple[Plan, Log, list[Job]]:
    """Plan, look up what is in doubt, and claim the rest: again from the start whenever another run was faster."""
    refused: dict[str, str] = {}
    absent: set[Place] = set()
    waited, lost = 0.0, 0
    while True:
        current = make_plan(log)
        wanted = {"todo", "uncertain", "changed"} if run.edit else {"todo", "uncertain"}
        due = dict.fromkeys(row.channel for row in current.actions if row.state in wanted)
        log_in([name for name in due if name not in connections and name not in refused], run, connections, refused)
        if refused and run.strict:
            raise ConfigError("; ".join(f"{name}: {why}" for name, why in refused.items()), "nothing was sent")
        now = run.clock()
        events, doubts = _find_out(current, log, connections, run, now, absent)
        busy = any(doubt.error == BUSY for doubt in doubts)
        try:
            if events:
                run.ledger.append(events, log.version)
                log = run.ledger.read()
                continue
            if busy and waited < run.patience and not run.stop.is_set():
                pause = 0.5 + random.random()
                waited += pause
                run.sleep(pause)
                log = run.ledger.read()
                continue
            jobs, unfit = claim(current, log, connections, run=run.name, now=now)
            if jobs:
                run.ledger.append([intent for job in jobs for intent in job.intents], log.version)
        except LedgerMovedError:
            lost += 1
            if lost == ATTEMPTS:
                raise
            run.sleep(random.random() * min(2.0, 0.05 * 2**lost))
            log = run.ledger.read()
            continue
        for found in (*doubts, *unfit):
            keep(found)
        for row in current.actions:
            if row.channel in refused and row.state in wanted:
                keep(Result(row.announcement, row.update, row.channel, row.part, "failed", error=refused[row.channel]))
        return current, log, jobs


def _find_out(
    current: Plan,
    log: Log,
    connections: Mapping[str, platforms.Connection],
    run: Run,
    now: datetime,
    absent: set[Place],
) -> tuple[list[Event], list[Result]]:
    """What can be told of posts that are in doubt, and of those of which the ledger may have lost the record."""
    events, doubts = reconcile(current, log, connections, run=run.name, now=now)
    if not events:
        look = recognize(current, log, connections, run=run.name, now=now, absent=absent)
        absent |= look.absent
        events = look.events
        for text in look.notes:
            run.note(text)
    return events, doubts


def log_in(
    names: Sequence[str], run: Run, connections: dict[str, platforms.Connection], refused: dict[str, str]
) -> None:
    """Log in to all of these channels side by side, before anything is sent; what refuses is left out of the run."""

    def connect(name: str) -> platforms.Connection | str:
        try:
            connection = run.connect(name)
        except SendError as error:
            return str(error)
        try:
            connection.verify()
        except SendError as error:
            connection.close()
            return str(error)
        return connection

    if not names:
        return
    with ThreadPoolExecutor(max_workers=len(names), thread_name_prefix="connect") as pool:
        for name, outcome in zip(names, pool.map(connect, names), strict=True):
            if isinstance(outcome, str):
                refused[name] = outcome
            else:
                connections[name] = outcome
