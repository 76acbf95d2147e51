"""`broadcast.toml`: read, validated whole, every problem with its line and column."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from broadcast.errors import ConfigError
from broadcast.model import Announcement, Channel, FitOptions, Kind, Place, Problem, Severity
from broadcast.platforms import base as platforms
from broadcast.source.times import parse_duration

FILE = "broadcast.toml"
CHANNEL_NAME = re.compile(r"[a-z0-9]([a-z0-9_-]{0,62}[a-z0-9])?")
DEFAULT_SEVERITY: Severity = "minor"
"""An incident that names no severity is routed and paced as this one."""

Duration = Annotated[
    timedelta, BeforeValidator(lambda value: parse_duration(value) if isinstance(value, str) else value)
]
Url = Annotated[str, Field(pattern=r"^https?://[^\s/]+\S*$")]
Strict = ConfigDict(extra="forbid", frozen=True)


class Cadence(BaseModel):
    """How often followers are owed news while an incident is open."""

    model_config = Strict
    critical: Duration = timedelta(minutes=30)
    major: Duration = timedelta(minutes=60)
    minor: Duration = timedelta(hours=4)


class Route(BaseModel):
    """Which announcements go to which channels; an absent key matches everything."""

    model_config = Strict
    kinds: tuple[Kind, ...] | None = None
    severities: tuple[Severity, ...] | None = None
    channels: tuple[str, ...]

    def matches(self, announcement: Announcement) -> bool:
        severity = (announcement.severity or DEFAULT_SEVERITY) if announcement.kind == "incident" else None
        return (self.kinds is None or announcement.kind in self.kinds) and (
            self.severities is None or severity in self.severities
        )


class ChannelTable(BaseModel):
    """The keys that any channel takes; the rest of its table is its platform's."""

    model_config = Strict
    platform: str
    fit: Literal["auto", "thread", "single"] = "auto"
    max_posts: Annotated[int, Field(ge=1, le=100)] = 10
    link: Literal["first", "last", "every", "none"] = "first"
    numbering: bool = True
    short_urls: bool = False
    language: Annotated[str, Field(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$")] | None = None
    dry: bool = False


class File(BaseModel):
    """The whole of `broadcast.toml`."""

    model_config = Strict
    url: Url | None = None
    incidents: str = "incidents"
    templates: str = "templates"
    ledger: str = "git:broadcast/ledger"
    language: Annotated[str, Field(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$")] = "en"
    stale_after: Duration = timedelta(hours=24)
    cadence: Cadence = Cadence()
    channels: dict[str, dict[str, Any]] = {}
    routes: tuple[Route, ...] = ()
    abbreviations: dict[str, dict[str, str]] = {}


@dataclass(frozen=True, slots=True)
class Config:
    """A valid `broadcast.toml` in the folder `root`. `file` holds its plain values."""

    root: Path
    file: File
    channels: Mapping[str, Channel]

    def channels_for(self, announcement: Announcement) -> tuple[Channel, ...]:
        """Where an announcement goes, in the file's order: its own `channels`, else the first route that matches."""
        names: Sequence[str] = tuple(self.channels)
        if announcement.channels is not None:
            names = announcement.channels
        elif self.file.routes:
            names = next((route.channels for route in self.file.routes if route.matches(announcement)), ())
        return tuple(channel for name, channel in self.channels.items() if name in names or "*" in names)

    def cadence_of(self, announcement: Announcement) -> timedelta:
        """How long after an update followers are owed the next one."""
        own = announcement.update_every
        pace: timedelta = getattr(self.file.cadence, announcement.severity or DEFAULT_SEVERITY)
        return own if own is not None else pace


def find(start: Path) -> Path:
    """The nearest folder at or above `start` that holds a `broadcast.toml`."""
    for folder in (start, *start.parents):
        if (folder / FILE).is_file():
            return folder
    raise ConfigError(f"no {FILE} here or in a folder above", "type `broadcast init` to make one")


def load(root: Path) -> tuple[Config | None, tuple[Problem, ...]]:
    """Read and validate `broadcast.toml` of `root`. Without a config there is at least one error among the problems."""
    try:
        text = (root / FILE).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        return None, (_problem("config-unreadable", Place(FILE), f"cannot be read: {error}"),)
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        where = re.search(r"\(at line (\d+), column (\d+)\)", str(error))
        last = text.rstrip().splitlines() or [""]
        place = Place(FILE, int(where[1]), int(where[2])) if where else Place(FILE, len(last), len(last[-1]))
        return None, (_problem("config-syntax", place, re.sub(r" \(at line .*\)", "", str(error))),)
    places = _places(text)
    try:
        file = File.model_validate(values)
    except ValidationError as error:
        return None, tuple(_explain(error, (), places))
    channels: dict[str, Channel] = {}
    problems: list[Problem] = []
    for name, table in file.channels.items():
        channel, found = _channel(name, table, file, places)
        problems += found
        if channel is not None:
            channels[name] = channel
    problems += _names(file, places)
    config = Config(root, file, channels)
    return (None if problems else config), tuple(problems)


def _channel(name: str, table: dict[str, Any], file: File, places: _Places) -> tuple[Channel | None, list[Problem]]:
    where: tuple[str | int, ...] = ("channels", name)
    if not CHANNEL_NAME.fullmatch(name):
        message = f"channel {name!r}: use lower-case letters, digits, `-` and `_`"
        return None, [_problem("channel-name", _at(places, where), message)]
    common = {key: value for key, value in table.items() if key in ChannelTable.model_fields}
    own = {key: value for key, value in table.items() if key not in ChannelTable.model_fields}
    try:
        keys = ChannelTable.model_validate(common)
    except ValidationError as error:
        return None, [
            *_explain(error, where, places),
            *(_misspelled(own, where, places) if "platform" not in table else ()),
        ]
    try:
        platform = platforms.load(keys.platform)
    except ConfigError as error:
        message = "; ".join(filter(None, (error.message, error.hint)))
        return None, [_problem("unknown-platform", _at(places, (*where, "platform")), message)]
    try:
        options = platform.OPTIONS.model_validate(own)
    except ValidationError as error:
        known = [*ChannelTable.model_fields, *platform.OPTIONS.model_fields]
        return None, list(_explain(error, where, places, known, platform.SECRETS))
    fit = FitOptions(
        fit=keys.fit,
        max_posts=keys.max_posts,
        link=keys.link,
        numbering=keys.numbering,
        short_urls=keys.short_urls,
        abbreviations=file.abbreviations.get(keys.language or file.language, {}),
    )
    limits = platform.limits(options)
    return Channel(name, keys.platform, fit, limits, keys.language, keys.dry, options), []


def _misspelled(own: Mapping[str, Any], where: tuple[str | int, ...], places: _Places) -> Iterator[Problem]:
    """Without a platform, its own keys are not known; what is nearly a common key is a mistake all the same."""
    for key in own:
        if get_close_matches(key, ChannelTable.model_fields, n=1, cutoff=0.7):
            dotted = ".".join(map(str, (*where, key)))
            message = f"unknown key {dotted!r}{_nearest(key, ChannelTable.model_fields)}"
            yield _problem("unknown-key", _at(places, (*where, key)), message)


def _names(file: File, places: _Places) -> Iterator[Problem]:
    for number, route in enumerate(file.routes):
        for index, name in enumerate(route.channels):
            if name != "*" and name not in file.channels:
                message = f"no channel is called {name!r}{_nearest(name, file.channels)}"
                yield _problem("unknown-channel", _at(places, ("routes", number, "channels", index)), message)
    seen: dict[str, str] = {}
    for name in file.channels:
        other = seen.setdefault(name.upper().replace("-", "_"), name)
        if other != name:
            message = f"channels {other!r} and {name!r} would share their secrets' names; rename one"
            yield _problem("channel-name", _at(places, ("channels", name)), message)


def _explain(
    error: ValidationError,
    prefix: tuple[str | int, ...],
    places: _Places,
    known: Sequence[str] | None = None,
    secrets: Sequence[str] = (),
) -> Iterator[Problem]:
    """pydantic's errors in our words. Never quotes a value: it might be a secret in the wrong place."""
    for item in error.errors(include_url=False, include_input=False, include_context=False):
        path = (*prefix, *item["loc"])
        key, dotted = str(path[-1]), ".".join(map(str, path))
        if item["type"] == "extra_forbidden":
            if key.upper() in secrets:
                variable = f"BROADCAST_{str(prefix[-1]).upper().replace('-', '_')}_{key.upper()}"
                message = f"secrets never stand in this file: take {key!r} out and set {variable} in the environment"
                yield _problem("secret-in-config", _at(places, path), message)
                continue
            names = known if known is not None else _fields_at(item["loc"][:-1])
            yield _problem("unknown-key", _at(places, path), f"unknown key {dotted!r}{_nearest(key, names)}")
        elif item["type"] == "missing":
            yield _problem("missing-key", _at(places, path[:-1]), f"{dotted!r} is missing")
        else:
            message = item["msg"].removeprefix("Value error, ")
            yield _problem("bad-value", _at(places, path), f"{dotted!r}: {message[:1].lower()}{message[1:]}")


def _fields_at(location: tuple[str | int, ...]) -> Sequence[str]:
    models: dict[str, type[BaseModel]] = {"cadence": Cadence, "routes": Route}
    return tuple((models.get(str(location[0]), File) if location else File).model_fields)


def _nearest(name: str, names: Any) -> str:
    close = get_close_matches(name, list(names), n=1, cutoff=0.5)
    return f"; did you mean {close[0]!r}?" if close else f"; known are: {', '.join(sorted(names)) or 'none'}"


def _problem(code: str, place: Place, message: str) -> Problem:
    return Problem("error", code, place, message)


# Where each key stands: tomllib does not say, and one scan for the start of keys and tables is all that is needed.

_Places = Mapping[tuple[str | int, ...], tuple[int, int]]
_KEY = re.compile(r"""\s*((?:[\w-]+|"[^"\n]*"|'[^'\n]*')(?:\s*\.\s*(?:[\w-]+|"[^"\n]*"|'[^'\n]*'))*)\s*=""")
_TABLE = re.compile(r"\s*(\[\[?)\s*([^\]\n]+?)\s*\]")


def _places(text: str) -> _Places:
    places: dict[tuple[str | int, ...], tuple[int, int]] = {}
    table: tuple[str | int, ...] = ()
    counts: dict[tuple[str | int, ...], int] = {}
    quote = ""
    for number, line in enumerate(text.splitlines(), 1):
        if quote:
            quote = "" if quote in line else quote
            continue
        if found := _TABLE.match(line):
            table = tuple(_split(found[2]))
            if found[1] == "[[":
                counts[table] = counts.get(table, -1) + 1
                table = (*table, counts[table])
            places.setdefault(table, (number, found.start(1) + 1))
        elif found := _KEY.match(line):
            places.setdefault((*table, *_split(found[1])), (number, found.start(1) + 1))
            for mark in ('"""', "'''"):
                if line.count(mark) == 1:
                    quote = mark
    return places


def _split(dotted: str) -> list[str]:
    return [bare or quoted[1:-1] for bare, quoted in re.findall(r"""([\w-]+)|("[^"]*"|'[^']*')""", dotted)]


def _at(places: _Places, path: tuple[str | int, ...]) -> Place:
    while path and path not in places:
        path = path[:-1]
    return Place(FILE, *places.get(path, (1, 1)))
