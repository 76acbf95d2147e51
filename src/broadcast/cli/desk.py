"""What every command shares: the project's folder, the time, the consoles, and how JSON and problems leave."""

from __future__ import annotations

import json
import os
import sys
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, cast

import typer
from rich.console import Console

from broadcast import config as configuration
from broadcast import pipeline, secrets
from broadcast.errors import BroadcastError, ConfigError, LedgerError, ProblemsFoundError, RefusedError, UsageError
from broadcast.ledger.base import Ledger, Log, UnverifiedError
from broadcast.ledger.seal import Key
from broadcast.model import Place, Problem
from broadcast.paths import is_file, is_folder, real
from broadcast.platforms import base as platforms
from broadcast.platforms import guard
from broadcast.streams import INSIDE, Shown
from broadcast.views import terminal
from broadcast.views.groups import count
from broadcast.visible import HIDDEN, visible

Json = Annotated[bool, typer.Option("--json", help="Print JSON to stdout instead of text.")]
Channels = Annotated[
    list[str] | None, typer.Option("--channel", metavar="NAME", help="Only this channel (may be repeated).")
]
Slugs = Annotated[
    list[str] | None, typer.Argument(metavar="SLUG", help="Announcements, by slug or path; all without one.")
]

Commit = Annotated[bool, typer.Option("--commit", help="Commit the announcement's file, once it is sent.")]
Push = Annotated[bool, typer.Option("--push", help="Commit it, and push it.")]

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
        """Print JSON to stdout, and nothing else: valid in every encoding."""
        unicode = "utf" in (sys.stdout.encoding or "").lower()
        text = json.dumps(data, ensure_ascii=not unicode, indent=2)
        text = HIDDEN.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
        sys.stdout.write(INSIDE.sub(r"\1\\u005b", text) + "\n")

    def command(self, text: str) -> None:
        """Print lines that a host of CI obeys: what is in them has been escaped for that."""
        cast(Shown, sys.stdout).own(text)

    def tell(self, message: str) -> None:
        """A line of the result, on stdout."""
        self.out.print(visible(message), markup=False, highlight=False, soft_wrap=True)

    def confirm(self, question: str) -> bool:
        """Ask on stderr; the end of the input is a no."""
        try:
            return typer.confirm(question, err=True)
        except typer.Abort:
            return False

    def say(self, message: str) -> None:
        """A line for people, on stderr."""
        self.err.print(visible(message), markup=False, highlight=False, soft_wrap=True)


def desk(context: typer.Context) -> Desk:
    """A desk in the folder that the app's callback was told, on this process's streams and environment."""
    start: Path | None = context.obj
    if start is not None and not is_folder(start):
        raise UsageError(f"there is no folder {str(start)!r}", "-C takes the folder to work in")
    return Desk(real(start or Path.cwd()), Console(), Console(stderr=True), os.environ)


def key_of(here: Desk) -> Key | None:
    """What the ledger is signed with, if it is. Raises `ConfigError`."""
    found = secrets.ledger_key(here.environ)
    return Key(found) if found is not None else None


def ledger_of(here: Desk, project: pipeline.Project) -> Ledger:
    """The project's ledger, not yet read. Raises `ConfigError` or `LedgerError`."""
    return pipeline.ledger(project, key_of(here))


def read_log(here: Desk, project: pipeline.Project) -> tuple[Log, tuple[Problem, ...]]:
    """What the ledger says, for showing only. One that cannot be reached is a warning, and is shown as it was when it
    last could be."""
    key = key_of(here)
    try:
        ledger = pipeline.ledger(project, key)
    except ConfigError as error:  # its library is not installed
        return NOTHING, (_unread(error, NOTHING),)
    known = NOTHING
    try:
        return ledger.read(), ()
    except UnverifiedError as error:
        return error.log, (_unverified(error),)
    except LedgerError as error:
        with suppress(LedgerError):
            known = ledger.recall()
        return known, (_unread(error, known),)


def _unread(error: BroadcastError, known: Log) -> Problem:
    shown = "as it was when the ledger was last read" if known.events else "as if nothing had been published"
    reason = error.message.removesuffix(" (nothing was sent)")
    message = f"{reason}; this is shown {shown}, which may be wrong"
    return Problem("warning", "ledger-unreachable", Place(configuration.FILE), message)


def _unverified(error: UnverifiedError) -> Problem:
    reason = error.message.removesuffix(" (nothing was sent)")
    message = f"{reason}; this is shown as the ledger has it, which nobody could verify"
    return Problem("warning", "ledger-unverified", Place(configuration.FILE), message)


def slugs(project: pipeline.Project, names: Sequence[str] | None, start: Path) -> set[str] | None:
    """The announcements that were named by slug, file name or path; a folder names all below it. None means all."""
    if not names:
        return None
    found: set[str] = set()
    # What cannot be read is no announcement, but has the name of one.
    broken = {Path(one.place.path).stem for one in project.problems if one.place.path.endswith(".md")}
    for name in names:
        path = real(start / name)
        matches = {
            one.slug
            for one in project.announcements
            if one.slug == name
            or real(project.config.root / one.path) == path
            or path in real(project.config.root / one.path).parents
        }
        outside = not path.is_relative_to(real(project.config.root))
        if not name or outside or not (matches or name in broken or _may_hold(path, project)):
            raise UsageError(f"there is no announcement {name!r}", "type `broadcast status --all` to see them all")
        found |= matches
    return found


def about(problem: Problem, names: Sequence[str], start: Path, project: pipeline.Project) -> bool:
    """Whether a problem is one of the announcements that were named by slug or path, or of what is in such a folder."""
    file = real(project.config.root / problem.place.path)
    named = [real(start / name) for name in names]
    translated = any(file.stem.startswith(f"{name}.") for name in names)
    return any(path == file or path in file.parents for path in named) or file.stem in names or translated


def _may_hold(path: Path, project: pipeline.Project) -> bool:
    """Whether this is a file or a folder in which announcements are looked for, although there is none to be read."""
    folder = real(project.config.root / project.config.file.incidents)
    if is_folder(path):
        return path.is_relative_to(folder) or folder.is_relative_to(path)
    return is_file(path) and path.is_relative_to(folder) and path.suffix == ".md" and path.name.lower() != "readme.md"


def require_page(project: pipeline.Project, channel: str, missing: Sequence[str] = ()) -> None:
    """Raises `RefusedError` for a page while files have errors, or open announcements are `missing`: what cannot be
    read would vanish from it."""
    if project.config.channels[channel].platform != pipeline.SITE:
        return
    if any(problem.severity == "error" for problem in project.problems):
        raise RefusedError("the files have errors, so the page cannot be built: type `broadcast check`")
    if missing:
        raise RefusedError(f"the page would say nothing of {', '.join(missing)}, so it is not built")


def require_files(missing: Sequence[str]) -> None:
    """Raises `ProblemsFoundError` where open announcements have no file here."""
    if missing:
        first, names = missing[0], ", ".join(missing)
        raise ProblemsFoundError(
            f"followers see an open announcement that has no file here: {names}",
            f"commit and push {first}.md from where it was written; or type `broadcast retract {first}`",
        )


def require_clean(problems: Sequence[Problem], here: Desk) -> None:
    """Print the errors and stop. Raises `ProblemsFoundError`."""
    errors = [problem for problem in problems if problem.severity == "error"]
    if errors:
        terminal.problems(here.err, errors)
        raise ProblemsFoundError(f"{count(len(errors), 'error')} in the files", "nothing was sent")


def channel_names(project: pipeline.Project, names: Sequence[str] | None) -> set[str] | None:
    """The channels that were named with `--channel`; None means all."""
    for name in names or ():
        if name not in project.config.channels:
            known = ", ".join(project.config.channels) or "none"
            raise UsageError(f"no channel is called {name!r}", f"the channels are: {known}")
    return set(names) if names else None


def connect(
    here: Desk,
    project: pipeline.Project,
    name: str,
    now: datetime,
    *,
    log: Log = NOTHING,
    stop: threading.Event | None = None,
    inquire: bool = False,
) -> platforms.Connection:
    """Log in to a channel with the credentials of the environment. `stop` ends its patience; `inquire` is
    `Workspace.inquire`."""
    chosen = pipeline.channel(project, name, log)
    platform = platforms.load(chosen.platform)
    found = secrets.find(name, platform.SECRETS, here.environ)
    space = pipeline.workspace(project, now, name, log, stop)
    return guard.connect(chosen, found, replace(space, inquire=inquire))
