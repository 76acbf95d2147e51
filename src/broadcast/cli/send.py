"""`broadcast publish`: send what is due to the channels."""

from __future__ import annotations

import sys
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Annotated

import typer

from broadcast import pipeline, runs
from broadcast.cli import doubts
from broadcast.cli.commit import keep
from broadcast.cli.desk import (
    Channels,
    Commit,
    Desk,
    Json,
    Push,
    Slugs,
    about,
    channel_names,
    connect,
    desk,
    ledger_of,
    require_clean,
    require_files,
    require_page,
    slugs,
)
from broadcast.cli.ending import conclude, ending, seconds
from broadcast.errors import InterruptedRunError, LedgerError, UsageError
from broadcast.known import missing
from broadcast.ledger.base import Ledger
from broadcast.ledger.offline import OfflineLedger
from broadcast.model import Plan, Problem
from broadcast.platforms.base import Connection
from broadcast.publish.posts import untouched
from broadcast.publish.run import Run
from broadcast.views import data, terminal
from broadcast.views.groups import count


def publish(
    context: typer.Context,
    names: Slugs = None,
    channel: Channels = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be sent, and stop.")] = False,
    backfill: Annotated[bool, typer.Option("--backfill", help="Publish old updates too.")] = False,
    edit: Annotated[
        bool, typer.Option("--edit", help="Edit posts that were changed after publishing, where the platform can.")
    ] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Send nothing when any channel refuses to log in.")] = False,
    ledger_offline: Annotated[
        bool,
        typer.Option(
            "--ledger-offline",
            help="In an emergency, on a terminal: send although the ledger cannot be reached, and record it later.",
        ),
    ] = False,
    deadline: Annotated[
        str, typer.Option("--deadline", metavar="DURATION", help="Begin no post later than this after the start.")
    ] = "5m",
    commit: Commit = False,
    push: Push = False,
    as_json: Json = False,
) -> None:
    here = desk(context)
    project = here.project()
    now = here.now()
    only = slugs(project, names, here.start)
    wanted = channel_names(project, channel)
    patience = seconds(deadline)

    plan = pipeline.planner(project, now=now, only=only, channels=wanted, backfill=backfill)
    ledger = ledger_of(here, project)
    if ledger_offline:
        ledger = _offline(here, ledger)
    log = ledger.read()
    shown = plan(log)
    errors = [one for one in shown.problems if one.severity == "error"]
    mine = [one for one in errors if not names or _concerns(one, names, here, project)]
    require_clean(mine, here)
    if errors:
        here.say("note: other files have errors, and are left alone: `broadcast check` shows them")
    named = {row.announcement for row in shown.actions}
    for doubt in doubts.of_run(project, log, now):
        if Path(doubt.place.path).stem in named:
            here.say(f"note: {doubt.place.path}:{doubt.place.line}: {doubt.message}")
    if dry_run:
        if as_json:
            here.emit(data.results(untouched(row) for row in shown.actions))
        else:
            terminal.plan(here.out, shown)
        return
    states = {"todo", "uncertain", "changed"} if edit else {"todo", "uncertain"}
    if not yes and any(row.state in states for row in shown.actions):
        _ask(here, shown)

    gone = [] if names else missing(log, project.announcements)

    def log_in(name: str) -> Connection:
        require_page(project, name, gone)
        return connect(here, project, name, now, log=log, stop=end.stop)

    with ending(patience) as end:
        run = Run(
            name=runs.name(),
            ledger=ledger,
            connect=log_in,
            clock=here.now,
            report=lambda result: terminal.progress(here.err, result),
            stop=end.stop,
            edit=edit,
            strict=strict,
            note=lambda text: here.say(f"note: {text}"),
        )
        outcome = pipeline.publish(plan, log, run)
    if as_json:
        here.emit(data.results(outcome.results))
    else:
        terminal.results(here.out, outcome.results)
    if outcome.unrecorded:
        here.say(f"the receipts are only in this clone until the next run: {outcome.unrecorded}")
    told = {result.announcement for result in outcome.results if result.state in {"posted", "done", "uncertain"}}
    fresh = {result.announcement for result in outcome.results if result.state in {"posted", "uncertain"}}
    wanted_files = told & only if only is not None and (commit or push) else fresh
    pictures = {media.path for row in shown.actions if row.announcement in wanted_files for media in row.post.media}
    _keep(here, project, wanted_files, sorted(pictures), commit=commit, push=push)
    conclude(outcome.results, end, unrecorded=outcome.unrecorded is not None)
    require_files(gone)


def _keep(
    here: Desk, project: pipeline.Project, slugs: Collection[str], pictures: Sequence[str], *, commit: bool, push: bool
) -> None:
    files = [one for one in project.announcements if one.slug in slugs]
    if files:
        newest = max(files[0].updates, key=lambda update: update.time)
        subject = f"{newest.status.capitalize()}: {files[0].title}" if len(slugs) == 1 else "Announcements as published"
        keep(here, project.config.root, [*(one.path for one in files), *pictures], subject, commit=commit, push=push)


def _concerns(problem: Problem, names: Sequence[str], here: Desk, project: pipeline.Project) -> bool:
    """Whether a problem is one of what was named. News of an outage does not wait for somebody else's file."""
    return not problem.place.path.endswith(".md") or about(problem, names, here.start, project)


def _offline(here: Desk, ledger: Ledger) -> Ledger:
    """The ledger's local copy, only when it is needed and a human stands there."""
    if not sys.stdin.isatty():
        raise UsageError(
            "--ledger-offline is for a human on a terminal", "a job that cannot reach the ledger must fail"
        )
    try:
        ledger.read()
    except LedgerError as error:
        here.say(f"warning: {error.message.removesuffix(' (nothing was sent)')}")
        here.say("warning: what is sent now is only known on this machine until the next `broadcast publish` here")
        return OfflineLedger(ledger)
    return ledger


def _ask(here: Desk, shown: Plan) -> None:
    if not sys.stdin.isatty() or not sys.stderr.isatty():
        raise UsageError("publish asks first, and there is no terminal to ask on", "type `broadcast publish --yes`")
    terminal.plan(here.err, shown)
    posts = sum(row.state == "todo" for row in shown.actions)
    question = f"Send {count(posts, 'post')} now?" if posts else "Look up and settle what is in doubt now?"
    if not here.confirm(question):
        raise InterruptedRunError("nothing was sent")
