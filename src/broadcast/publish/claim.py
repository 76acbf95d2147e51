"""What a run may send: what an earlier run left in doubt is looked up first, and the rest is claimed by intents.

A run only sends what it has itself claimed in the ledger.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from broadcast import runs
from broadcast.errors import SendError, UnprovableError
from broadcast.ledger.base import Log
from broadcast.ledger.history import Sent
from broadcast.model import Action, Event, Intent, Plan, Receipt, Ref, Result, Verdict
from broadcast.platforms.base import Connection
from broadcast.publish import posts
from broadcast.publish.posts import key, result
from broadcast.text.fit import said

BUSY = "another run is sending it right now; run again to see it done"


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


def reconcile(
    plan: Plan, log: Log, connections: Mapping[str, Connection], *, run: str, now: datetime
) -> tuple[list[Event], list[Result]]:
    """Look up what an earlier run claimed and has no receipt for. Gives what was found out, as events, and a result
    for each post that stays in doubt: its run is still alive, or its platform does not say."""
    histories = posts.histories(plan, log)
    events: list[Event] = []
    doubts: list[Result] = []
    tails: dict[tuple[str, str, datetime], Ref | None] = {}
    doubtful: set[tuple[str, str, datetime]] = set()
    for rows in posts.threads(plan):
        first = rows[0]
        sent = histories[first.announcement].get((first.update, first.channel))
        if sent is None or first.channel not in connections or all(row.state != "uncertain" for row in rows):
            continue
        pending = [part.intent for part in sent.parts if part.state == "open" and part.intent is not None]
        if not pending:
            continue  # nothing to look up: a human has to say what becomes of it
        parent, after = posts.parent(rows[pending[0].part - 1], histories[first.announcement])
        before = (first.announcement, first.channel, after) if after is not None else None
        here = (first.announcement, first.channel, first.update)
        if any(runs.alive(intent.run, intent.at, now) for intent in pending):
            doubts += [result(intent, "failed", error=BUSY) for intent in pending]
            doubtful.add(here)
            continue
        if before in doubtful:  # without the post that it answers it cannot be told from another
            doubtful.add(here)
            continue
        try:
            found = connections[first.channel].find(pending, tails.get(before) if before else parent)
        except UnprovableError as error:
            doubts += [result(intent, "uncertain", error=str(error)) for intent in pending]
            doubtful.add(here)
        except SendError as error:
            doubts += [result(intent, "failed", error=f"cannot look whether it stands: {error}") for intent in pending]
            doubtful.add(here)
        else:
            events += [_found(intent, found.get(intent.part), run, now) for intent in pending]
            tails[here] = found.get(rows[-1].part)
    return events, doubts


def _found(intent: Intent, ref: Ref | None, run: str, now: datetime) -> Event:
    return Receipt(*key(intent), now, run, ref) if ref else Verdict(*key(intent), now, run, "absent", "reconcile")


def claim(
    plan: Plan, log: Log, connections: Mapping[str, Connection], *, run: str, now: datetime
) -> tuple[list[Job], list[Result]]:
    """Jobs for all that is to do on the connected channels; their intents claim them once the ledger has them. And
    results for what cannot be prepared (an image that is no image)."""
    histories = posts.histories(plan, log)
    jobs: list[Job] = []
    failures: list[Result] = []
    expected: dict[tuple[str, str, datetime], Ref | None] = {}
    for rows in posts.threads(plan):
        first = rows[0]
        todo = [row for row in rows if row.state == "todo"]
        if not todo or first.channel not in connections or any(row.state == "uncertain" for row in rows):
            continue
        sent = histories[first.announcement].get((first.update, first.channel))
        parent, after = posts.parent(todo[0], histories[first.announcement])
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
    """New claims. What an earlier run prepared for a post that says the same has keys that make a replay harmless."""
    earlier = {part.part: part.intent for part in sent.parts if part.intent is not None} if sent else {}
    known = [before.payload if (before := earlier.get(row.part)) and _same(before, row) else {} for row in todo]
    prepared = connection.prepare([row.post for row in todo], todo[0].language, parent, known)
    return tuple(
        posts.intent(row, made, parent=parent, run=run, at=now) for row, made in zip(todo, prepared, strict=True)
    )


def _same(before: Intent, row: Action) -> bool:
    return said(before.post) == said(row.post) and before.language == row.language
