"""`publish` killed at random moments: while it starts, reads, claims, sends, writes its journal, or records.

Each seed is a server, a kind of ledger, and one to three deaths; sometimes git dies with it, sometimes git goes on
alone; the next run works in the same clone or in a fresh one. `make kills` plays 500 of them, `make test` a few
(`BROADCAST_KILLS=SEEDS`).
"""

from __future__ import annotations

import os
import random
import time
from pathlib import Path

import pytest

import postgres
from family import kill, missing
from kit import git
from scenes import Open, Scene, wait_for
from zygote import Process, Zygote

SEEDS = range(int(os.environ.get("BROADCAST_KILLS", "6")))
WORLDS = ("x that repeats", "bluesky", "mastodon that repeats")
"""Those that help least: they take the same post twice, and all depends on looking first."""
LEDGERS = ("git", "sqlite", "postgresql")
VERIFIED = {0, 1}
"""How `ledger verify` ends on a ledger that is whole, but of which something is in doubt or not finished."""


@pytest.fixture(scope="session")
def lifetimes() -> dict[str, float]:
    """Seconds that an undisturbed publish takes, by ledger."""
    return {}


def lifetime(known: dict[str, float], kind: str, scene: Scene, processes: Zygote) -> float:
    """Measured on a run that is asked for nothing but to read, which takes about half as long as one that sends."""
    if kind not in known:
        started = time.monotonic()
        process = processes.start("-C", str(scene.root), "publish", "--dry-run")
        assert process.wait() == 0, process.said()
        known[kind] = 2 * (time.monotonic() - started)
    return known[kind]


def live(process: Process, scene: Scene, requests: int, seconds: float) -> None:
    """Let it live so long: from its start, or for a part of that from when it has made so many requests."""
    assert process.started.wait(60)
    before = len(scene.server.log)
    wait_for(lambda: process.ended.is_set() or len(scene.server.log) >= before + requests)
    time.sleep(seconds / 8 if requests else seconds)


def assert_whole(scene: Scene, clones: set[Path]) -> None:
    """The ledger can be read, and git finds nothing wrong with the repositories."""
    scene.log()
    assert scene.run("ledger", "verify").code in VERIFIED
    for repository in (*clones, scene.folder / "remote.git"):
        git(repository, "fsck", "--strict")


@pytest.mark.skipif(missing() is not None, reason=str(missing()))
@pytest.mark.parametrize("seed", SEEDS)
def test_killed_at_any_moment(
    open_scene: Open,
    processes: Zygote,
    lifetimes: dict[str, float],
    seed: int,
    request: pytest.FixtureRequest,
) -> None:
    chance, kind = random.Random(seed), LEDGERS[seed % len(LEDGERS)]
    scene = open_scene(chance.choice(WORLDS))
    if kind == "postgresql":
        cluster: postgres.Cluster = request.getfixturevalue("cluster")
        scene.ledger = cluster.database()
    elif kind == "sqlite":
        scene.ledger = f"sqlite:///{scene.folder}/shared/ledger.db"
    clones = {scene.fresh()}
    longest = lifetime(lifetimes, kind, scene, processes)
    for _ in range(chance.randint(1, 3)):
        process = scene.start(processes)
        # Most of a run's time is spent before it sends; every other one may live until it does.
        live(process, scene, chance.choice((0, 0, *range(2, 9))), chance.uniform(0, longest))
        kill(process.pid, whole_family=chance.random() < 0.5)
        process.wait()
        assert "Traceback" not in process.said()
        if chance.random() < 0.5:
            clones.add(scene.fresh())
        assert_whole(scene, clones)
    assert scene.converge() <= 2
    for clone in sorted(clones):  # what a clone of a killed run still keeps to itself comes late, and changes nothing
        scene.root = clone
        assert scene.converge() == 1
    scene.assert_once()
    assert_whole(scene, clones)
    assert scene.run("ledger", "verify").code == 0
