"""A signed ledger: with a key, what was forged, changed, moved, taken away or copied from elsewhere sends nothing, and
the line is named. On e0fdd80 there were no signatures."""

from __future__ import annotations

import json
import sqlite3
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

import postgres
from broadcast.ledger.open import open_ledger
from broadcast.secrets import LEDGER_KEY
from kit import git
from scenes import SLUG, Open, Scene

KEY = "a key of more than sixteen letters"
BRANCH = "refs/heads/broadcast/ledger"
FILE = f"announcements/{SLUG}.jsonl"
Change = Callable[[list[str]], list[str]]


@dataclass(frozen=True, slots=True)
class Place:
    """A scene, and how somebody who may write to its ledger changes the lines of the announcement."""

    scene: Scene
    lines: Callable[[], list[str]]
    write: Callable[[list[str]], None]


def in_git(scene: Scene) -> Place:
    remote = scene.folder / "remote.git"

    def lines() -> list[str]:
        return git(remote, "show", f"{BRANCH}:{FILE}").splitlines()

    def write(changed: list[str]) -> None:
        script = f"""tree=$(git ls-tree {BRANCH} | grep -v announcements; blob=$(git hash-object -w --stdin)
            printf '040000 tree %s\\tannouncements\\n' $(printf '100644 blob %s\\t{SLUG}.jsonl\\n' $blob | git mktree))
            git update-ref {BRANCH} $(git commit-tree -m x -p {BRANCH} $(printf '%s\\n' "$tree" | git mktree))"""
        text = "".join(f"{line}\n" for line in changed)
        subprocess.run(script, shell=True, cwd=remote, input=text, text=True, check=True)

    return Place(scene, lines, write)


def in_database(scene: Scene, run: Callable[[str, tuple[object, ...]], list[tuple[object, ...]]]) -> Place:
    def lines() -> list[str]:
        return [str(row[0]) for row in run("SELECT line FROM broadcast_lines ORDER BY number", ())]

    def write(changed: list[str]) -> None:
        run("DELETE FROM broadcast_lines", ())
        for number, line in enumerate(changed, start=1):
            run("INSERT INTO broadcast_lines VALUES (?, ?, ?, ?)", (number, json.loads(line)["key"], SLUG, line))
        tip = json.loads(changed[-1])["key"] if changed else ""
        run("UPDATE broadcast_ledger SET lines = ?, tip = ?", (len(changed), tip))

    return Place(scene, lines, write)


@pytest.fixture(params=["git", "sqlite", "postgres"])
def place(request: pytest.FixtureRequest, open_scene: Open, monkeypatch: pytest.MonkeyPatch) -> Place:
    """Everything is published, with a key."""
    monkeypatch.setenv(LEDGER_KEY, KEY)
    scene = open_scene("mastodon that repeats")
    if request.param == "sqlite":
        path = scene.folder / "shared" / "ledger.db"
        scene.ledger = f"sqlite:///{path}"

        def run(statement: str, values: tuple[object, ...]) -> list[tuple[object, ...]]:
            with sqlite3.connect(path) as connection:
                found = connection.execute(statement, values).fetchall()
            connection.close()
            return found

    elif request.param == "postgres":
        cluster: postgres.Cluster = request.getfixturevalue("cluster")
        scene.ledger = cluster.database()

        def run(statement: str, values: tuple[object, ...]) -> list[tuple[object, ...]]:
            with cluster.connect(Path(scene.ledger).name) as connection:
                cursor = connection.execute(statement.replace("?", "%s").encode(), values)
                return cursor.fetchall() if cursor.description else []

    scene.fresh()
    assert scene.publish().code == 0
    return in_git(scene) if request.param == "git" else in_database(scene, run)


def changed_text(lines: list[str]) -> list[str]:
    return [lines[0].replace('"status":"investigating"', '"status":"identified"'), *lines[1:]]


def forged(lines: list[str]) -> list[str]:
    fields = json.loads(lines[-1]) | {"key": "0123456789abcdef"}
    return [*lines, json.dumps(fields, separators=(",", ":"))]


def unsigned(lines: list[str]) -> list[str]:
    fields = json.loads(lines[-1]) | {"key": "0123456789abcdef"}
    del fields["mac"]
    return [*lines, json.dumps(fields, separators=(",", ":"))]


def stripped(lines: list[str]) -> list[str]:
    return [
        json.dumps({k: v for k, v in json.loads(one).items() if k != "mac"}, separators=(",", ":")) for one in lines
    ]


TAMPERED: dict[str, Change] = {
    "changed": changed_text,
    "forged": forged,
    "forged and unsigned": unsigned,
    "all signatures taken off": stripped,
    "two exchanged": lambda lines: [lines[1], lines[0], *lines[2:]],
    "one left out": lambda lines: [*lines[:1], *lines[2:]],
    "one twice": lambda lines: [*lines, lines[-1]],
    "cut off": lambda lines: lines[:-1],
    "all gone": lambda lines: [],
}


@pytest.mark.parametrize("how", [name for name in TAMPERED if name != "one twice"])
def test_what_was_not_signed_so_sends_nothing(place: Place, how: str) -> None:
    scene = place.scene
    stands = scene.stands()
    place.write(TAMPERED[how](place.lines()))
    scene.fresh()
    said = scene.publish_refused()
    assert scene.run("retract", SLUG, "--yes").code == 6
    assert scene.stands() == stands
    assert "line" in said or "record" in said or "row" in said, said
    assert scene.run("ledger", "verify").code == 6
    for command in ("plan", "status"):
        problems = scene.run(command, "--json").json()["problems"]
        assert any(problem["code"].startswith("ledger-") for problem in problems), command


def test_a_line_that_stands_twice_is_seen(place: Place) -> None:
    if place.scene.ledger.startswith("git:"):  # a database has a rule that no key stands twice
        place.write(TAMPERED["one twice"](place.lines()))
        place.scene.fresh()
        place.scene.publish_refused()


def test_with_the_key_all_goes_on_and_without_it_nothing_is_sent(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    scene = place.scene
    assert all("mac" in json.loads(line) for line in place.lines())
    scene.fresh()
    scene.assert_once()
    monkeypatch.delenv(LEDGER_KEY)
    said = scene.publish_refused()
    assert f"set {LEDGER_KEY}" in said
    shown = scene.run("plan", "--json")
    assert shown.code == 0
    assert [row["state"] for row in shown.json()["actions"]] == ["done"] * len(scene.stands())
    assert "ledger-unverified" in {problem["code"] for problem in shown.json()["problems"]}
    monkeypatch.setenv(LEDGER_KEY, "another key of more than sixteen letters")
    assert "does not verify" in scene.publish_refused()
    monkeypatch.setenv(LEDGER_KEY, "short")
    assert scene.run("publish", "--yes").code == 5
    assert scene.run("ledger", "verify").code == 5


def test_what_was_written_before_there_was_a_key_is_adopted_once(
    open_scene: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = open_scene("mastodon that repeats")
    assert scene.publish().code == 0
    place = in_git(scene)
    before = place.lines()
    assert not any("mac" in line for line in before)
    monkeypatch.setenv(LEDGER_KEY, KEY)
    assert "ledger verify --adopt" in scene.publish_refused()
    asked = scene.run("ledger", "verify", "--adopt")
    assert asked.code == 2
    assert SLUG in asked.err
    assert place.lines() == before
    assert scene.run("ledger", "verify", "--yes").code == 2
    assert place.lines() == before
    assert scene.run("ledger", "verify", "--adopt", "--yes").code == 0
    scene.fresh()
    scene.assert_once()
    assert scene.run("ledger", "verify").code == 0
    assert [line.rpartition(',"mac"')[0] + "}" for line in place.lines()] == before


def test_the_ledger_of_another_repository_does_not_verify(
    open_scene: Open, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Neither a line of it nor all of it, although the key is the same."""
    monkeypatch.setenv(LEDGER_KEY, KEY)
    scene = open_scene("mastodon that repeats")
    assert scene.publish().code == 0
    other = tmp_path / "theirs" / "other.git"
    git(tmp_path, "clone", "--quiet", "--bare", f"file://{scene.folder}/remote.git", str(other))
    git(scene.root, "remote", "set-url", "origin", f"file://{other}")
    git(scene.root, "update-ref", "-d", "refs/broadcast/broadcast%2Fledger/origin")
    said = scene.publish_refused()
    assert "copied another's ledger here" in said


def test_a_key_never_shows(place: Place) -> None:
    scene = place.scene
    for command in (("ledger", "show"), ("ledger", "verify"), ("status", "--json"), ("channels",), ("plan", "--json")):
        done = scene.run(*command)
        assert KEY not in done.out + done.err
    assert not any(KEY in line for line in place.lines())


def test_lines_without_a_key_are_as_they_always_were(open_scene: Open) -> None:
    scene = open_scene("mastodon that repeats")
    assert scene.publish().code == 0
    tree = git(scene.folder / "remote.git", "ls-tree", "-r", "--name-only", BRANCH)
    assert tree == FILE
    known = {"v", "key", "event", "announcement", "update", "channel", "part", "at", "run"}
    for line in in_git(scene).lines():
        assert known <= set(json.loads(line))
        assert "mac" not in json.loads(line)
    assert len(open_ledger(scene.ledger, scene.root).read().events[SLUG]) == len(in_git(scene).lines())
