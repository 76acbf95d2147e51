"""What is asked for, what is believed, and what nobody is asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, cast

import pytest

from broadcast.errors import UnprovableError
from broadcast.ledger.base import Log
from broadcast.ledger.history import fold
from broadcast.model import Action, Event, Intent, Plan, Receipt, Ref, Verdict
from broadcast.platforms import base as platforms
from broadcast.publish.recognize import Looked, Place, recognize
from samples import act, at

NOW = at("2026-11-22T15:00")
FIRST, SECOND = "2026-11-22T14:05", "2026-11-22T14:40"
EMPTY = Log("none", {})


@dataclass(slots=True)
class Account:
    """A connection that finds posts by their texts, below the right parent."""

    posts: dict[str, tuple[str, str | None]] = field(default_factory=dict)
    error: Exception | None = None
    asked: list[tuple[str, ...]] = field(default_factory=list)

    def find(self, intents: Sequence[Intent], parent: Ref | None) -> Mapping[int, Ref]:
        self.asked.append(tuple(intent.post.text for intent in intents))
        assert all(not intent.run and not intent.payload and intent.at == intent.update for intent in intents)
        if self.error is not None:
            raise self.error
        answers = parent.id if parent else None
        found: dict[int, Ref] = {}
        for intent in intents:
            same = [key for key, one in self.posts.items() if one == (intent.post.text, answers)]
            if not same:
                break
            answers = same[0]
            found[intent.part] = Ref(answers)
        return found


@pytest.fixture(autouse=True)
def _recognizing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platforms, "recognizes", lambda name: name != "site")


def look(
    account: Account, *rows: Action, log: Log = EMPTY, now: datetime = NOW, absent: set[Place] | None = None
) -> Looked:
    connections = cast(Any, dict.fromkeys({row.channel for row in rows}, account))
    return recognize(Plan(rows), log, connections, run="me", now=now, absent=absent or set())


def began(moment: str) -> Log:
    verdict = Verdict("other", at(moment), "x", 0, at(moment), "r", "posted", "baseline")
    return Log("1", {"other": (verdict,)})


def found(looked: Looked) -> list[str]:
    return [event.ref.id for event in looked.events if isinstance(event, Receipt)]


def test_a_chain_is_followed_from_post_to_post() -> None:
    account = Account({"1": ("One.", None), "2": ("Two.", "1"), "3": ("Three.", "2")})
    looked = look(
        account,
        act("One.", update=FIRST, parts=2),
        act("Two.", update=FIRST, part=2, parts=2),
        act("Three.", update=SECOND),
    )
    assert found(looked) == ["1", "2", "3"]
    assert [type(event) for event in looked.events] == [Intent, Receipt] * 3
    assert {(event.run, event.at) for event in looked.events} == {("me", NOW)}
    assert looked.notes == ["x: 3 posts of which the ledger knew nothing stood already; they are recorded now"]
    assert looked.absent == set()


def test_the_rest_of_a_thread_is_proved_absent() -> None:
    account = Account({"1": ("One.", None)})
    looked = look(account, act("One.", parts=2), act("Two.", part=2, parts=2))
    (sent,) = fold(looked.events).values()
    assert [part.state for part in sent.parts] == ["posted", "absent"]


def test_an_update_that_is_too_old_is_what_the_next_one_answers() -> None:
    account = Account({"1": ("One.", None), "2": ("Two.", "1")})
    looked = look(account, act("One.", update=FIRST, state="skipped"), act("Two.", update=SECOND))
    assert found(looked) == ["1", "2"]


def test_what_stands_by_the_ledger_is_answered() -> None:
    account = Account({"1": ("One.", None), "2": ("Two.", "1")})
    looked = look(account, act("One.", update=FIRST, state="done", ref=Ref("1")), act("Two.", update=SECOND))
    assert account.asked == [("Two.",)]
    assert found(looked) == ["2"]


@pytest.mark.parametrize(
    ("rows", "log"),
    [
        pytest.param([act(state="done"), act(update=SECOND, state="skipped")], EMPTY, id="nothing to send"),
        pytest.param([act(update=SECOND)], began(FIRST), id="younger than the ledger"),
        pytest.param([act(state="uncertain"), act(update=SECOND)], EMPTY, id="behind what is in doubt"),
        pytest.param([act(channel="site", update=FIRST)], EMPTY, id="a platform that recognizes nothing"),
    ],
)
def test_nobody_is_asked(rows: list[Action], log: Log) -> None:
    account = Account()
    assert look(account, *rows, log=log) == Looked()
    assert account.asked == []


def test_what_is_late_is_looked_for_in_an_old_ledger_too() -> None:
    account = Account({"1": ("One.", None)})
    assert found(look(account, act("One.", update=SECOND), log=began(FIRST), now=at(SECOND) + timedelta(hours=2))) == [
        "1"
    ]


def test_what_was_claimed_once_is_left_to_its_intents() -> None:
    events: list[Event] = [Verdict("api-errors", at(FIRST), "x", 1, at(FIRST), "r", "absent", "publish")]
    account = Account()
    looked = look(account, act(update=FIRST), log=Log("1", {"api-errors": events}), now=NOW + timedelta(days=1))
    assert looked == Looked()


def test_nothing_is_looked_for_twice() -> None:
    account = Account()
    first = look(account, act())
    assert first.absent == {("api-errors", at(FIRST), "x")}
    assert look(account, act(), absent=first.absent) == Looked()
    assert len(account.asked) == 1


def test_one_post_is_not_two_announcements() -> None:
    account = Account({"1": ("Fixed.", None)})
    looked = look(account, act("Fixed.", slug="a"), act("Fixed.", slug="b"))
    assert [(event.announcement, event.ref.id) for event in looked.events if isinstance(event, Receipt)] == [("a", "1")]
    assert looked.absent == {("b", at(FIRST), "x")}


@pytest.mark.parametrize(
    ("error", "why"),
    [
        (UnprovableError("its posts cannot be read"), "its posts cannot be read"),
        (KeyError("rkey"), "unexpected KeyError"),
    ],
)
def test_a_channel_that_cannot_be_read_is_asked_once_and_said_so(error: Exception, why: str) -> None:
    account = Account(error=error)
    looked = look(account, act(update=FIRST), act(update=SECOND), act(slug="other"))
    assert looked.events == []
    assert len(account.asked) == 1
    (note,) = looked.notes
    assert note.startswith("x: sent without knowing whether it stands already")
    assert note.endswith(why)
    assert len(looked.absent) == 3


def test_an_old_update_that_cannot_be_read_says_nothing_of_a_new_one() -> None:
    account = Account(error=UnprovableError("too many posts"))
    look(account, act(update=FIRST, state="skipped"), act(update=SECOND))
    assert len(account.asked) == 2
