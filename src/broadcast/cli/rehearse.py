"""`broadcast rehearse`: the whole of `publish`, against stand-ins on this machine."""

from __future__ import annotations

from typing import Annotated

import typer

from broadcast import pipeline
from broadcast.cli.desk import NOTHING, Channels, Desk, Json, Slugs, channel_names, desk, require_clean, slugs
from broadcast.cli.ending import Ending, conclude, ending
from broadcast.errors import BroadcastError, ChannelFailedError
from broadcast.publish.run import Outcome
from broadcast.rehearsal import stage
from broadcast.rehearsal.chaos import Chaos
from broadcast.views import data, terminal


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
    here = desk(context)
    project = here.project()
    only = slugs(project, names, here.start)
    wanted = channel_names(project, channel)
    shown = pipeline.planner(project, now=here.now(), only=only, channels=wanted, backfill=True, rehearsed=True)(
        NOTHING
    )
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
    if outcome.differences and not end.stop.is_set():  # a rehearsal that was stopped has not failed
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
