"""Which headings begin an update, and which were nearly meant to."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches

from broadcast.model import Kind
from broadcast.source import statuses
from broadcast.source.problems import shown
from broadcast.source.times import EXAMPLE, format_time, parse_time

_MAX_HEADING = 200
_HEADING = re.compile(
    r"(?P<words>[A-Za-z][A-Za-z -]*?) ?(?P<separator>[-–—·@]|[:|,]|\bat\b|\bon\b|(?= )) ?(?P<time>[0-9].*)"
)


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
