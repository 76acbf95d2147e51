"""What stands already although the ledger knows nothing of it.

A ledger that was deleted begins anew, and its first run looks like the first of all. So what is older than the ledger's
first event is looked for before it is sent: it may have been published before the ledger began. One that was set back
to an older state looks like itself, so what should have been sent `LATE` ago is looked for too. Nobody is asked for
anything else: news is sent without delay.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import groupby

from broadcast.errors import SendError, UnprovableError
from broadcast.ledger.base import Log
from broadcast.model import Action, Event, Intent, Plan, Receipt, Ref, Verdict
from broadcast.platforms import base as platforms
from broadcast.platforms.base import Connection, Prepared
from broadcast.publish import posts
from broadcast.publish.posts import key

LATE = timedelta(hours=1)
"""After this time an update has normally been sent."""

Place = tuple[str, datetime, str]
"""An announcement's update on a channel."""
_Thread = Sequence[Action]


@dataclass(frozen=True, slots=True)
class Looked:
    """What came of a look: `events` to record, `absent` places of which nothing stands, and `notes` for people."""

    events: list[Event] = field(default_factory=list)
    absent: set[Place] = field(default_factory=set)
    notes: list[str] = field(default_factory=list)


def recognize(
    plan: Plan, log: Log, connections: Mapping[str, Connection], *, run: str, now: datetime, absent: set[Place]
) -> Looked:
    """Look on the connected channels, side by side, for what is to be sent and is late or older than the ledger, and
    for the updates before it in its chain. Once the events are recorded these posts are done, and the chain goes on
    from them. `absent` are places that this run has looked at before. Where a channel cannot be read nothing speaks for
    its posts having been sent: they are left to be sent, and a note says so. Platforms that do not recognize posts are
    not asked.
    """
    began = min((event.at for events in log.events.values() for event in events), default=now)
    known = posts.histories(plan, log)

    def unknown(thread: _Thread) -> bool:
        here = thread[0]
        return (
            platforms.recognizes(here.platform)
            and here.state in ("todo", "skipped")
            and (here.update < began or now - here.update > LATE)
            and (here.update, here.channel) not in known[here.announcement]
            and _place(here) not in absent
        )

    look = Looked()
    by_channel: dict[str, list[Action]] = {}
    for row in plan.actions:
        by_channel.setdefault(row.channel, []).append(row)
    work = {
        name: [chain for chain in _chains(by_channel.get(name, ())) if _in_question(chain, unknown)]
        for name in connections
    }
    for chains in work.values():  # the oldest first, so that a platform can read its list once
        chains.sort(key=lambda chain: min(thread[0].update for thread in chain if unknown(thread)))
    asked = [name for name, chains in work.items() if chains]
    if not asked:
        return look

    def ask(name: str) -> Looked:
        return _ask(work[name], unknown, connections[name], run, now)

    with ThreadPoolExecutor(max_workers=len(asked), thread_name_prefix="look") as pool:
        for found in pool.map(ask, asked):
            look.events.extend(found.events)
            look.absent.update(found.absent)
            look.notes.extend(found.notes)
    return look


def _chains(rows: Sequence[Action]) -> Iterator[list[_Thread]]:
    """The threads of each announcement on the channel of these rows, in order of time."""
    for _, chain in groupby(rows, key=lambda row: row.announcement):
        yield [list(thread) for _, thread in groupby(chain, key=lambda row: row.update)]


def _in_question(chain: Sequence[_Thread], unknown: Callable[[_Thread], bool]) -> bool:
    """Whether a chain has something to send that may stand. What is in doubt is settled before it: without the post
    that it answers, a post cannot be told from another."""
    doubtful = any(row.state == "uncertain" for thread in chain for row in thread)
    return not doubtful and any(thread[0].state == "todo" and unknown(thread) for thread in chain)


def _ask(
    chains: Sequence[Sequence[_Thread]],
    unknown: Callable[[_Thread], bool],
    connection: Connection,
    run: str,
    now: datetime,
) -> Looked:
    """Look for what is unknown of these chains, on one channel."""
    look = Looked()
    taken: set[str] = set()
    readable = True
    for chain in chains:
        tail: Ref | None = None
        for thread in chain:
            stands = [row.ref for row in thread if row.ref is not None and row.state in ("done", "changed")]
            tail = stands[-1] if stands else tail
            if not unknown(thread):
                continue
            intents: Sequence[Intent] = _nobodys(thread, tail)
            found: Mapping[int, Ref] = {}
            if readable:
                try:
                    intents, found = _found(thread, connection, tail)
                except Exception as error:  # noqa: BLE001 - a third party's platform may know only its own intents
                    # That an old update cannot be looked up any more says nothing of a new one.
                    readable = thread[0].state != "todo"
                    if not readable:
                        look.notes.append(_unreadable(thread[0].channel, error))
            # Two announcements may say the same; one post is not both of them.
            if not found or taken & {ref.id for ref in found.values()}:
                look.absent.add(_place(thread[0]))
                continue
            taken |= {ref.id for ref in found.values()}
            tail = found[max(found)]
            for intent in intents:
                look.events.append(replace(intent, at=now, run=run))
                ref = found.get(intent.part)
                look.events.append(
                    Receipt(*key(intent), now, run, ref)
                    if ref
                    else Verdict(*key(intent), now, run, "absent", "reconcile")
                )
    if taken:
        look.notes.append(
            f"{chains[0][0][0].channel}: {len(taken)} post{'s' * (len(taken) != 1)} of which the ledger knew nothing "
            "stood already; they are recorded now"
        )
    return look


def _found(thread: _Thread, connection: Connection, tail: Ref | None) -> tuple[Sequence[Intent], Mapping[int, Ref]]:
    """The intents of which the most stand: those of the thread as it would be told now, or of one told otherwise.
    Raises what the channel raises; that a part stands and one before it does not, only if no way to tell it fits."""
    best: tuple[Sequence[Intent], Mapping[int, Ref]] = (), {}
    doubt: UnprovableError | None = None
    for then in _ways(thread):
        intents = _nobodys(then, tail)
        try:
            found = connection.find(intents, tail)
        except UnprovableError as error:
            doubt = doubt or error
            continue
        if len(found) > len(best[1]) or not best[0]:
            best = intents, found
        if len(found) == len(intents):
            break
    if doubt is not None and not best[1]:
        raise doubt
    return best


def _ways(thread: _Thread) -> Iterator[_Thread]:
    yield thread
    for told in thread[0].otherwise():
        yield [replace(thread[0], part=number, parts=len(told), post=post) for number, post in enumerate(told, 1)]


def _nobodys(thread: _Thread, parent: Ref | None) -> tuple[Intent, ...]:
    """Intents that no run has written: of no run, with nothing prepared, from when the update is dated."""
    return tuple(posts.intent(row, Prepared(), parent=parent, run="", at=row.update) for row in thread)


def _place(row: Action) -> Place:
    return (row.announcement, row.update, row.channel)


def _unreadable(channel: str, error: Exception) -> str:
    why = str(error) if isinstance(error, SendError) else f"unexpected {type(error).__name__}"
    return (
        f"{channel}: sent without knowing whether it stands already, for the ledger has nothing from before, and the "
        f"channel could not be read: {why}"
    )
