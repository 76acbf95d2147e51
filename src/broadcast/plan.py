"""Threads + ledger -> plan: every post that should exist, and whether it does. Pure; publishing obeys it."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from broadcast.ledger.base import Log
from broadcast.ledger.history import Sent, fold
from broadcast.model import Action, Announcement, Channel, Plan, Post, Problem, Ref, ReplyTo, State, Thread, Update

Cost = Callable[[str, Post], float | None]
"""US dollars for one post on a platform (by its name), None where posting is free."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What decides whether an update that nobody published yet is due. An update older than `stale_after`, or older
    than what already stands on its channel, is only published with `backfill`."""

    now: datetime
    stale_after: timedelta
    backfill: bool = False


def plan(threads: Iterable[Thread], log: Log, rules: Rules, *, cost: Cost, problems: Sequence[Problem] = ()) -> Plan:
    """Hold what should stand against what the ledger says. `threads` come in each announcement's order of updates."""
    chains: dict[tuple[str, str], list[Thread]] = defaultdict(list)
    histories: dict[str, Mapping[tuple[datetime, str], Sent]] = {}
    for thread in threads:
        chains[thread.announcement, thread.channel.name].append(thread)
        if thread.announcement not in histories:
            histories[thread.announcement] = fold(log.events.get(thread.announcement, ()))
    actions: list[Action] = []
    for (announcement, channel), chain in chains.items():
        sent = {time: entry for (time, name), entry in histories[announcement].items() if name == channel}
        actions += _chain(chain, sent, rules)
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


def _chain(chain: Sequence[Thread], sent: Mapping[datetime, Sent], rules: Rules) -> Iterator[Action]:
    """The actions of one announcement on one channel, each thread answering the last one that stands or will."""
    standing = {time: entry for time, entry in sent.items() if any(part.state == "posted" for part in entry.parts)}
    newest = max(standing, default=None)
    tails: dict[datetime, ReplyTo] = {}
    for time, entry in standing.items():
        last = max((part for part in entry.parts if part.state == "posted"), key=lambda part: part.part)
        if last.part:
            tails[time] = ReplyTo(
                time, last.part, last.ref.id if last.ref else None, last.ref.url if last.ref else None
            )
    for thread in chain:
        before = [time for time in tails if time < thread.update]
        parent = tails[max(before)] if before else None
        overtaken = newest is not None and thread.update < newest
        rows = list(_thread(thread, sent.get(thread.update), parent, rules, overtaken=overtaken))
        yield from rows
        if rows and rows[-1].state in ("todo", "uncertain"):
            tails[thread.update] = ReplyTo(thread.update, rows[-1].part)


def _thread(
    thread: Thread, sent: Sent | None, parent: ReplyTo | None, rules: Rules, *, overtaken: bool
) -> Iterator[Action]:
    posts: Sequence[Post] = thread.posts
    source = thread.source
    states: list[tuple[State, str]]
    refs: dict[int, Ref] = {}
    parts = sent.parts if sent else ()
    if sent is not None and sent.baseline:
        states = [("done", "marked as published by a baseline")] * len(posts)
    elif sent is not None and any(part.state != "absent" for part in parts):
        if all(part.state == "posted" for part in parts) and _differs(thread, sent):
            states = [("changed", "changed after it was published")] * len(posts)
        else:
            posts = [part.intent.post for part in parts if part.intent is not None]
            source = next((part.intent.source for part in parts if part.intent is not None), source)
            says: dict[str, tuple[State, str]] = {
                "posted": ("done", ""),
                "open": ("uncertain", "sent, but no answer is recorded"),
                "absent": ("todo", "the rest of a thread that was cut off"),
                "retracted": ("skipped", "retracted"),
            }
            states = [says[part.state] for part in parts if part.intent is not None]
        for part in parts:
            if part.ref is not None:
                refs[part.part] = part.ref
    else:
        states = [_new(thread, rules, overtaken=overtaken)] * len(posts)
    for number, (post, (state, note)) in enumerate(zip(posts, states, strict=True), 1):
        yield Action(
            announcement=thread.announcement,
            update=thread.update,
            status=thread.status,
            channel=thread.channel.name,
            platform=thread.channel.platform,
            part=number,
            parts=len(posts),
            post=post,
            limit=thread.channel.limits.length,
            language=thread.language,
            reply_to=parent if number == 1 else _reply(thread.update, number - 1, refs.get(number - 1)),
            state=state,
            ref=refs.get(number),
            source=source,
            note=note,
        )


def _reply(update: datetime, part: int, ref: Ref | None) -> ReplyTo:
    return ReplyTo(update, part, ref.id if ref else None, ref.url if ref else None)


def _new(thread: Thread, rules: Rules, *, overtaken: bool) -> tuple[State, str]:
    """The state of an update that this channel has not seen."""
    if thread.update > rules.now:
        return "scheduled", f"due {thread.update:%Y-%m-%d %H:%M} UTC"
    if thread.channel.dry:
        return "skipped", "the channel is dry"
    if not rules.backfill and rules.now - thread.update > rules.stale_after:
        return "skipped", "older than stale_after; --backfill publishes it"
    if not rules.backfill and overtaken:
        return "skipped", "older than what stands there; --backfill publishes it"
    return "todo", ""


def _differs(thread: Thread, sent: Sent) -> bool:
    intents = [part.intent for part in sent.parts if part.intent is not None]
    if not intents or all(intent.source == thread.source for intent in intents):
        return False
    said = [_said(intent.post) for intent in intents]
    return said != [_said(post) for post in thread.posts]


def _said(post: Post) -> tuple[object, ...]:
    return post.text, post.facets, [(item.path, item.alt) for item in post.media]


def _costs(actions: Iterable[Action], cost: Cost) -> Mapping[str, float]:
    costs: dict[str, float] = {}
    for action in actions:
        price = cost(action.platform, action.post)
        if price is not None:
            costs[action.channel] = costs.get(action.channel, 0.0) + (price if action.state == "todo" else 0.0)
    return {channel: round(total, 6) for channel, total in costs.items()}
