"""What becomes of posts whose answer was lost."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

from broadcast.errors import DuplicateError
from broadcast.model import Event, Intent, Post, Receipt, Ref, Result
from broadcast.publish.claim import Job
from broadcast.publish.send import Sender, send
from samples import at

NOW, MOMENT = at("2026-11-22T15:00"), at("2026-11-22T14:05")


class Repeating:
    """A connection to a platform that says of the second part that it stands already; `shows`: and that shows it."""

    def __init__(self, *, shows: bool) -> None:
        self.shows = shows
        self.asked: list[tuple[int, str | None]] = []

    def send(self, intents: Sequence[Intent], parent: Ref | None) -> Iterator[Mapping[int, Ref]]:
        for intent in intents:
            self.asked.append((intent.part, parent.id if parent else None))
            if intent.part == 2:
                raise DuplicateError("it says the same")
            parent = Ref(f"sent {intent.part}")
            yield {intent.part: parent}

    def find(self, intents: Sequence[Intent], parent: Ref | None) -> Mapping[int, Ref]:
        return {2: Ref("found 2")} if self.shows else {}


def sent(connection: Repeating) -> tuple[list[Result], list[Event]]:
    intents = tuple(
        Intent("outage", MOMENT, "x", part, 4, NOW, "me", "investigating", Post(str(part), 1), "en", "digest")
        for part in (1, 2, 3, 4)
    )
    events: list[Event] = []
    results: list[Result] = []
    sender = Sender("me", lambda: NOW, events.append, results.append, threading.Event())
    send([Job("outage", MOMENT, "x", intents, None, None)], cast(Any, {"x": connection}), sender)
    return results, events


def test_what_follows_a_post_that_was_found_is_sent_in_the_same_run() -> None:
    connection = Repeating(shows=True)
    results, events = sent(connection)
    assert [(one.part, one.state) for one in results] == [(part, "posted") for part in (1, 2, 3, 4)]
    assert [one.ref.id for one in events if isinstance(one, Receipt)] == ["sent 1", "found 2", "sent 3", "sent 4"]
    assert connection.asked == [(1, None), (2, "sent 1"), (3, "found 2"), (4, "sent 3")]


def test_only_the_post_of_which_the_platform_said_that_it_stands_may_need_a_human() -> None:
    connection = Repeating(shows=False)
    results, events = sent(connection)
    states = [(1, "posted"), (2, "uncertain"), (3, "failed"), (4, "failed")]
    assert [(one.part, one.state) for one in results] == states
    assert len(events) == 1
    assert len(connection.asked) == 2
