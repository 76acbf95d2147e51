"""`broadcast.toml`: read, validated whole, every problem with its line and column."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from difflib import get_close_matches
from itertools import islice
from pathlib import Path, PurePath
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from broadcast.conflicts import WHAT_TO_DO, markers
from broadcast.errors import ConfigError
from broadcast.explain import FILE as FILE
from broadcast.explain import at, explain, problem, suggestion
from broadcast.ledger import address
from broadcast.model import Announcement, Channel, FitOptions, Kind, Place, Problem, Severity
from broadcast.paths import LONGEST_PATH, is_file, real
from broadcast.platforms import base as platforms
from broadcast.source import tomltext
from broadcast.source.frontmatter import is_web_address, language_tag
from broadcast.source.times import parse_duration
from broadcast.source.tomltext import Places, read_places

MAX_BYTES = 256 * 1024
"""No configuration is longer; a file in a pull request may be anything."""
MAX_CHANNELS, MAX_ROUTES = 100, 100
MAX_WORDS = 1_000
"""Abbreviations of one language."""
CHANNEL_NAME = re.compile(r"[a-z0-9]([a-z0-9_-]{0,62}[a-z0-9])?")
LEAVES = "-"
"""Before the name of a channel in an announcement's `channels`: not this one, even where the announcement began."""
DEFAULT_SEVERITY: Severity = "minor"
"""An incident that names no severity is routed and paced as this one."""


def _duration(value: object) -> timedelta:
    if not isinstance(value, str):
        raise ValueError('write a duration in quotes: "30m", "24h" or "1d"')  # noqa: TRY004 - pydantic's way to say it
    return parse_duration(value)


def _url(value: str) -> str:
    if not is_web_address(value):
        raise ValueError('write an address such as "https://status.example.com"')
    return value


def _folder(value: str) -> str:
    path = PurePath(value)
    if not value.strip() or path.is_absolute() or ".." in path.parts or "\0" in value or len(value) > LONGEST_PATH:
        raise ValueError("write the name of a folder inside the project")
    return value


def _ledger(value: str) -> str:
    try:
        address.check(value)
    except ConfigError as error:
        raise ValueError(f"{error.message}; write {error.hint}") from None
    return value


Duration = Annotated[timedelta, BeforeValidator(_duration)]
Url = Annotated[str, AfterValidator(_url)]
Folder = Annotated[str, AfterValidator(_folder)]
Language = Annotated[str, AfterValidator(language_tag)]
Model = TypeVar("Model", bound=BaseModel)
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
    channels: Annotated[tuple[str, ...], Field(max_length=MAX_CHANNELS)]

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
    language: Language | None = None
    dry: bool = False


class File(BaseModel):
    """The whole of `broadcast.toml`."""

    model_config = Strict
    url: Url | None = None
    incidents: Folder = "incidents"
    templates: Folder = "templates"
    ledger: Annotated[str, AfterValidator(_ledger)] = "git:broadcast/ledger"
    language: Language = "en"
    stale_after: Duration = timedelta(hours=24)
    cadence: Cadence = Cadence()
    channels: dict[str, dict[str, Any]] = {}
    routes: Annotated[tuple[Route, ...], Field(max_length=MAX_ROUTES)] = ()
    abbreviations: dict[str, Annotated[dict[str, str], Field(max_length=MAX_WORDS)]] = {}


@dataclass(frozen=True, slots=True)
class Config:
    """A valid `broadcast.toml` in the folder `root`. `file` holds its plain values; `places` says where they stand."""

    root: Path
    file: File
    channels: Mapping[str, Channel]
    places: Places = field(default_factory=dict, compare=False, repr=False)

    def channels_for(self, announcement: Announcement) -> tuple[Channel, ...]:
        """Where an announcement goes, in the file's order: its own `channels`, else the first route that matches;
        without those that it leaves."""
        own = [name for name in announcement.channels or () if not name.startswith(LEAVES)]
        wanted: Iterable[str] = self.channels
        if own or announcement.channels == ():
            wanted = own
        elif self.file.routes:
            wanted = next((route.channels for route in self.file.routes if route.matches(announcement)), ())
        names, left = frozenset(wanted), self.left(announcement)
        return tuple(one for name, one in self.channels.items() if (name in names or "*" in names) and name not in left)

    def left(self, announcement: Announcement) -> frozenset[str]:
        """The channels that an announcement leaves on purpose: `-x` in its `channels`."""
        return frozenset(name[1:] for name in announcement.channels or () if name.startswith(LEAVES))

    def pace(self, announcement: Announcement) -> timedelta | None:
        """How long after an update followers are owed the next one, while it is open; None where none is promised."""
        return self.cadence_of(announcement) if announcement.kind == "incident" else announcement.update_every

    def cadence_of(self, announcement: Announcement) -> timedelta:
        """How long after an update followers are owed the next one."""
        own = announcement.update_every
        pace: timedelta = getattr(self.file.cadence, announcement.severity or DEFAULT_SEVERITY)
        return own if own is not None else pace


def find(start: Path) -> Path:
    """The nearest folder at or above `start` that holds a `broadcast.toml`."""
    for folder in (start, *start.parents):
        if is_file(folder / FILE):
            return folder
    raise ConfigError(f"no {FILE} here or in a folder above", "type `broadcast init` to make one")


def load(root: Path) -> tuple[Config | None, tuple[Problem, ...]]:
    """Read and validate `broadcast.toml` of `root`. Without a config there is at least one error among the problems."""
    try:
        with (root / FILE).open("rb") as stream:
            data = stream.read(MAX_BYTES + 1)
        text = data.decode("utf-8-sig").replace("\r\n", "\n")
    except OSError as error:
        return None, (problem("config-unreadable", Place(FILE), f"it cannot be read: {error.strerror}"),)
    except UnicodeDecodeError:
        return None, (problem("config-unreadable", Place(FILE), "this is not UTF-8: save the file in that encoding"),)
    if len(data) > MAX_BYTES:
        return None, (problem("config-unreadable", Place(FILE), f"it is larger than {MAX_BYTES // 1024} KiB"),)
    values = _read(text)
    if isinstance(values, Problem):
        return None, (values,)
    places = read_places(text)
    try:
        file = _valid(File, values)
    except ValidationError as error:
        return None, tuple(explain(error, File, (), places, _fields_at))
    if further := next(islice(file.channels, MAX_CHANNELS, None), None):
        message = f"channel {further!r} is one more than the {MAX_CHANNELS} that there may be"
        return None, (problem("bad-value", at(places, ("channels", further)), message),)
    channels: dict[str, Channel] = {}
    problems: list[Problem] = []
    for name, table in file.channels.items():
        channel, found = _channel(name, table, file, places)
        problems += found
        if channel is not None:
            channels[name] = channel
    problems += _names(file, places)
    if problems:
        return None, tuple(problems)
    return Config(root, file, channels, places), tuple(_extras(root, file, places))


def _read(text: str) -> dict[str, Any] | Problem:
    """The values of a file, or what keeps them from being read."""
    for line, marker in markers(text.split("\n")):
        return problem("config-syntax", Place(FILE, line), f"`{marker}` is a conflict marker of git: {WHAT_TO_DO}")
    try:
        values = tomltext.loads(text)
        json.dumps(values, default=str)
    except RecursionError:
        return problem("config-syntax", Place(FILE), "it is nested too deeply")
    except tomllib.TOMLDecodeError as error:
        where = re.search(r"\(at line (\d+), column (\d+)\)", str(error))
        last = text.rstrip().splitlines() or [""]
        place = Place(FILE, int(where[1]), int(where[2])) if where else Place(FILE, len(last), len(last[-1]))
        return problem("config-syntax", place, re.sub(r" \(at line .*\)", "", str(error)))
    except ValueError:  # neither Python nor JSON has numbers of any length
        return problem("config-syntax", Place(FILE), "a number in it has too many digits")
    return values


def _valid(model: type[Model], values: Mapping[str, Any]) -> Model:
    """The values as the model has them, each of the type that was asked for: "yes" is not true, and true not 1."""
    return model.model_validate_json(json.dumps(values, default=str), strict=True)


def _extras(root: Path, file: File, places: Places) -> Iterator[Problem]:
    folder = real(root / file.templates)
    if not folder.is_relative_to(real(root)):
        message = f"`{file.templates}` is a link that leads out of the project: put the folder itself there"
        yield problem("outside-root", at(places, ("templates",)), message)
    extra = address.missing(address.check(file.ledger))
    if extra is not None:
        message = f"this ledger needs what is not installed here: pip install 'broadcast-cli[{extra}]'"
        yield problem("missing-extra", at(places, ("ledger",)), message, "warning")


def _channel(name: str, table: dict[str, Any], file: File, places: Places) -> tuple[Channel | None, list[Problem]]:
    where: tuple[str | int, ...] = ("channels", name)
    if not CHANNEL_NAME.fullmatch(name):
        message = f"channel {name!r}: use lower-case letters, digits, `-` and `_`"
        return None, [problem("channel-name", at(places, where), message)]
    common = {key: value for key, value in table.items() if key in ChannelTable.model_fields}
    own = {key: value for key, value in table.items() if key not in ChannelTable.model_fields}
    try:
        keys = _valid(ChannelTable, common)
    except ValidationError as error:
        return None, [
            *explain(error, ChannelTable, where, places, lambda _: ChannelTable.model_fields),
            *(_misspelled(own, where, places) if "platform" not in table else ()),
        ]
    try:
        platform = platforms.load(keys.platform)
    except ConfigError as error:
        message = "; ".join(filter(None, (error.message, error.hint)))
        return None, [problem("unknown-platform", at(places, (*where, "platform")), message)]
    try:
        options = _valid(platform.OPTIONS, own)
    except ValidationError as error:
        known = [*ChannelTable.model_fields, *platform.OPTIONS.model_fields]
        return None, list(explain(error, platform.OPTIONS, where, places, lambda _: known, platform.SECRETS))
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


def _misspelled(own: Mapping[str, Any], where: tuple[str | int, ...], places: Places) -> Iterator[Problem]:
    """Without a platform, its own keys are not known; what is nearly a common key is a mistake all the same."""
    for key in own:
        if get_close_matches(key, ChannelTable.model_fields, n=1, cutoff=0.7):
            dotted = ".".join(map(str, (*where, key)))
            message = f"unknown key {dotted!r}{suggestion(key, ChannelTable.model_fields)}"
            yield problem("unknown-key", at(places, (*where, key)), message)


def _names(file: File, places: Places) -> Iterator[Problem]:
    for number, route in enumerate(file.routes):
        for index, name in enumerate(route.channels):
            if name != "*" and name not in file.channels:
                message = f"no channel is called {name!r}{suggestion(name, file.channels)}"
                yield problem("unknown-channel", at(places, ("routes", number, "channels", index)), message)
    seen: dict[str, str] = {}
    for name in file.channels:
        other = seen.setdefault(name.upper().replace("-", "_"), name)
        if other != name:
            message = f"channels {other!r} and {name!r} would share their secrets' names; rename one"
            yield problem("channel-name", at(places, ("channels", name)), message)


def _fields_at(location: tuple[str | int, ...]) -> Collection[str]:
    models: dict[str, type[BaseModel]] = {"cadence": Cadence, "routes": Route}
    return tuple((models.get(str(location[0]), File) if location else File).model_fields)
