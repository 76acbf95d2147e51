"""X may refuse replies: then posts stand on their own. A run that learned so and was killed told nobody."""

from __future__ import annotations

import pytest

from broadcast.rehearsal import x
from broadcast.rehearsal.faults import at
from broadcast.rehearsal.server import LOST, REFUSED, Fault
from scenes import EVERY, Open, Scene
from zygote import Zygote

COUNT = 4
NTH = (2, 3, 4, 5) if EVERY else (3,)


def refusing(open_scene: Open) -> Scene:
    return open_scene("x", x.create(x.Options(replies_allowed=False, refuses_duplicates=False)))


def assert_once(scene: Scene) -> None:
    assert scene.converge() <= 2
    texts = [seen.text for seen in scene.stands()]
    assert len(texts) == len(set(texts)) == COUNT
    assert {row["state"] for row in scene.run("plan", "--json").json()["actions"]} == {"done"}


@pytest.mark.parametrize("place", ["same", "fresh"])
@pytest.mark.parametrize("nth", NTH)
def test_a_run_that_was_killed(open_scene: Open, processes: Zygote, nth: int, place: str) -> None:
    """The second write is the reply that is refused."""
    scene = refusing(open_scene)
    scene.strike(Fault(delay=600, answer="none"), nth, processes)
    if place == "fresh":
        scene.fresh()
    assert_once(scene)


@pytest.mark.parametrize("fault", [LOST, REFUSED], ids=["lost", "refused"])
@pytest.mark.parametrize("nth", NTH)
def test_an_answer_that_was_lost(open_scene: Open, nth: int, fault: Fault) -> None:
    scene = refusing(open_scene)
    scene.server.faults = at(nth, fault)
    scene.publish()
    scene.server.faults = None
    scene.fresh()
    assert_once(scene)
