"""Commands that send: `publish` to the channels, `rehearse` to stand-ins on this machine."""

from __future__ import annotations

import sys
import threading
from datetime import datetime
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
from broadcast.cli.ending import Ending, conclude, ending, seconds
from broadcast.cli.review import Channels
from broadcast.errors import BroadcastError, ChannelFailedError, InterruptedRunError, LedgerError, UsageError
from broadcast.ledger.base import Ledger, Log
from broadcast.ledger.offline import OfflineLedger
from broadcast.model import Plan
from broadcast.platforms import base as platforms
from broadcast.publish.posts import untouched
from broadcast.publish.run import Outcome, Run
from broadcast.rehearsal import stage
from broadcast.rehearsal.chaos import Chaos
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
    ledger_offline: Annotated[
        bool,
        typer.Option(
            "--ledger-offline",
            help="In an emergency, on a terminal: send although the ledger cannot be reached, and record it later.",
        ),
    ] = False,
    deadline: Annotated[str, typer.Option("--deadline", help="Begin no post later than this after the start.")] = "5m",
    as_json: Json = False,
) -> None:
    """Send what is due to every channel, once. Safe to run again, to race, and to kill."""
    here = desk(context)
    project = here.project()
    now = here.now()
    only = slugs(project, names, here.start)
    wanted = channel_names(project, channel)
    patience = seconds(deadline)

    plan = pipeline.planner(project, now=now, only=only, channels=wanted, backfill=backfill)
    ledger = ledger_of(project)
    if ledger_offline:
        ledger = _offline(here, ledger)
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
    with ending(patience) as end:
        run = Run(
            name=runs.name(),
            ledger=ledger,
            connect=lambda name: connect(here, project, name, now, log=log, stop=end.stop),
            clock=here.now,
            report=lambda result: terminal.progress(here.err, result),
            stop=end.stop,
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
    conclude(outcome.results, end, unrecorded=outcome.unrecorded is not None)


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


def connect(
    here: Desk,
    project: pipeline.Project,
    name: str,
    now: datetime,
    *,
    log: Log = NOTHING,
    stop: threading.Event | None = None,
) -> platforms.Connection:
    """Log in to a channel with the credentials of the environment. `stop` ends its patience."""
    chosen = pipeline.channel(project, name, log)
    platform = platforms.load(chosen.platform)
    found = secrets.find(name, platform.SECRETS, here.environ)
    return platform.connect(chosen, found, pipeline.workspace(project, now, name, log, stop))


def _ask(here: Desk, shown: Plan) -> None:
    if not sys.stdin.isatty() or not sys.stderr.isatty():
        raise UsageError("publish asks first, and there is no terminal to ask on", "type `broadcast publish --yes`")
    terminal.plan(here.err, shown)
    posts = sum(row.state == "todo" for row in shown.actions)
    question = f"Send {posts} post{'s' * (posts != 1)} now?" if posts else "Look up and settle what is in doubt now?"
    if not typer.confirm(question, err=True):
        raise InterruptedRunError("nothing was sent")


@app.command()
def rehearse(
    context: typer.Context,
    names: Slugs = None,
    channel: Channels = None,
    chaos: Annotated[
        int | None,
        typer.Option(
            "--chaos", metavar="SEED", help="Let requests go wrong, and publish again until every post stands once."
        ),
    ] = None,
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
    disturbed = Chaos(chaos) if chaos is not None else None
    ends: list[int] = []
    with ending() as end:

        def ended(outcome: Outcome) -> None:
            if disturbed is not None:
                ends.append(_exit(here, outcome, end))
                here.say(f"run {len(ends)}: exit {ends[-1]}")

        outcome = stage.rehearse(
            project,
            clock=here.now,
            only=only,
            channels=wanted,
            report=lambda result: terminal.progress(here.err, result),
            stop=end.stop,
            chaos=disturbed,
            ended=ended,
        )
    if as_json:
        here.emit(data.results(outcome.results))
    else:
        terminal.results(here.out, outcome.results)
        _sum_up(here, outcome)
    if disturbed is not None:
        exits = ", ".join(map(str, ends))
        here.say(
            f"{len(disturbed.happened)} requests went wrong; publish ran {len(ends)} times, and ended with {exits}"
        )
    for name in outcome.left_out:
        here.say(f"channel {name} was left out: its platform has no stand-in")
    if outcome.differences:
        raise ChannelFailedError("what stands on the stand-ins is not what the plan says")
    conclude(outcome.results, end)


def _exit(here: Desk, outcome: Outcome, end: Ending) -> int:
    """The code with which a run would have ended, and why it would."""
    try:
        conclude(outcome.results, end, unrecorded=outcome.unrecorded is not None)
    except BroadcastError as error:
        here.say(error.message)
        return error.exit_code
    return 0


def _sum_up(here: Desk, outcome: stage.Outcome) -> None:
    stands = ", ".join(f"{name} {count}" for name, count in outcome.sums.items())
    here.tell(f"\nPosts that stand: {stands}." + ("" if outcome.differences else " All equal to the plan."))
    for difference in outcome.differences:
        here.tell(f"  {difference}")
    timeline, *sites = outcome.pages
    here.tell(f"What followers would have seen: {here.shown(timeline)}")
    for path in sites:
        here.tell(f"The status page: {here.shown(path)}")
