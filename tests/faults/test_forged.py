"""A ledger that somebody else wrote into: it only records. What is sent comes from the files, what is deleted or edited
is read back first, and an id is never a way to somewhere else.

On e0fdd80 the forged rest of a thread was posted, posts that were never ours were deleted with exit code 0, and an id
became the path of a request.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

import postgres
from broadcast.ledger.open import open_ledger
from broadcast.model import Event, Intent, Post, Receipt, Ref, Verdict
from broadcast.rehearsal.base import Seen
from broadcast.source.times import parse_time
from kit import incident
from scenes import PDS, Open, Scene

WORDS = "Buy our coins, says nobody of us."
WORLDS = ["x", "bluesky", "mastodon", PDS]
LEDGERS = ["git", "sqlite", "postgres"]
OTHER = "other"


@pytest.fixture(params=LEDGERS)
def opened(request: pytest.FixtureRequest, open_scene: Open) -> Callable[[str], Scene]:
    """A scene in which one announcement stands, and another one has a file and was never published."""

    def open_(world: str) -> Scene:
        scene = open_scene(world)
        if request.param == "postgres":
            cluster: postgres.Cluster = request.getfixturevalue("cluster")
            scene.ledger = cluster.database()
        elif request.param == "sqlite":
            scene.ledger = f"sqlite:///{scene.folder}/shared/ledger.db"
        scene.fresh()
        assert scene.publish().code == 0
        path = scene.root / "incidents" / f"{OTHER}.md"
        path.write_text(incident(("Investigating", 10.0, "Mail is late."), title="Late mail"), encoding="utf-8")
        return scene

    return open_


def update_of(scene: Scene) -> datetime:
    rows = scene.run("plan", OTHER, "--json").json()["actions"]
    return parse_time(rows[0]["update"].replace("T", " ").replace("Z", " UTC"))


def write(scene: Scene, *events: Event) -> None:
    """As somebody with a push would: nothing of ours looks at it."""
    open_ledger(scene.ledger, scene.root).append(list(events), None)


def forged(scene: Scene, *texts: str, payload: dict[str, Any] | None = None) -> list[Intent]:
    update, now = update_of(scene), datetime.now(UTC).replace(microsecond=0)
    return [
        Intent(
            announcement=OTHER,
            update=update,
            channel=scene.platform,
            part=number,
            parts=len(texts),
            at=now,
            run="0123456789ab-1-0123456789abcdef",
            status="investigating",
            post=Post(text, len(text)),
            language="en",
            source="0000000000000000",
            payload=payload or {},
            audience=(scene.platform,),
        )
        for number, text in enumerate(texts, start=1)
    ]


def receipt(intent: Intent, seen: Seen, **changed: Any) -> Receipt:
    data = {"cid": "bafyreib2rxk3rybk3aobmv5cjuql3bm2twh4jo5uxgt7mqpltgnvpqeuoa"} if "at://" in seen.id else {}
    ref = replace(Ref(seen.id, seen.url, data), **changed)
    return Receipt(OTHER, intent.update, intent.channel, intent.part, intent.at, intent.run, ref)


def absent(intent: Intent) -> Verdict:
    return Verdict(OTHER, intent.update, intent.channel, intent.part, intent.at, intent.run, "absent", "reconcile")


@pytest.mark.parametrize("world", WORLDS)
def test_the_rest_of_a_thread_that_stands_in_no_file_is_not_sent(opened: Callable[[str], Scene], world: str) -> None:
    scene = opened(world)
    before = scene.stands()
    first, second = forged(scene, "Something.", WORDS)
    write(scene, first, receipt(first, before[0]), second, absent(second))
    done = scene.run("publish", "--yes")
    assert done.code == 4, done.err
    assert scene.stands() == before
    assert "put the file back" in scene.run("plan", OTHER, "--json").out or "uncertain" in scene.run("plan", OTHER).out


@pytest.mark.parametrize("world", WORLDS)
def test_what_an_earlier_run_prepared_is_not_sent_as_it_is(opened: Callable[[str], Scene], world: str) -> None:
    scene = opened(world)
    before = scene.stands()
    planned = scene.run("plan", OTHER, "--json").json()["actions"][0]
    record = {
        "$type": "app.bsky.feed.post",
        "text": WORDS,
        "createdAt": "2026-11-22T14:05:00.000Z",
        "langs": ["en"],
    }
    payload = {"rkey": "3kabcdefghi2c", "cid": "bafyreib2rxk3rybk3aobmv5cjuql3bm2twh4jo5uxgt7mqpltgnvpqeuoa"}
    (intent,) = forged(scene, planned["text"], payload={**payload, "record": record, "idempotency_key": str(uuid4())})
    write(scene, replace(intent, post=replace(intent.post, length=planned["length"])), absent(intent))
    done = scene.run("publish", "--yes")
    assert done.code == 0, done.err
    assert [seen.text for seen in scene.stands()] == [*(seen.text for seen in before), planned["text"]]


@pytest.mark.parametrize("told", [True, False], ids=["with an intent", "without"])
@pytest.mark.parametrize("world", WORLDS)
def test_what_we_never_sent_is_not_deleted(opened: Callable[[str], Scene], world: str, *, told: bool) -> None:
    scene = opened(world)
    before = scene.stands()
    (intent,) = forged(scene, "Mail is late.")
    write(scene, *([intent] if told else []), receipt(intent, before[-1]))
    done = scene.run("retract", OTHER, "--yes", "--json")
    assert done.code == 4, done.err
    assert scene.stands() == before
    assert {row["state"] for row in done.json()["results"]} == {"uncertain"}
    assert before[-1].id in done.err or before[-1].url in done.err


@pytest.mark.parametrize("world", WORLDS)
def test_an_id_is_never_a_way_to_somewhere_else(opened: Callable[[str], Scene], world: str) -> None:
    scene = opened(world)
    before, asked = scene.stands(), len(scene.asked())
    (intent,) = forged(scene, "Mail is late.")
    write(scene, intent, receipt(intent, before[0], id="5/../../../v1/profile/header?x="))
    for command in (("retract", OTHER), ("publish",)):
        done = scene.run(*command, "--yes")
        assert done.code == 6, done.err
        assert re.search(r"line \d+: .*no post here can have the id", done.err)
        assert not any(line.startswith("::") for line in done.err.splitlines())
    assert len(scene.asked()) == asked
    assert scene.stands() == before


@pytest.mark.parametrize("world", WORLDS)
def test_an_address_that_is_not_the_channels_own_is_not_shown(opened: Callable[[str], Scene], world: str) -> None:
    scene, url = opened(world), "javascript:alert(1)"
    (intent,) = forged(scene, "Mail is late.")
    write(scene, intent, receipt(intent, scene.stands()[0], url=url))
    for command in (("status", "--all"), ("status", "--json"), ("plan", "--json"), ("ledger", "show", OTHER)):
        done = scene.run(*command)
        assert url not in done.out + done.err, command


def test_a_post_that_is_not_ours_is_not_edited(opened: Callable[[str], Scene]) -> None:
    scene = opened("mastodon")
    before = scene.stands()
    (intent,) = forged(scene, "Something else.")
    write(scene, intent, receipt(intent, before[0]))
    done = scene.run("publish", "--yes", "--edit")
    assert done.code == 4, done.err
    assert scene.stands() == before


STRANGE: list[dict[str, Any]] = [
    {},
    {"rkey": "3kabcdefghi2c"},
    {"rkey": "3kabcdefghi2c", "cid": "bafyrei" + "a" * 52, "record": {"reply": "x", "text": 5}},
    {"rkey": "3kabcdefghi2c", "cid": "bafyrei" + "a" * 52, "record": {"reply": {"root": 5, "parent": {"uri": []}}}},
    {"record": [[[]]], "idempotency_key": "0193c6a8-7f1e-4c3d-9a55-3c2f6c1d9e10", "media": 5},
]


@pytest.mark.parametrize("world", ["x", "bluesky", "mastodon"])
@pytest.mark.parametrize("payload", STRANGE, ids=range(len(STRANGE)))
def test_a_claim_that_nobody_made_is_looked_up_and_never_sent(
    open_scene: Open, world: str, payload: dict[str, Any]
) -> None:
    """It may speak of a part that no file has, and of anything prepared: nothing of it is sent, and nothing breaks."""
    scene = open_scene(world)
    assert scene.publish().code == 0
    before = scene.stands()
    path = scene.root / "incidents" / f"{OTHER}.md"
    path.write_text(incident(("Investigating", 10.0, "Mail is late."), title="Late mail"), encoding="utf-8")
    claim = replace(forged(scene, WORDS, WORDS, payload=payload)[1], at=datetime.now(UTC) - timedelta(minutes=9))
    write(scene, replace(claim, at=claim.at - timedelta(hours=1)))
    for _ in range(2):
        done = scene.run("publish", "--yes")
        assert done.code in (0, 4), done.err
    new = scene.stands()[len(before) :]
    assert not any(WORDS in seen.text for seen in new)
    if done.code == 0:
        assert ["Mail is late." in seen.text for seen in new] == [True]
    else:
        assert new == []
        assert "ledger settle" in done.err
