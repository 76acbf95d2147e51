"""Whether what the ledger takes for our posts is what we sent: before it is deleted or edited, it is read back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from broadcast.ledger.history import PartState
from broadcast.model import Post
from broadcast.platforms.base import Connection, Ours

LEFT = "left alone"
NO_INTENT = "the ledger has no record of sending it"


def strangers(
    parts: Sequence[PartState], connection: Connection, also: Mapping[int, Post] | None = None
) -> Mapping[str, str]:
    """What is wrong with those of the posts that do not say what was sent, by id. `also` is what a part may say too.
    Raises `SendError` where they cannot be read."""
    wrong: dict[str, str] = {}
    ours = []
    for part in parts:
        if part.ref is None:
            continue
        if part.intent is None:
            wrong[part.ref.id] = NO_INTENT
            continue
        says = [intent.post for intent in (part.intent, part.edit) if intent is not None]
        says += [also[part.part]] if also and part.part in also else []
        ours.append(Ours(part.ref, part.intent, tuple(says)))
    return {**connection.differing(ours), **wrong} if ours else wrong
