"""What tests share: a project in a folder, the command line on it, files, git."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from broadcast.cli.app import run
from broadcast.model import Intent, Ref
from broadcast.platforms.base import Connection
from broadcast.rehearsal.base import Request, Seen, World
from broadcast.rehearsal.server import Server

GIT = {
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_AUTHOR_NAME": "Somebody",
    "GIT_AUTHOR_EMAIL": "somebody@example.com",
    "GIT_COMMITTER_NAME": "Somebody",
    "GIT_COMMITTER_EMAIL": "somebody@example.com",
}


def git(folder: Path, *arguments: str) -> str:
    """Run git; gives its stdout. Fails the test when git does."""
    done = subprocess.run(
        ["git", *arguments], cwd=folder, env={**os.environ, **GIT}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def ago(minutes: float) -> str:
    """A time in the form of headings, so many minutes ago."""
    return (datetime.now(UTC) - timedelta(minutes=minutes)).strftime("%Y-%m-%d %H:%M:%S UTC")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one command printed and how it ended."""

    code: int
    out: str
    err: str

    def json(self) -> Any:
        return json.loads(self.out)


@dataclass(slots=True)
class Desk:
    """A project in a folder, and the command line on it."""

    root: Path
    capsys: pytest.CaptureFixture[str]
    worlds: dict[str, World] = field(default_factory=dict)
    servers: dict[str, Server] = field(default_factory=dict)

    def write(self, path: str, text: str) -> Path:
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
        return target

    def run(self, *arguments: str) -> Outcome:
        """Run `broadcast` in this process, as its console script does."""
        self.capsys.readouterr()
        code = run(["-C", str(self.root), *arguments])
        printed = self.capsys.readouterr()
        return Outcome(code, printed.out, printed.err)

    def remove(self, channel: str, post: str) -> None:
        """Delete a Mastodon post behind broadcast's back."""
        token = {"authorization": f"Bearer {self.worlds[channel].secrets()['ACCESS_TOKEN']}"}
        path = f"/api/v1/statuses/{post}"
        answer = self.worlds[channel].handle(Request("DELETE", path, path, {}, token, b""))
        assert answer.status == 200, answer.body

    def stands(self, channel: str) -> list[Seen]:
        """The posts that followers of a channel see, oldest first."""
        return [seen for seen in self.worlds[channel].timeline() if seen.deleted is None]


def table(platform: str, options: Mapping[str, str]) -> str:
    """A channel's table for `broadcast.toml`, named after its platform."""
    keys = "".join(f"{key} = {json.dumps(value)}\n" for key, value in options.items())
    return f'[channels.{platform}]\nplatform = "{platform}"\n{keys}'


def incident(*updates: tuple[str, float, str], title: str = "Slow search", more: str = "") -> str:
    """An incident's file. Each update is (status, minutes ago, body)."""
    sections = "\n\n".join(f"## {status} - {ago(minutes)}\n{body}" for status, minutes, body in updates)
    return f"---\ntitle: {title}\nseverity: major\n{more}---\n\n{sections}\n"


def sent(connection: Connection, intents: Sequence[Intent], parent: Ref | None = None) -> dict[int, Ref]:
    """Send all of these posts; gives how each is known, by part."""
    return {part: ref for standing in connection.send(intents, parent) for part, ref in standing.items()}


class Terminal:
    """A standard input that says it is a terminal."""

    def isatty(self) -> bool:
        return True
