"""`broadcast retract`: take back what was posted."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

import typer

from broadcast import pipeline, runs
from broadcast.cli.desk import Channels, Desk, Json, channel_names, connect, desk, ledger_of, require_page, slugs
from broadcast.cli.ending import conclude, ending
from broadcast.errors import ChannelFailedError, InterruptedRunError, RefusedError, UsageError
from broadcast.ledger.base import Log
from broadcast.model import Result
from broadcast.platforms.base import Connection
from broadcast.publish.retract import Target, Wanted, retract, targets
from broadcast.publish.run import Run
from broadcast.source.times import parse_time
from broadcast.views import data, terminal
from broadcast.views.groups import count


def command(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="SLUG", help="The announcement: its slug or path.")],
    update: Annotated[
        str | None, typer.Option(metavar="TIME", help="Only the update of this time, such as 2026-11-22T14:05:00Z.")
    ] = None,
    channel: Channels = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    as_json: Json = False,
) -> None:
    here = desk(context)
    project = here.project()
    ledger = ledger_of(here, project)
    log = ledger.read()
    now = here.now()
    wanted = Wanted(_slug(here, project, log, name), _time(update), channel_names(project, channel))
    found = targets(wanted, log)
    if not found:
        here.say(f"nothing of {wanted.announcement} stands there; nothing was deleted")
    elif not yes:
        _ask(here, found)

    def log_in(name: str) -> Connection:
        if name not in project.config.channels:
            raise RefusedError("there is no such channel in broadcast.toml any more: delete it by hand")
        require_page(project, name)
        return connect(here, project, name, now, log=log, stop=end.stop)

    with ending() as end:
        run = Run(
            name=runs.name(),
            ledger=ledger,
            connect=log_in,
            clock=here.now,
            report=lambda result: terminal.progress(here.err, result),
            stop=end.stop,
        )
        outcome = retract(wanted, log, run)
    if as_json:
        here.emit(data.results(outcome.results))
    elif found:
        terminal.results(here.out, outcome.results)
    if outcome.unrecorded:
        here.say(f"what was deleted is only recorded in this clone until the next run: {outcome.unrecorded}")
    failed = [result for result in outcome.results if result.state == "failed"]
    if failed and not end.stop.is_set() and not any(result.state == "uncertain" for result in outcome.results):
        raise ChannelFailedError(_what_stands(outcome.results), "run again: what is gone already is left alone")
    conclude(outcome.results, end, unrecorded=outcome.unrecorded is not None)


def _slug(here: Desk, project: pipeline.Project, log: Log, name: str) -> str:
    """The announcement that is meant, which need not have a file any more."""
    if name in log.events:
        return name
    found = slugs(project, [name], here.start) or set()
    if len(found) != 1:
        raise UsageError(f"{name!r} names {count(len(found), 'announcement')}", "name one by its slug")
    return found.pop()


def _time(text: str | None) -> datetime | None:
    try:
        return parse_time(text) if text is not None else None
    except ValueError as error:
        raise UsageError(str(error)) from None


def _ask(here: Desk, found: Sequence[Target]) -> None:
    if not sys.stdin.isatty() or not sys.stderr.isatty():
        raise UsageError("retract asks first, and there is no terminal to ask on", "type `broadcast retract --yes`")
    for one in found:
        known = one.ref.url or one.ref.id if one.ref else "may stand" if one.doubtful else "its id is not known"
        here.say(f"{one.channel}: update of {data.utc(one.update)}, post {one.part}: {known}")
    if not here.confirm(f"Delete {count(len(found), 'post')} now?"):
        raise InterruptedRunError("nothing was deleted")


def _what_stands(results: Sequence[Result]) -> str:
    left = [result for result in results if result.state in ("failed", "skipped")]
    names = [f"{result.channel} {result.url or result.id or data.utc(result.update)}" for result in left]
    return f"{count(len(left), 'post')} could not be deleted and still stand: {', '.join(names)}"
