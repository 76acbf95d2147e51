"""The protocol, searched to the end: every interleaving of two runs with a crash, a lost answer and a stall.

What runs is the real thing: `publish` with its planning, claiming, reconciling, sending and recording, and `fold`. What
is modeled is what it stands on, and that may promise as little as this:

- The ledger reads, and appends by compare-and-swap, each at one moment. An append may fail, with or without its
  effect. Each run works in a clone of its own, whose journal no other run sees; it survives a crash.
- The platform makes a post at one moment. The answer may be lost, or be an error, with or without the effect. Looking
  shows all that stands at its moment, or is never possible (`blind`). A platform that is `keyed` knows what it was sent
  before and makes nothing of it a second time, as Bluesky does, and Mastodon with its idempotency keys.
- A run may be killed wherever it touches any of these, its own journal too: before the touch, or after it.
- The ledger may have been lost before: then some of the posts stand, and it knows of none.
- A run may stall anywhere for longer than its claim is good for, and another take it for dead; but not between its last
  look at the clock before a request and the effect of that request: for that, `runs.LEASE` is two minutes longer than
  `runs.SENDING`. Clocks disagree by less than what a request leaves of these two minutes.
- A request has its effect before the run that sent it is taken for dead, or never. Where that is not so (`late`), only
  a keyed platform keeps the promise. Of a run on another machine that leaves ten minutes; on this machine (`near`) a
  process is known to be dead at once, and what is left is how long `find` goes on looking (`LAG` of each platform).

Then a third run comes from a fresh clone, and the journals of the first two are carried. No state posts anything twice,
and in the end every post stands once, in one chain. On a blind platform a human settles what is uncertain.

`make faults` searches the larger settings too: chains of two updates, and more going wrong.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Self

import pytest

from broadcast import plan as planning
from broadcast import runs
from broadcast.backlog import Rules
from broadcast.errors import LedgerError, LedgerMovedError, LostAnswerError, RefusedError, UnprovableError
from broadcast.ledger.base import Log, Survey
from broadcast.ledger.codec import Entry
from broadcast.ledger.history import fold
from broadcast.model import (
    Channel,
    Event,
    FitOptions,
    Intent,
    Limits,
    Plan,
    Post,
    Receipt,
    Ref,
    Thread,
    Verdict,
)
from broadcast.platforms import base as platforms
from broadcast.platforms import standing
from broadcast.platforms.base import Account, Ours, Prepared
from broadcast.platforms.standing import Standing
from broadcast.publish import recognize as recognizing
from broadcast.publish import run as publishing
from broadcast.publish import send as sending
from broadcast.publish.run import Outcome, Run
from explorer import Actor, Found, Stage, explore
from scenes import EVERY

START = datetime(2026, 11, 22, 14, 5, tzinfo=UTC)
SLUG, CHANNEL = "slow", "x"
ELSEWHERE, HERE = "0123456789ab-1-", "here-"
"""The name of a run begins with its machine. Of another one, only the lease tells whether it is alive."""
STAGES: list[Stage] = []
"""The last is where the play is."""


@dataclass(frozen=True, slots=True)
class Rule:
    """What can happen in a play: how many of each."""

    kills: int = 0
    faults: int = 0
    stalls: int = 0
    keyed: bool = False
    blind: bool = False
    late: bool = False
    near: bool = False
    """Both runs are on one machine, where a process that has ended is seen to have ended."""
    chain: bool = False
    lost: int = 0
    """How many posts stand from before the ledger was lost."""
    compares: bool = True
    """Whether the ledger's compare-and-swap compares."""


def threads(rule: Rule) -> list[Thread]:
    limits = Limits(100, len)
    channel = Channel(CHANNEL, "x", FitOptions(), limits)
    texts = [("one", "two"), ("three",)] if rule.chain else [("one", "two")]
    return [
        Thread(
            SLUG,
            START + timedelta(minutes=number),
            "investigating",
            channel,
            "en",
            tuple(Post(text, len(text)) for text in some),
            f"source {number}",
            (CHANNEL,),
        )
        for number, some in enumerate(texts)
    ]


@dataclass(slots=True)
class Sent:
    """A request that makes a post."""

    key: str
    text: str
    parent: str | None


class Shared:
    """The remote ledger, the platform, and the time."""

    def __init__(self, stage: Stage, rule: Rule) -> None:
        self.stage = stage
        self.rule = rule
        self.kills, self.faults, self.stalls = rule.kills, rule.faults, rule.stalls
        self.now = START + timedelta(minutes=5)
        self.events: list[tuple[int, Event]] = []
        self.numbers = iter(range(10**9))
        self.version = 0
        self.journals: dict[str, list[tuple[int, Event]]] = {}
        self.posts: dict[str, Standing] = {}
        self.keys: dict[str, str] = {}
        self.sending: dict[str, Sent] = {}
        self.flying: list[Sent] = []
        self.planned = [post.text for thread in threads(rule) for post in thread.posts]
        for text in self.planned[: rule.lost]:
            self.deliver(Sent(f"before {text}", text, str(len(self.posts)) if self.posts else None))

    # --- what `explore` asks

    def key(self) -> Hashable:
        ledger = tuple(_shown(event) for _, event in self.events)
        journals = tuple((name, tuple(_shown(e) for _, e in items)) for name, items in sorted(self.journals.items()))
        flying = tuple((one.key, one.text, one.parent) for one in self.flying)
        budget = (self.kills, self.faults, self.stalls)
        return (self.version, ledger, journals, tuple(self.posts.values()), flying, budget, self.now)

    def moves(self, actors: Sequence[Actor]) -> list[str]:
        alive = [actor for actor in actors if not actor.done]
        found = [f"kill {actor.name}" for actor in alive] if self.kills else []
        if self.kills and self.rule.late:
            found += [f"kill-late {actor.name}" for actor in alive if actor.at == "deliver"]
        if self.stalls and alive and all(actor.at != "deliver" for actor in alive):
            found.append("stall")
        return found + [f"arrive {index}" for index in range(len(self.flying))]

    def move(self, name: str, actors: Sequence[Actor]) -> None:
        what, _, which = name.partition(" ")
        if what.startswith("kill"):
            self.kills -= 1
            if what == "kill-late":
                self.flying.append(self.sending[which])
            self.stage.kill(next(actor for actor in actors if actor.name == which))
        elif what == "stall":
            self.stalls -= 1
            self.now += runs.LEASE + timedelta(seconds=1)
        else:
            self.deliver(self.flying.pop(int(which)))

    def check(self) -> None:
        texts = [post.text for post in self.posts.values()]
        assert len(texts) == len(set(texts)), f"posted twice: {texts}"

    def end(self) -> None:
        """A third run comes, from a clone that knows nothing; then the first two clones are used again."""
        for number, clone in enumerate(("fresh", *list(self.journals), "later")):
            self.now += runs.LEASE + timedelta(minutes=1)
            for again in range(4):
                outcome = publish(self, clone, f"{ELSEWHERE}end{number}{again}")
                self.check()
                if self.rule.blind:
                    self.settle()
                if {result.state for result in outcome.results} <= {"posted", "done"}:
                    break
            else:
                raise AssertionError(f"never done: {outcome.results}")
        while self.flying:
            self.deliver(self.flying.pop())
            self.check()
        standing_ = list(self.posts.values())
        assert [post.text for post in standing_] == self.planned, f"lost: {standing_}"
        assert [post.parent for post in standing_] == [None, *(post.id for post in standing_[:-1])]
        refs = [row.ref.id if row.ref else None for row in plan(self.rule)(self.log([])).actions]
        assert refs == [post.id for post in standing_]

    # --- what the runs do

    def log(self, journal: Sequence[tuple[int, Event]]) -> Log:
        known = dict(self.events) | dict(journal)
        return Log(str(self.version), {SLUG: tuple(known.values())} if known else {})

    def append(self, journal: list[tuple[int, Event]], events: Sequence[Event]) -> None:
        new = [*journal, *((next(self.numbers), event) for event in events)]
        there = {number for number, _ in self.events}
        self.events += [pair for pair in new if pair[0] not in there]
        self.version += 1
        journal.clear()

    def deliver(self, sent: Sent) -> str:
        """The moment at which a post is made, or is not because it was made before."""
        if self.rule.keyed and sent.key in self.keys:
            return self.keys[sent.key]
        post = Standing(str(len(self.posts) + 1), sent.text, sent.parent)
        self.posts[post.id] = post
        self.keys[sent.key] = post.id
        return post.id

    def settle(self) -> None:
        """A human looks, and says what is there."""
        for (update, channel), sent in fold([event for _, event in self.events]).items():
            for part in sent.parts:
                if part.state == "open" and part.intent is not None:
                    name = (SLUG, update, channel, part.part)
                    there = [post.id for post in self.posts.values() if post.text == part.intent.post.text]
                    self.append(
                        [],
                        [
                            Receipt(*name, self.now, "human", Ref(there[0]))
                            if there
                            else Verdict(*name, self.now, "human", "absent", "settle")
                        ],
                    )


def _shown(event: Event) -> Hashable:
    match event:
        case Intent():
            return ("intent", event.update, event.part, event.run, event.at, event.payload.get("key"))
        case Receipt():
            return ("receipt", event.update, event.part, event.run, event.ref.id)
        case Verdict():
            return (event.verdict, event.update, event.part, event.run, event.by)


@dataclass(slots=True)
class Clone:
    """The ledger as one clone sees it."""

    shared: Shared
    name: str

    def journaled(self) -> list[tuple[int, Event]]:
        return self.shared.journals.setdefault(self.name, [])

    def read(self) -> Log:
        self.shared.stage.pause(self.name, "read")
        log = self.shared.log(self.journaled())
        self.shared.stage.note(self.name, tuple(_shown(event) for event in log.events.get(SLUG, ())))
        return log

    def append(self, events: Sequence[Event], version: str | None) -> str:
        if not events and not self.journaled():
            return str(self.shared.version)
        chosen = self._pause("append", "cut before", "cut after")
        if chosen == "cut before":
            raise LedgerError("cut")
        if version is not None and version != str(self.shared.version) and self.shared.rule.compares:
            self.shared.stage.note(self.name, "moved")
            raise LedgerMovedError("moved")
        self.shared.append(self.journaled(), events)
        if chosen == "cut after":
            raise LedgerError("cut")
        return str(self.shared.version)

    def recall(self) -> Log:
        raise NotImplementedError

    def entries(self) -> Sequence[Entry]:
        raise NotImplementedError

    def survey(self) -> Survey:
        raise NotImplementedError

    def adopt(self, version: str) -> None:
        raise NotImplementedError

    def carry(self, items: Sequence[Entry]) -> None:
        raise NotImplementedError

    def journal(self, event: Event) -> None:
        self.shared.stage.pause(self.name, "journal")
        self.journaled().append((next(self.shared.numbers), event))

    def sleep(self) -> None:
        self.shared.stage.pause(self.name, "sleep")

    def _pause(self, at: str, *faults: str) -> str:
        chosen = self.shared.stage.pause(self.name, at, ("go", *(faults if self.shared.faults else ())))
        self.shared.faults -= chosen != "go"
        return chosen

    # --- the platform, as this clone's connection sees it

    def verify(self) -> Account:
        return Account("a model")

    def prepare(
        self, posts: Sequence[Post], language: str, parent: Ref | None, earlier: Sequence[Mapping[str, Any]] = ()
    ) -> list[Prepared]:
        return [
            Prepared({"key": before.get("key") or f"{self.name} {self.shared.now:%H%M%S} {post.text}"})
            for post, before in zip(posts, earlier, strict=True)
        ]

    def send(self, intents: Sequence[Intent], parent: Ref | None) -> Iterator[Mapping[int, Ref]]:
        answers = parent.id if parent else None
        for intent in intents:
            self.shared.stage.pause(self.name, "upload")
            yield {}
            faults = ("refused", "lost before", "lost after", *(("late",) if self.shared.rule.late else ()))
            sent = self.shared.sending[self.name] = Sent(intent.payload["key"], intent.post.text, answers)
            chosen = self._pause("deliver", *faults)
            if chosen == "refused":
                raise RefusedError("refused")
            if chosen == "lost before":
                raise LostAnswerError("lost")
            if chosen == "late":
                self.shared.flying.append(sent)
                raise LostAnswerError("late")
            answers = self.shared.deliver(sent)
            if chosen == "lost after":
                raise LostAnswerError("lost")
            self.shared.stage.note(self.name, answers)
            yield {intent.part: Ref(answers)}

    def find(self, intents: Sequence[Intent], parent: Ref | None) -> Mapping[int, Ref]:
        self.shared.stage.pause(self.name, "find")
        if self.shared.rule.blind:
            raise UnprovableError("blind")
        if self.shared.rule.keyed and all(intent.run for intent in intents):
            keys = {intent.part: self.shared.keys.get(intent.payload["key"]) for intent in intents}
            found = {part: Ref(key) for part, key in keys.items() if key is not None}
        else:
            posts = standing.match(intents, parent, self.shared.posts.values())
            found = {part: Ref(post.id) for part, post in posts.items()}
        self.shared.stage.note(self.name, tuple((part, ref.id) for part, ref in found.items()))
        return found

    def differing(self, posts: Sequence[Ours]) -> Mapping[str, str]:
        raise NotImplementedError

    def edit(self, ref: Ref, intent: Intent) -> Ref:
        raise NotImplementedError

    def delete(self, refs: Sequence[Ref]) -> Iterator[Sequence[Ref]]:
        raise NotImplementedError

    def close(self) -> None:
        """Nothing is held open."""


def plan(rule: Rule) -> Callable[[Log], Plan]:
    made = threads(rule)
    rules = Rules(START + timedelta(minutes=10), timedelta(days=1))
    return lambda log: planning.plan(made, log, rules, slugs=[SLUG], cost=lambda platform, post: None)


def publish(shared: Shared, clone: str, run: str) -> Outcome:
    """One run from its first read to its end. A ledger that fails ends it, as it ends the command."""
    here = Clone(shared, clone)
    try:
        log = here.read()
        return publishing.publish(
            plan(shared.rule),
            log,
            Run(
                name=run,
                ledger=here,
                connect=lambda name: here,
                clock=lambda: shared.now,
                report=lambda result: None,
                stop=threading.Event(),
                sleep=lambda seconds: here.sleep(),
                patience=0.1,
            ),
        )
    except LedgerError:
        return Outcome((), "the ledger failed")


def setting(rule: Rule) -> Callable[[Stage], Shared]:
    def set_up(stage: Stage) -> Shared:
        shared = Shared(stage, rule)
        STAGES[:] = [stage]

        def run(name: str) -> None:
            publish(shared, name, (HERE if rule.near else ELSEWHERE) + name)

        for name in ("A", "B"):
            stage.add(name, partial(run, name))
        return shared

    return set_up


class Inline:
    """A pool of threads that needs none: there is one channel."""

    def __init__(self, max_workers: int, thread_name_prefix: str) -> None:
        assert max_workers == 1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        """Nothing is held open."""

    def map(self, function: Callable[[str], Any], items: Sequence[str]) -> Iterator[Any]:
        return map(function, items)

    def submit(self, function: Callable[..., Any], *arguments: Any) -> Future[Any]:
        future: Future[Any] = Future()
        future.set_result(function(*arguments))
        return future


@pytest.fixture(autouse=True)
def _one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(publishing, "ThreadPoolExecutor", Inline)
    monkeypatch.setattr(sending, "ThreadPoolExecutor", Inline)
    monkeypatch.setattr(recognizing, "ThreadPoolExecutor", Inline)
    monkeypatch.setattr(platforms, "recognizes", lambda name: True)


@pytest.fixture(autouse=True)
def _seen_to_have_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a process on the same machine is looked up, the stage is asked."""
    everywhere = runs.alive

    def alive(run: str, claimed: datetime, now: datetime) -> bool:
        if not run.startswith(HERE) or now - claimed > runs.LEASE:
            return everywhere(run, claimed, now)
        actor = STAGES[-1].actors.get(run.removeprefix(HERE))
        return actor is not None and not actor.done

    monkeypatch.setattr(runs, "alive", alive)


SMALL = {
    "a crash": Rule(kills=1),
    "a lost answer": Rule(faults=1),
    "a stall": Rule(stalls=1),
    "a crash on this machine": Rule(kills=1, near=True),
    "a crash, and nobody can look": Rule(kills=1, blind=True),
    "a request that arrives late, at a platform with keys": Rule(kills=1, late=True, near=True, keyed=True),
    "a lost ledger and a crash": Rule(kills=1, lost=1),
}
LARGE = {
    "a crash and a lost answer": Rule(kills=1, faults=1),
    "the same on this machine": Rule(kills=1, faults=1, near=True),
    "the same on this machine with a chain": Rule(kills=1, faults=1, near=True, chain=True),
    "the same with a chain": Rule(kills=1, faults=1, chain=True),
    "the same, and nobody can look": Rule(kills=1, faults=1, blind=True, chain=True),
    "the same, arriving late at a platform with keys": Rule(
        kills=1, faults=1, late=True, near=True, keyed=True, chain=True
    ),
    "a lost ledger and a lost answer, with a chain": Rule(faults=1, lost=1, chain=True),
    "a lost ledger of a chain, and a crash": Rule(kills=1, lost=2, chain=True),
    "two crashes": Rule(kills=2, chain=True),
    "two lost answers": Rule(faults=2),
    "two stalls": Rule(stalls=2),
    "a stall and a crash, with a chain": Rule(kills=1, stalls=1, chain=True),
    "a stall, a crash and a lost answer": Rule(kills=1, faults=1, stalls=1),
}


@pytest.mark.parametrize("what", [*SMALL, *(LARGE if EVERY else ())])
def test_nothing_is_posted_twice_or_lost(what: str) -> None:
    found = explore(setting((SMALL | LARGE)[what]))
    assert found.states > 100


WRONG = {
    "a ledger that does not compare": Rule(compares=False),
    "a request that arrives late, where nothing knows it again": Rule(faults=1, late=True, near=True),
}
"""What the protocol leans on. The first never is; of the second, see above."""


@pytest.mark.parametrize("what", WRONG)
def test_the_search_finds_what_is_wrong(what: str) -> None:
    with pytest.raises(Found, match="posted twice"):
        explore(setting(WRONG[what]))


def test_the_search_finds_a_run_that_does_not_look(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Clone, "find", lambda self, intents, parent: {})
    with pytest.raises(Found, match="posted twice"):
        explore(setting(Rule(kills=1)))


def test_the_search_finds_a_ledger_that_was_lost_and_nobody_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platforms, "recognizes", lambda name: False)
    with pytest.raises(Found, match="posted twice"):
        explore(setting(Rule(lost=1)))


def test_the_search_finds_a_run_that_goes_on_when_its_claim_has_run_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "SENDING", timedelta(days=1))
    with pytest.raises(Found, match="posted twice"):
        explore(setting(Rule(stalls=1)))
