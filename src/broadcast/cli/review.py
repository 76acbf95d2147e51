"""Commands that read and plan. They need no network and no secrets, and import no platform's SDK."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from broadcast import config as configuration
from broadcast import pipeline
from broadcast.cli import doubts
from broadcast.cli.desk import NOTHING, Channels, Desk, Json, Slugs, about, channel_names, desk, read_log, slugs
from broadcast.config import Config
from broadcast.errors import ConfigError, ProblemsFoundError, UsageError
from broadcast.explain import at, problem
from broadcast.ledger.open import misplaced
from broadcast.model import Plan, Problem
from broadcast.platforms import base as platforms
from broadcast.source.files import write
from broadcast.standing import standings
from broadcast.views import data, github, html, markdown, terminal
from broadcast.views.groups import count


class Format(StrEnum):
    """How `check` prints problems."""

    text = "text"
    json = "json"
    github = "github"


def check(
    context: typer.Context,
    paths: Annotated[
        list[str] | None, typer.Argument(metavar="PATH", help="Files or folders; all announcements without one.")
    ] = None,
    form: Annotated[Format, typer.Option("--format", help="How to print the problems.")] = Format.text,
    as_json: Json = False,
) -> None:
    here = desk(context)
    root = here.root()
    config, problems = configuration.load(root)
    if config is not None:
        project = pipeline.read(root)
        only = slugs(project, paths, here.start)
        dated = doubts.of_files(here, project)
        problems = (*_misplaced(config), *project.problems, *dated, *pipeline.threads(project, only)[1])
        if paths:
            problems = tuple(one for one in problems if about(one, paths, here.start, project))
    if as_json or form is Format.json:
        here.emit(data.problems(problems))
    elif form is Format.github:
        here.command(github.annotate(problems))
    else:
        terminal.problems(here.out, problems)
    if config is None:
        raise ConfigError(f"{configuration.FILE} is not valid", "mend it and type `broadcast check` again")
    errors = sum(problem.severity == "error" for problem in problems)
    warnings = len(problems) - errors
    files = len({one.path for one in project.announcements})
    here.say(f"{count(files, 'announcement')}: {count(errors, 'error')}, {count(warnings, 'warning')}")
    if errors:
        raise typer.Exit(ProblemsFoundError.exit_code)


def _misplaced(config: Config) -> Iterator[Problem]:
    """A ledger on a branch that is not its own; what is on a remote is only known when the ledger is read."""
    if why := misplaced(config.file.ledger, config.root):
        yield problem("ledger-branch", at(config.places, ("ledger",)), why)


def preview(
    context: typer.Context,
    paths: Slugs = None,
    channel: Channels = None,
    html_file: Annotated[
        Path | None,
        typer.Option("--html", metavar="FILE", help="Write a page that shows the posts side by side to this file."),
    ] = None,
    as_markdown: Annotated[bool, typer.Option("--markdown", help="Print Markdown for a pull request.")] = False,
    as_json: Json = False,
) -> None:
    here = desk(context)
    project = here.project()
    shown = _planner(here, project, paths, channel, backfill=True, rehearsed=True)(NOTHING)
    if html_file is not None:
        write(project.config.root, here.start / html_file, html.preview(shown, project.config.root))
        here.say(f"wrote {html_file}")
    if as_json:
        here.emit(data.plan(shown))
    elif as_markdown:
        sys.stdout.write(markdown.preview(shown))
    elif html_file is None:
        terminal.preview(here.out, shown)
    _fail_on_errors(shown)


def plan(
    context: typer.Context,
    names: Slugs = None,
    channel: Channels = None,
    backfill: Annotated[bool, typer.Option("--backfill", help="Plan old updates too.")] = False,
    as_json: Json = False,
) -> None:
    here = desk(context)
    project = here.project()
    planner = _planner(here, project, names, channel, backfill=backfill)
    log, unread = read_log(here, project)
    shown = planner(log)
    shown = replace(shown, problems=(*unread, *shown.problems))
    if as_json:
        here.emit(data.plan(shown))
    else:
        terminal.plan(here.out, shown)
    _fail_on_errors(shown)


def _planner(
    here: Desk,
    project: pipeline.Project,
    names: Sequence[str] | None,
    channels: Sequence[str] | None,
    *,
    backfill: bool,
    rehearsed: bool = False,
) -> pipeline.Planner:
    """Plans the announcements and channels that were named."""
    return pipeline.planner(
        project,
        now=here.now(),
        only=slugs(project, names, here.start),
        channels=channel_names(project, channels),
        backfill=backfill,
        rehearsed=rehearsed,
    )


def status(
    context: typer.Context,
    names: Slugs = None,
    everything: Annotated[bool, typer.Option("--all", help="Show what is over, too.")] = False,
    fail_overdue: Annotated[
        bool, typer.Option("--fail-overdue", help="Exit with 1 when followers are owed an update.")
    ] = False,
    as_json: Json = False,
) -> None:
    here = desk(context)
    project = here.project()
    now = here.now()
    only = slugs(project, names, here.start)
    log, unread = read_log(here, project)
    planned = pipeline.planner(project, now=now, only=only)(log)
    chosen = [one for one in project.announcements if only is None or one.slug in only]
    found = standings(project.config, chosen, planned, now)
    overdue = [standing.announcement for standing in found if standing.overdue]
    # What cannot be read may be open, and overdue.
    broken = [problem for problem in project.problems if problem.severity == "error"]
    if as_json:
        here.emit(data.standings(found, (*unread, *broken)))
    else:
        terminal.status(here.out, [one for one in found if one.open or everything or names], now=now)
        terminal.problems(here.out, (*unread, *broken))
    if fail_overdue and overdue:
        here.say(f"overdue: {', '.join(overdue)}; type `broadcast update {overdue[0]}`")
    if broken or (fail_overdue and overdue):
        raise typer.Exit(ProblemsFoundError.exit_code)


def measure(
    context: typer.Context,
    text: Annotated[str | None, typer.Argument(metavar="TEXT", help="The text; stdin without it.")] = None,
    platform: Annotated[
        list[str] | None, typer.Option("--platform", metavar="NAME", help="Only this platform (may be repeated).")
    ] = None,
    as_json: Json = False,
) -> None:
    here = desk(context)
    given = sys.stdin.buffer.read().removesuffix(b"\n") if text is None else os.fsencode(text)
    text = given.decode("utf-8", errors="replace")
    rows = []
    installed = platforms.names()
    for name in platform or installed:
        if name not in installed:
            raise UsageError(f"no platform is called {name!r}", f"installed are: {', '.join(installed)}")
        limits = platforms.load(name).limits(platforms.defaults(name))
        length, size = limits.measure(text), len(text.encode())
        fits = length <= limits.length and (limits.max_bytes is None or size <= limits.max_bytes)
        rows.append(
            {
                "platform": name,
                "length": length,
                "limit": limits.length,
                "unit": limits.unit,
                "bytes": size,
                "max_bytes": limits.max_bytes,
                "fits": fits,
            }
        )
    if as_json:
        here.emit(data.measures(rows))
    else:
        terminal.measures(here.out, rows)


def _fail_on_errors(shown: Plan) -> None:
    if any(problem.severity == "error" for problem in shown.problems):
        raise typer.Exit(ProblemsFoundError.exit_code)
