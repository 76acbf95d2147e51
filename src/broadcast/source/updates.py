"""A body is taken apart into what each update says."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from broadcast.model import Kind, Place, Problem, Update
from broadcast.source import bounds
from broadcast.source.headings import Doubt, Entry, read_heading, suspect
from broadcast.source.outline import Fence, Heading, Html, Inner, outline
from broadcast.source.problems import CODES, problem, shown
from broadcast.source.times import format_time

_NEARLY_POST = re.compile(r"\W{0,3}posts?(?![A-Za-z0-9])", re.IGNORECASE)
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")


@dataclass(slots=True)
class Chain:
    """The updates of a body, sorted by time; `intro` is what stands before the first of them in the file.

    Without any heading, `updates` is empty and `rest` is the whole body as one update, still without status and time.
    `refused` says that a heading begins an update with an error, `unbounded` that there is too much to go on with.
    """

    updates: tuple[Update, ...] = ()
    intro: str = ""
    rest: Piece | None = None
    refused: bool = False
    unbounded: bool = False
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
    body = _Body(lines, path, first_line)
    entries = _entries(kind, body)
    if len(entries) > bounds.UPDATES:
        message = f"this is update {bounds.UPDATES + 1:,} of {len(entries):,}: a file may have {bounds.UPDATES:,}"
        body.refuse("too-many", entries[bounds.UPDATES][0].start, message)
        return body.chain
    before = entries[0][0].start if entries else len(lines)
    first = _piece(body, 0, before, is_update=not entries)
    if not entries:
        body.chain.rest = first
        return body.chain
    body.chain.intro = first.text
    if first.text:
        message = "what stands before the first update goes to the page only, not to followers"
        body.report("intro-not-posted", first.line - first_line, message)
    ends = [heading.start for heading, _ in entries[1:]] + [len(lines)]
    updates: dict[datetime, Update] = {}
    for (heading, entry), end in zip(entries, ends, strict=True):
        piece = _piece(body, heading.end, end, is_update=True)
        if entry.time in updates:
            also = updates[entry.time].place.line
            message = f"another update has the time {format_time(entry.time)} already, in line {also}"
            body.report("same-time", heading.start, message)
            continue
        updates[entry.time] = Update(
            entry.status, entry.time, piece.text, body.place(heading.start), piece.line, piece.overrides, piece.places
        )
    body.chain.updates = tuple(updates[time] for time in sorted(updates))
    return body.chain


@dataclass(slots=True)
class _Body:
    """The lines of a body, and what has been found in them. Lines count from 0; `overrides` are its `post` blocks."""

    lines: Sequence[str]
    path: str
    first_line: int
    overrides: list[Fence] = field(default_factory=list)
    chain: Chain = field(default_factory=Chain)

    def place(self, line: int, column: int = 1) -> Place:
        return Place(self.path, self.first_line + line, column)

    def refuse(self, code: str, line: int, message: str) -> None:
        """Report what is too much."""
        self.report(code, line, message)
        self.chain.refused = self.chain.unbounded = True

    def report(self, code: str, line: int, message: str, column: int = 1) -> None:
        self.chain.problems.append(problem(code, self.place(line, column), message))


def _entries(kind: Kind, body: _Body) -> list[tuple[Heading, Entry]]:
    """The headings that begin updates, in the file's order. What hides or only looks like one is reported."""
    entries: list[tuple[Heading, Entry]] = []
    settled: set[int] = set()
    for block in outline(body.lines):
        lines = range(block.start, block.end)
        if isinstance(block, Heading):
            found = read_heading(kind, block.text) if block.level == 2 else suspect(kind, f"# {block.text}")
            if isinstance(found, Entry):
                entries.append((block, found))
            elif found is not None:
                _doubt(found, block.start, body)
            settled.update(lines if found is not None else ())
            continue
        if not isinstance(block, Inner) and not block.closed:
            what = "code block" if isinstance(block, Fence) else "comment or HTML block"
            body.report("unclosed-block", block.start, f"this {what} is never closed: everything below belongs to it")
        if isinstance(block, Fence) and block.info.split()[:1] == ["post"]:
            body.overrides.append(block)
        elif not isinstance(block, Html) and _NEARLY_POST.match(block.info):
            where = " outside of lists and quotes" if block.info.startswith("post ") else ""
            message = f"`{shown(block.info)}` gives no channel its words: write ```` ```post NAME ````{where}"
            body.report("bad-override", block.start, message)
        if not isinstance(block, Html) or block.text.lstrip().startswith("<!--"):
            settled.update(lines)
    _suspects(kind, body, settled)
    return entries


def _suspects(kind: Kind, body: _Body, told: Collection[int]) -> None:
    """Report the lines that somebody meant as an update's heading, but for those of the lines `told`."""
    for number, line in enumerate(body.lines):
        if number not in told and (found := suspect(kind, line)) is not None:
            _doubt(found, number, body)


def _doubt(found: Doubt, line: int, body: _Body) -> None:
    column = body.lines[line].find(found.near) + 1 if found.near else 1
    body.report(found.code, line, found.message, max(column, 1))
    body.chain.refused = body.chain.refused or CODES[found.code][0] == "error"


def _piece(body: _Body, start: int, end: int, *, is_update: bool) -> Piece:
    """The text of some lines without their `post NAME` blocks: blank lines stand for these, so that every other line
    keeps its number."""
    own = list(body.lines[start:end])
    piece = Piece("", body.first_line + start)
    first, last = (bisect_left(body.overrides, line, key=lambda fence: fence.start) for line in (start, end))
    for block in body.overrides[first:last]:
        own[block.start - start : block.end - start] = [""] * (block.end - block.start)
        wrong = _wrong_override(block, piece) if is_update else "a `post` block belongs to an update: move it below one"
        if wrong:
            body.report("bad-override", block.start, wrong)
            continue
        name = block.info.split()[1]
        piece.overrides[name] = block.text.strip("\n")
        piece.places[name] = body.place(block.start)
    while own and not own[-1].strip():
        own.pop()
    skipped = next((number for number, line in enumerate(own) if line.strip()), len(own))
    piece.text = "\n".join(own[skipped:])
    piece.line += skipped
    if len(piece.text) > bounds.TEXT:
        message = f"this text has {len(piece.text):,} characters, and an update may have {bounds.TEXT:,}"
        body.refuse("too-long", start + skipped, message)
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
