"""What every command shares: the project's folder, the time, the consoles, and how JSON and problems leave."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from broadcast import config as configuration
from broadcast import pipeline
from broadcast.errors import LedgerError, ProblemsFoundError, UsageError
from broadcast.ledger.base import Ledger, Log
from broadcast.model import Problem
from broadcast.views import terminal

Json = Annotated[bool, typer.Option("--json", help="Print JSON to stdout instead of text.")]
Slugs = Annotated[list[str] | None, typer.Argument(help="Announcements, by slug or path; all without one.")]

NOTHING = Log(version="", events={})
"""The ledger of somebody who has published nothing."""


@dataclass(frozen=True, slots=True)
class Desk:
    """Where a command works. Results go to `out`; all else goes to `err`."""

    start: Path
    out: Console
    err: Console
    environ: Mapping[str, str]

    def now(self) -> datetime:
        return datetime.now(UTC)

    def root(self) -> Path:
        return configuration.find(self.start)

    def project(self) -> pipeline.Project:
        return pipeline.read(self.root())

    def shown(self, path: Path) -> str:
        """A path as the user would type it."""
        return str(path.relative_to(self.start) if path.is_relative_to(self.start) else path)

    def emit(self, data: Mapping[str, Any]) -> None:
        """Print JSON to stdout, and nothing else."""
        sys.stdout.write(json.dumps(data, ensure_ascii=False, indent=2) + "\n")

    def tell(self, message: str) -> None:
        """A line of the result, on stdout."""
        self.out.print(message, markup=False, highlight=False, soft_wrap=True)

    def say(self, message: str) -> None:
        """A line for people, on stderr."""
        self.err.print(message, markup=False, highlight=False, soft_wrap=True)


def desk(context: typer.Context) -> Desk:
    """The desk that the app's callback made."""
    found: Desk = context.obj
    return found


def make(start: Path | None) -> Desk:
    """A desk on this process's streams and environment."""
    return Desk((start or Path.cwd()).resolve(), Console(), Console(stderr=True), os.environ)


def ledger_of(project: pipeline.Project) -> Ledger:
    """The project's ledger, not yet read. Raises `ConfigError` or `LedgerError`."""
    from broadcast.ledger.open import open_ledger

    return open_ledger(project.config.file.ledger, project.config.root)


def read_log(here: Desk, project: pipeline.Project) -> Log:
    """What the ledger says, for showing only: one that cannot be reached is shown as it was when it last could be."""
    ledger = ledger_of(project)
    try:
        return ledger.read()
    except LedgerError as error:
        reason = error.message.removesuffix(" (nothing was sent)")
    try:
        known = ledger.recall()
    except LedgerError:
        here.say(f"warning: {reason}; this is shown as if nothing had been published")
        return NOTHING
    here.say(f"warning: {reason}; this is shown as it was when the ledger was last read")
    return known


def slugs(project: pipeline.Project, names: Sequence[str] | None, start: Path) -> set[str] | None:
    """The announcements that were named by slug, file name or path; a folder names all below it. None means all."""
    if not names:
        return None
    found: set[str] = set()
    for name in names:
        path = (start / name).resolve()
        matches = {
            one.slug
            for one in project.announcements
            if one.slug == name
            or (project.config.root / one.path).resolve() == path
            or path in (project.config.root / one.path).resolve().parents
        }
        if not matches and not path.exists():
            raise UsageError(f"there is no announcement {name!r}", "type `broadcast status` to see them all")
        found |= matches
    return found


def require_clean(problems: Sequence[Problem], here: Desk) -> None:
    """Print the errors and stop. Raises `ProblemsFoundError`."""
    errors = [problem for problem in problems if problem.severity == "error"]
    if errors:
        terminal.problems(here.err, errors)
        raise ProblemsFoundError(f"{len(errors)} error{'s' * (len(errors) != 1)} in the files", "nothing was sent")


def channel_names(project: pipeline.Project, names: Sequence[str] | None) -> set[str] | None:
    """The channels that were named with `--channel`; None means all."""
    for name in names or ():
        if name not in project.config.channels:
            known = ", ".join(project.config.channels) or "none"
            raise UsageError(f"no channel is called {name!r}", f"the channels are: {known}")
    return set(names) if names else None
