"""What cannot be done as it was typed: exit 2, a message, and nothing written."""

from __future__ import annotations

from pathlib import Path

import pytest

from kit import Desk, incident

LONG = "a" * 301


@pytest.fixture
def project(desk: Desk) -> Desk:
    desk.write("broadcast.toml", "[channels.x]\nplatform = 'x'\n")
    desk.write("incidents/slow.md", incident(("Investigating", 30, "a")))
    desk.write("incidents/README.md", "What this is.")
    desk.write("incidents/errors.png", "no image")
    desk.write("notes.md", "Not an announcement.")
    return desk


@pytest.mark.parametrize(
    "name", ["/etc/passwd", "/etc", "/", "..", "gone.md", "notes.md", "broadcast.toml", "incidents/README.md", ""]
)
@pytest.mark.parametrize("command", ["check", "preview", "plan", "publish", "status", "rehearse"])
def test_what_is_no_announcement_cannot_be_named(project: Desk, command: str, name: str) -> None:
    refused = project.run(command, name)
    assert (refused.code, refused.out) == (2, ""), refused.err
    assert f"there is no announcement {name!r}" in refused.err


@pytest.mark.parametrize(
    "name", ["slow", "incidents/slow.md", "incidents", ".", "incidents/broken.md", "incidents/empty"]
)
def test_files_and_folders_of_announcements_can_be_checked(project: Desk, name: str) -> None:
    project.write("incidents/broken.md", "---\ntitle: [\n---\n")
    (project.root / "incidents" / "empty").mkdir()
    broken = name in ("incidents", ".", "incidents/broken.md")
    assert project.run("check", name).code == (1 if broken else 0)


def test_a_project_without_announcements_can_be_checked(desk: Desk) -> None:
    desk.write("broadcast.toml", "")
    assert desk.run("check", ".").code == 0


@pytest.mark.parametrize("folder", ["gone", "broadcast.toml"])
def test_a_folder_to_work_in_has_to_be_there(project: Desk, folder: str) -> None:
    for command in ("check", "plan", "status", "init"):
        refused = project.run("-C", str(project.root / folder), command)
        assert refused.code == 2
        assert folder in refused.err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["new", "incident", "", "-m", "a"], "`title`: it is empty"),
        (["new", "incident", " \n ", "-m", "a"], "`title`: it is empty"),
        (["new", "incident", LONG, "-m", "a"], "`title`: more than 300 characters"),
        (["new", "incident", "a\x07", "-m", "a"], "U+0007"),
        (["new", "outage", "a", "-m", "a"], "outage"),
        (["new", "incident", "a", "-m", "a\x1b[2J"], "U+001B"),
        (["new", "incident", "a", "-m", "```"], "never closed"),
        (["new", "incident", "a", "-m", "## Resolved - 2026-11-22 15:00 UTC\nb"], "an update of its own"),
        (["new", "incident", "a", "-m", "a", "--component", ""], "`components`: it is empty"),
        (["new", "incident", "a", "-m", "a", "--component", "\x07"], "U+0007"),
        (["new", "incident", "a", "-m", "a", "--tag", ""], "`tags`: it is empty"),
        (["new", "incident", "a", "-m", "a", "--severity", "huge"], "huge"),
        (["new", "incident", "a", "-m", "a", "--at", "now"], "is not a time"),
        (["new", "release", "a", "-m", "a", "--version", ""], "`version`: it is empty"),
        (["new", "maintenance", "a", "-m", "a", "--starts", "tomorrow"], "is not a time"),
        (
            [
                "new",
                "maintenance",
                "a",
                "-m",
                "a",
                *("--starts", "2026-01-02 10:00 UTC", "--ends", "2026-01-01 10:00 UTC"),
            ],
            "end before it starts",
        ),
        (["update", "gone", "-m", "a"], "there is no announcement 'gone'"),
        (["update", "../slow", "-m", "a"], "there is no announcement '../slow'"),
        (["update", "/etc/passwd", "-m", "a"], "there is no announcement '/etc/passwd'"),
        (["update", "", "-m", "a"], "there is no announcement ''"),
        (["update", "slow", "-m", "a", "--status", "fixed"], "'fixed' is not a status of an incident"),
        (["update", "slow", "-m", "a", "--status", ""], "'' is not a status of an incident"),
        (["update", "slow", "-m", "a\x07"], "U+0007"),
        (["update", "slow", "-m", ""], "the text is empty"),
        (["resolve", "gone", "-m", "a"], "there is no announcement 'gone'"),
        (["retract", "/etc/passwd", "--yes"], "there is no announcement '/etc/passwd'"),
    ],
)
def test_what_is_typed_wrong_writes_nothing(project: Desk, arguments: list[str], says: str) -> None:
    def files() -> dict[Path, bytes]:
        return {path: path.read_bytes() for path in (project.root / "incidents").iterdir()}

    before = files()
    refused = project.run(*arguments)
    assert (refused.code, refused.out) == (2, ""), refused.err
    assert says in refused.err
    assert files() == before


@pytest.mark.parametrize("name", ["broken", "incidents/broken.md"])
@pytest.mark.parametrize(
    "command", ["check", "preview", "plan", "publish --yes", "status", "update -m a", "resolve -m a"]
)
def test_an_announcement_that_cannot_be_read_is_told_from_one_that_is_not_there(
    project: Desk, command: str, name: str
) -> None:
    project.write("incidents/broken.md", "---\ntitle: [\n---\n")
    first, *options = command.split()
    refused = project.run(first, name, *options)
    assert refused.code == 1
    assert "incidents/broken.md:3:1: error[bad-yaml]" in refused.out + refused.err


def test_a_rehearsal_that_cannot_write_says_so(project: Desk) -> None:
    project.write(".broadcast", "a file")
    refused = project.run("rehearse")
    assert refused.code == 5
    assert "a rehearsal cannot write to .broadcast/rehearsal: " in refused.err
