"""A rehearsal: the whole of `publish` against stand-ins on loopback, and a comparison of what stands with the plan."""

from __future__ import annotations

import shutil
import subprocess
import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from broadcast import pipeline, runs
from broadcast.errors import ConfigError, LedgerError
from broadcast.images import is_video
from broadcast.ledger.base import Log
from broadcast.ledger.open import open_ledger
from broadcast.model import Action, Channel, Result
from broadcast.platforms import base as platforms
from broadcast.platforms import guard
from broadcast.publish import run as publishing
from broadcast.publish.run import Run
from broadcast.rehearsal import base as standins
from broadcast.rehearsal.base import Clock, Seen, World
from broadcast.rehearsal.chaos import PATIENCE, RUNS, Chaos
from broadcast.rehearsal.server import Server
from broadcast.views.html import Card, Column, page

FOLDER = Path(".broadcast") / "rehearsal"
"""Where a rehearsal leaves its pages and its ledger, below the project's root; emptied by the next one."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a rehearsal. `sums` counts the posts that stand, by channel; `differences` says where they are
    not what was planned, which is never so unless something is broken. `left_out` are channels without a stand-in."""

    results: tuple[Result, ...]
    sums: Mapping[str, int]
    differences: tuple[str, ...]
    pages: tuple[Path, ...]
    left_out: tuple[str, ...]


def rehearse(
    project: pipeline.Project,
    *,
    clock: Clock,
    only: Collection[str] | None,
    channels: Collection[str] | None,
    report: Callable[[Result], None],
    stop: threading.Event,
    chaos: Chaos | None = None,
    ended: Callable[[publishing.Outcome], None] = lambda outcome: None,
) -> Outcome:
    """Publish to stand-ins, compare what stands with the plan, and write the timeline page (and the status page). With
    `chaos`, publish again and again until all is done, as a person would; `ended` hears how each of these runs ended.
    """
    now = max([clock(), *(update.time for one in project.announcements for update in one.updates)])
    root = project.config.root
    folder = _emptied(root)
    with ExitStack() as stack:
        cast = _cast(project, channels, stack, chaos)
        played = tuple(replace(one, draft=False) for one in project.announcements)
        rehearsed = replace(project, config=replace(project.config, channels=cast.channels), announcements=played)
        plan = pipeline.planner(rehearsed, now=now, only=only, backfill=True, rehearsed=True)

        def connect(name: str) -> platforms.Connection:
            chosen = cast.channels[name]
            secrets = cast.worlds[name].secrets() if name in cast.worlds else {}
            space = pipeline.workspace(rehearsed, now, name, Log("", {}), stop)
            patient = replace(space, patience=PATIENCE) if chaos else space
            return guard.connect(chosen, secrets, patient)

        ledger = open_ledger("git:broadcast/ledger", _repository(folder / "ledger"))
        for _ in range(RUNS if chaos else 1):
            # The clock is the real one, also where the plan looks ahead: claims are held against the servers' clocks.
            run = Run(runs.name(), ledger, connect, clock, report, stop)
            outcome = pipeline.publish(plan, ledger.read(), run)
            ended(outcome)
            if stop.is_set() or _done(outcome):
                break
        stands = plan(ledger.read())
        timelines = {
            name: tuple(seen for seen in world.timeline() if seen.deleted is None)
            for name, world in cast.worlds.items()
        }
    planned = {name: [row for row in stands.actions if row.channel == name] for name in cast.channels}
    differences = [text for name, seen in timelines.items() for text in compare(name, planned[name], seen)]
    pages = [folder / "timeline.html"]
    titles = {one.slug: one.title for one in reversed(project.announcements)}
    columns = [_column(cast.channels[name], planned[name], seen, titles) for name, seen in timelines.items()]
    pages[0].write_text(page("Rehearsal", columns, subtitle="What followers would have seen."), encoding="utf-8")
    pages += [folder / name / "index.html" for name, one in cast.channels.items() if one.platform == pipeline.SITE]
    sums = {name: len(timelines.get(name, planned[name])) for name in cast.channels}
    return Outcome(outcome.results, sums, tuple(differences), tuple(pages), cast.left_out)


def _done(outcome: publishing.Outcome) -> bool:
    undone = {"failed", "uncertain", "skipped"}
    return outcome.unrecorded is None and not any(result.state in undone for result in outcome.results)


def compare(channel: str, planned: Sequence[Action], seen: Sequence[Seen]) -> Iterator[str]:
    """Where what stands is not what was planned: text, links, alternative texts, language, and what answers what."""
    by_id = {one.id: one for one in seen}
    ids = {(row.update, row.part, row.announcement): row.ref.id for row in planned if row.ref}
    for row in planned:
        where = f"{channel}: {row.announcement} {row.update:%Y-%m-%d %H:%M} part {row.part}"
        one = by_id.pop(row.ref.id, None) if row.ref else None
        if one is None:
            yield f"{where}: it does not stand"
            continue
        reply = row.reply_to and ids.get((row.reply_to.update, row.reply_to.part, row.announcement))
        checks = {
            "text": (row.post.text, one.text),
            "alternative texts": (_shown(row), [item.alt for item in one.media]),
            "parent": (reply, one.reply_to),
        }
        for what, (wanted, stands) in checks.items():
            if wanted != stands:
                yield f"{where}: the {what} differs: {wanted!r} was planned, {stands!r} stands"
    for one in by_id.values():
        yield f"{channel}: a post stands that nobody planned: {one.text[:60]!r}"


def _shown(row: Action) -> list[str]:
    """The alternative texts of what a post should show. A video that its platform refused is told in a note, and
    missing."""
    left_out = row.ref is not None and "note" in row.ref.data
    return [item.alt for item in row.post.media if not (left_out and is_video(item.path))]


@dataclass(frozen=True, slots=True)
class _Cast:
    channels: Mapping[str, Channel]
    worlds: Mapping[str, World]
    left_out: tuple[str, ...]


def _cast(project: pipeline.Project, names: Collection[str] | None, stack: ExitStack, chaos: Chaos | None) -> _Cast:
    """The channels, pointed to stand-ins that run until the stack ends."""
    channels: dict[str, Channel] = {}
    worlds: dict[str, World] = {}
    left_out: list[str] = []
    for channel in project.config.channels.values():
        if names is not None and channel.name not in names:
            continue
        if channel.platform == pipeline.SITE:
            channels[channel.name] = _pointed(channel, {"output": (FOLDER / channel.name).as_posix()})
            continue
        try:
            world = standins.load(channel.platform).create()
        except ConfigError:
            left_out.append(channel.name)
            continue
        worlds[channel.name] = world
        server = Server(world, chaos.faults(channel.name) if chaos else None)
        channels[channel.name] = _pointed(channel, world.options(stack.enter_context(server).url))
    return _Cast(channels, worlds, tuple(left_out))


def _pointed(channel: Channel, options: Mapping[str, str]) -> Channel:
    """A channel whose options lead to a stand-in, and which is never dry."""
    return replace(channel, options=channel.options.model_copy(update=dict(options)), dry=False)


def _emptied(root: Path) -> Path:
    folder = root / FOLDER
    if folder.is_symlink():
        raise ConfigError(f"{FOLDER} is a link; a rehearsal empties it, so it must be a folder", "remove the link")
    try:
        folder.parent.mkdir(exist_ok=True)
        (folder.parent / ".gitignore").write_text("*\n", encoding="utf-8")
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
    except OSError as error:
        raise ConfigError(f"a rehearsal cannot write to {FOLDER}: {error.strerror}", "make it writable") from None
    return folder


def _repository(folder: Path) -> Path:
    try:
        subprocess.run(["git", "init", "--quiet", str(folder)], check=True, capture_output=True, timeout=60)
    except (OSError, subprocess.SubprocessError) as error:
        raise LedgerError("a rehearsal keeps its own ledger with git, and git does not run", str(error)) from None
    return folder


def _column(channel: Channel, planned: Sequence[Action], seen: Sequence[Seen], titles: Mapping[str, str]) -> Column:
    rows = {row.ref.id: row for row in planned if row.ref}
    cards = tuple(_card(one, rows.get(one.id), titles) for one in seen)
    return Column(channel.name, channel.platform, channel.name, cards)


def _card(seen: Seen, row: Action | None, titles: Mapping[str, str]) -> Card:
    return Card(
        text=seen.text,
        time=row.update if row else seen.created,
        links=tuple((link.start, link.end, link.url) for link in seen.links),
        media=tuple((item.mime, item.data, item.alt) for item in seen.media),
        part=row.part if row else 1,
        parts=row.parts if row else 1,
        status=row.status if row else "",
        length=row.post.length if row else None,
        limit=row.limit if row else None,
        reply_to="the post before it" if seen.reply_to else "",
        url=None,
        group=titles.get(row.announcement, row.announcement) if row else "",
        language=seen.language or "",
    )
