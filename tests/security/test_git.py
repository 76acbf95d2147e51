"""What a repository or an address asks of git is never obeyed: no hook, filter, monitor or pager runs, and no
address, branch or name of a file becomes an option or a command."""

from __future__ import annotations

from pathlib import Path

import pytest

from kit import Desk, git, incident
from repositories import repository

COMMANDS = (
    ("check",),
    ("plan",),
    ("preview",),
    ("new", "release", "Version 2", "-m", "New things."),
    ("update", "slow", "--status", "identified", "-m", "Found."),
    ("publish", "--yes"),
    ("status",),
    ("site",),
    ("ledger", "show"),
    ("ledger", "verify"),
    ("retract", "slow", "--yes"),
)
PROGRAMS = ("core.fsmonitor", "core.pager", "pager.log", "core.editor", "diff.external", "core.askPass", "gpg.program")
HOOKS = (
    *("pre-push", "pre-commit", "post-commit", "post-checkout", "post-merge", "post-rewrite", "reference-transaction"),
    *("fsmonitor-watchman", "pre-auto-gc", "post-index-change", "update", "pre-receive", "post-update"),
)


@pytest.fixture
def project(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """A clone with a remote, an announcement and a page; everything is committed."""
    desk.write("broadcast.toml", '[channels.x]\nplatform = "x"\ndry = true\n\n[channels.site]\nplatform = "site"\n')
    desk.write("incidents/slow.md", incident(("Investigating", 30, "Search is slow.")))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(desk.root.parent / "no-such-file"))
    git(desk.root, "init", "--quiet", "--initial-branch=main")
    git(desk.root, "add", ".")
    git(desk.root, "-c", "user.name=a", "-c", "user.email=a@b.c", "commit", "--quiet", "-m", "Start")
    origin = repository(desk.root.parent / "origin")
    git(desk.root, "remote", "add", "origin", str(origin))
    git(desk.root, "push", "--quiet", "origin", "main:work")
    return desk


def test_no_program_that_the_repository_names_is_run(project: Desk, tmp_path: Path) -> None:
    """As a prepared folder would name them, or a `.gitattributes` that meets what somebody has configured."""
    ran = tmp_path / "ran"
    script = tmp_path / "script"
    script.write_text(f'#!/bin/sh\necho "$0 $*" >>{ran}\nexit 1\n')
    script.chmod(0o755)
    for name in PROGRAMS:
        git(project.root, "config", name, str(script))
    for kind in ("clean", "smudge", "process"):
        git(project.root, "config", f"filter.evil.{kind}", str(script))
    for kind in ("textconv", "command"):
        git(project.root, "config", f"diff.evil.{kind}", str(script))
    git(project.root, "config", "alias.push", f"!{script}")
    git(project.root, "config", "commit.gpgSign", "true")
    project.write(".gitattributes", "* filter=evil diff=evil\n*.jsonl filter=evil diff=evil merge=evil\n")
    for name in HOOKS:
        hook = project.root / ".git" / "hooks" / name
        hook.parent.mkdir(exist_ok=True)
        hook.write_bytes(script.read_bytes())
        hook.chmod(0o755)
    for command in COMMANDS:
        done = project.run(*command)
        assert "Traceback" not in done.err
    assert not ran.exists(), ran.read_text()
    assert git(project.root, "ls-remote", "origin", "broadcast/ledger"), "the ledger was pushed"


@pytest.mark.parametrize(
    "remote",
    [
        "--upload-pack=touch {canary}",
        "-u",
        "--exec=touch {canary}",
        "ext::sh -c touch% {canary}",
        "ext::touch {canary}",
        "file:///nowhere",
        "../origin",
        "fd::17",
        "ssh://-oProxyCommand=touch%20{canary}/x",
        "-oProxyCommand=touch",
        "origin --upload-pack=touch",
        "$(touch {canary})",
        "`touch {canary}`",
    ],
)
def test_a_remote_s_name_is_a_name(project: Desk, tmp_path: Path, remote: str) -> None:
    """A transport or an option in its place is a remote that there is not."""
    canary = tmp_path / "canary"
    address = f"git:broadcast/ledger@{remote.format(canary=canary)}"
    text = (project.root / "broadcast.toml").read_text("utf-8")
    project.write("broadcast.toml", f'ledger = "{address}"\n{text}')
    for command in COMMANDS:
        done = project.run(*command)
        assert "Traceback" not in done.err
    assert project.run("publish", "--yes").code in (3, 6)
    assert not canary.exists()


@pytest.mark.parametrize("transport", ["ext::touch% {canary}", "ext::sh -c 'touch {canary}'"])
def test_a_transport_that_is_a_command_is_not_used(project: Desk, tmp_path: Path, transport: str) -> None:
    """git's own rule: only who sets `protocol.ext.allow` for himself lets a remote run a program."""
    canary = tmp_path / "canary"
    git(project.root, "remote", "set-url", "origin", transport.format(canary=canary))
    done = project.run("publish", "--yes")
    assert done.code == 6
    assert "ext" in done.err
    assert not canary.exists()


@pytest.mark.parametrize(
    "branch",
    ["-f", "--force", "--all", "-d", "--mirror", "main:main", ":main", "a b", "a..b", "@{u}", "a\\nb", "HEAD"],
)
def test_a_branch_that_git_would_take_for_something_else_is_none(project: Desk, branch: str) -> None:
    text = (project.root / "broadcast.toml").read_text("utf-8")
    project.write("broadcast.toml", f'ledger = "git:{branch}"\n{text}')
    before = git(project.root.parent / "origin", "for-each-ref")
    for command in COMMANDS:
        assert "Traceback" not in project.run(*command).err
    done = project.run("publish", "--yes")
    assert done.code != 0
    assert "broadcast.toml" in project.run("check").out + project.run("check").err
    assert git(project.root.parent / "origin", "for-each-ref") == before


@pytest.mark.parametrize(
    "name", ["-rf.md", "--force.md", "--output=evil.md", "$(touch evil).md", "a;touch evil.md", "`touch evil`.md"]
)
def test_a_file_s_name_is_no_option_and_no_command(project: Desk, name: str) -> None:
    (project.root / "incidents" / name).write_text(incident(("Investigating", 30, "Mail is late.")), encoding="utf-8")
    git(project.root, "add", ".")
    for command in (*COMMANDS, ("check", f"incidents/{name}")):
        assert "Traceback" not in project.run(*command).err
    assert not list(project.root.rglob("evil"))
    assert not list(Path.cwd().glob("evil"))


@pytest.mark.parametrize(
    "slug", ["../slow", "-rf", "../../etc/passwd", "$(touch evil)", "slow\n", "/etc/passwd", "a/../slow"]
)
@pytest.mark.parametrize("command", ["update", "resolve", "retract", "status"])
def test_a_name_that_is_typed_is_one_of_the_announcements(project: Desk, command: str, slug: str) -> None:
    before = {path: path.read_bytes() for path in project.root.parent.rglob("*.md")}
    message = ("-m", "Mended.") if command in ("update", "resolve") else ()
    done = project.run(command, *message, "--", slug)
    assert done.code == 2, done
    assert "Traceback" not in done.err
    assert {path: path.read_bytes() for path in project.root.parent.rglob("*.md")} == before
