"""Threads + ledger -> plan: every post that should exist, and whether it does. Pure; publishing obeys it."""

from __future__ import annotations

import hashlib
import json
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from broadcast.backlog import Rules, Told, corrections, due, renamed, stands, told
from broadcast.ledger.base import Log
from broadcast.ledger.history import Sent, fold
from broadcast.model import (
    Action,
    Announcement,
    Channel,
    Intent,
    Plan,
    Post,
    Problem,
    Ref,
    ReplyTo,
    State,
    Thread,
    Update,
)
from broadcast.source.statuses import FINAL, UNMOVED
from broadcast.text.fit import said

Cost = Callable[[str, Post], float | None]
"""US dollars for one post on a platform (by its name), None where posting is free."""


STUCK = (
    "half of a thread stands, and the file no longer begins with what that says: put the file back; or leave it as it "
    "is (`broadcast ledger settle … --posted` for each post that is missing) and append an update"
)


def plan(
    threads: Iterable[Thread],
    log: Log,
    rules: Rules,
    *,
    slugs: Collection[str],
    cost: Cost,
    problems: Sequence[Problem] = (),
) -> Plan:
    """Hold what should stand against what the ledger says. `threads` come in each announcement's order of updates;
    `slugs` are all announcements that have a file, planned or not."""
    chains: dict[tuple[str, str], list[Thread]] = defaultdict(list)
    histories: dict[str, Told] = {}
    former = renamed(log, slugs)
    for thread in threads:
        chains[thread.announcement, thread.channel.name].append(thread)
        if thread.announcement not in histories:
            histories[thread.announcement] = told(fold(log.events.get(thread.announcement, ())))
    actions: list[Action] = []
    for (announcement, _), chain in chains.items():
        actions += _chain(chain, histories[announcement], former, rules)
    order = {key: index for index, key in enumerate(dict.fromkeys(key[0] for key in chains))}
    actions.sort(key=lambda action: (order[action.announcement], action.update))
    return Plan(tuple(actions), tuple(problems), _costs(actions, cost))


def source_digest(announcement: Announcement, update: Update, channel: Channel) -> str:
    """A digest of what the user wrote of an update. A published update is only `changed` when this differs as well as
    its text: a new version of a template, or of broadcast, changes nothing that was said."""
    override = update.overrides.get(channel.name, update.overrides.get(channel.platform))
    times = [str(announcement.starts or ""), str(announcement.ends or "")]
    words = [announcement.title, announcement.kind, announcement.version, announcement.link, *announcement.tags]
    written = json.dumps([words, times, announcement.components, update.status, update.body, override])
    return hashlib.sha256(written.encode()).hexdigest()[:16]


def _chain(
    chain: Sequence[Thread], history: Told, former: Mapping[tuple[datetime, str], str], rules: Rules
) -> Iterator[Action]:
    """The actions of one announcement on one channel, each thread answering the last one that stands or will."""
    name = chain[0].channel.name
    sent = history.by_channel.get(name, {})
    corrected = corrections(sent, frozenset(thread.update for thread in chain))
    tails: dict[datetime, ReplyTo] = {}
    for time, published in sent.items():
        standing = [part for part in published.parts if part.state == "posted"]
        if standing:
            tails[time] = _reply(time, standing[-1].part, standing[-1].ref)
    times = sorted(tails)
    is_open = False
    for thread in chain:
        entry = sent.get(thread.update)
        note = ""
        if entry is None and (then := corrected(thread)) is not None:
            entry, note = sent[then], f"its time was {then:%Y-%m-%d %H:%M} UTC when it was published"
        before = bisect_left(times, thread.update)
        parent = tails[times[before - 1]] if before else None
        if entry is None or not (entry.baseline or any(part.state != "absent" for part in entry.parts)):
            is_later = name in history.newest and history.newest[name] < thread.update
            state = due(thread, history, former.get((thread.update, name)), rules, is_open=is_open and is_later)
            rows = [_row(thread, number, thread.posts, state, parent, {}) for number in _numbers(thread.posts)]
        else:
            rows = list(_recorded(thread, entry, parent, note))
        yield from rows
        if (entry is not None and stands(entry)) or (rows and rows[-1].state == "todo"):
            is_open = is_open if thread.status in UNMOVED else thread.status not in FINAL
        doubtful = entry is not None and any(part.state == "open" for part in entry.parts)
        if rows and (rows[-1].state == "todo" or doubtful):
            if thread.update not in tails:
                times.insert(before, thread.update)
            tails[thread.update] = ReplyTo(thread.update, rows[-1].part)


def _recorded(thread: Thread, sent: Sent, parent: ReplyTo | None, note: str) -> Iterator[Action]:
    """The rows of an update that the ledger knows: what was sent; or, where that is changed or not all of it, what the
    file says now. The ledger tells what stands: what is still to be sent comes from the files alone."""
    refs = {part.part: part.ref for part in sent.parts if part.ref is not None}
    intents = [part.intent for part in sent.parts if part.intent is not None]
    says: dict[str, tuple[State, str]] = {
        "posted": ("done", note),
        "open": ("uncertain", "sent, but no answer is recorded"),
        "absent": ("uncertain", STUCK),
        "retracted": ("skipped", "retracted"),
    }
    found = {part.state for part in sent.parts}
    posts: Sequence[Post] = thread.posts
    states: dict[int, tuple[State, str]] = {}
    rest: tuple[State, str]
    if sent.baseline:
        rest = ("done", "marked as published by a baseline")
    elif found == {"posted"} and _differs(thread, intents):
        rest = ("changed", note or "changed after it was published")
    elif found == {"posted", "absent"} and not note and _begins_with(thread, sent):
        rest = ("todo", "the rest of a thread that was cut off")
        states = {part.part: says["posted"] for part in sent.parts if part.state == "posted"}
    else:
        rest = says["open" if "open" in found else "absent"]
        if "retracted" in found:
            says["absent"] = ("skipped", "the rest of a thread that was retracted")
        states = {part.part: says[part.state] for part in sent.parts}
        posts = _as_recorded(thread, sent)
    yield from (_row(thread, number, posts, states.get(number, rest), parent, refs) for number in _numbers(posts))


def _begins_with(thread: Thread, sent: Sent) -> bool:
    """Whether the thread as the files make it has the posts that stand, where they stand."""
    if [part.part for part in sent.parts] != list(_numbers(sent.parts)):
        return False
    stands = {part.part - 1: part.intent for part in sent.parts if part.state == "posted"}
    return max(stands) < len(thread.posts) and all(
        intent is not None and said(intent.post) == said(thread.posts[index]) for index, intent in stands.items()
    )


def _as_recorded(thread: Thread, sent: Sent) -> Sequence[Post]:
    """The posts that the ledger speaks of, to be shown, not to be sent: as it tells them, else as the files do."""
    told = {part.part: part.intent.post for part in sent.parts if part.intent is not None}
    made = dict(enumerate(thread.posts, start=1))
    last = max(part.part for part in sent.parts)
    numbers = range(1, (last if told else max(last, len(made))) + 1)
    return [told.get(number) or made.get(number) or Post("", 0) for number in numbers]


def _row(
    thread: Thread,
    part: int,
    posts: Sequence[Post],
    state: tuple[State, str],
    parent: ReplyTo | None,
    refs: Mapping[int, Ref],
) -> Action:
    answers = parent if part == 1 else _reply(thread.update, part - 1, refs.get(part - 1))
    return Action(
        announcement=thread.announcement,
        update=thread.update,
        status=thread.status,
        channel=thread.channel.name,
        platform=thread.channel.platform,
        part=part,
        parts=len(posts),
        post=posts[part - 1],
        limit=thread.channel.limits.length,
        language=thread.language,
        reply_to=None if thread.channel.limits.replies == "never" else answers,
        state=state[0],
        ref=refs.get(part),
        source=thread.source,
        audience=thread.audience,
        note=state[1],
        otherwise=thread.otherwise,
    )


def _numbers(posts: Sequence[object]) -> range:
    return range(1, len(posts) + 1)


def _reply(update: datetime, part: int, ref: Ref | None) -> ReplyTo:
    return ReplyTo(update, part, ref.id if ref else None, ref.url if ref else None)


def _differs(thread: Thread, intents: Collection[Intent]) -> bool:
    if not intents or all(intent.source == thread.source for intent in intents):
        return False
    return [said(intent.post) for intent in intents] != [said(post) for post in thread.posts]


def _costs(actions: Iterable[Action], cost: Cost) -> Mapping[str, float]:
    costs: dict[str, float] = {}
    for action in actions:
        price = cost(action.platform, action.post)
        if price is not None:
            costs[action.channel] = costs.get(action.channel, 0.0) + (price if action.state == "todo" else 0.0)
    return {channel: round(total, 6) for channel, total in costs.items()}
