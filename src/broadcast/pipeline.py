"""The straight line: read -> check -> render -> fit -> plan -> publish -> record. The first file to read."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from broadcast import config as configuration
from broadcast import plan as planning
from broadcast import publish as publishing
from broadcast.config import Config
from broadcast.errors import ConfigError, DoesNotFitError, LedgerMovedError, SendError
from broadcast.ledger.base import Ledger, Log
from broadcast.model import Announcement, Channel, Plan, Post, Problem, Result, Thread, Update
from broadcast.platforms import base as platforms
from broadcast.render import TemplateFailedError, environment, render
from broadcast.site.links import permalink
from broadcast.source import check as checking
from broadcast.source import read as reading
from broadcast.text.fit import fit

ATTEMPTS = 12
"""How often a run plans again after another run wrote to the ledger first."""


@dataclass(frozen=True, slots=True)
class Project:
    """All that was read, and everything that is wrong with it so far."""

    config: Config
    announcements: tuple[Announcement, ...]
    problems: tuple[Problem, ...]


def read(root: Path) -> Project:
    """Read -> check. Raises `ConfigError` when `broadcast.toml` is not valid; problems of announcements are kept."""
    config, problems = configuration.load(root)
    if config is None:
        raise ConfigError(
            "\n".join(f"{p.place.path}:{p.place.line}:{p.place.column}: {p.message}" for p in problems),
            f"mend {configuration.FILE}, then `broadcast check`",
        )
    announcements, unreadable = reading.read(root, config.file.incidents, config.file.language)
    wrong = checking.check(
        announcements,
        root=root,
        channels=set(config.channels),
        platforms={channel.platform for channel in config.channels.values()},
    )
    return Project(config, announcements, (*problems, *unreadable, *wrong))


def threads(project: Project, only: Collection[str] | None = None) -> tuple[list[Thread], list[Problem]]:
    """Render -> fit: every update of the announcements (slugs) in `only`, on every channel that it goes to."""
    made: list[Thread] = []
    problems: list[Problem] = []
    env = environment(project.config.root / project.config.file.templates)
    by_slug: dict[str, list[Announcement]] = {}
    for announcement in project.announcements:
        by_slug.setdefault(announcement.slug, []).append(announcement)
    for slug, versions in by_slug.items():
        if only is not None and slug not in only:
            continue
        for announcement, update, channel in _destinations(project.config, versions):
            try:
                draft = render(
                    env,
                    announcement,
                    update,
                    channel,
                    link=_link(project.config, announcement),
                    cadence=project.config.cadence_of(announcement),
                )
                posts = fit(draft, channel.limits, channel.fit)
            except TemplateFailedError as error:
                problems.append(_template_problem(error, announcement, update, channel))
                continue
            except DoesNotFitError as error:
                place = update.override_places.get(channel.name, update.override_places.get(channel.platform))
                message = f"on {channel.name}: {error}"
                problems.append(Problem("error", "does-not-fit", place or update.place, message))
                continue
            source = planning.source_digest(announcement, update, channel)
            made.append(Thread(slug, update.time, update.status, channel, announcement.language, posts, source))
    return made, problems


def plan(
    project: Project,
    log: Log,
    *,
    now: datetime,
    only: Collection[str] | None = None,
    channels: Collection[str] | None = None,
    backfill: bool = False,
) -> Plan:
    """Plan: what should stand against what the ledger says of it."""
    made, problems = threads(project, only)
    wanted = [thread for thread in made if channels is None or thread.channel.name in channels]
    rules = planning.Rules(now, project.config.file.stale_after, backfill)
    return planning.plan(wanted, log, rules, cost=_cost, problems=(*project.problems, *problems))


@dataclass(frozen=True, slots=True)
class Run:
    """What one `publish` needs besides its plan. `connect` logs in to a channel; `report` hears of each post as it
    happens; `stop` ends the run after the requests in flight; `sleep` and `patience` are in seconds: how long it waits
    for another run that is sending the same posts."""

    name: str
    ledger: Ledger
    connect: Callable[[str], platforms.Connection]
    clock: Callable[[], datetime]
    report: Callable[[Result], None]
    stop: threading.Event
    edit: bool = False
    strict: bool = False
    sleep: Callable[[float], None] = time.sleep
    patience: float = 30.0


def publish(make_plan: Callable[[Log], Plan], run: Run) -> list[Result]:
    """Publish -> record. Claims what is to do by compare-and-swap, sends it, keeps every receipt. Gives a result for
    every post of the plan. Raises `LedgerError` before anything was sent."""
    connections: dict[str, platforms.Connection] = {}
    results: dict[publishing.Key, Result] = {}

    def keep(result: Result) -> None:
        results[publishing.key(result)] = result
        run.report(result)

    try:
        current, log, jobs = _claim(make_plan, run, connections, keep)
        sender = publishing.Sender(run.name, run.clock, run.ledger.journal, keep, run.stop)
        try:
            publishing.send(jobs, connections, sender)
            if run.edit:
                publishing.edit(current, log, connections, sender)
        finally:
            run.ledger.append((), None)
    finally:
        for connection in connections.values():
            connection.close()
    return [results.get(publishing.key(row)) or publishing.untouched(row) for row in current.actions]


def _claim(
    make_plan: Callable[[Log], Plan],
    run: Run,
    connections: dict[str, platforms.Connection],
    keep: Callable[[Result], None],
) -> tuple[Plan, Log, list[publishing.Job]]:
    """Plan, look up what is in doubt, and claim the rest: again from the start whenever another run was faster."""
    refused: dict[str, str] = {}
    waited, lost = 0.0, 0
    while True:
        log = run.ledger.read()
        current = make_plan(log)
        wanted = {"todo", "uncertain", "changed"} if run.edit else {"todo", "uncertain"}
        due = dict.fromkeys(row.channel for row in current.actions if row.state in wanted)
        _connect([name for name in due if name not in connections and name not in refused], run, connections, refused)
        if refused and run.strict:
            raise ConfigError("; ".join(f"{name}: {why}" for name, why in refused.items()), "nothing was sent")
        now = run.clock()
        events, doubts = publishing.reconcile(current, log, connections, run=run.name, now=now)
        busy = any(doubt.error == publishing.BUSY for doubt in doubts)
        try:
            if events:
                run.ledger.append(events, log.version)
                continue
            if busy and waited < run.patience and not run.stop.is_set():
                pause = 0.5 + random.random()
                waited += pause
                run.sleep(pause)
                continue
            jobs, unfit = publishing.claim(current, log, connections, run=run.name, now=now)
            if jobs:
                run.ledger.append([intent for job in jobs for intent in job.intents], log.version)
        except LedgerMovedError:
            lost += 1
            if lost == ATTEMPTS:
                raise
            run.sleep(random.random() * min(2.0, 0.05 * 2**lost))
            continue
        for result in (*doubts, *unfit):
            keep(result)
        for row in current.actions:
            if row.channel in refused and row.state in wanted:
                keep(Result(row.announcement, row.update, row.channel, row.part, "failed", error=refused[row.channel]))
        return current, log, jobs


def _connect(
    names: Sequence[str], run: Run, connections: dict[str, platforms.Connection], refused: dict[str, str]
) -> None:
    """Log in to all of these channels side by side, before anything is sent; what refuses is left out of the run."""

    def connect(name: str) -> platforms.Connection | str:
        try:
            connection = run.connect(name)
        except SendError as error:
            return str(error)
        try:
            connection.verify()
        except SendError as error:
            connection.close()
            return str(error)
        return connection

    if not names:
        return
    with ThreadPoolExecutor(max_workers=len(names), thread_name_prefix="connect") as pool:
        for name, outcome in zip(names, pool.map(connect, names), strict=True):
            if isinstance(outcome, str):
                refused[name] = outcome
            else:
                connections[name] = outcome


def workspace(project: Project, now: datetime) -> platforms.Workspace:
    """What connections may look at of a project."""
    return platforms.Workspace(
        root=project.config.root,
        now=now,
        url=project.config.file.url,
        announcements=project.announcements,
        templates=project.config.root / project.config.file.templates,
    )


def _destinations(config: Config, versions: Sequence[Announcement]) -> Iterator[tuple[Announcement, Update, Channel]]:
    """Which update goes to which channel, in order of time. A channel that has a language only takes that one."""
    base = next((item for item in versions if Path(item.path).stem == item.slug), versions[0])
    pairs = []
    for index, channel in enumerate(config.channels_for(base)):
        takes = channel.language or base.language
        for version in versions:
            if version is base if takes == base.language else version.language == takes:
                pairs += [(update.time, index, version, update, channel) for update in version.updates]
    pairs.sort(key=lambda pair: pair[:2])
    yield from (pair[2:] for pair in pairs)


def _link(config: Config, announcement: Announcement) -> str | None:
    if announcement.link is not None or config.file.url is None:
        return announcement.link
    is_base = Path(announcement.path).stem == announcement.slug
    return permalink(config.file.url, announcement.slug, None if is_base else announcement.language)


def _template_problem(
    error: TemplateFailedError, announcement: Announcement, update: Update, channel: Channel
) -> Problem:
    where = f"template {error.name}" + (f" line {error.line}" if error.line else "")
    return Problem("error", "template", update.place, f"on {channel.name}: {where}: {error.message}")


def _cost(platform: str, post: Post) -> float | None:
    return platforms.load(platform).cost(post)
