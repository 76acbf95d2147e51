"""What becomes of posts whose answer was lost."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

from broadcast.errors import DuplicateError
from broadcast.model import Event, Intent, Post, Ref, Result
from broadcast.publish.claim import Job
from broadcast.publish.send import Sender, send
from samples import at

NOW = at("2026-11-22T15:00")


class Repeating:
    """A connection to a platform that says of the second part that it stands already, and is right."""

    def send(self, intents: Sequence[Intent], parent: Ref | None) -> Iterator[Mapping[int, Ref]]:
        yield {1: Ref("1")}
        raise DuplicateError("it says the same")

    def find(self, intents: Sequence[Intent], parent: Ref | None) -> Mapping[int, Ref]:
        return {2: Ref("2")}


def test_only_the_post_of_which_the_platform_said_that_it_stands_may_need_a_human() -> None:
    moment = at("2026-11-22T14:05")
    intents = tuple(
        Intent("outage", moment, "x", part, 3, NOW, "me", "investigating", Post(str(part), 1), "en", "digest")
        for part in (1, 2, 3)
    )
    events: list[Event] = []
    results: list[Result] = []
    sender = Sender("me", lambda: NOW, events.append, results.append, threading.Event())
    send([Job("outage", moment, "x", intents, None, None)], cast(Any, {"x": Repeating()}), sender)
    assert [(one.part, one.state) for one in results] == [(1, "posted"), (2, "posted"), (3, "failed")]
    assert [one.ref.id for one in events if hasattr(one, "ref") and one.ref] == ["1", "2"]
