"""Many processes at one database: nothing is lost, nothing is there twice or in part.

`make races` plays 50 rounds, `make test` four (`BROADCAST_ROUNDS=ROUNDS`).
"""

from __future__ import annotations

import os
import select
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

import postgres
from broadcast.ledger.base import NO_LEDGER, Ledger
from broadcast.ledger.open import open_ledger
from broadcast.model import Receipt

PROCESSES = 16
ROUNDS = int(os.environ.get("BROADCAST_ROUNDS", "4"))

WORKER = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from broadcast.errors import LedgerMovedError
from broadcast.ledger.open import open_ledger
from broadcast.model import Receipt, Ref

url, root, name = sys.argv[1:]
ledger = open_ledger(url, Path(root))
at = datetime(2026, 11, 22, 14, 5, tzinfo=UTC)


def events(word, count=1):
    return [Receipt(f"slug-{n % 3}", at, "x", 1, at, name, Ref(f"{word}/{n}")) for n in range(count)]


def say(*words):
    # One write, so that a kill leaves a whole line or none.
    sys.stdout.write(" ".join(map(str, words)) + "\\n")
    sys.stdout.flush()


say("ready")
for number, version in enumerate(map(str.strip, sys.stdin)):
    try:
        ledger.append(events(f"swap.{number}.{name}", 2), version)
        result = "won"
    except LedgerMovedError:
        result = "lost"
    ledger.journal(events(f"journal.{number}.{name}")[0])
    ledger.append(events(f"all.{number}.{name}", 2), None)
    say(result)
"""


@dataclass(frozen=True, slots=True)
class Place:
    """A ledger that all workers share. Each works in a folder of its own, as if on a machine of its own."""

    url: str
    folder: Path

    def root(self, name: str) -> Path:
        (self.folder / name).mkdir(exist_ok=True)
        return self.folder / name

    def ledger(self, name: str = "witness") -> Ledger:
        return open_ledger(self.url, self.root(name))

    def start(self, name: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-c", WORKER, self.url, str(self.root(name)), name]
        return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


@pytest.fixture(params=["sqlite", "postgres"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    if request.param == "sqlite":
        return Place(f"sqlite:///{tmp_path}/shared.db", tmp_path)
    cluster: postgres.Cluster = request.getfixturevalue("cluster")
    return Place(cluster.database(), tmp_path)


def ids(ledger: Ledger) -> list[str]:
    return [one.ref.id for story in ledger.read().events.values() for one in story if isinstance(one, Receipt)]


def heard(worker: subprocess.Popen[str], seconds: float = 120) -> str:
    """The next word of a worker, or none when it stands still."""
    assert worker.stdout is not None
    ready, _, _ = select.select([worker.stdout], [], [], seconds)
    return worker.stdout.readline().strip() if ready else ""


@contextmanager
def crowd(place: Place) -> Iterator[Callable[[str], list[str]]]:
    """As many workers as there are; what it gives tells all of them a word at once and hears their answers."""
    workers = [place.start(f"w{number}") for number in range(PROCESSES)]

    def tell(word: str) -> list[str]:
        for worker in workers:
            assert worker.stdin is not None
            worker.stdin.write(f"{word}\n")
            worker.stdin.flush()
        return [heard(worker) for worker in workers]

    try:
        assert [heard(worker) for worker in workers] == ["ready"] * PROCESSES
        yield tell
    finally:
        for worker in workers:
            worker.kill()
            worker.communicate()


def test_of_all_that_saw_the_same_state_one_wins_and_nothing_is_lost(place: Place) -> None:
    """The first round is the first run of all of them: the tables are made, once."""
    ledger = place.ledger()
    version = NO_LEDGER
    winners: list[int] = []
    with crowd(place) as tell:
        for _number in range(ROUNDS):
            answers = tell(version)
            assert sorted(answers) == ["lost"] * (PROCESSES - 1) + ["won"]
            winners.append(answers.index("won"))
            version = ledger.read().version
    found = ids(ledger)
    expected = [f"swap.{number}.w{winner}/{n}" for number, winner in enumerate(winners) for n in range(2)]
    for number in range(ROUNDS):
        for worker in range(PROCESSES):
            expected += [f"all.{number}.w{worker}/{n}" for n in range(2)] + [f"journal.{number}.w{worker}/0"]
    assert sorted(found) == sorted(expected)
    assert version == f"{len(expected)}-{version.partition('-')[2]}"
