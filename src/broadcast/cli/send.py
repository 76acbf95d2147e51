"""Commands that send: `publish` to the channels, `rehearse` to stand-ins on this machine."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from types import FrameType
from typing import Annotated

import typer

from broadcast import pipeline, runs, secrets
from broadcast.cli.desk import (
    NOTHING,
    Desk,
    Json,
    Slugs,
    channel_names,
    desk,
    ledger_of,
    require_clean,
    slugs,
)
from broadcast.cli.review import Channels
from broadcast.errors import (
    ChannelFailedError,
    ConfigError,
    InterruptedRunError,
    UncertainError,
    UsageError,
)
from broadcast.model import Plan, Result
from broadcast.platforms import base as platforms
from broadcast.publish.posts import untouched
from broadcast.publish.run import Run
from broadcast.rehearsal import stage
from broadcast.views import data, terminal

app = typer.Typer()


@app.command()
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
    as_json: Json = False,
) -> None:
    """Send what is due to every channel, once. Safe to run again, to race, and to kill."""
    here = desk(context)
    project = here.project()
    now = here.now()
    only = slugs(project, names, here.start)
    wanted = channel_names(project, channel)

    plan = pipeline.planner(project, now=now, only=only, channels=wanted, backfill=backfill)
    ledger = ledger_of(project)
    log = ledger.read()
    shown = plan(log)
    require_clean(shown.problems, here)
    if dry_run:
        if as_json:
            here.emit(data.results(untouched(row) for row in shown.actions))
        else:
            terminal.plan(here.out, shown)
        return
    states = {"todo", "uncertain", "changed"} if edit else {"todo", "uncertain"}
    if not yes and any(row.state in states for row in shown.actions):
        _ask(here, shown)
    with _stopping() as stop:
        run = Run(
            name=runs.name(),
            ledger=ledger,
            connect=lambda name: connect(here, project, name, now),
            clock=here.now,
            report=lambda result: terminal.progress(here.err, result),
            stop=stop,
            edit=edit,
            strict=strict,
        )
        outcome = pipeline.publish(plan, log, run)
    if as_json:
        here.emit(data.results(outcome.results))
    else:
        terminal.results(here.out, outcome.results)
    if outcome.unrecorded:
        here.say(f"the receipts are only in this clone until the next run: {outcome.unrecorded}")
    _conclude(outcome.results, stopped=stop.is_set(), unrecorded=outcome.unrecorded is not None)


def connect(here: Desk, project: pipeline.Project, name: str, now: datetime) -> platforms.Connection:
    """Log in to a channel with the credentials of the environment."""
    chosen = project.config.channels[name]
    platform = platforms.load(chosen.platform)
    found = secrets.find(name, platform.SECRETS, here.environ)
    return platform.connect(chosen, found, pipeline.workspace(project, now))


def _ask(here: Desk, shown: Plan) -> None:
    if not sys.stdin.isatty() or not sys.stderr.isatty():
        raise UsageError("publish asks first, and there is no terminal to ask on", "type `broadcast publish --yes`")
    terminal.plan(here.err, shown)
    posts = sum(row.state == "todo" for row in shown.actions)
    question = f"Send {posts} post{'s' * (posts != 1)} now?" if posts else "Look up and settle what is in doubt now?"
    if not typer.confirm(question, err=True):
        raise InterruptedRunError("nothing was sent")


@contextmanager
def _stopping() -> Iterator[threading.Event]:
    """SIGINT and SIGTERM end the run after the requests in flight; a second one ends it at once."""
    stop = threading.Event()

    def handle(number: int, frame: FrameType | None) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()
        sys.stderr.write("stopping: the requests in flight are finished and recorded; once more to stop at once\n")

    before = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _conclude(results: Sequence[Result], *, stopped: bool, unrecorded: bool = False) -> None:
    """The exit code of a run, by what is worst in it."""
    states = {result.state for result in results}
    if "uncertain" in states:
        doubt = next(result for result in results if result.state == "uncertain")
        where = f"{doubt.announcement} --update {data.utc(doubt.update)} --channel {doubt.channel} --part {doubt.part}"
        raise UncertainError(
            "some post may or may not stand; nothing is sent again until a human has looked",
            f"look at the channel, then type `broadcast ledger settle {where} --posted` or the same with `--absent`",
        )
    if stopped:
        raise InterruptedRunError("stopped; what was sent is recorded", "run again to go on")
    if "failed" in states:
        failed = [result for result in results if result.state == "failed"]
        names = ", ".join(sorted({result.channel for result in failed}))
        if all((result.error or "").startswith("no credentials") for result in failed):
            raise ConfigError(f"no credentials for: {names}", "set them and run again; nothing is sent twice")
        raise ChannelFailedError(f"failed: {names}", "run again: what is sent is never sent twice")
    if unrecorded:
        raise ChannelFailedError("everything was sent, but the ledger did not take the receipts", "run again from here")


@app.command()
def rehearse(
    context: typer.Context,
    names: Slugs = None,
    channel: Channels = None,
    as_json: Json = False,
) -> None:
    """Publish to stand-in servers on this machine, through the real SDKs, and show what followers would have seen.

    Needs no credentials and no network, takes updates of any age, and never touches the real ledger.
    """
    here = desk(context)
    project = here.project()
    only = slugs(project, names, here.start)
    wanted = channel_names(project, channel)
    shown = pipeline.planner(project, now=here.now(), only=only, channels=wanted, backfill=True)(NOTHING)
    require_clean(shown.problems, here)
    with _stopping() as stop:
        outcome = stage.rehearse(
            project,
            now=here.now(),
            only=only,
            channels=wanted,
            report=lambda result: terminal.progress(here.err, result),
            stop=stop,
        )
    if as_json:
        here.emit(data.results(outcome.results))
    else:
        terminal.results(here.out, outcome.results)
        _sum_up(here, outcome)
    for name in outcome.left_out:
        here.say(f"channel {name} was left out: its platform has no stand-in")
    if outcome.differences:
        raise ChannelFailedError("what stands on the stand-ins is not what the plan says")
    _conclude(outcome.results, stopped=stop.is_set())


def _sum_up(here: Desk, outcome: stage.Outcome) -> None:
    stands = ", ".join(f"{name} {count}" for name, count in outcome.sums.items())
    here.tell(f"\nPosts that stand: {stands}." + ("" if outcome.differences else " All equal to the plan."))
    for difference in outcome.differences:
        here.tell(f"  {difference}")
    timeline, *sites = outcome.pages
    here.tell(f"What followers would have seen: {here.shown(timeline)}")
    for path in sites:
        here.tell(f"The status page: {here.shown(path)}")
