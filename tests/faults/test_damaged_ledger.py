"""A ledger that was set back, replaced or edited by hand: nothing is sent, or nothing twice."""

from __future__ import annotations

import subprocess

import pytest

from kit import git, incident
from scenes import LONG, SLUG, Open, Scene

BRANCH = "refs/heads/broadcast/ledger"
FIRST = ("Investigating", 200.0, LONG)
SECOND = ("Resolved", 90.0, "Fixed.")


def published(open_scene: Open) -> Scene:
    """Two updates, published by two runs, an hour and more ago."""
    scene = open_scene("mastodon that repeats")
    for updates in ((FIRST,), (FIRST, SECOND)):
        path = scene.root / "incidents" / f"{SLUG}.md"
        path.write_text(incident(*updates), encoding="utf-8")
        git(scene.root, "commit", "--quiet", "--all", "--message=Say it")
        git(scene.root, "push", "--quiet", "origin", "HEAD:main")
        assert scene.publish().code == 0
    return scene


def set_back(scene: Scene) -> None:
    """As by a push of a clone that had not fetched: the first run's commits only."""
    remote = scene.folder / "remote.git"
    assert git(remote, "rev-list", "--count", BRANCH) == "4"
    git(remote, "update-ref", BRANCH, f"{BRANCH}~2")


def replaced(scene: Scene) -> None:
    """Somebody's own branch of this name was forced over it."""
    git(scene.root, "push", "--quiet", "--force", "origin", f"HEAD:{BRANCH}")


def test_a_branch_that_was_replaced_by_one_of_code_is_left_alone(open_scene: Open) -> None:
    scene = published(open_scene)
    stands = scene.stands()
    replaced(scene)
    assert "was rewritten: it no longer holds all" in scene.publish_refused()
    scene.fresh()
    assert "holds files that are no ledger's" in scene.publish_refused()
    assert scene.stands() == stands


def test_a_ledger_that_lost_what_it_held(open_scene: Open) -> None:
    """A clone that has seen more stops; one that has not asks the platform."""
    scene = published(open_scene)
    stands = scene.stands()
    set_back(scene)
    assert "was rewritten: it no longer holds all" in scene.publish_refused()
    scene.fresh()
    done = scene.run("publish", "--yes", "--json")
    assert done.code == 0, done.err
    assert [row["id"] for row in done.json()["results"]] == [seen.id for seen in stands]
    assert scene.stands() == stands


def edited(scene: Scene, old: str, new: str) -> None:
    """Somebody edits a line of the ledger by hand."""
    remote = scene.folder / "remote.git"
    text = git(remote, "show", f"{BRANCH}:announcements/{SLUG}.jsonl")
    assert old in text
    script = f"""blob=$(git hash-object -w --stdin) &&
        tree=$(printf "100644 blob $blob\\t{SLUG}.jsonl\\n" | git mktree) &&
        tree=$(printf "040000 tree $tree\\tannouncements\\n" | git mktree) &&
        git update-ref {BRANCH} $(git commit-tree -m x -p {BRANCH} $tree)"""
    subprocess.run(script, shell=True, cwd=remote, input=text.replace(old, new, 1) + "\n", text=True, check=True)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"event":"receipt"', '"event":"recipt"'),
        ('{"v":1', '{"v":1,'),
        ('"key":"', '"key":"x'),
        ('"part":1', '"part":"one"'),
        ("\n", "\n\n"),
        ("\n", "\n<<<<<<< HEAD\n"),
    ],
)
@pytest.mark.parametrize("fresh", [False, True], ids=["same", "fresh"])
def test_a_line_that_was_edited_by_hand(open_scene: Open, old: str, new: str, *, fresh: bool) -> None:
    scene = published(open_scene)
    stands = scene.stands()
    edited(scene, old, new)
    if fresh:
        scene.fresh()
    said = scene.publish_refused()
    assert f"ledger git:broadcast/ledger, announcements/{SLUG}.jsonl, line " in said
    assert scene.stands() == stands
    for command in ("plan", "status"):
        shown = scene.run(command, "--json")
        assert shown.code == 0
        messages = [problem["message"] for problem in shown.json()["problems"]]
        assert any(f"{SLUG}.jsonl, line " in message for message in messages)
    assert scene.run("ledger", "verify").code == 6
