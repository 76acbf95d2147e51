from __future__ import annotations

import stat
from pathlib import Path

import pytest

from kit import Desk, Terminal, ago, incident

CONFIG = '[channels.x]\nplatform = "x"\n'


@pytest.fixture
def project(desk: Desk) -> Desk:
    desk.write("broadcast.toml", CONFIG)
    return desk


def only_file(desk: Desk) -> Path:
    (path,) = (desk.root / "incidents").glob("*.md")
    return path


def test_new_writes_a_file_that_checks(project: Desk) -> None:
    done = project.run(
        *("new", "incident", 'Say "no" to: [errors] & #1', "--severity", "major", "--component", "API"),
        *("--component", "Web: front", "--tag", "outage", "-m", "Something *is* wrong."),
    )
    assert done.code == 0, done.err
    assert done.out.strip() == str(only_file(project).relative_to(project.root))
    text = only_file(project).read_text(encoding="utf-8")
    assert 'title: "Say \\"no\\" to: [errors] & #1"' in text
    assert project.run("check").code == 0
    (action,) = project.run("plan", "--json").json()["actions"]
    assert 'Say "no" to: [errors] & #1' in action["text"]
    assert "#outage" in action["text"]


def test_two_of_the_same_title_get_names_of_their_own(project: Desk) -> None:
    for _ in range(2):
        assert project.run("new", "incident", "Slow search", "-m", "Slow.").code == 0
    assert len(list((project.root / "incidents").glob("*.md"))) == 2


def test_new_takes_what_belongs_to_its_kind(project: Desk) -> None:
    done = project.run(
        *("new", "maintenance", "Database upgrade", "-m", "We upgrade."),
        *("--starts", "2026-11-23T02:00Z", "--ends", "2026-11-23 05:00 +01:00"),
    )
    assert done.code == 0, done.err
    assert project.run("check").code == 0
    (action,) = project.run("plan", "--json").json()["actions"]
    assert "2026-11-23 02:00–04:00 UTC" in action["text"]


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_appending_keeps_the_rest_byte_for_byte(project: Desk, ending: str) -> None:
    before = incident(("Investigating", 30, "Odd   spaces\t\nstay. \n\n\n* a\n* b")).replace("\n", ending).encode()
    path = project.root / "incidents" / "slow.md"
    path.parent.mkdir()
    path.write_bytes(before)
    path.chmod(0o640)
    assert project.run("update", "slow", "--status", "identified", "-m", "A bad deploy.").code == 0
    assert project.run("update", "incidents/slow.md", "-m", "Still on it.").code == 0
    assert project.run("resolve", "slow", "-m", "Fixed.").code == 0
    after = path.read_bytes()
    assert after.startswith(before)
    assert after[len(before) :].count(ending.encode()) == after[len(before) :].count(b"\n")
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    statuses = [row["status"] for row in project.run("plan", "--json").json()["actions"]]
    assert statuses == ["investigating", "identified", "update", "resolved"]


def test_a_status_that_cannot_follow_is_refused_and_nothing_is_written(project: Desk) -> None:
    path = project.write("incidents/slow.md", incident(("Investigating", 30, "a"), ("Resolved", 20, "b")))
    before = path.read_bytes()
    for arguments in (
        ["resolve", "slow"],
        ["update", "slow", "--status", "monitoring"],
        ["update", "slow", "--status", "x"],
    ):
        refused = project.run(*arguments, "-m", "Again.")
        assert refused.code == 2, refused.err
    assert path.read_bytes() == before


def test_an_update_into_an_open_code_block_is_refused(project: Desk) -> None:
    path = project.write("incidents/slow.md", incident(("Investigating", 30, "```\nopen")))
    before = path.read_bytes()
    refused = project.run("update", "slow", "-m", "More.")
    assert refused.code in (1, 2)
    assert "Traceback" not in refused.err
    assert path.read_bytes() == before


def test_a_text_that_would_begin_an_update_is_refused(project: Desk) -> None:
    path = project.write("incidents/slow.md", incident(("Investigating", 30, "a")))
    before = path.read_bytes()
    assert project.run("update", "slow", "-m", f"a\n\n## Resolved - {ago(1)}\nb").code == 2
    assert path.read_bytes() == before


def test_without_a_text_and_a_terminal_it_says_what_to_type(project: Desk) -> None:
    refused = project.run("new", "incident", "Slow")
    assert refused.code == 2
    assert "-m" in refused.err
    assert project.run("new", "incident", "Slow", "-m", "  ").code == 2


def test_an_unknown_announcement_is_named(project: Desk) -> None:
    refused = project.run("resolve", "nope", "-m", "x")
    assert refused.code == 2
    assert "'nope'" in refused.err


def test_the_editor_is_opened_on_a_terminal(project: Desk, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    editor = tmp_path / "editor"
    editor.write_text('#!/bin/sh\necho "Written in an editor." >> "$1"\n', encoding="utf-8")
    editor.chmod(0o755)
    monkeypatch.setenv("VISUAL", str(editor))
    monkeypatch.setattr("sys.stdin", Terminal())
    assert project.run("new", "incident", "Slow search").code == 0
    assert only_file(project).read_text(encoding="utf-8").endswith("Written in an editor.\n")


@pytest.mark.parametrize(
    ("editor", "says"),
    [
        ("no-such-editor", "there is no editor 'no-such-editor'"),
        ("ed 'it", 'there is no editor "ed \'it"'),
        ("/", "there is no editor '/'"),
        ("false", "the editor ended with 1"),
        ("true", "the text is empty"),
        ("""sh -c 'printf "caf\\\\351" >> "$0"'""", "the text is not UTF-8"),
    ],
)
def test_an_editor_that_writes_nothing_leaves_nothing(
    project: Desk, monkeypatch: pytest.MonkeyPatch, editor: str, says: str
) -> None:
    monkeypatch.setenv("VISUAL", editor)
    monkeypatch.setattr("sys.stdin", Terminal())
    refused = project.run("new", "incident", "Slow search")
    assert (refused.code, refused.out) == (2, "")
    assert says in refused.err
    assert not (project.root / "incidents").exists()


def test_publish_right_away(live: Desk) -> None:
    done = live.run("new", "incident", "Slow search", "-m", "Searches are slow.", "--publish", "--yes")
    assert done.code == 0, done.err
    assert [len(live.stands(channel)) for channel in ("x", "bluesky", "mastodon")] == [1, 1, 1]


def test_a_name_that_means_several_is_no_guess(project: Desk) -> None:
    for name in ("one", "two"):
        project.write(f"incidents/{name}.md", incident(("Investigating", 5.0, "We look.")))
    for name in ("incidents", "incidents/README.md"):
        failed = project.run("update", name, "-m", "More.")
        assert failed.code == 2, failed.err
    assert "names 2 announcements" in project.run("resolve", "incidents", "-m", "Done.").err
