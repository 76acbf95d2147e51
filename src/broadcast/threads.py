"""Render -> fit of one announcement: its updates, on every channel that they go to, as posts."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

from broadcast import known as knowledge
from broadcast import plan as planning
from broadcast.config import Config
from broadcast.errors import DoesNotFitError
from broadcast.known import Known
from broadcast.model import Announcement, Card, Channel, Post, Problem, Thread, Update
from broadcast.render import TemplateFailedError, render
from broadcast.sandbox import Sandbox
from broadcast.site.links import permalink
from broadcast.site.markdown import to_text
from broadcast.site.pages import SUMMARY
from broadcast.source.problems import isolated
from broadcast.source.statuses import FINAL, states
from broadcast.text.card import with_card
from broadcast.text.fit import fit
from broadcast.text.stamp import Make, essence, stamped, stamps


def threads(
    config: Config, env: Sandbox, versions: Sequence[Announcement], known: Known, taken: Mapping[str, set[str]]
) -> tuple[list[Thread], list[Problem]]:
    """The threads of an announcement and its translations (the announcement first), in order of time. `taken` is what
    stands on channels that take no text twice; what is laid out for them is added to it."""
    made: list[Thread] = []
    problems: list[Problem] = []
    base = versions[0]
    goes, left = config.channels_for(base), config.left(base)
    channels = [one for name, one in config.channels.items() if one in goes or name in known.stays]
    audience = tuple(one.name for one in channels if not one.dry and one.name not in left)
    links = {version.path: link_of(config, version) for version in versions}
    paces = {version.path: _paces(config, version) for version in versions}
    for announcement, update, channel in _destinations(base, versions, channels):
        key = update.time, channel.name
        stays = channel.name in known.stays
        if stays and update.time in known.over and key not in known.told:
            continue
        link, pace = links[announcement.path], paces[announcement.path].get(update.time)
        promised = None if update.time in known.late and key not in known.told else pace
        lay = partial(_laid_out, env, announcement, update, channel, link, known.begun.get(key, ()))
        with isolated(update.place, problems, f"on {channel.name}: "):
            try:
                posts = knowledge.posts(known, key, lay(promised), channel.limits, taken.get(channel.name, frozenset()))
            except TemplateFailedError as error:
                problems.append(_template_problem(error, update, channel))
                continue
            except DoesNotFitError as error:
                place = update.override_places.get(channel.name, update.override_places.get(channel.platform))
                problems.append(Problem("error", "does-not-fit", place or update.place, f"on {channel.name}: {error}"))
                continue
            if channel.name in taken and update.time >= known.since and not (announcement.draft or channel.dry):
                taken[channel.name].update(essence(post.text) for post in posts)
            source = planning.source_digest(announcement, update, channel)
            thread = Thread(
                base.slug, update.time, update.status, channel, announcement.language, posts, source, audience
            )
            thread = replace(thread, draft=announcement.draft, stays=stays, left=channel.name in left)
            signs = () if channel.limits.repeats and update.time >= known.since else stamps(update.time)
            made.append(replace(thread, otherwise=partial(_otherwise, posts, lay, {pace, None}, ("", *signs))))
    return made, problems


def link_of(config: Config, announcement: Announcement) -> str | None:
    """What posts lead to: what the file says, else the announcement's page."""
    if announcement.link is not None or config.file.url is None:
        return announcement.link
    return permalink(config.file.url, announcement.slug, announcement.language if announcement.translation else None)


def _laid_out(
    env: Sandbox,
    announcement: Announcement,
    update: Update,
    channel: Channel,
    link: str | None,
    begun: Sequence[Post],
    pace: timedelta | None,
) -> Make:
    """Render an update, and fit it: with a `stamp` where that is one, and with so much `room` left in each post."""
    draft = render(env, announcement, update, channel, link=link, cadence=pace)

    def make(stamp: str, room: int) -> tuple[Post, ...]:
        limits = replace(channel.limits, length=channel.limits.length - room) if room else channel.limits
        posts = fit(stamped(draft, stamp) if stamp else draft, limits, channel.fit, begun)
        if channel.limits.cards and link is not None:
            return with_card(posts, Card(link, announcement.title, to_text(update.body, SUMMARY)))
        return posts

    return make


def _otherwise(
    posts: tuple[Post, ...],
    lay: Callable[[timedelta | None], Make],
    paces: Collection[timedelta | None],
    signs: Sequence[str],
) -> list[tuple[Post, ...]]:
    """The other ways to tell an update, those that fit."""
    ways: list[tuple[Post, ...]] = []
    for pace in paces:
        make = lay(pace)
        for stamp in signs:
            with suppress(DoesNotFitError):
                way = make(stamp, 0)
                if way != posts and way not in ways:
                    ways.append(way)
    return ways


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


def _paces(config: Config, announcement: Announcement) -> Mapping[datetime, timedelta]:
    """How long after each of the updates that leave an incident open followers are owed the next one."""
    if announcement.kind != "incident":
        return {}
    pace, left_in = config.cadence_of(announcement), states("incident", (one.status for one in announcement.updates))
    return {
        update.time: pace for update, state in zip(announcement.updates, left_in, strict=True) if state not in FINAL
    }


def _template_problem(error: TemplateFailedError, update: Update, channel: Channel) -> Problem:
    where = f"template {error.name}" + (f" line {error.line}" if error.line else "")
    return Problem("error", "template", update.place, f"on {channel.name}: {where}: {error.message}")
