"""Commands that write announcements: `new`, `update`, `resolve`, `import`."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path, PurePosixPath
from typing import Annotated

import typer

from broadcast import pipeline
from broadcast.cli import send
from broadcast.cli.commit import keep
from broadcast.cli.desk import Commit, Desk, Push, about, desk, slugs
from broadcast.errors import ProblemsFoundError, UsageError
from broadcast.model import Announcement
from broadcast.paths import is_folder, real
from broadcast.source import cstate, files, statuses, write
from broadcast.source.times import parse_time
from broadcast.views import terminal
from broadcast.views.groups import count


@dataclass(frozen=True, slots=True)
class Then:
    """What to do with a file that was written."""

    publish: bool
    yes: bool
    commit: bool
    push: bool


class Kind(StrEnum):
    """The kinds of announcements."""

    incident = "incident"
    maintenance = "maintenance"
    release = "release"


class Severity(StrEnum):
    """How bad an incident is."""

    minor = "minor"
    major = "major"
    critical = "critical"


Message = Annotated[
    str | None,
    typer.Option("--message", "-m", metavar="TEXT", help="The text, in Markdown; `-` reads stdin; $EDITOR without it."),
]
Publish = Annotated[bool, typer.Option("--publish", help="Publish this announcement right away; asks first.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="With --publish: do not ask.")]
At = Annotated[
    str | None,
    typer.Option("--at", metavar="TIME", help="The update's time, such as '2026-11-22 14:05 UTC'; now without."),
]


def new(
    context: typer.Context,
    kind: Annotated[Kind, typer.Argument(metavar="KIND", help="What it is about.")],
    title: Annotated[str, typer.Argument(metavar="TITLE", help="What followers read first.")],
    message: Message = None,
    severity: Annotated[Severity | None, typer.Option(help="How bad an incident is.")] = None,
    component: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="What is affected (may be repeated).")
    ] = None,
    tag: Annotated[
        list[str] | None, typer.Option(metavar="TAG", help="A hashtag, without `#` (may be repeated).")
    ] = None,
    starts: Annotated[str | None, typer.Option(metavar="TIME", help="When a maintenance starts.")] = None,
    ends: Annotated[str | None, typer.Option(metavar="TIME", help="When a maintenance ends.")] = None,
    version: Annotated[str | None, typer.Option(metavar="TEXT", help="The version of a release.")] = None,
    at: At = None,
    publish: Publish = False,
    yes: Yes = False,
    commit: Commit = False,
    push: Push = False,
) -> None:
    here = desk(context)
    project = here.project()
    config = project.config
    body = _text(here, message, f"{kind.capitalize()}: {title}")
    name, text = write.new(
        kind.value,
        title,
        now=_time(at) or here.now(),
        taken={one.slug for one in project.announcements},
        body=body,
        severity=severity.value if severity else None,
        components=tuple(component or ()),
        tags=tuple(tag or ()),
        starts=_time(starts),
        ends=_time(ends),
        version=version,
    )
    path = PurePosixPath(config.file.incidents, name)
    files.create(config.root, str(path), text)
    _written(context, here, config.root / path, path.stem, Then(publish, yes, commit, push))


def update(
    context: typer.Context,
    slug: Annotated[str, typer.Argument(metavar="SLUG", help="The announcement: its slug or path.")],
    status: Annotated[
        str | None, typer.Option(metavar="STATUS", help="The new status; `update` keeps the state.")
    ] = None,
    message: Message = None,
    at: At = None,
    publish: Publish = False,
    yes: Yes = False,
    commit: Commit = False,
    push: Push = False,
) -> None:
    _append(context, slug, "update" if status is None else status, message, at, Then(publish, yes, commit, push))


def resolve(
    context: typer.Context,
    slug: Annotated[str, typer.Argument(metavar="SLUG", help="The announcement: its slug or path.")],
    message: Message = None,
    at: At = None,
    publish: Publish = False,
    yes: Yes = False,
    commit: Commit = False,
    push: Push = False,
) -> None:
    _append(context, slug, None, message, at, Then(publish, yes, commit, push))


def _append(
    context: typer.Context,
    slug: str,
    status: str | None,
    message: str | None,
    at: str | None,
    then: Then,
) -> None:
    here = desk(context)
    project = here.project()
    announcement = _one(here, project, slug)
    word = statuses.CHAINS[announcement.kind][-1] if status is None else statuses.status(status)
    if word is None or word not in statuses.STATUSES[announcement.kind]:
        known = ", ".join(statuses.STATUSES[announcement.kind])
        raise UsageError(
            f"{status!r} is not a status of {statuses.named(announcement.kind)}", f"the statuses are: {known}"
        )
    time = _time(at) or here.now().replace(microsecond=0)
    current = statuses.current(announcement.kind, [one.status for one in announcement.updates if one.time < time])
    step = statuses.step(announcement.kind, current, word)
    if step.reason:
        raise UsageError(f"{announcement.slug}: {step.reason}")
    body = _text(here, message, f"{word.capitalize()}: {announcement.title}")
    root = project.config.root
    files.save(root, announcement.path, write.append(files.load(root, announcement.path), word, time, body))
    _written(context, here, root / announcement.path, announcement.slug, then)


def _one(here: Desk, project: pipeline.Project, name: str) -> Announcement:
    found = slugs(project, [name], here.start) or set()
    chosen = [one for one in project.announcements if one.slug in found]
    exact = [one for one in chosen if real(project.config.root / one.path) == real(here.start / name)]
    base = exact or [one for one in chosen if not one.translation]
    broken = [one for one in project.problems if one.severity == "error" and about(one, [name], here.start, project)]
    if broken and not base:
        terminal.problems(here.err, broken)
        raise ProblemsFoundError(f"{name} cannot be read", "mend it, and try again; nothing was written")
    if len(base) != 1:
        raise UsageError(f"{name!r} names {count(len(base), 'announcement')}", "name one by its slug")
    return base[0]


def _time(text: str | None) -> datetime | None:
    try:
        return parse_time(text) if text is not None else None
    except ValueError as error:
        raise UsageError(str(error)) from None


def _text(here: Desk, message: str | None, subject: str) -> str:
    """The body: from `-m`, stdin, or an editor."""
    try:
        if message == "-":
            message = sys.stdin.read()
        if message is None:
            if not sys.stdin.isatty():
                raise UsageError("the text is missing, and there is no terminal for an editor", "type -m 'the text'")
            message = _edit(here, subject)
    except UnicodeDecodeError:
        raise UsageError("the text is not UTF-8; nothing was written") from None
    if not message.strip():
        raise UsageError("the text is empty; nothing was written")
    return message.strip()


def _edit(here: Desk, subject: str) -> str:
    """What the user writes in `$VISUAL` or `$EDITOR`; a first line that is a comment tells what it is about."""
    editor = here.environ.get("VISUAL") or here.environ.get("EDITOR") or "vi"
    note = f"<!-- {subject.replace('--', '')}. Write below; an empty text stops. -->\n"
    handle, name = tempfile.mkstemp(suffix=".md", prefix="broadcast-")
    path = Path(name)
    # While an editor has the terminal, Ctrl-C is the editor's.
    before = signal.signal(signal.SIGINT, lambda number, frame: None)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(note)
        done = subprocess.run([*shlex.split(editor), name], check=False)
        if done.returncode:
            raise UsageError(f"the editor ended with {done.returncode}; nothing was written", "use -m 'the text'")
        return path.read_text(encoding="utf-8").removeprefix(note)
    except UnicodeDecodeError:
        raise
    except (OSError, ValueError):
        raise UsageError(f"there is no editor {editor!r}", "set EDITOR, or use -m 'the text'") from None
    finally:
        signal.signal(signal.SIGINT, before)
        path.unlink(missing_ok=True)


def _written(context: typer.Context, here: Desk, path: Path, slug: str, then: Then) -> None:
    here.tell(here.shown(path))
    if then.publish:
        send.publish(context, names=[slug], yes=then.yes, commit=then.commit, push=then.push)
    elif then.commit or then.push:
        root = here.root()
        keep(here, root, [path.relative_to(root).as_posix()], f"Announce {slug}", commit=True, push=then.push)
    else:
        here.say(f"next: `broadcast preview {slug}`, then commit it or `broadcast publish {slug}`")


def import_cstate(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A cState site, or its folder of issues.")],
) -> None:
    here = desk(context)
    config = here.project().config
    source = here.start / folder
    if not is_folder(source):
        raise UsageError(f"{folder} is not a folder")
    done = cstate.import_folder(source, config.root, config.file.incidents)
    for one in done:
        for note in one.notes if one.text is not None else (f"not imported: {'; '.join(one.notes)}",):
            here.tell(f"{one.filename}: {note}")
    written = sum(one.text is not None for one in done)
    here.say(f"{written} of {count(len(done), 'file')} became an announcement in {config.file.incidents}/")
    if written < len(done):
        raise ProblemsFoundError("some files were not imported", "they are named above; the others were written")
