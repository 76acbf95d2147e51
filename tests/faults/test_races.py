"""Many processes publish the same announcement at the same moment, each in its own clone, to one ledger of each kind.

`make races` plays 50 rounds of 16 processes, `make test` one of 4 (`BROADCAST_RACES=ROUNDSxPROCESSES`).
"""

from __future__ import annotations

import os
import threading
from contextlib import suppress

import pytest

import postgres
from broadcast.model import Intent, Receipt
from broadcast.rehearsal.base import Request
from broadcast.rehearsal.server import Fault
from kit import git
from scenes import SLUG, WORLDS, Open
from zygote import Zygote

ROUNDS, PROCESSES = map(int, os.environ.get("BROADCAST_RACES", "1x4").split("x"))
LEDGERS = ["git", "postgresql", "sqlite"]
LOGINS = ("/2/users/me", "/xrpc/com.atproto.server.createSession", "/api/v1/accounts/verify_credentials")


@pytest.mark.parametrize("number", range(ROUNDS))
@pytest.mark.parametrize("kind", LEDGERS)
def test_of_many_that_publish_at_once_one_posts(
    open_scene: Open, processes: Zygote, kind: str, number: int, request: pytest.FixtureRequest
) -> None:
    world = WORLDS[(number + 3 + LEDGERS.index(kind)) % len(WORLDS)]
    scene = open_scene(world)
    if kind == "postgresql":
        cluster: postgres.Cluster = request.getfixturevalue("cluster")
        scene.ledger = cluster.database()
    elif kind == "sqlite":
        scene.ledger = f"sqlite:///{scene.folder}/shared/ledger.db"
    start = threading.Barrier(PROCESSES)

    def together(request: Request, before: int) -> Fault | None:
        """Nobody is let in before all have read the ledger and ask to log in."""
        if request.path in LOGINS:
            with suppress(threading.BrokenBarrierError):
                start.wait(120)
        return None

    scene.server.faults = together
    racers = [scene.start(processes, clone, patient=True) for clone in [scene.fresh() for _ in range(PROCESSES)]]
    codes = [racer.wait(300) for racer in racers]
    said = [racer.said() for racer in racers]
    assert not start.broken
    scene.server.faults = None

    assert set(codes) <= {0, 3}, said
    assert 0 in codes
    assert not any("Traceback" in words for words in said)
    losers = [words for code, words in zip(codes, said, strict=True) if code == 3]
    assert all("run again" in words for words in losers), losers

    scene.fresh()
    events = scene.log().events[SLUG]
    runs = {event.run for event in events if isinstance(event, Intent)}
    assert len(runs) == 1, "a claim was made twice"
    assert {event.run for event in events} == runs
    claimed = [(event.update, event.part) for event in events if isinstance(event, Intent)]
    assert claimed == [(event.update, event.part) for event in events if isinstance(event, Receipt)]
    assert len(events) == 2 * len(claimed)
    assert scene.converge() == 1
    scene.assert_once()
    git(scene.folder / "remote.git", "fsck", "--strict")
