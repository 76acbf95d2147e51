"""A defect of broadcast itself, wherever it is: one file's problem, one channel's failure, or one clear line."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from broadcast import pipeline, threads
from broadcast.errors import LostAnswerError, RefusedError, SendError, UnprovableError
from broadcast.model import Channel, FitOptions, Intent, Limits, Ref
from broadcast.platforms import base, bluesky, guard, mastodon, site
from broadcast.site import pages
from broadcast.source import check, parse, read
from kit import Desk, incident

SECRET = "hunter2"


@pytest.fixture
def project(desk: Desk) -> Desk:
    desk.write("broadcast.toml", '[channels.site]\nplatform = "site"\n')
    for name in ("good", "bad"):
        desk.write(f"incidents/{name}.md", incident(("Investigating", 30, f"It is {name}."), title=name.capitalize()))
    return desk


def _failing(before: Callable[..., Any]) -> Callable[..., Any]:
    """A function that fails on what is bad, with a secret in its words."""

    def fail(*arguments: Any, **named: Any) -> Any:
        if any("bad" in repr(argument) for argument in arguments):
            raise KeyError(SECRET)
        return before(*arguments, **named)

    return fail


STAGES = {"parse": (read, "parse"), "check_body": (check, "check_body"), "fit": (threads, "fit")}


@pytest.mark.parametrize("stage", STAGES)
def test_a_defect_in_one_file_leaves_the_others_alone(
    project: Desk, monkeypatch: pytest.MonkeyPatch, stage: str
) -> None:
    module, name = STAGES[stage]
    monkeypatch.setattr(module, name, _failing(getattr(module, name)))
    checked = project.run("check", "--json")
    assert checked.code == 1
    (problem,) = checked.json()["problems"]
    assert (problem["code"], problem["severity"], problem["path"]) == ("defect", "error", "incidents/bad.md")
    assert "unexpected KeyError" in problem["message"]
    assert "BROADCAST_DEBUG" in problem["message"]
    for command in ("plan --json", "status --json", "preview --json"):
        done = project.run(*command.split())
        rows = done.json().get("actions", done.json().get("announcements"))
        assert "good" in {row["announcement"] for row in rows}, command
    assert project.run("publish", "--yes").code == 1
    published = project.run("publish", "good", "--yes", "--json", "--dry-run")
    assert [(one["announcement"], one["state"]) for one in published.json()["results"]] == [("good", "skipped")]
    assert project.run("new", "incident", "Another", "-m", "text").code == 0
    for done in (checked, published):
        assert SECRET not in done.out + done.err


def test_good_is_published_beside_a_file_with_a_defect(live: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    live.write("incidents/good.md", incident(("Investigating", 30, "It is good."), title="Good"))
    live.write("incidents/bad.md", incident(("Investigating", 30, "It is bad."), title="Bad"))
    monkeypatch.setattr(read, "parse", _failing(parse.parse))
    assert live.run("publish", "good", "--yes", "--channel", "x", "--channel", "mastodon").code == 0
    for channel in ("x", "mastodon"):
        assert ["Good" in seen.text for seen in live.stands(channel)] == [True]


def test_a_page_with_a_defect_is_named(project: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "_page", _failing(pages._page))
    done = project.run("site")
    assert done.code == 5
    assert "incidents/bad.md: unexpected KeyError" in done.err
    assert SECRET not in done.err


class Broken:
    """A connection that nobody wrote well."""

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def fail(*arguments: object) -> Any:
            raise RecursionError(SECRET)

        return fail


CALLS: dict[str, tuple[type[SendError], Callable[[base.Connection], object]]] = {
    "verify": (RefusedError, lambda one: one.verify()),
    "prepare": (RefusedError, lambda one: one.prepare([], "en", None)),
    "send": (LostAnswerError, lambda one: list(one.send([], None))),
    "find": (UnprovableError, lambda one: one.find([], None)),
    "edit": (LostAnswerError, lambda one: one.edit(Ref("1"), cast("Intent", None))),
    "delete": (LostAnswerError, lambda one: list(one.delete([]))),
}


@pytest.mark.parametrize("name", CALLS)
def test_what_a_platform_raises_is_told_as_what_it_means_for_a_post(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str
) -> None:
    broken = SimpleNamespace(connect=lambda *arguments: Broken())
    monkeypatch.setattr(base, "load", lambda name: broken)
    channel = Channel("x", "x", FitOptions(), Limits(280, len))
    connection = guard.connect(channel, {}, base.Workspace(tmp_path, datetime.now(UTC)))
    kind, call = CALLS[name]
    with pytest.raises(kind, match="unexpected RecursionError, a defect") as raised:
        call(connection)
    assert SECRET not in str(raised.value)
    connection.close()


def test_a_defect_of_one_platform_stops_no_other(live: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    live.write("incidents/good.md", incident(("Investigating", 30, "It is good."), title="Good"))

    def fail(*arguments: object) -> None:
        raise OverflowError(SECRET)

    monkeypatch.setattr(mastodon.Connection, "verify", fail)
    monkeypatch.setattr(bluesky.Connection, "prepare", fail)
    monkeypatch.setattr(site.Site, "send", fail)
    done = live.run("publish", "--yes", "--json")
    assert done.code == 3, done.err
    states = {one["channel"]: (one["state"], one["error"]) for one in done.json()["results"]}
    assert {name: state for name, (state, _) in states.items()} == {
        "x": "posted",
        "bluesky": "failed",
        "mastodon": "failed",
        "site": "failed",
    }
    assert "unexpected OverflowError" in str(states["mastodon"][1])
    assert SECRET not in done.err + done.out
    monkeypatch.undo()


def test_the_last_resort_is_one_line(project: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*arguments: object, **named: object) -> None:
        raise ZeroDivisionError(SECRET)

    with monkeypatch.context() as patch:
        patch.setattr(pipeline, "read", fail)
        for command in ("check", "plan", "status", "publish --yes", "site"):
            done = project.run(*command.split())
            assert (done.code, done.out) == (1, ""), command
            assert len(done.err.splitlines()) == 1
            assert done.err.startswith("broadcast: unexpected ZeroDivisionError, a defect of broadcast")
            assert SECRET not in done.err
    monkeypatch.setattr(pipeline, "publish", fail)
    done = project.run("publish", "--yes")
    assert done.code == 3  # some of it may have been sent
    assert "unexpected ZeroDivisionError" in done.err
    assert "run again, nothing is sent twice" in done.err


SCRIPT = f"""
import sys
from broadcast.source import read
def fail(*arguments, **named):
    raise KeyError({SECRET!r})
read.parse = fail
from broadcast.__main__ import main
sys.argv = ["broadcast", "-C", sys.argv[1], "check"]
main()
"""


@pytest.mark.parametrize("debug", [True, False])
def test_where_a_defect_is_can_be_seen_without_its_words(project: Desk, debug: bool) -> None:
    environ = {**os.environ, "BROADCAST_DEBUG": "1" if debug else ""}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(project.root)], env=environ, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert (f"{Path('source', 'read.py')}" in done.stderr) is debug, done.stderr
    assert ("KeyError at" in done.stderr) is debug
    assert "Traceback" not in done.stderr
    assert SECRET not in done.stderr + done.stdout
