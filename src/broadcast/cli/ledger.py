"""`broadcast ledger`: what the record says, and what a human decides."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from typing import Annotated, Literal

import typer

from broadcast import pipeline, runs
from broadcast.cli.desk import Desk, Slugs, connect, desk, key_of, ledger_of, require_clean, slugs
from broadcast.errors import InterruptedRunError, ProblemsFoundError, UsageError
from broadcast.ledger.base import Log, UnverifiedError
from broadcast.ledger.copy import copy as carry
from broadcast.ledger.history import fold
from broadcast.ledger.move import moved_announcement, moved_channel
from broadcast.ledger.open import open_ledger
from broadcast.ledger.verify import against_files, against_platforms
from broadcast.model import Event, Intent, Receipt, Ref, Verdict
from broadcast.platforms.base import Connection
from broadcast.source.times import format_time, parse_time
from broadcast.views.groups import count


def show(context: typer.Context, names: Slugs = None) -> None:
    here = desk(context)
    project = here.project()
    log = _shown(here, project)
    only = slugs(project, [name for name in names or () if name not in log.events], here.start) or set()
    chosen = {slug for slug in log.events if not names or slug in only or slug in names}
    if not log.events:
        here.say("the ledger is empty: nothing was ever published")
    for slug in sorted(chosen):
        here.tell(slug)
        for event in log.events[slug]:
            here.tell(f"  {format_time(event.at)}  {_tell(event)}")


def _shown(here: Desk, project: pipeline.Project) -> Log:
    """What the ledger says, for showing only."""
    try:
        return ledger_of(here, project).read()
    except UnverifiedError as error:
        here.say(f"warning: {error.message.removesuffix(' (nothing was sent)')}, so nobody could verify this")
        return error.log


def _tell(event: Event) -> str:
    where = f"{event.channel}, update of {format_time(event.update)}"
    if isinstance(event, Intent):
        return f"{where}: about to send post {event.part} of {event.parts}"
    if isinstance(event, Receipt):
        return f"{where}: post {event.part} stands: {event.ref.url or event.ref.id}"
    part = f"post {event.part}" if event.part else "every post"
    verb = {"absent": "was not sent", "posted": "counts as sent", "retracted": "is no longer counted"}[event.verdict]
    return f"{where}: {part} {verb} ({event.by})"


_Said = Literal["posted", "absent", "retracted"]


def settle(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="SLUG", help="The announcement.")],
    update: Annotated[str, typer.Option(metavar="TIME", help="The update's time, such as 2026-11-22T14:05:00Z.")],
    channel: Annotated[str, typer.Option(metavar="NAME", help="The channel.")],
    part: Annotated[int, typer.Option(metavar="N", help="The post's number in its thread.")] = 1,
    posted: Annotated[bool, typer.Option("--posted", help="You looked: the post stands.")] = False,
    absent: Annotated[bool, typer.Option("--absent", help="You looked: it does not; it may be sent again.")] = False,
    not_ours: Annotated[
        bool, typer.Option("--not-ours", help="You looked: what the ledger takes for it is not ours, or is gone.")
    ] = False,
    post_id: Annotated[
        str | None, typer.Option("--id", metavar="ID", help="With --posted: its id, so that replies find it.")
    ] = None,
    url: Annotated[str | None, typer.Option("--url", metavar="URL", help="With --posted: its address.")] = None,
) -> None:
    here = desk(context)
    if posted + absent + not_ours != 1:
        raise UsageError("say which it is", "type one of --posted, --absent and --not-ours")
    project = here.project()
    ledger = ledger_of(here, project)
    log = ledger.read()
    try:
        time = parse_time(update)
    except ValueError as error:
        raise UsageError(str(error)) from None
    sent = fold(log.events.get(name, ())).get((time, channel))
    said: _Said = "posted" if posted else "absent" if absent else "retracted"
    verdict = _decided({one.part: one.state for one in sent.parts}.get(part) if sent else None, said)
    if verdict is None:
        raise UsageError(
            f"{name}: post {part} of {update} on {channel} is not in doubt", f"type `broadcast ledger show {name}`"
        )
    event: Event = Verdict(name, time, channel, part, here.now(), runs.name(), verdict, "settle")
    if posted and post_id:
        event = Receipt(name, time, channel, part, here.now(), runs.name(), Ref(post_id, url))
    try:
        event = pipeline.believed(project, event)
    except ValueError as error:
        raise UsageError(str(error), "--id takes the id that the platform gave the post") from None
    ledger.append([event], log.version)
    here.say("settled; type `broadcast publish` to go on")


def _decided(state: str | None, said: _Said) -> _Said | None:
    """What a human has said of a post in this state; None where there is nothing to say. What the ledger takes for a
    post of ours and is none is no longer counted, and not sent again."""
    sayable = {"open": ("posted", "absent"), "absent": ("posted",), "posted": ("retracted",)}
    return said if said in sayable.get(state or "", ()) else None


def baseline(context: typer.Context, names: Slugs = None) -> None:
    here = desk(context)
    project = here.project()
    ledger = ledger_of(here, project)
    log = ledger.read()
    only = slugs(project, names, here.start)
    require_clean(project.problems, here)
    now, run = here.now(), runs.name()
    planned = pipeline.planner(project, now=now, only=only, backfill=True)(log)
    marks = {
        (row.announcement, row.update, row.channel): Verdict(
            row.announcement, row.update, row.channel, 0, now, run, "posted", "baseline"
        )
        for row in planned.actions
        if row.state == "todo" and row.part == 1
    }
    if marks:
        ledger.append(list(marks.values()), log.version)
    updates, channels = {mark[:2] for mark in marks}, {mark[2] for mark in marks}
    here.say(f"marked as published: {count(len(updates), 'update')} on {count(len(channels), 'channel')}")


def copy(
    context: typer.Context,
    source: Annotated[str, typer.Argument(metavar="FROM", help="A ledger, as broadcast.toml names it.")],
    target: Annotated[str, typer.Argument(metavar="TO", help="Another, such as sqlite:///broadcast.db.")],
) -> None:
    here = desk(context)
    root = here.root()
    key = key_of(here)
    copied = carry(open_ledger(source, root, key=key), open_ledger(target, root, key=key))
    here.say(f"{count(copied, 'event')} copied; set `ledger` in broadcast.toml to publish with the other")


def move(
    context: typer.Context,
    old: Annotated[str, typer.Argument(metavar="OLD", help="The name that the ledger knows.")],
    new: Annotated[str, typer.Argument(metavar="NEW", help="The name of the file (or channel) today.")],
    channel: Annotated[bool, typer.Option("--channel", help="The names are those of a channel.")] = False,
) -> None:
    here = desk(context)
    project = here.project()
    ledger = ledger_of(here, project)
    log = ledger.read()
    names = set(project.config.channels) if channel else {one.slug for one in project.announcements}
    kind = "channel" if channel else "announcement"
    if new not in names or old in names:
        wrong, what = (new, "does not exist") if new not in names else (old, "still exists")
        raise UsageError(f"the {kind} {wrong!r} {what}", "rename it first, then move the ledger")
    moved = moved_channel if channel else moved_announcement
    events = moved(log, old, new, at=here.now(), run=runs.name())
    if not events:
        raise UsageError(f"the ledger knows no {kind} {old!r}", "type `broadcast ledger show`")
    ledger.append(events, log.version)
    here.say(f"what was published as {old} is now known as {new}")


def verify(
    context: typer.Context,
    remote: Annotated[
        bool, typer.Option("--remote", help="Ask the platforms, too, whether every post stands.")
    ] = False,
    adopt: Annotated[
        bool,
        typer.Option("--adopt", help="Sign what stands there and was not signed with this key, after a look at it."),
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="With --adopt: do not ask.")] = False,
) -> None:
    here = desk(context)
    project = here.project()
    if yes and not adopt:
        raise UsageError("--yes answers what --adopt asks", "type `broadcast ledger verify`, or add --adopt")
    if adopt:
        _adopt(here, project, yes=yes)
    log = ledger_of(here, project).read()
    channels = project.config.channels
    found = list(against_files(log, {one.slug for one in project.announcements}, channels))
    if remote:
        with ExitStack() as stack:
            connections: dict[str, Connection] = {}

            def find(name: str, intents: Sequence[Intent], parent: Ref | None) -> Mapping[int, Ref]:
                if name not in connections:
                    connections[name] = connect(here, project, name, here.now())
                    stack.callback(connections[name].close)
                return connections[name].find(intents, parent)

            found += against_platforms(log, channels, find)
    for line in found:
        here.tell(line)
    posts = sum(isinstance(event, Receipt) for events in log.events.values() for event in events)
    here.say(f"{count(posts, 'receipt')}, {count(len(found), 'difference')}")
    if found:
        raise ProblemsFoundError("the ledger and the world differ", "each line says what to do")


def _adopt(here: Desk, project: pipeline.Project, *, yes: bool) -> None:
    """Take over what does not verify, once a human has seen what it is."""
    ledger = ledger_of(here, project)
    survey = ledger.survey()
    if not survey.whys:
        here.say("every line is signed with this key already")
        return
    for why in survey.whys:
        here.say(why)
    for slug, lines in sorted(survey.lines.items()):
        here.say(f"{slug}: {count(lines, 'line')}")
    lines = sum(survey.lines.values())
    what = f"{count(lines, 'line')} of {count(len(survey.lines), 'announcement')}"
    if not yes:
        if not sys.stdin.isatty() or not sys.stderr.isatty():
            raise UsageError(
                f"--adopt asks first, and there is no terminal to ask on: it would take over {what}",
                "look at them (`broadcast ledger show`), then type `broadcast ledger verify --adopt --yes`",
            )
        if not here.confirm(f"Sign {what} as they stand there?"):
            raise InterruptedRunError("nothing was signed")
    ledger.adopt(survey.version)
    here.say(f"signed: {what}")
