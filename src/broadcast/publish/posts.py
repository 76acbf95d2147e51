"""What claiming and sending share: how a post is named, what became of it, and what it answers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from itertools import groupby
from typing import Literal

from broadcast.ledger.base import Log
from broadcast.ledger.history import Sent, fold
from broadcast.model import Action, Intent, Plan, Ref, Result
from broadcast.platforms.base import Prepared

Key = tuple[str, datetime, str, int]
Histories = Mapping[str, Mapping[tuple[datetime, str], Sent]]


def key(post: Action | Intent | Result) -> Key:
    """What names one post in plans, ledgers and results."""
    return (post.announcement, post.update, post.channel, post.part)


def intent(row: Action, made: Prepared, *, parent: Ref | None, run: str, at: datetime) -> Intent:
    """The intent to send a post of the plan, with what its platform prepared for it."""
    return Intent(
        announcement=row.announcement,
        update=row.update,
        channel=row.channel,
        part=row.part,
        parts=row.parts,
        at=at,
        run=run,
        status=row.status,
        post=row.post,
        language=row.language,
        source=row.source,
        payload=made.payload,
        ref=made.ref,
        parent=parent,
        audience=row.audience,
    )


def result(
    intent: Intent,
    state: Literal["posted", "failed", "uncertain", "skipped"],
    *,
    ref: Ref | None = None,
    error: str | None = None,
) -> Result:
    return Result(*key(intent), state, ref.id if ref else None, ref.url if ref else None, error)


def untouched(row: Action) -> Result:
    """The result of a post that this run had nothing to do for."""
    if row.state == "uncertain":
        return Result(*key(row), "uncertain", error=row.note)
    if row.state == "done":
        return Result(*key(row), "done", row.ref.id if row.ref else None, row.ref.url if row.ref else None)
    return Result(*key(row), "skipped", error=row.note or None)


def threads(plan: Plan) -> Iterator[list[Action]]:
    for _, rows in groupby(plan.actions, key=lambda row: (row.announcement, row.update, row.channel)):
        yield list(rows)


def histories(plan: Plan, log: Log) -> Histories:
    return {slug: fold(log.events.get(slug, ())) for slug in {row.announcement for row in plan.actions}}


def parent(row: Action, history: Mapping[tuple[datetime, str], Sent]) -> tuple[Ref | None, datetime | None]:
    """What a post answers: its reference when it stands, else the update that is sent before it."""
    if row.reply_to is None:
        return None, None
    sent = history.get((row.reply_to.update, row.channel))
    for part in sent.parts if sent else ():
        if part.part == row.reply_to.part and part.state == "posted":
            return part.ref, None
    return None, row.reply_to.update
