"""Threads + ledger -> plan: every post that should exist, and whether it does. Pure; publishing obeys it."""

from __future__ import annotations

import hashlib
import json
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from broadcast.backlog import Rules, Told, corrections, due, renamed, told
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

Cost = Callable[[str, Post], float | None]
"""US dollars for one post on a platform (by its name), None where posting is free."""


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
    for thread in chain:
        entry = sent.get(thread.update)
        note = ""
        if entry is None and (then := corrected(thread)) is not None:
            entry, note = sent[then], f"its time was {then:%Y-%m-%d %H:%M} UTC when it was published"
        before = bisect_left(times, thread.update)
        parent = tails[times[before - 1]] if before else None
        if entry is None or not (entry.baseline or any(part.state != "absent" for part in entry.parts)):
            state = due(thread, history, former.get((thread.update, name)), rules)
            rows = [_row(thread, number, thread.posts, state, parent, {}) for number in _numbers(thread.posts)]
        else:
            rows = list(_recorded(thread, entry, parent, note))
        yield from rows
        if rows and rows[-1].state in ("todo", "uncertain"):
            if thread.update not in tails:
                times.insert(before, thread.update)
            tails[thread.update] = ReplyTo(thread.update, rows[-1].part)


def _recorded(thread: Thread, sent: Sent, parent: ReplyTo | None, note: str) -> Iterator[Action]:
    """The rows of an update that the ledger knows: what was sent, or what the file says now where that is changed."""
    refs = {part.part: part.ref for part in sent.parts if part.ref is not None}
    intents = {part.part: part.intent for part in sent.parts if part.intent is not None}
    posted = all(part.state == "posted" for part in sent.parts)
    if sent.baseline:
        state: tuple[State, str] = ("done", "marked as published by a baseline")
        yield from (_row(thread, number, thread.posts, state, parent, refs) for number in _numbers(thread.posts))
    elif posted and _differs(thread, intents.values()):
        state = ("changed", note or "changed after it was published")
        yield from (_row(thread, number, thread.posts, state, parent, refs) for number in _numbers(thread.posts))
    else:
        says: dict[str, tuple[State, str]] = {
            "posted": ("done", note),
            "open": ("uncertain", "sent, but no answer is recorded"),
            "absent": ("todo", "the rest of a thread that was cut off"),
            "retracted": ("skipped", "retracted"),
        }
        posts = _laid_out_anew(thread, sent) or [intent.post for intent in intents.values()]
        source = next((intent.source for intent in intents.values()), thread.source)
        states = {part.part: says[part.state] for part in sent.parts}
        for number in _numbers(posts):
            state = states.get(number, says["absent"])
            yield _row(replace(thread, source=source), number, posts, state, parent, refs)


def _laid_out_anew(thread: Thread, sent: Sent) -> Sequence[Post]:
    """The posts of a thread whose rest was refused for being replies: as they stand, and as the rest can be read on its
    own."""
    stands = tuple(part.intent.post for part in sent.parts if part.state == "posted" and part.intent is not None)
    rest = sent.parts[len(stands) :]
    begins = thread.posts[: len(stands)] == stands and len(thread.posts) > len(stands)
    return thread.posts if begins and rest and all(part.refused for part in rest) else ()


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
    )


def _numbers(posts: Sequence[Post]) -> range:
    return range(1, len(posts) + 1)


def _reply(update: datetime, part: int, ref: Ref | None) -> ReplyTo:
    return ReplyTo(update, part, ref.id if ref else None, ref.url if ref else None)


def _differs(thread: Thread, intents: Collection[Intent]) -> bool:
    if not intents or all(intent.source == thread.source for intent in intents):
        return False
    return [_said(intent.post) for intent in intents] != [_said(post) for post in thread.posts]


def _said(post: Post) -> tuple[object, ...]:
    return post.text, post.facets, [(item.path, item.alt) for item in post.media]


def _costs(actions: Iterable[Action], cost: Cost) -> Mapping[str, float]:
    costs: dict[str, float] = {}
    for action in actions:
        price = cost(action.platform, action.post)
        if price is not None:
            costs[action.channel] = costs.get(action.channel, 0.0) + (price if action.state == "todo" else 0.0)
    return {channel: round(total, 6) for channel, total in costs.items()}
