"""Announcement + channel + template -> draft. Templates make Markdown; only `text/` makes platform text."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from jinja2 import TemplateError, nodes
from jinja2.exceptions import TemplateNotFound, TemplateRuntimeError, TemplateSyntaxError
from markupsafe import Markup

from broadcast import templates
from broadcast.images import path_of
from broadcast.model import Announcement, Channel, Draft, Part, Update
from broadcast.sandbox import Sandbox
from broadcast.text import rich
from broadcast.text.hashtags import hashtag

# Blocks are marked with control characters, which no text of a user can hold: parsing strips them.
_BEGIN, _NAMED, _END = "\x02", "\x03", "\x04"
_PART = re.compile(f"{_BEGIN}([^{_NAMED}]*){_NAMED}|{_END}")
_MARKS = str.maketrans("", "", _BEGIN + _NAMED + _END)
MAX_RENDERED = 150_000
"""Most characters that a template may make of one update."""
ALLOWANCE = 2_000_000
"""Units (see `metering`) that a template may spend on one update; the packaged ones spend some 30,000."""
PER_CHARACTER = 5
"""Units that a template may spend besides for each character of the update."""


class TemplateFailedError(Exception):
    """A template cannot be rendered. `name` is the template's, `line` its line where that is known."""

    def __init__(self, message: str, name: str, line: int | None) -> None:
        super().__init__(message)
        self.message, self.name, self.line = message, name, line


class Markdown(Markup):
    """Text that is Markdown already: templates put it in as it is. All other values are escaped.

    To Jinja2 this is `Markup`, so that what macros and `super()` return is not escaped twice.
    """

    __slots__ = ()


# Templates see these and not the objects that they show: a method of ours, or of a library's, is not for them.


@dataclass(frozen=True, slots=True)
class AnnouncementView:
    """What templates see as `announcement`. Its `tags` are hashtags, without `#`."""

    slug: str
    title: str
    kind: str
    language: str
    severity: str | None
    components: tuple[str, ...]
    starts: datetime | None
    ends: datetime | None
    version: str | None
    tags: tuple[str, ...]

    @classmethod
    def of(cls, one: Announcement) -> AnnouncementView:
        values = {field.name: getattr(one, field.name) for field in fields(cls)}
        return cls(**values | {"tags": tuple(filter(None, map(hashtag, one.tags)))})

    def __str__(self) -> str:
        raise TemplateRuntimeError("`announcement` is no text: name one of its fields, such as `announcement.title`")

    def __repr__(self) -> str:
        return "<announcement>"


@dataclass(frozen=True, slots=True)
class ChannelView:
    """What templates see as `channel`."""

    name: str
    platform: str

    def __str__(self) -> str:
        raise TemplateRuntimeError("`channel` is no text: write `channel.name` or `channel.platform`")

    def __repr__(self) -> str:
        return "<channel>"


@dataclass(frozen=True, slots=True)
class UpdateView:
    """What templates see as `update`. `first` is true for the chain's first; `next` is when the next one is owed."""

    status: str
    time: datetime
    body: Markdown
    first: bool
    next: datetime | None

    def __str__(self) -> str:
        raise TemplateRuntimeError("`update` is no text: name one of its fields, such as `update.body`")

    def __repr__(self) -> str:
        return "<update>"


def environment(folder: Path) -> Sandbox:
    """The sandbox for drafts: values are escaped for Markdown, and blocks come out marked by name."""
    filters: dict[str, Callable[..., Any]] = {"clock": clock, "window": window, "markdown": _markdown}
    return templates.environment(folder, autoescape=True, filters=filters, finalize=_escape, prepare=_mark_blocks)


def names(kind: str, status: str, channel: Channel) -> list[str]:
    """The template's possible names, most specific first."""
    file = status.replace(" ", "-")
    targets = dict.fromkeys((f".{channel.name}", f".{channel.platform}", ""))
    folders = [f"{kind}/{file}", f"{kind}/default", "default"]
    return [f"{folder}{target}.md.j2" for folder in folders for target in targets]


def render(
    env: Sandbox,
    announcement: Announcement,
    update: Update,
    channel: Channel,
    *,
    link: str | None,
    cadence: timedelta | None,
) -> Draft:
    """One update for one channel as named parts. `cadence` is how long after it followers are owed the next one, None
    where they are owed none. Raises `TemplateFailedError`."""
    override = update.overrides.get(channel.name, update.overrides.get(channel.platform))
    owed = update.time + cadence if cadence is not None else None
    body = Markdown(update.body.translate(_MARKS))
    values = {
        "announcement": AnnouncementView.of(announcement),
        "update": UpdateView(update.status, update.time, body, update is announcement.updates[0], owed),
        "channel": ChannelView(channel.name, channel.platform),
        "language": announcement.language,
        "link": link or "",
    }
    text = _run(env, names(announcement.kind, update.status, channel), values, PER_CHARACTER * len(body))
    parts = tuple(_part(name, markdown, announcement.path) for name, markdown in _split(text))
    return Draft(tuple(part for part in parts if part.blocks or part.media), override, announcement.language)


def _run(env: Sandbox, candidates: list[str], values: Mapping[str, Any], more: int) -> str:
    name = candidates[-1]
    try:
        template = env.select_template(candidates)
        name = template.name or name
        with env.meter.turn(ALLOWANCE, more):
            pieces, size = [], 0
            for piece in template.generate(values):
                size += len(piece)
                if size > MAX_RENDERED:
                    break
                pieces.append(piece)
    except TemplateSyntaxError as error:
        named = env.names.get(error.name or "", error.name or name)
        raise TemplateFailedError(error.message or "syntax error", named, error.lineno) from error
    except TemplateNotFound as error:
        missing = ", ".join(getattr(error, "templates", [error.name])[-1:])
        raise TemplateFailedError(f"there is no template {missing}", *_place(env, error, name)) from error
    except TemplateError as error:
        raise TemplateFailedError(error.message or type(error).__name__, *_place(env, error, name)) from error
    except RecursionError as error:
        raise TemplateFailedError("templates include each other without end", *_place(env, error, name)) from error
    except Exception as error:  # a template runs what its author wrote, and may raise anything
        raise TemplateFailedError(f"{type(error).__name__}: {error}", *_place(env, error, name)) from error
    if size > MAX_RENDERED:
        raise TemplateFailedError(f"it makes more than {MAX_RENDERED:,} characters", name, None)
    return "".join(pieces)


def _place(env: Sandbox, error: BaseException, name: str) -> tuple[str, int | None]:
    """The template and the line in a traceback that Jinja2 has rewritten to the template's own file."""
    trace, line = error.__traceback__, None
    while trace is not None:
        file = trace.tb_frame.f_code.co_filename
        if file.endswith(".j2"):
            name, line = env.names.get(file, name), trace.tb_lineno
        trace = trace.tb_next
    return name, line


def _split(text: str) -> Iterator[tuple[str, str]]:
    """The marked blocks of a rendered template, outermost ones, in order. Text outside of blocks joins the body."""
    name, depth, start, position = "", 0, 0, 0
    for mark in _PART.finditer(text):
        if mark[1] is not None:
            if depth == 0:
                if stray := text[position : mark.start()].strip():
                    yield "body", stray
                name, start = mark[1], mark.end()
            depth += 1
        else:
            depth -= 1
            if depth == 0:
                yield name, _PART.sub("", text[start : mark.start()])
                position = mark.end()
    if stray := text[position:].strip():
        yield "body", stray


def _part(name: str, markdown: str, document: str) -> Part:
    blocks, media = rich.parse(markdown)
    return Part(name, blocks, tuple(replace(item, path=path_of(item.path, document)) for item in media))


def _mark_blocks(tree: nodes.Template) -> nodes.Template:
    for block in tree.find_all(nodes.Block):
        begin = nodes.Output([nodes.TemplateData(f"{_BEGIN}{block.name}{_NAMED}")])
        block.body = [begin, *block.body, nodes.Output([nodes.TemplateData(_END)])]
    return tree


def _escape(value: Any) -> Any:
    if isinstance(value, Markup):
        return value
    return Markdown(rich.escape("" if value is None else str(value).translate(_MARKS)))


def _markdown(value: object) -> Markdown:
    return Markdown(str(value).translate(_MARKS))


def clock(time: datetime, near: datetime | None = None) -> str:
    """`15:05 UTC`, with the date in front when it is another day than `near`. Raises `TemplateRuntimeError`."""
    _check("clock", time, near)
    same_day = near is not None and near.date() == time.date()
    return f"{time:%H:%M} UTC" if same_day else f"{time:%Y-%m-%d %H:%M} UTC"


def window(starts: datetime, ends: datetime | None = None) -> str:
    """`2026-11-23 02:00–04:00 UTC`: a stretch of time in a form that every language reads."""
    _check("window", starts, ends)
    if ends is None:
        return clock(starts)
    if starts.date() == ends.date():
        return f"{starts:%Y-%m-%d %H:%M}–{ends:%H:%M} UTC"
    return f"{starts:%Y-%m-%d %H:%M} – {ends:%Y-%m-%d %H:%M} UTC"


def _check(name: str, time: object, other: object) -> None:
    if isinstance(time, datetime) and isinstance(other, datetime | None):
        return
    missing = "; this one is none: write `{% if … %}` around it" if time is None else ""
    raise TemplateRuntimeError(f"`{name}` takes times{missing}")
