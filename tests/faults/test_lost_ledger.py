"""A ledger that was deleted: its first run finds what stands, and nothing is posted again."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import postgres
from broadcast.cli.desk import Desk
from broadcast.rehearsal.base import Request
from broadcast.rehearsal.faults import KINDS, at
from kit import git, incident
from scenes import HARSH, LONG, SLUG, Open, Scene

BRANCH = "refs/heads/broadcast/ledger"
OLD = 60 * 30.0
"""Minutes: more than `stale_after`."""


def lose(scene: Scene) -> None:
    git(scene.folder / "remote.git", "update-ref", "-d", BRANCH)
    scene.fresh()


def say(scene: Scene, *updates: tuple[str, float, str], slug: str = SLUG) -> None:
    """The announcement in the clone that works, and in those that come."""
    git(scene.root, "pull", "--quiet")
    path = scene.root / "incidents" / f"{slug}.md"
    path.write_text(incident(*updates, title=f"About {slug}"), encoding="utf-8")
    share(scene, path)


def append(scene: Scene, update: tuple[str, float, str]) -> None:
    """One update more. What stands there keeps its time: another would be promised, and so said, a minute later."""
    path = scene.root / "incidents" / f"{SLUG}.md"
    path.write_text(path.read_text(encoding="utf-8") + incident(update).split("---\n", 2)[2], encoding="utf-8")
    share(scene, path)


def share(scene: Scene, path: Path) -> None:
    git(scene.root, "add", str(path))
    git(scene.root, "commit", "--quiet", "--message=Say it")
    git(scene.root, "push", "--quiet", "origin", "HEAD:main")


def states(scene: Scene) -> list[tuple[str, str | None]]:
    done = scene.run("publish", "--yes", "--json")
    assert done.code == 0, done.err
    return [(row["state"], row["id"]) for row in done.json()["results"]]


def goes_on(scene: Scene) -> None:
    """The next update answers the last post of the chain."""
    stands = scene.stands()
    assert scene.run("update", SLUG, "--status", "postmortem", "-m", "Here is why.").code == 0
    assert scene.publish().code == 0
    *before, last = scene.stands()
    assert before == stands
    assert "Here is why." in last.text
    assert last.reply_to == stands[-1].id


@pytest.mark.parametrize("world", HARSH)
def test_what_stands_is_recognized(open_scene: Open, world: str) -> None:
    scene = open_scene(world)
    assert scene.publish().code == 0
    stands = scene.stands()
    lose(scene)
    assert {row["state"] for row in scene.run("plan", "--json").json()["actions"]} == {"todo"}
    dry = scene.run("publish", "--dry-run", "--json").json()["results"]
    assert {row["state"] for row in dry} == {"skipped"}
    asked = len(scene.asked())
    assert scene.run("status").code == 0
    assert len(scene.asked()) == asked

    done = scene.run("publish", "--yes", "--json")
    assert done.code == 0, done.err
    assert [(row["state"], row["id"]) for row in done.json()["results"]] == [("done", seen.id) for seen in stands]
    assert all(row["url"] for row in done.json()["results"])
    assert "3 posts of which the ledger knew nothing stood already" in done.err or len(stands) != 3
    scene.assert_once()
    assert scene.stands() == stands
    assert scene.run("ledger", "verify", "--remote").code == 0
    (row,) = scene.run("status", "--json").json()["announcements"]
    assert row["channels"][scene.platform]["state"] == "done"
    assert len(row["channels"][scene.platform]["urls"]) == len(stands)
    scene.fresh()
    goes_on(scene)


@pytest.mark.parametrize("world", HARSH)
def test_a_chain_that_began_long_ago_is_found_from_its_beginning(open_scene: Open, world: str) -> None:
    """An update that is too old to be published is what the next one answers."""
    scene = open_scene(world)
    chain = (("Investigating", OLD, LONG), ("Identified", OLD - 60, "Found it."), ("Resolved", 20.0, "Fixed."))
    say(scene, *chain)
    assert scene.run("publish", "--yes", "--backfill").code == 0
    stands = scene.stands()
    lose(scene)
    assert states(scene) == [("done", seen.id) for seen in stands]
    assert scene.stands() == stands
    goes_on(scene)


@pytest.mark.parametrize("world", HARSH)
def test_a_first_run_that_is_about_something_else_forgets_nothing(open_scene: Open, world: str) -> None:
    """The ledger is not empty any more when the others are published."""
    scene = open_scene(world)
    say(scene, ("Investigating", 40.0, "The other thing."), slug="other")
    assert scene.publish().code == 0
    stands = scene.stands()
    lose(scene)
    assert scene.run("publish", "other", "--yes").code == 0
    assert scene.publish().code == 0
    assert scene.stands() == stands
    assert {state for state, _ in states(scene)} == {"done"}


@pytest.mark.parametrize("world", HARSH)
def test_an_update_that_was_never_sent_is_sent(open_scene: Open, world: str) -> None:
    scene = open_scene(world)
    say(scene, ("Investigating", 40.0, LONG))
    assert scene.publish().code == 0
    stands = scene.stands()
    lose(scene)
    append(scene, ("Resolved", 3.0, "Fixed."))
    found = states(scene)
    assert [state for state, _ in found] == ["done"] * len(stands) + ["posted"]
    *before, last = scene.stands()
    assert before == stands
    assert last.reply_to == stands[-1].id


@pytest.mark.parametrize("world", [world for world in HARSH if not world.startswith("bluesky")])
def test_a_thread_of_which_only_the_beginning_stands_is_finished(open_scene: Open, world: str) -> None:
    scene = open_scene(world)
    scene.server.faults = at(2, KINDS["denied"])
    assert scene.publish().code == 3
    scene.server.faults = None
    assert len(scene.stands()) == 1
    lose(scene)
    scene.converge()
    scene.assert_once()


def reading(request: Request) -> bool:
    return request.method == "GET" and request.path.endswith(("/tweets", "/statuses", ".listRecords"))


@pytest.mark.parametrize("world", HARSH)
def test_where_nobody_can_look_it_is_sent_and_said(open_scene: Open, world: str) -> None:
    scene = open_scene(world)
    scene.server.faults = lambda request, number: KINDS["denied"] if reading(request) else None
    done = scene.publish()
    assert done.code == 0, done.err
    assert done.err.count("sent without knowing whether it stands already") == 1
    scene.server.faults = None
    scene.assert_once()


def test_a_baseline_before_the_first_run_counts_everything_as_published(open_scene: Open) -> None:
    scene = open_scene("mastodon that repeats")
    assert scene.publish().code == 0
    stands = scene.stands()
    lose(scene)
    assert scene.run("ledger", "baseline").code == 0
    asked = len(scene.asked())
    assert {state for state, _ in states(scene)} == {"done"}
    assert len(scene.asked()) == asked
    assert scene.stands() == stands
    # What a baseline marks has no post to answer.
    assert scene.run("update", SLUG, "--status", "postmortem", "-m", "Here is why.").code == 0
    assert scene.publish().code == 0
    assert scene.stands()[-1].reply_to is None


def test_a_baseline_after_it_changes_nothing(open_scene: Open) -> None:
    scene = open_scene("mastodon that repeats")
    assert scene.publish().code == 0
    lose(scene)
    assert scene.publish().code == 0
    before = scene.run("ledger", "show").out
    done = scene.run("ledger", "baseline")
    assert "0 updates" in done.err
    assert scene.run("ledger", "show").out == before
    goes_on(scene)


def sqlite(scene: Scene, request: pytest.FixtureRequest) -> Callable[[], None]:
    path = scene.folder / "shared" / "ledger.db"
    scene.ledger = f"sqlite:///{path}"
    return path.unlink


def postgresql(scene: Scene, request: pytest.FixtureRequest) -> Callable[[], None]:
    cluster: postgres.Cluster = request.getfixturevalue("cluster")
    scene.ledger = cluster.database()
    name = Path(scene.ledger).name
    return lambda: cluster.run("DROP TABLE broadcast_lines, broadcast_ledger", name)


@pytest.mark.parametrize("kind", [sqlite, postgresql])
def test_a_database_that_was_emptied(
    open_scene: Open, request: pytest.FixtureRequest, kind: Callable[[Scene, pytest.FixtureRequest], Callable[[], None]]
) -> None:
    scene = open_scene("bluesky")
    drop = kind(scene, request)
    scene.fresh()
    assert scene.publish().code == 0
    stands = scene.stands()
    drop()
    known = scene.publish_refused()
    assert "no longer holds all that it held" in known
    scene.fresh()
    assert states(scene) == [("done", seen.id) for seen in stands]
    scene.assert_once()
    goes_on(scene)


def test_the_same_clone_says_that_the_ledger_is_gone(open_scene: Open) -> None:
    scene = open_scene("mastodon that repeats")
    assert scene.publish().code == 0
    stands = scene.stands()
    git(scene.folder / "remote.git", "update-ref", "-d", BRANCH)
    assert "is gone from the remote origin" in scene.publish_refused()
    assert scene.stands() == stands


def test_the_ledger_as_json_lines_is_what_a_reader_expects(open_scene: Open) -> None:
    """What was recognized is recorded as what was sent is: an intent, then its receipt."""
    scene = open_scene("mastodon that repeats")
    assert scene.publish().code == 0
    lose(scene)
    assert scene.publish().code == 0
    text = git(scene.folder / "remote.git", "show", f"{BRANCH}:announcements/{SLUG}.jsonl")
    lines = [json.loads(line) for line in text.splitlines()]
    assert [line["event"] for line in lines] == ["intent", "receipt"] * len(scene.stands())


@pytest.mark.parametrize("world", HARSH)
def test_what_was_told_in_time_is_recognized_when_its_promise_is_gone(
    open_scene: Open, world: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would be told without the time of the next update now."""
    scene = open_scene(world)
    say(scene, ("Investigating", 5.0, LONG))
    assert scene.publish().code == 0
    stands = scene.stands()
    assert "Next update by" in "".join(seen.text for seen in stands)
    lose(scene)
    monkeypatch.setattr(Desk, "now", lambda self: datetime.now(UTC) + timedelta(hours=2))
    planned = scene.run("plan", "--json").json()["actions"]
    assert "Next update by" not in "".join(row["text"] for row in planned)
    assert {state for state, _ in states(scene)} == {"done"}
    assert scene.stands() == stands
