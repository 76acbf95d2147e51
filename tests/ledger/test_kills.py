"""Processes that are killed while they write to a ledger, at any moment: in git's plumbing, in a transaction, in the
middle of a journal's line. The ledger is never broken, and nothing that was confirmed is lost, twice or half there.

Each seed is one kind of ledger and three deaths. `make kills` plays 500 of them, `make test` one of each kind
(`BROADCAST_KILLS=SEEDS`).
"""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

import postgres
from broadcast.ledger.base import Ledger, Log
from broadcast.ledger.open import open_ledger
from broadcast.model import Receipt
from family import kill, missing
from ledgers import git

KINDS = ["git-remote", "git-remote-alone", "git", "git-alone", "sqlite", "postgresql"]
"""`alone`: what the process started goes on without it."""
SEEDS = range(int(os.environ.get("BROADCAST_KILLS", len(KINDS))))

WORKER = """
import random, sys
from datetime import UTC, datetime
from pathlib import Path
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
chance = random.Random(name)
for number in range(100_000):
    word = f"{name}.{number}"
    match chance.randrange(4):
        case 0:
            say("trying", 1, word)
            ledger.journal(events(word)[0])
            say("kept", 1, word)
        case 1 | 2:
            count = chance.choice([1, 20, 500])
            say("trying", count, word)
            ledger.append(events(word, count), None)
            say("kept", count, word)
        case 3:
            ledger.read()
"""


@dataclass(frozen=True, slots=True)
class Place:
    """A ledger, and where it is used: by the one that is killed, and by one that looks on."""

    url: str
    root: Path
    witness: Path

    def ledger(self, root: Path) -> Ledger:
        return open_ledger(self.url, root)

    def die(self, name: str, said: Path, seconds: float, *, whole_family: bool) -> None:
        """A life of so many seconds, from the first word on."""
        with said.open("a") as file:
            command = [sys.executable, "-c", WORKER, self.url, str(self.root), name]
            worker = subprocess.Popen(command, stdout=file)
        before = said.stat().st_size
        while said.stat().st_size == before:
            time.sleep(0.002)
        time.sleep(seconds)
        kill(worker.pid, whole_family=whole_family)
        assert worker.wait() == -signal.SIGKILL


def place(kind: str, folder: Path, request: pytest.FixtureRequest) -> Place:
    root, witness = folder / "here", folder / "witness"
    match kind.split("-"):
        case ["git", "remote", *_]:
            git(folder, "init", "--quiet", "--bare", "origin.git")
            for one in (root, witness):
                git(folder, "clone", "--quiet", f"file://{folder}/origin.git", one.name)
            return Place("git:broadcast/ledger", root, witness)
        case ["git", *_]:
            git(folder, "init", "--quiet", root.name)
            return Place("git:broadcast/ledger", root, root)
    root.mkdir()
    witness.mkdir()
    if kind == "sqlite":
        return Place(f"sqlite:///{folder}/shared.db", root, witness)
    cluster: postgres.Cluster = request.getfixturevalue("cluster")
    return Place(cluster.database(), root, witness)


def assert_not_broken(here: Place, folder: Path) -> None:
    """By the judgment of what keeps it."""
    for repository in (here.root, folder / "origin.git"):
        if here.url.startswith("git:") and repository.exists():
            git(repository, "fsck", "--strict")
    if here.url.startswith("sqlite:"):
        with closing(sqlite3.connect(folder / "shared.db")) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def settled(here: Place) -> Log:
    """The ledger, once a git that outlived its process has ended too: it may still move the branch."""
    log, before = here.ledger(here.witness).read(), None
    while before is None or log.version != before:
        before = log.version
        time.sleep(0.5 if here.url.startswith("git:") else 0)
        log = here.ledger(here.witness).read()
    return log


@pytest.mark.skipif(missing() is not None, reason=str(missing()))
@pytest.mark.parametrize("seed", SEEDS)
def test_killed_at_any_moment(seed: int, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """What was confirmed is there, what was tried is there whole or not at all, and the next run is not held up."""
    chance, kind, said = random.Random(seed), KINDS[seed % len(KINDS)], tmp_path / "said"
    here = place(kind, tmp_path, request)
    for life in range(3):
        here.die(f"s{seed}.{life}", said, chance.uniform(0, 0.3), whole_family=not kind.endswith("alone"))
        started = time.monotonic()
        here.ledger(here.root).append([], None)
        assert time.monotonic() - started < 20
    words = [line.split() for line in said.read_text().splitlines() if line != "ready"]
    log = settled(here)
    ids = [one.ref.id for story in log.events.values() for one in story if isinstance(one, Receipt)]
    assert len(ids) == len(set(ids))
    found = Counter(name.partition("/")[0] for name in ids)
    tried = {word: int(count) for what, count, word in words if what == "trying"}
    for what, count, word in words:
        assert found[word] == int(count) if what == "kept" else found[word] in (0, int(count))
    assert set(found) <= set(tried)
    assert here.ledger(here.witness).append([], None) == log.version
    assert_not_broken(here, tmp_path)
