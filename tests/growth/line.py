"""The straight line on one project: read, check, render, fit, plan, every view, the site, the ledger."""

from __future__ import annotations

import gc
import io
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from html import escape
from pathlib import Path
from time import process_time

from rich.console import Console

from broadcast import pipeline, standing
from broadcast.errors import BroadcastError
from broadcast.ledger.base import Log
from broadcast.ledger.codec import decode_lines, encode, entry
from broadcast.ledger.history import fold
from broadcast.ledger.verify import against_files
from broadcast.model import Event, Plan, Receipt, Ref
from broadcast.platforms import base as platforms
from broadcast.platforms.base import Prepared
from broadcast.platforms.standing import Standing, match, match_alone, plain
from broadcast.publish import posts
from broadcast.site import build
from broadcast.source.cstate import convert
from broadcast.views import data, github, html, markdown, terminal
from growth.shapes import FILE, Files, Shape

MOST = 6.0
"""More times the time for four times the input is more than linear: a margin for caches and a busy machine."""
NOW = datetime(2026, 11, 22, 15, tzinfo=UTC)
NOTHING = Log("none", {})
PNG = (
    b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x06\x00\x00\x00\x1f\x15\xc4\x89"
    + bytes(99)
)
MP4 = b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom" + bytes(99)


def seconds(shape: Shape, size: int, root: Path, *, thorough: bool = True) -> float:
    """The time of the processor that a shape of this size takes."""
    files = shape.make(size)
    lay(root, files)
    with unswept():
        before = process_time()
        walk(root, files, thorough=thorough)
        return process_time() - before


@contextmanager
def unswept() -> Iterator[None]:
    """Without the garbage collector, whose passes over everything that lives would be counted."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def lay(root: Path, files: Files) -> None:
    """Write a project, with an image and a video beside its announcements."""
    shutil.rmtree(root, ignore_errors=True)
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode("utf-8", "surrogatepass"))
    (root / "incidents/e.png").write_bytes(PNG)
    (root / "incidents/e.mp4").write_bytes(MP4)


def walk(root: Path, files: Files, *, thorough: bool = True) -> None:
    """All that can be done with a project without a network; every view of its plan once, or, `thorough`, before and
    after everything was sent."""
    convert(files[FILE].replace("title:", "date: 2020-01-01 00:00:00\ntitle:"), "a.md")
    try:
        project = pipeline.read(root)
    except BroadcastError:  # told to the user, and the end
        return
    for one in {one.platform: one for one in project.config.channels.values()}.values():
        one.limits.measure(files[FILE])
    planner = pipeline.planner(project, now=NOW, backfill=True)
    plan = planner(NOTHING)
    show(plan, root)
    log = Log("some", {slug: carried(slug, events) for slug, events in sent(plan).items()})
    for events in log.events.values():
        fold(events)
    list(against_files(log, {one.slug for one in project.announcements}, set(project.config.channels)))
    again = planner(log)
    if thorough:
        show(again, root)
    for channel in ("x-thread", "site"):
        pipeline.workspace(project, NOW, channel, log)
    standing.standings(project.config, project.announcements, again, NOW)
    recognized(plan)
    try:
        build.build(
            pipeline.standing(project, log, "site"),
            root / "public",
            url=project.config.file.url,
            root=root,
            templates=None,
            now=NOW,
        )
    except BroadcastError:  # a page that a template may not make
        return


def show(plan: Plan, root: Path) -> None:
    """Every view of a plan."""
    terminal.preview(Console(file=io.StringIO(), width=120, force_terminal=True), plan)
    terminal.plan(Console(file=io.StringIO(), width=120), plan)
    markdown.preview(plan)
    html.preview(plan, root)
    data.plan(plan)
    github.annotate(plan.problems)


def sent(plan: Plan) -> Mapping[str, Sequence[Event]]:
    """The events of a plan of which everything was sent."""
    made: dict[str, list[Event]] = {}
    for number, row in enumerate(plan.actions):
        intent = posts.intent(row, Prepared(), parent=None, run="run", at=NOW)
        receipt = Receipt(*posts.key(intent), NOW, "run", Ref(f"id-{number}", f"https://example.com/{number}"))
        made.setdefault(row.announcement, []).extend((intent, receipt))
    return made


def carried(slug: str, events: Sequence[Event]) -> list[Event]:
    """Events as they come back from a ledger."""
    return [item.event for item in decode_lines(b"".join(encode(entry(event)) for event in events), slug)]


def recognized(plan: Plan) -> None:
    """Find all posts of a plan among those that stand."""
    for thread in posts.threads(plan):
        if platforms.recognizes(thread[0].platform):
            intents = [posts.intent(row, Prepared(), parent=None, run="", at=NOW) for row in thread]
            stand = list(_answers(plain(f"<p>{escape(intent.post.text)}</p>") for intent in intents))
            match(intents, None, stand)
            match_alone(intents, stand)


def _answers(texts: Iterator[str]) -> Iterator[Standing]:
    before = None
    for number, text in enumerate(texts):
        yield Standing(str(number), text, before)
        before = str(number)
