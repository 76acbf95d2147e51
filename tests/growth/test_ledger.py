"""A ledger of four times as many events takes about four times as long: to read, to write, to fold, to plan against."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import process_time

import pytest

from broadcast.backlog import Rules
from broadcast.ledger.base import Log
from broadcast.ledger.history import beginning, fold, standalone
from broadcast.ledger.open import open_ledger
from broadcast.ledger.verify import against_files
from broadcast.model import Action, Channel, Event, FitOptions, Intent, Limits, Post, Receipt, Ref, Thread, Verdict
from broadcast.plan import plan
from broadcast.platforms.standing import Standing, match, match_alone
from growth.line import MOST, carried, unswept
from kit import git

SMALL, LARGE = 500, 2_000
FLOOR = 0.1
BEGAN = datetime(2020, 1, 1, tzinfo=UTC)
NOW = datetime(2026, 11, 22, tzinfo=UTC)
SLUG = "a"


def time(number: int) -> datetime:
    return BEGAN + timedelta(minutes=number)


def claim(number: int, part: int = 1, parts: int = 1, *, slug: str = SLUG, channel: str = "x") -> Intent:
    text = f"Text {number}, {part}"
    post = Post(text, len(text))
    return Intent(slug, time(number), channel, part, parts, NOW, "run", "update", post, "en", f"{number:016x}")


def receipt(number: int, part: int = 1, *, slug: str = SLUG, channel: str = "x") -> Receipt:
    return Receipt(slug, time(number), channel, part, NOW, "run", Ref(f"{number}-{part}"))


def verdict(number: int, part: int, what: str) -> Verdict:
    return Verdict(SLUG, time(number), "x", part, NOW, "other", what, "settle")  # type: ignore[arg-type]


def updates(amount: int) -> list[Event]:
    """As many updates, each sent."""
    return [event for number in range(amount) for event in (claim(number), receipt(number))]


def parts(amount: int) -> list[Event]:
    """One update of as many posts."""
    return [*(claim(0, part, amount) for part in range(1, amount + 1)), *(receipt(0, p) for p in range(1, amount + 1))]


def claims(amount: int) -> list[Event]:
    """One update that stands in many posts, and is claimed again and again as another number of them."""
    again = (claim(0, 1, amount + number % 2) for number in range(amount))
    return [*parts(amount), *again]


def verdicts(amount: int) -> list[Event]:
    """One update of many posts, of which it is said again and again that they stand, and that they do not."""
    words = ("posted", "retracted", "absent")
    return [*parts(amount), *(verdict(0, 0, words[number % 3]) for number in range(amount))]


def channels(amount: int) -> list[Event]:
    """One update on as many channels, most of which are no more."""
    sent = ((claim(0, channel=f"c{number}"), receipt(0, channel=f"c{number}")) for number in range(amount))
    return [event for pair in sent for event in pair]


HISTORIES = (updates, parts, claims, verdicts, channels)


def grows(work: Callable[[int], object], fewer: int = SMALL, more: int = LARGE) -> None:
    """Fails unless four times the size takes about four times as long."""
    small, large = float("inf"), float("inf")
    for _ in range(3):
        small, large = min(small, seconds(work, fewer)), min(large, seconds(work, more))
        if large < max(FLOOR, MOST * small):
            return
    pytest.fail(f"{small:.2f} s for {fewer}, and {large:.2f} s for {more}")


def seconds(work: Callable[[int], object], size: int) -> float:
    with unswept():
        before = process_time()
        work(size)
        return process_time() - before


def log(events: Sequence[Event]) -> Log:
    return Log("some", {SLUG: tuple(events)})


def threads(amount: int, shift: int = 0) -> list[Thread]:
    channel = Channel("x", "x", FitOptions(), Limits(280, len))
    return [
        Thread(SLUG, time(number + shift), "update", channel, "en", (Post("New", 3),), f"{number:016x}", ("x",))
        for number in range(amount)
    ]


def planned(amount: int, events: Sequence[Event], shift: int = 0) -> list[Action]:
    rules = Rules(NOW, timedelta(days=9999))
    return list(plan(threads(amount, shift), log(events), rules, slugs={SLUG}, cost=lambda *_: None).actions)


@pytest.mark.parametrize("history", HISTORIES, ids=lambda history: history.__name__)
def test_events_are_folded(history: Callable[[int], list[Event]]) -> None:
    """e0fdd80: many claims and many verdicts took quadratic time."""

    def work(size: int) -> None:
        for sent in fold(events[size]).values():
            beginning(sent)
        standalone(events[size])
        list(against_files(log(events[size]), {SLUG}, {"x"}))

    events = {size: history(size) for size in (SMALL, LARGE)}
    grows(work)


@pytest.mark.parametrize("history", HISTORIES, ids=lambda history: history.__name__)
@pytest.mark.parametrize("shift", [0, 1, 100_000])
def test_updates_are_planned_against_what_was_sent(history: Callable[[int], list[Event]], shift: int) -> None:
    """With `shift` every time was corrected. e0fdd80: each update was held against each that was sent."""
    events = {size: history(size) for size in (SMALL, LARGE)}
    grows(lambda size: planned(size, events[size], shift))


def test_updates_are_planned_against_many_announcements_without_a_file() -> None:
    logs = {
        size: Log("some", {f"b{n}": (claim(n, slug=f"b{n}"), receipt(n, slug=f"b{n}")) for n in range(size)})
        for size in (SMALL, LARGE)
    }

    def work(size: int) -> None:
        found = plan(threads(size), logs[size], Rules(NOW, timedelta(days=9999)), slugs={SLUG}, cost=lambda *_: None)
        assert {action.state for action in found.actions} == {"skipped"}

    grows(work)


def test_what_was_sent_is_found_again() -> None:
    def work(size: int) -> None:
        intents = [claim(0, part, size) for part in range(1, size + 1)]
        stand = [Standing(str(n), intent.post.text, str(n - 1) if n else None) for n, intent in enumerate(intents)]
        assert len(match(intents, None, stand)) == size
        assert len(match_alone(intents, stand[::-1])) == size

    grows(work)


def test_posts_that_say_the_same_are_found_again() -> None:
    def work(size: int) -> None:
        intents = [claim(0, 1, size) for _ in range(size)]
        assert len(match_alone(intents, [Standing(str(n), intents[0].post.text, None) for n in range(size)])) == 1

    grows(work)


@pytest.mark.parametrize("history", HISTORIES, ids=lambda history: history.__name__)
def test_lines_are_written_and_read(history: Callable[[int], list[Event]]) -> None:
    events = {size: history(size) for size in (SMALL, LARGE)}
    grows(lambda size: carried(SLUG, events[size]))


@pytest.mark.parametrize("url", ["sqlite:///ledger.sqlite", "git:broadcast/ledger"])
@pytest.mark.parametrize("one", [True, False], ids=["one announcement", "many announcements"])
def test_a_ledger_is_written_and_read(tmp_path: Path, url: str, *, one: bool) -> None:
    """What git itself does is not counted here."""

    def work(size: int) -> None:
        root = tmp_path / f"{size}-{len(list(tmp_path.iterdir()))}"
        root.mkdir()
        git(root, "init", "--quiet", "--initial-branch=main")
        ledger = open_ledger(url, root)
        version = ledger.append(events[size], ledger.read().version)
        assert sum(map(len, ledger.read().events.values())) == len(events[size])
        assert ledger.append([claim(size)], version)

    events = {size: updates(size) for size in (SMALL // 2, LARGE // 2)}
    if not one:
        events = {size: [claim(n, slug=f"a{n}") for n in range(size)] for size in events}
    grows(work, SMALL // 2, LARGE // 2)
