"""Whatever goes wrong with whichever request of a publish, running it again makes every post stand exactly once.

A case is: one server; a fault; the request that it strikes; and where the next run works, in the same clone or in a
fresh one, which only has what the ledger's remote has. `make faults` runs every case, `make test` a choice of them
(`BROADCAST_FAULTS=all`, or a number to choose others).
"""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from broadcast.rehearsal.faults import KINDS, at, either, every, noting, since
from broadcast.rehearsal.server import LOST, REFUSED, Fault
from scenes import CHOICE, CODES, EVERY, HARSH, WORLDS, Open, Scene, platform_of
from zygote import Zygote

LOGIN = {
    "x": ["GET /2/users/me"],
    "bluesky": ["POST /xrpc/com.atproto.server.createSession"],
    "mastodon": ["GET /api/v2/instance", "GET /api/v1/accounts/verify_credentials"],
}
WRITE = {
    "x": ["POST /2/tweets"],
    "bluesky": ["POST /xrpc/com.atproto.repo.applyWrites"],
    "mastodon": ["POST /api/v1/statuses"],
}
UPLOAD = {
    "x": ["POST /2/media/upload", "POST /2/media/metadata"],
    "bluesky": ["POST /xrpc/com.atproto.repo.uploadBlob"],
    "mastodon": ["POST /api/v2/media"],
}
LOOK = {
    "x": ["GET /2/users/1700000000000000000/tweets"] * 2,
    "bluesky": ["GET /xrpc/com.atproto.repo.getRecord"] * 3,
    "mastodon": ["GET /api/v1/accounts/109000000000000001/statuses"] * 4,
}

FIRST = {
    "x": LOOK["x"][:1],
    "bluesky": ["GET /xrpc/com.atproto.repo.listRecords"],
    "mastodon": LOOK["mastodon"][:1],
}
"""A ledger that is empty may have been lost: its first run looks for each update before it sends anything. Each is
read once for both."""

PLAIN = {
    "x": [*LOGIN["x"], *FIRST["x"], *WRITE["x"] * 2, *UPLOAD["x"], *WRITE["x"] * 2],
    "bluesky": [*LOGIN["bluesky"], *FIRST["bluesky"], *UPLOAD["bluesky"], *WRITE["bluesky"] * 2],
    "mastodon": [
        *(*LOGIN["mastodon"], *FIRST["mastodon"]),
        *(*WRITE["mastodon"], *UPLOAD["mastodon"], *WRITE["mastodon"] * 2),
    ],
}
"""The requests of a publish in which nothing goes wrong. The picture is the last post's of the thread; Bluesky takes a
thread at once."""

AFTER = {
    "x": [*LOGIN["x"], *LOOK["x"], *WRITE["x"], *UPLOAD["x"], *WRITE["x"] * 2],
    "bluesky": [*LOGIN["bluesky"], *LOOK["bluesky"], *WRITE["bluesky"]],
    "mastodon": [*LOGIN["mastodon"], *LOOK["mastodon"], *UPLOAD["mastodon"], *WRITE["mastodon"] * 2],
}
"""The requests of the run after one whose first answer was lost: it looks before it sends."""

KILLS = ("killed before", "killed after")
"""The process is killed while the request is on its way to the server, or while its answer is on its way back."""

Case = tuple[str, str, int, str]


def cases(requests: dict[str, list[str]], most: int) -> list[Case]:
    """Every case; or a choice, of each fault at most so many."""
    found: list[Case] = []
    chance = random.Random(CHOICE)
    for fault in (*KINDS, *KILLS):
        of = [
            (world, fault, nth, place)
            for world in WORLDS
            for nth in range(1, len(requests[platform_of(world)]) + 1)
            for place in ("same", "fresh")
        ]
        found += of if EVERY else chance.sample(of, most)
    return found


def named(requests: dict[str, list[str]]) -> Callable[[Case], str]:
    def name(case: Case) -> str:
        world, fault, nth, place = case
        return f"{world}-{fault}-{nth} {requests[platform_of(world)][nth - 1]}-{place}".replace("/", "_")

    return name


def strike(scene: Scene, fault: str, nth: int, processes: Zygote) -> None:
    """Publish once, with a fault at the nth request from here on."""
    if fault in KILLS:
        scene.strike(Fault(effect=fault == "killed after", delay=600, answer="none"), nth, processes, every)
        return
    struck: list[Fault] = []
    scene.server.faults = noting(at(nth, KINDS[fault], every), lambda request, fault: struck.append(fault))
    scene.publish()
    assert struck
    scene.server.faults = None


def finish(scene: Scene, place: str) -> None:
    if place == "fresh":
        scene.fresh()
    assert scene.converge() <= 2
    scene.assert_once()


def leave_in_doubt(scene: Scene, processes: Zygote) -> None:
    """Publish until the first answer is lost; from then on nobody answers, so that the run cannot look either."""
    scene.server.faults = either(at(1, LOST), since(1, REFUSED))
    process = scene.start(processes)
    assert process.wait() in CODES - {0}, process.said()
    assert "Traceback" not in process.said()
    assert len(scene.stands()) > 0
    scene.server.faults = None


@pytest.mark.parametrize("world", HARSH)
def test_these_are_the_requests_of_a_publish(open_scene: Open, world: str) -> None:
    scene = open_scene(world)
    assert scene.publish().code == 0
    assert scene.asked() == PLAIN[scene.platform]
    scene.assert_once()


@pytest.mark.parametrize("case", cases(PLAIN, 1), ids=named(PLAIN))
def test_a_fault_at_any_request(open_scene: Open, processes: Zygote, case: Case) -> None:
    world, fault, nth, place = case
    scene = open_scene(world)
    strike(scene, fault, nth, processes)
    finish(scene, place)


@pytest.mark.parametrize("world", HARSH)
def test_these_are_the_requests_of_the_run_that_looks(open_scene: Open, processes: Zygote, world: str) -> None:
    scene = open_scene(world)
    leave_in_doubt(scene, processes)
    before = len(scene.asked())
    scene.fresh()
    assert scene.publish().code == 0
    assert scene.asked()[before:] == AFTER[scene.platform]
    scene.assert_once()


@pytest.mark.parametrize("case", cases(AFTER, 1), ids=named(AFTER))
def test_another_fault_at_any_request_of_the_run_that_looks(open_scene: Open, processes: Zygote, case: Case) -> None:
    world, fault, nth, place = case
    scene = open_scene(world)
    leave_in_doubt(scene, processes)
    if place == "fresh":
        scene.fresh()
    strike(scene, fault, nth, processes)
    finish(scene, place)


@pytest.mark.parametrize("world", HARSH)
def test_a_chain_that_stands_whole_is_known_again_by_a_clone_that_knows_nothing_of_it(
    open_scene: Open, processes: Zygote, world: str
) -> None:
    """The second update answers a post that is in doubt itself."""
    scene = open_scene(world)
    strike(scene, "killed after", len(PLAIN[scene.platform]), processes)
    whole = scene.stands()
    finish(scene, "fresh")
    assert scene.stands() == whole
    assert not [
        entry
        for entry in scene.server.log[len(PLAIN[scene.platform]) - 1 :]
        if f"{entry.method} {entry.path}" in WRITE[scene.platform]
    ]
