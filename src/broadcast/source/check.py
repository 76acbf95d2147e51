"""What is wrong with announcements that can be read: their chains, their keys, their translations.

The codes of all problems stand in `problems.CODES`.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Collection, Iterator, Sequence
from itertools import zip_longest
from pathlib import Path

from broadcast.model import Announcement, Kind, Place, Problem
from broadcast.paths import real
from broadcast.source.body import check_body, judge
from broadcast.source.problems import did_you_mean, isolated, problem, shown
from broadcast.source.statuses import named, step
from broadcast.source.times import format_time
from broadcast.text.hashtags import hashtag, is_linked

_OWNERS: dict[str, Kind] = {
    "severity": "incident",
    "starts": "maintenance",
    "ends": "maintenance",
    "version": "release",
}


def check(
    announcements: Sequence[Announcement],
    *,
    root: Path,
    channels: Collection[str] | None,
    platforms: Collection[str],
    languages: Collection[str] | None = None,
) -> tuple[Problem, ...]:
    """Every problem, sorted by place. `root` is the project's folder; `channels` is None where the configuration
    is not known, and then names of channels are not checked. `platforms` are all that are installed; `languages` are
    those that channels ask for, None where nothing is posted."""
    root = real(root)
    wrong_content = judge(root)
    problems: list[Problem] = []
    for announcement in announcements:
        with isolated(Place(announcement.path), problems):
            problems += _chain(announcement)
            problems += _keys(announcement)
            problems += _tags(announcement)
            if channels is not None:
                problems += _names(announcement, channels, platforms)
            for update in announcement.updates:
                problems += check_body(update, announcement.path, root, wrong_content)
    for translation, base in _translations(announcements):
        with isolated(Place(translation.path), problems):
            problems += _translation(translation, base)
            if languages is not None and translation.language not in languages:
                problems.append(_untaken(translation))
    problems += _components(announcements)
    return tuple(sorted(problems, key=lambda each: (each.place, each.code)))


def _chain(announcement: Announcement) -> Iterator[Problem]:
    state: str | None = None
    for update in announcement.updates:
        taken = step(announcement.kind, state, update.status)
        if taken.reason:
            yield problem("backwards", update.place, taken.reason)
        state = taken.state


def _keys(announcement: Announcement) -> Iterator[Problem]:
    def place(key: str) -> Place:
        return announcement.places.get(key) or announcement.places.get("title") or Place(announcement.path)

    kind = announcement.kind
    for key, owner in _OWNERS.items():
        if kind != owner and getattr(announcement, key) is not None:
            yield problem("wrong-kind", place(key), f"`{key}` belongs to {named(owner)}; this is `kind: {kind}`")
    if kind == "release" and announcement.version is None:
        yield problem("missing-version", place("title"), "a release has a version: write `version: 2.3.0`")
    if kind != "maintenance":
        return
    if announcement.starts is None and announcement.updates[0].status == "scheduled":
        message = "followers need to know when it starts: write `starts: 2026-11-23T02:00Z` (and `ends:`)"
        yield problem("missing-starts", place("title"), message)
    if announcement.starts and announcement.ends and announcement.ends <= announcement.starts:
        message = f"the maintenance ends before it starts ({format_time(announcement.starts)})"
        yield problem("ends-before-starts", place("ends"), message)


def _tags(announcement: Announcement) -> Iterator[Problem]:
    for number, tag in enumerate(announcement.tags):
        made = hashtag(tag)
        if made == tag and is_linked(tag):
            continue
        becomes = f"it becomes `#{made}`" if made else "it is left out"
        if made and not is_linked(made):
            becomes = f"`#{made}` stays plain text everywhere, for it has no letter"
        place = announcement.places.get(f"tags.{number}") or Place(announcement.path)
        yield problem(
            "tag-changed", place, f"`{shown(tag)}` is no hashtag: {becomes}; write letters, digits and `_` only"
        )


def _names(announcement: Announcement, channels: Collection[str], platforms: Collection[str]) -> Iterator[Problem]:
    for number, name in enumerate(announcement.channels or ()):
        if name != "*" and name.removeprefix("-") not in channels:
            place = announcement.places.get(f"channels.{number}") or Place(announcement.path)
            yield problem("unknown-channel", place, _unknown("channel", name, channels))
    known = {*channels, *platforms}
    for update in announcement.updates:
        for name, place in update.override_places.items():
            if name not in known:
                yield problem("unknown-channel", place, _unknown("channel or platform", name, known))


def _unknown(what: str, name: str, known: Collection[str]) -> str:
    all_names = f" There are: {', '.join(sorted(known))}." if known else " `broadcast.toml` has none."
    return f"no {what} is called `{shown(name)}`.{did_you_mean(name, known) or all_names}"


def _translations(announcements: Sequence[Announcement]) -> Iterator[tuple[Announcement, Announcement]]:
    """Each that is a translation, and what it translates."""
    bases = {each.path: each for each in announcements if not each.translation}
    for each in announcements:
        base = bases.get(posixpath.join(posixpath.dirname(each.path), f"{each.slug}.md"))
        if base is not None and each.translation:
            yield each, base


def _untaken(translation: Announcement) -> Problem:
    language = translation.language
    message = (
        f"`.{language}` in the file's name stands for a language that no channel takes, so this is never posted: write "
        f'`language = "{language}"` in a channel\'s table; or, if it is no translation, rename it '
        f"`{translation.slug}-{language}.md`"
    )
    return problem("translation-untaken", Place(translation.path), message)


def _components(announcements: Sequence[Announcement]) -> Iterator[Problem]:
    """Names that differ by case, blanks or plural: two components to everybody who counts, one to who wrote them."""
    spellings: dict[str, dict[str, list[Place]]] = {}
    for each in announcements:
        for number, name in enumerate(() if each.translation else each.components):
            same = re.sub(r"[\W_]+", "", name.casefold()).removesuffix("s")
            place = each.places.get(f"components.{number}") or Place(each.path)
            spellings.setdefault(same, {}).setdefault(name, []).append(place)
    for by_name in spellings.values():
        usual = max(by_name, key=lambda name: (len(by_name[name]), name))
        for name, places in by_name.items():
            if name != usual:
                elsewhere = by_name[usual][0].path
                message = f"`{shown(name)}` is called `{shown(usual)}` in `{elsewhere}`: one name for one component"
                yield problem("component-spelling", places[0], message)


def _translation(translation: Announcement, base: Announcement) -> Iterator[Problem]:
    file = posixpath.basename(base.path)
    for key in ("kind", "severity", "starts", "ends", "version", "channels"):
        if getattr(translation, key) != getattr(base, key):
            place = translation.places.get(key) or translation.places.get("title") or Place(translation.path)
            yield problem("translation-differs", place, f"`{key}` is not what `{file}` says")
    for ours, theirs in zip_longest(translation.updates, base.updates):
        if ours is None:
            missing = f"## {theirs.status.capitalize()} - {format_time(theirs.time)}"
            place = translation.updates[-1].place
            yield problem("translation-behind", place, f"`{file}` goes on: the update `{missing}` is missing here")
        elif theirs is None or (ours.status, ours.time) != (theirs.status, theirs.time):
            should = (
                f"the next one there is `## {theirs.status.capitalize()} - {format_time(theirs.time)}`"
                if theirs
                else ("it has no further update")
            )
            message = f"`{file}`, which this translates, has no such update: {should}"
            yield problem("translation-differs", ours.place, message)
        else:
            continue
        return
