"""The straight line: read -> check -> render -> fit -> plan -> publish -> record. The first file to read."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from broadcast import config as configuration
from broadcast import plan as planning
from broadcast.backlog import Rules
from broadcast.config import Config
from broadcast.errors import ConfigError
from broadcast.known import Known, known, texts
from broadcast.ledger.base import Ledger, Log
from broadcast.ledger.history import standalone
from broadcast.ledger.open import open_ledger
from broadcast.ledger.seal import Key
from broadcast.model import Announcement, Channel, Event, Plan, Post, Problem, Receipt, Thread
from broadcast.platforms import base as platforms
from broadcast.platforms import forms
from broadcast.publish import retract as retracting
from broadcast.publish import run as publishing
from broadcast.publish.run import Outcome, Run
from broadcast.render import environment
from broadcast.site.state import addressed, without
from broadcast.source import bounds
from broadcast.source import check as checking
from broadcast.source import read as reading
from broadcast.threads import threads as threads_of

SITE = "site"
"""The platform whose channels show everything, each version on a page of its own."""

Planner = Callable[[Log], Plan]
"""Holds the project's posts against the ledger's log."""


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
        platforms=platforms.names(),
        languages=_languages(config),
    )
    unbounded = {one.place.path for one in wrong if one.code in bounds.CODES}
    bounded = tuple(one for one in announcements if one.path not in unbounded)
    return Project(config, bounded, (*problems, *unreadable, *wrong))


def _languages(config: Config) -> set[str] | None:
    """The languages that channels ask for, where any of them posts; a page shows all versions."""
    posting = [channel for channel in config.channels.values() if channel.platform != SITE]
    return {channel.language for channel in posting if channel.language} if posting else None


def threads(project: Project, only: Collection[str] | None = None) -> tuple[list[Thread], list[Problem]]:
    """Render -> fit: every update of the announcements (slugs) in `only`, on every channel that it goes to."""
    made: list[Thread] = []
    problems: list[Problem] = []
    env = environment(project.config.root / project.config.file.templates)
    for versions in _versions(project, only):
        fitted, wrong = threads_of(project.config, env, versions, Known(), {})
        made += fitted
        problems += wrong
    return made, problems


def planner(
    project: Project,
    *,
    now: datetime,
    only: Collection[str] | None = None,
    channels: Collection[str] | None = None,
    backfill: bool = False,
    rehearsed: bool = False,
) -> Planner:
    """Plan: what should stand against what a ledger says of it. A run that has to plan again fits nothing again. What
    is `rehearsed` is shown as it would have been in time."""
    made: dict[str, tuple[object, tuple[list[Thread], list[Problem]]]] = {}
    rules = Rules(now, project.config.file.stale_after, backfill)
    env = environment(project.config.root / project.config.file.templates)
    slugs = {announcement.slug for announcement in project.announcements}
    unrepeated = [name for name, channel in project.config.channels.items() if not channel.limits.repeats]

    def plan(log: Log) -> Plan:
        config = _informed(project.config, alone := _standing_alone(project, log))
        taken = texts(log, unrepeated)
        wanted: list[Thread] = []
        problems = list(project.problems)
        for versions in _versions(project, only):
            slug = versions[0].slug
            seen = known(config, versions[0], log.events.get(slug, ()), rules, rehearsed=rehearsed)
            if slug not in made or made[slug][0] != (alone, seen):
                made[slug] = (alone, seen), threads_of(config, env, versions, seen, taken)
            wanted += made[slug][1][0]
            problems += made[slug][1][1]
        chosen = [thread for thread in wanted if channels is None or thread.channel.name in channels]
        return planning.plan(chosen, log, rules, slugs=slugs, cost=_cost, problems=problems)

    return plan


def ledger(project: Project, key: Key | None) -> Ledger:
    """The project's ledger, not yet read; every line that is read must be one that its channel can have and, with a
    `key`, be signed with it. Raises `ConfigError`."""
    config = project.config
    return open_ledger(config.file.ledger, config.root, _reader(project), key)


def believed(project: Project, event: Event) -> Event:
    """What an event may be used as. Raises `ValueError` for one that its channel cannot have."""
    return _reader(project)(event)


def _reader(project: Project) -> Callable[[Event], Event]:
    return forms.reader(project.config.channels, project.config.file.url)


def publish(planner: Planner, log: Log, run: Run) -> Outcome:
    """Publish -> record: claim what the plan has to do, send it, keep every receipt in the ledger."""
    return publishing.publish(planner, log, run)


def standing(project: Project, log: Log, channel: str) -> list[Announcement]:
    """The announcements as a channel may show them: without drafts, and the updates that were taken back there; with
    the words that are for this channel, and the pace that followers are promised."""
    shown = [addressed(one, channel, project.config.pace(one)) for one in project.announcements if not one.draft]
    return without(shown, retracting.retracted(log, channel))


def channel(project: Project, name: str, log: Log) -> Channel:
    """A channel of the project, with what the ledger knows of it."""
    return _informed(project.config, _standing_alone(project, log)).channels[name]


def workspace(
    project: Project, now: datetime, channel: str, log: Log, stop: threading.Event | None = None
) -> platforms.Workspace:
    """What a channel's connection may look at of a project."""
    return platforms.Workspace(
        root=project.config.root,
        now=now,
        url=project.config.file.url,
        announcements=standing(project, log, channel),
        templates=project.config.root / project.config.file.templates,
        stop=stop or threading.Event(),
        published=_published(log, channel),
    )


def _published(log: Log, channel: str) -> frozenset[str]:
    """The ids of all posts that the ledger has a receipt for on a channel."""
    receipts = (event for events in log.events.values() for event in events if isinstance(event, Receipt))
    return frozenset(receipt.ref.id for receipt in receipts if receipt.channel == channel)


def _standing_alone(project: Project, log: Log) -> frozenset[str]:
    """The channels on which posts do not answer each other: as configured, or since the platform refused it."""
    channels = project.config.channels.values()
    refused = standalone(event for events in log.events.values() for event in events)
    return frozenset(
        one.name
        for one in channels
        if one.limits.replies == "never" or (one.limits.replies == "auto" and one.name in refused)
    )


def _informed(config: Config, alone: Collection[str]) -> Config:
    """The configuration, with posts that can be read on their own on these channels: numbered, each with the link."""
    channels = {
        name: replace(
            channel,
            limits=replace(channel.limits, replies="never"),
            fit=replace(channel.fit, numbering=True, link="none" if channel.fit.link == "none" else "every"),
        )
        if name in alone
        else channel
        for name, channel in config.channels.items()
    }
    return replace(config, channels=channels)


def _versions(project: Project, only: Collection[str] | None) -> Iterator[Sequence[Announcement]]:
    """Each announcement with its translations, the announcement first."""
    by_slug: dict[str, list[Announcement]] = {}
    for announcement in project.announcements:
        if only is None or announcement.slug in only:
            by_slug.setdefault(announcement.slug, []).append(announcement)
    yield from (sorted(versions, key=lambda one: one.translation) for versions in by_slug.values())


def _cost(platform: str, post: Post) -> float | None:
    return platforms.load(platform).cost(post)
