"""The straight line: read -> check -> render -> fit -> plan -> publish -> record. The first file to read."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from broadcast import config as configuration
from broadcast import plan as planning
from broadcast.backlog import Rules
from broadcast.config import Config
from broadcast.errors import ConfigError, DoesNotFitError
from broadcast.ledger.base import Ledger, Log
from broadcast.ledger.history import beginnings, standalone
from broadcast.ledger.open import open_ledger
from broadcast.ledger.seal import Key
from broadcast.model import Announcement, Card, Channel, Event, Plan, Post, Problem, Receipt, Thread, Update
from broadcast.platforms import base as platforms
from broadcast.platforms import forms
from broadcast.publish import retract as retracting
from broadcast.publish import run as publishing
from broadcast.publish.run import Outcome, Run
from broadcast.render import TemplateFailedError, environment, render
from broadcast.site.links import permalink
from broadcast.site.markdown import to_text
from broadcast.site.pages import SUMMARY
from broadcast.site.state import without
from broadcast.source import bounds
from broadcast.source import check as checking
from broadcast.source import read as reading
from broadcast.source.problems import isolated
from broadcast.source.statuses import FINAL, states
from broadcast.text.card import with_card
from broadcast.text.fit import fit

Beginnings = Mapping[tuple[str, datetime, str], tuple[Post, ...]]
"""By announcement, update and channel: the posts that stand of threads whose rest has to be laid out anew."""
NOTHING: Beginnings = {}
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


def threads(
    project: Project, only: Collection[str] | None = None, begun: Beginnings = NOTHING
) -> tuple[list[Thread], list[Problem]]:
    """Render -> fit: every update of the announcements (slugs) in `only`, on every channel that it goes to. The rest of
    a thread that is `begun` follows the posts that stand."""
    made: list[Thread] = []
    problems: list[Problem] = []
    env = environment(project.config.root / project.config.file.templates)
    by_slug: dict[str, list[Announcement]] = {}
    for announcement in project.announcements:
        by_slug.setdefault(announcement.slug, []).append(announcement)
    for slug, versions in by_slug.items():
        if only is not None and slug not in only:
            continue
        base = _base(versions)
        channels = project.config.channels_for(base)
        audience = tuple(one.name for one in channels if not one.dry)
        links = {version.path: _link(project.config, version) for version in versions}
        cadences = {version.path: _cadences(project.config, version) for version in versions}
        for announcement, update, channel in _destinations(base, versions, channels):
            link, cadence = links[announcement.path], cadences[announcement.path].get(update.time)
            first = begun.get((slug, update.time, channel.name), ())
            with isolated(update.place, problems, f"on {channel.name}: "):
                try:
                    draft = render(env, announcement, update, channel, link=link, cadence=cadence)
                    posts = fit(draft, channel.limits, channel.fit, first)
                    if channel.limits.cards and link is not None:
                        posts = with_card(posts, Card(link, announcement.title, to_text(update.body, SUMMARY)))
                except TemplateFailedError as error:
                    problems.append(_template_problem(error, announcement, update, channel))
                    continue
                except DoesNotFitError as error:
                    place = update.override_places.get(channel.name, update.override_places.get(channel.platform))
                    message = f"on {channel.name}: {error}"
                    problems.append(Problem("error", "does-not-fit", place or update.place, message))
                    continue
                source = planning.source_digest(announcement, update, channel)
                language = announcement.language
                made.append(
                    Thread(
                        slug, update.time, update.status, channel, language, posts, source, audience, announcement.draft
                    )
                )
    return made, problems


def planner(
    project: Project,
    *,
    now: datetime,
    only: Collection[str] | None = None,
    channels: Collection[str] | None = None,
    backfill: bool = False,
) -> Planner:
    """Plan: what should stand against what a ledger says of it. A run that has to plan again fits nothing again."""
    made: dict[object, tuple[list[Thread], list[Problem]]] = {}
    rules = Rules(now, project.config.file.stale_after, backfill)
    slugs = {announcement.slug for announcement in project.announcements}

    def plan(log: Log) -> Plan:
        alone, begun = _standing_alone(project, log), beginnings(log.events)
        known = alone, frozenset(begun.items())
        if known not in made:
            made[known] = threads(_informed(project, alone), only, begun)
        wanted = [thread for thread in made[known][0] if channels is None or thread.channel.name in channels]
        wrong = (*project.problems, *made[known][1])
        return planning.plan(wanted, log, rules, slugs=slugs, cost=_cost, problems=wrong)

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
    """The announcements as a channel may show them: without drafts, and the updates that were taken back there."""
    shown = [one for one in project.announcements if not one.draft]
    return without(shown, retracting.retracted(log, channel))


def channel(project: Project, name: str, log: Log) -> Channel:
    """A channel of the project, with what the ledger knows of it."""
    return _informed(project, _standing_alone(project, log)).config.channels[name]


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


def _informed(project: Project, alone: Collection[str]) -> Project:
    """The project, with posts that can be read on their own on these channels: numbered, each with the link."""
    channels = {
        name: replace(
            channel,
            limits=replace(channel.limits, replies="never"),
            fit=replace(channel.fit, numbering=True, link="none" if channel.fit.link == "none" else "every"),
        )
        if name in alone
        else channel
        for name, channel in project.config.channels.items()
    }
    return replace(project, config=replace(project.config, channels=channels))


def _destinations(
    base: Announcement, versions: Sequence[Announcement], channels: Sequence[Channel]
) -> Iterator[tuple[Announcement, Update, Channel]]:
    """Which update goes to which channel, in order of time. A channel that has a language only takes that one."""
    pairs = []
    for index, channel in enumerate(channels):
        takes = channel.language or base.language
        for version in versions:
            if version is base if takes == base.language else version.language == takes:
                pairs += [(update.time, index, version, update, channel) for update in version.updates]
    pairs.sort(key=lambda pair: pair[:2])
    yield from (pair[2:] for pair in pairs)


def _base(versions: Sequence[Announcement]) -> Announcement:
    """Of an announcement and its translations, the announcement."""
    return next((item for item in versions if not item.translation), versions[0])


def _cadences(config: Config, announcement: Announcement) -> Mapping[datetime, timedelta]:
    """How long after each of the updates that leave an incident open followers are owed the next one."""
    if announcement.kind != "incident":
        return {}
    pace, left_in = config.cadence_of(announcement), states("incident", (one.status for one in announcement.updates))
    return {
        update.time: pace for update, state in zip(announcement.updates, left_in, strict=True) if state not in FINAL
    }


def _link(config: Config, announcement: Announcement) -> str | None:
    if announcement.link is not None or config.file.url is None:
        return announcement.link
    return permalink(config.file.url, announcement.slug, announcement.language if announcement.translation else None)


def _template_problem(
    error: TemplateFailedError, announcement: Announcement, update: Update, channel: Channel
) -> Problem:
    where = f"template {error.name}" + (f" line {error.line}" if error.line else "")
    return Problem("error", "template", update.place, f"on {channel.name}: {where}: {error.message}")


def _cost(platform: str, post: Post) -> float | None:
    return platforms.load(platform).cost(post)
