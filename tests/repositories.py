"""Git repositories of every kind, and events to put into their ledgers."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from broadcast.ledger.base import Log
from broadcast.model import Receipt, Ref

BRANCH = "refs/heads/broadcast/ledger"
COPY = "refs/broadcast/broadcast%2Fledger/origin"
AT = datetime(2026, 11, 22, 14, 5, tzinfo=UTC)


def event(number: int, slug: str = "api-errors") -> Receipt:
    return Receipt(slug, AT, "x", 1, AT + timedelta(seconds=number), "run", Ref(str(number)))


def numbers(log: Log, slug: str = "api-errors") -> list[int]:
    return [int(found.ref.id) for found in log.events.get(slug, ()) if isinstance(found, Receipt)]


def git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(["git", "-C", folder, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def repository(folder: Path) -> Path:
    folder.mkdir(parents=True)
    git(folder, "init", "--quiet", "--initial-branch=main")
    return folder


def commit(folder: Path) -> None:
    identity = ("-c", "user.name=somebody", "-c", "user.email=somebody@example.com")
    (folder / "README").write_text("A project.\n")
    git(folder, "add", "README")
    git(folder, *identity, "commit", "--quiet", "--message=Start")


def untouched(folder: Path) -> None:
    """Nothing that a user sees in a clone has changed, and nothing is broken."""
    assert git(folder, "status", "--porcelain") == ""
    assert git(folder, "stash", "list") == ""
    git(folder, "fsck", "--strict")


def hook(repository: Path, name: str, script: str) -> Path:
    file = repository / "hooks" / name
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o755)
    return file


Clone = Callable[..., Path]
"""Makes a clone, from its name and options of `git clone`."""
