"""What is taken back is first looked for, as what is sent is."""

from __future__ import annotations

import pytest

from broadcast.rehearsal.server import Fault
from scenes import HARSH, SLUG, Open, Scene
from zygote import Zygote


def left_whole(open_scene: Open, processes: Zygote, world: str) -> Scene:
    """Everything stands, and a fresh clone knows of nothing but claims."""
    scene = open_scene(world)
    last = {"x": 4, "bluesky": 2, "mastodon": 3}[scene.platform]
    scene.strike(Fault(delay=600, answer="none"), last, processes)
    scene.fresh()
    return scene


@pytest.mark.parametrize("world", HARSH)
def test_a_chain_that_is_in_doubt_is_taken_back_whole(open_scene: Open, processes: Zygote, world: str) -> None:
    scene = left_whole(open_scene, processes, world)
    assert len(scene.stands()) >= 3
    done = scene.run("retract", SLUG, "--yes")
    assert done.code == 0, done.err
    assert scene.stands() == []


@pytest.mark.parametrize("world", HARSH)
def test_an_update_is_never_given_up_because_what_it_answers_is_in_doubt(
    open_scene: Open, processes: Zygote, world: str
) -> None:
    scene = left_whole(open_scene, processes, world)
    *rest, last = scene.stands()
    update = scene.run("plan", "--json").json()["actions"][-1]["update"]
    done = scene.run("retract", SLUG, "--update", update, "--yes")
    assert done.code == 0, done.err
    assert scene.stands() == rest
    assert last not in scene.stands()
    assert scene.run("publish", "--yes").code == 0
    assert scene.stands() == rest
