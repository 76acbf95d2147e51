"""Which headings begin an update, and what each update says."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from difflib import get_close_matches

from broadcast.model import Kind, Place, Problem, Update
from broadcast.source import statuses
from broadcast.source.outline import Fence, Heading, Html, outline
from broadcast.source.problems import problem, shown
from broadcast.source.times import EXAMPLE, format_time, parse_time

_MAX_HEADING = 200
_HEADING = re.compile(
    r"(?P<words>[A-Za-z][A-Za-z -]*?) ?(?P<separator>[-–—·@]|[:|,]|\bat\b|\bon\b|(?= )) ?(?P<time>[0-9].*)"
)
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")


@dataclass(frozen=True, slots=True)
class Entry:
    """What a heading that begins an update says."""

    status: str
    time: datetime


@dataclass(frozen=True, slots=True)
class Doubt:
    """A heading that is nearly an update: what is wrong with it. `near` is the text that the problem points at."""

    code: str
    message: str
    near: str = ""


def read_heading(kind: Kind, heading: str) -> Entry | Doubt | None:
    """What the text of a level-2 heading means; None for content."""
    text = " ".join(re.sub(r"[*_`]", "", heading).split())
    if len(text) > _MAX_HEADING:
        return None
    match = _HEADING.fullmatch(text)
    if match is None:
        status = statuses.status(text.rstrip(":.! -–—"))
        if status in statuses.STATUSES[kind]:
            return Doubt("heading-without-time", f"`{text}` begins an update only with a time: `{text} - {EXAMPLE}`")
        return None
    words, written = match["words"].strip(" -"), match["time"]
    status = statuses.status(words)
    try:
        time = parse_time(written)
    except ValueError as error:
        if status is None or status not in statuses.STATUSES[kind] or match["separator"] in {"", ":", ",", "|", "on"}:
            return None
        return Doubt("bad-time", str(error), written)
    if status is None:
        return _misspelled(kind, words, time)
    if status not in statuses.STATUSES[kind]:
        others = " or ".join(statuses.kinds(status))
        known = ", ".join(statuses.STATUSES[kind])
        return Doubt("wrong-status", f"`{status}` is a status of {others}; this {kind} takes {known}", words)
    if match["separator"] not in {"-", "–", "—", "·", "@"}:
        return Doubt(
            "no-separator", f"write `## {words.capitalize()} - {format_time(time)}`, with a `-` before the time"
        )
    return Entry(status, time)


def _misspelled(kind: Kind, words: str, time: datetime) -> Doubt | None:
    near = get_close_matches(words.lower(), statuses.STATUSES[kind], n=1, cutoff=0.75)
    if not near:
        return None
    meant = f"## {near[0].capitalize()} - {format_time(time)}"
    return Doubt(
        "misspelled-status",
        f"`{shown(words)}` is not a status, so this is part of the text above. Did you mean `{meant}`?",
    )


@dataclass(slots=True)
class Chain:
    """The updates of a body, sorted by time; `intro` is what stands before the first of them in the file.

    Without any heading, `updates` is empty and `rest` is the whole body as one update, still without status and time.
    `doubted` says that a heading was meant to begin an update and does not.
    """

    updates: tuple[Update, ...] = ()
    intro: str = ""
    rest: Piece | None = None
    doubted: bool = False
    problems: list[Problem] = field(default_factory=list)


@dataclass(slots=True)
class Piece:
    """A run of lines of a body. `line` is where its text begins in the file."""

    text: str
    line: int
    overrides: dict[str, str] = field(default_factory=dict)
    places: dict[str, Place] = field(default_factory=dict)


def read_updates(kind: Kind, lines: Sequence[str], path: str, first_line: int) -> Chain:
    """Take a body apart. `first_line` is the file's line on which it begins."""
    chain = Chain()
    blocks = outline(lines)
    entries: list[tuple[Heading, Entry]] = []
    for block in blocks:
        place = Place(path, first_line + block.start)
        if isinstance(block, Heading):
            entry = _heading(kind, block, place, lines[block.start], chain)
            if entry is not None:
                entries.append((block, entry))
        elif not block.closed:
            what = "code block" if isinstance(block, Fence) else "comment or HTML block"
            chain.problems.append(
                problem("unclosed-block", place, f"this {what} is never closed: everything below belongs to it")
            )
    before = entries[0][0].start if entries else len(lines)
    first = _piece(lines, 0, before, blocks, path, first_line, chain, is_update=not entries)
    if not entries:
        chain.rest = first
        return chain
    chain.intro = first.text
    if first.text:
        message = "what stands before the first update goes to the page only, not to followers"
        chain.problems.append(problem("intro-not-posted", Place(path, first.line), message))
    ends = [heading.start for heading, _ in entries[1:]] + [len(lines)]
    updates: dict[datetime, Update] = {}
    for (heading, entry), end in zip(entries, ends, strict=True):
        piece = _piece(lines, heading.end, end, blocks, path, first_line, chain, is_update=True)
        place = Place(path, first_line + heading.start)
        if entry.time in updates:
            also = updates[entry.time].place.line
            message = f"another update has the time {format_time(entry.time)} already, in line {also}"
            chain.problems.append(problem("same-time", place, message))
            continue
        updates[entry.time] = Update(
            entry.status, entry.time, piece.text, place, piece.line, piece.overrides, piece.places
        )
    chain.updates = tuple(updates[time] for time in sorted(updates))
    return chain


def _heading(kind: Kind, heading: Heading, place: Place, line: str, chain: Chain) -> Entry | None:
    found = read_heading(kind, heading.text)
    if heading.level != 2:
        if isinstance(found, Entry):
            message = f"updates begin with a heading of level 2: write `## {shown(heading.text)}`"
            chain.problems.append(problem("heading-level", place, message))
            chain.doubted = True
        return None
    if isinstance(found, Doubt):
        column = line.find(found.near) + 1 if found.near else 1
        chain.problems.append(problem(found.code, Place(place.path, place.line, max(column, 1)), found.message))
        chain.doubted = True
        return None
    return found


def _piece(
    lines: Sequence[str],
    start: int,
    end: int,
    blocks: Sequence[Heading | Fence | Html],
    path: str,
    first_line: int,
    chain: Chain,
    *,
    is_update: bool,
) -> Piece:
    """The text of some lines without its `post NAME` blocks: blank lines stand for these, so that every other line
    keeps its number."""
    own = list(lines[start:end])
    piece = Piece("", first_line + start)
    for block in blocks:
        if not isinstance(block, Fence) or not start <= block.start < end or block.info.split()[:1] != ["post"]:
            continue
        place = Place(path, first_line + block.start)
        own[block.start - start : block.end - start] = [""] * (block.end - block.start)
        wrong = _wrong_override(block, piece) if is_update else "a `post` block belongs to an update: move it below one"
        if wrong:
            chain.problems.append(problem("bad-override", place, wrong))
            continue
        name = block.info.split()[1]
        piece.overrides[name] = block.text.strip("\n")
        piece.places[name] = place
    while own and not own[-1].strip():
        own.pop()
    skipped = next((number for number, line in enumerate(own) if line.strip()), len(own))
    piece.text = "\n".join(own[skipped:])
    piece.line += skipped
    return piece


def _wrong_override(block: Fence, piece: Piece) -> str:
    names = block.info.split()[1:]
    if len(names) != 1 or not _NAME.fullmatch(names[0]):
        return "write ```` ```post NAME ```` with the name of one channel or platform"
    if names[0] in piece.overrides:
        return f"this update has a text for `{names[0]}` already"
    if not block.text.strip():
        return f"the text for `{names[0]}` is empty"
    return ""
