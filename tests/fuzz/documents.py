"""Entrances for what users write: announcements, whole projects, `broadcast.toml`, templates, files of others."""

from __future__ import annotations

import io
import json
import shutil
import tempfile
import xml.etree.ElementTree
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path, PurePosixPath
from typing import get_args

from rich.console import Console

from broadcast import config as configuration
from broadcast import pipeline
from broadcast.errors import BroadcastError, ConfigError, DoesNotFitError
from broadcast.ledger.base import NO_LEDGER, Log
from broadcast.ledger.codec import Entry, decode, encode
from broadcast.model import Channel, Draft, FitOptions, Kind, Limits, Part, Plan
from broadcast.platforms import base as platforms
from broadcast.render import TemplateFailedError, environment, render
from broadcast.site.build import build
from broadcast.source import write
from broadcast.source.check import check
from broadcast.source.cstate import convert
from broadcast.source.headings import read_heading
from broadcast.source.parse import parse
from broadcast.source.times import format_time, parse_duration, parse_time
from broadcast.standing import standings
from broadcast.text import measure, rich
from broadcast.text.fit import fit
from broadcast.views import data as views
from broadcast.views import github, html, markdown, terminal
from fuzz import holds

NOW = datetime(2026, 11, 22, 16, 0, tzinfo=UTC)
EMPTY = Log(NO_LEDGER, {})
FILE = "%% "
"""Begins the line that names the file to which the lines below it belong."""
CONFIG = """url = "https://status.example.com"
[channels.x]
platform = "x"
[channels.bluesky]
platform = "bluesky"
handle = "status.example.com"
[channels.mastodon]
platform = "mastodon"
api_base_url = "https://mastodon.example"
[channels.site]
platform = "site"
"""
LIMITS = (
    Limits(280, measure.weighted),
    Limits(300, measure.graphemes, "graphemes", max_bytes=3000, facets=True),
    Limits(500, measure.mastodon()),
)
OPTIONS = (
    FitOptions(),
    FitOptions("single", short_urls=True),
    FitOptions("thread", link="every", max_posts=100),
    FitOptions(max_posts=2, link="last", numbering=False),
)


@contextmanager
def folder() -> Iterator[Path]:
    """An empty folder, in memory where there is one."""
    shm = Path("/dev/shm")
    path = Path(tempfile.mkdtemp(prefix="broadcast-fuzz-", dir=shm if shm.is_dir() else None))
    try:
        yield path
    finally:
        shutil.rmtree(path)


def announcement(data: bytes) -> None:
    """One file is parsed and checked, and what it says goes through."""
    text = data.decode("utf-8", "replace")
    found, problems = parse(text, "incidents/api-errors.md")
    holds.problems(problems, {"incidents/api-errors.md": text})
    if found is not None:
        holds.announcements(found)
        more = check((found,), root=Path("/nonexistent"), channels={"x"}, platforms={"x", "bluesky"})
        holds.problems(more, {"incidents/api-errors.md": text})
    else:
        assert any(one.severity == "error" for one in problems)


def posts(data: bytes) -> None:
    """Markdown becomes posts; the first byte chooses for which platform and how."""
    chosen, text = (data[0], data[1:].decode("utf-8", "replace")) if data else (0, "")
    limits, options = LIMITS[chosen % len(LIMITS)], OPTIONS[chosen // len(LIMITS) % len(OPTIONS)]
    parts = []
    for name, words in (("headline", "Errors in the EU"), ("body", text), ("link", "https://status.example.com/a")):
        blocks, media = rich.parse(words)
        parts.append(Part(name, blocks, media))
    with suppress(DoesNotFitError):
        for post in fit(Draft(tuple(parts)), limits, options):
            holds.post(post, limits)
    with suppress(DoesNotFitError):
        for post in fit(Draft(tuple(parts), text), limits, options):
            holds.post(post, limits)


def line(data: bytes) -> None:
    """A project of hostile files goes down the whole line and into every view."""
    with folder() as root:
        texts = _lay_out(root, data)
        try:
            project = pipeline.read(root)
        except ConfigError:
            return
        holds.problems(project.problems, texts)
        plan = pipeline.planner(project, now=NOW, backfill=True)(EMPTY)
        for action in plan.actions:
            holds.post(action.post, project.config.channels[action.channel].limits)
            entry = Entry("0123456789abcdef", holds.intent(action, "run", NOW))
            assert decode(encode(entry), "here") == entry
        _views(plan, project, root)
        _site(project, root)


def _lay_out(root: Path, data: bytes) -> dict[str, str]:
    """Write the files. What stands above the first name belongs to `broadcast.toml`, or else is an announcement."""
    pieces: dict[str, list[bytes]] = {}
    here = pieces.setdefault("incidents/a.md", [])
    for one in data.split(b"\n"):
        if one.startswith(FILE.encode()):
            name = one[len(FILE) :].decode("utf-8", "replace").strip()
            here = pieces.setdefault(name, [])
        else:
            here.append(one)
    pieces.setdefault("broadcast.toml", [CONFIG.encode()])
    texts = {}
    for name, lines in pieces.items():
        path = PurePosixPath(name)
        if "\0" in name or path.is_absolute() or ".." in path.parts or not path.name or len(name) > 200:
            continue
        with suppress(OSError):
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_bytes(b"\n".join(lines))
            texts[name] = b"\n".join(lines).decode("utf-8", "replace")
    return texts


def _views(plan: Plan, project: pipeline.Project, root: Path) -> None:
    stand = standings(project.config, project.announcements, plan, NOW)
    for escapes in (False, True):
        out = io.StringIO()
        console = Console(file=out, force_terminal=escapes, width=100, color_system="standard" if escapes else None)
        terminal.preview(console, plan)
        terminal.plan(console, plan)
        terminal.status(console, stand, now=NOW)
        holds.shown(out.getvalue(), escapes=escapes)
    holds.shown(markdown.preview(plan))
    holds.shown(github.annotate(plan.problems))
    holds.page(html.preview(plan, root))
    for value in (views.plan(plan), views.standings(stand), views.problems(plan.problems)):
        assert json.loads(json.dumps(value, allow_nan=False)) == value


def _site(project: pipeline.Project, root: Path) -> None:
    file = project.config.file
    try:
        made = build(
            project.announcements,
            root / "made here",
            url=file.url,
            root=root,
            templates=root / file.templates,
            now=NOW,
        )
    except ConfigError:
        return
    for path in made:
        if path.suffix == ".html":
            holds.page(path.read_text(encoding="utf-8"))
        elif path.suffix == ".atom":
            xml.etree.ElementTree.fromstring(path.read_bytes())  # noqa: S314 - ours, without entities
        elif path.suffix == ".json":
            json.loads(path.read_bytes())


def config(data: bytes) -> None:
    """`broadcast.toml`."""
    with folder() as root:
        (root / configuration.FILE).write_bytes(data)
        found, problems = configuration.load(root)
        holds.problems(problems, {})
        if found is None:
            assert any(one.severity == "error" for one in problems)
            return
        assert configuration.find(root) == root
        out = io.StringIO()
        terminal.problems(Console(file=out, width=100), problems)
        holds.shown(out.getvalue())


def heading(data: bytes) -> None:
    """A heading, a time and a duration."""
    text = data.decode("utf-8", "replace")
    for kind in get_args(Kind):
        read_heading(kind, text)
    with suppress(ValueError):
        time = parse_time(text)
        assert parse_time(format_time(time)) == time
    with suppress(ValueError):
        assert parse_duration(text) > timedelta(0)


def template(data: bytes) -> None:
    """A project's own template, for posts and for its page."""
    found, _ = parse(ANNOUNCEMENT, "incidents/api-errors.md")
    assert found is not None
    with folder() as root:
        (root / "site").mkdir()
        (root / "default.md.j2").write_bytes(data)
        (root / "incident").mkdir()
        (root / "incident" / "default.md.j2").write_bytes(data)
        (root / "site" / "announcement.html.j2").write_bytes(data)
        options = platforms.defaults("x")
        channel = Channel("x", "x", FitOptions(), LIMITS[0], options=options)
        try:
            for update in found.updates:
                draft = render(
                    environment(root), found, update, channel, link="https://a.example/", cadence=timedelta(hours=1)
                )
                for post in fit(draft, channel.limits, channel.fit):
                    holds.post(post, channel.limits)
        except (TemplateFailedError, DoesNotFitError):
            pass
        with suppress(ConfigError):
            build([found], root / "made here", url=None, root=root, templates=root, now=NOW)


def imported(data: bytes) -> None:
    """An issue of a cState site becomes an announcement that has no errors of its own."""
    made = convert(data.decode("utf-8", "replace"), "2021-04-14-an-issue.md")
    assert made.text is not None or made.notes
    if made.text is not None:
        found, _ = parse(made.text, made.filename)
        assert found is not None
        holds.announcements(found)


def appended(data: bytes) -> None:
    """`update` on any file, with any text; they are parted by a line `%%`."""
    before, _, body = data.decode("utf-8", "replace").partition("\n%%\n")
    try:
        after = write.append(before, "update", NOW, body)
    except BroadcastError:
        return
    old, new = parse(before, "incidents/a.md")[0], parse(after, "incidents/a.md")[0]
    assert old is not None
    assert new is not None
    assert len(new.updates) == len(old.updates) + 1


ANNOUNCEMENT = """---
title: Elevated API errors in the EU
severity: major
components: [API, Dashboard]
tags: [outage]
---

## Investigating - 2026-11-22 14:05 UTC
We see **elevated** error rates for [API](https://status.example.com/api) requests. ![Errors](errors.png)

- Reads: 3 % fail
- Writes: all of them fail

## Resolved - 2026-11-22 15:40 UTC
Fixed by `rollback 2.3.1`. Thanks to @ada@example.social and #sre.
"""
