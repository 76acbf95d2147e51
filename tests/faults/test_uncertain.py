"""X does not let every account read its own posts. Then what is in doubt stays so until a human has looked."""

from __future__ import annotations

from datetime import timedelta

import pytest

from broadcast.rehearsal import x
from broadcast.rehearsal.faults import at
from broadcast.rehearsal.server import LOST, REFUSED, Fault
from scenes import EVERY, SLUG, Open, Scene
from zygote import Zygote


def unreadable(open_scene: Open) -> Scene:
    return open_scene("x", x.create(x.Options(timeline_readable=False, refuses_duplicates=False)))


def settle(scene: Scene) -> int:
    """Do what the message says, for every post that is in doubt; gives how many there were."""
    rows = [row for row in scene.run("plan", "--json").json()["actions"] if row["state"] == "uncertain"]
    standing = {seen.text: seen.id for seen in scene.stands()}
    for row in rows:
        answer = ["--posted", "--id", standing[row["text"]]] if row["text"] in standing else ["--absent"]
        where = ["--update", row["update"], "--channel", "x", "--part", str(row["part"])]
        assert scene.run("ledger", "settle", SLUG, *where, *answer).code == 0
    return len(rows)


@pytest.mark.parametrize("fresh", [False, True], ids=["same", "fresh"])
@pytest.mark.parametrize("fault", [LOST, REFUSED], ids=["it stands", "it does not"])
@pytest.mark.parametrize("nth", (1, 2, 4) if EVERY else (2,))
def test_what_cannot_be_read_is_never_sent_twice(open_scene: Open, fault: Fault, nth: int, *, fresh: bool) -> None:
    scene = unreadable(open_scene)
    scene.server.faults = at(nth, fault)
    assert scene.publish().code == 4
    stands = scene.stands()
    assert len(stands) == (nth if fault == LOST else nth - 1)
    for _ in range(2):
        if fresh:
            scene.fresh()
        again = scene.publish()
        assert again.code == 4
        assert f"broadcast ledger settle {SLUG} --update" in again.err
        assert scene.stands() == stands
    assert settle(scene) > 0
    assert scene.converge() == 1
    scene.assert_once()


def test_a_run_that_was_killed_leaves_its_posts_in_doubt(open_scene: Open, processes: Zygote) -> None:
    scene = unreadable(open_scene)
    scene.strike(Fault(delay=600, answer="none"), 2, processes)
    scene.fresh()
    assert scene.publish().code == 4
    assert len(scene.stands()) == 2
    assert settle(scene) > 0
    assert scene.converge() == 1
    scene.assert_once()


def test_what_the_platform_says_stands_and_does_not_show_is_decided_by_a_human(open_scene: Open) -> None:
    """X refuses to say the same twice; its timeline may not show why."""
    scene = open_scene("x", x.create(x.Options(lag=timedelta(days=1))))
    scene.server.faults = at(1, LOST)
    assert scene.publish().code == 3
    scene.server.faults = None
    for _ in range(2):
        again = scene.publish()
        assert again.code == 4
        assert "duplicate" in again.out + again.err
        assert len(scene.stands()) == 1
    assert settle(scene) > 0
    assert scene.converge() == 1
    scene.assert_once()
