"""Which lines begin an update, and which were nearly meant to."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches
from html import unescape

from broadcast.model import Kind
from broadcast.source import statuses
from broadcast.source.problems import shown
from broadcast.source.times import EXAMPLE, format_time, parse_time
from broadcast.source.vocabulary import meant

_MAX_HEADING = 200
_DASHES = "-\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe58\ufe63\uff0d\u00b7\u2022@"
"""What may stand between status and time: hyphens and dashes of any sort, the minus sign, a middle dot, `@`."""
_MONTH = (
    r"(?:jan|feb|f[eé]v|m[aäe]r|apr|abr|avr|ma[iyj]|ju[nil]|gen|giu|lug|ago|a[uo][uû]?[gt]|se[pt]|set|o[ck]t|out|ott|"
    r"nov|de[czk]|di[cz]|d[eé]c)[a-zéûç]*\.?"
)
_WHEN = re.compile(
    r"(?<![0-9A-Za-z.])(?:"
    r"[0-9]{4}[-/.][0-9]{1,2}[-/.][0-9]{1,2}"
    r"|[0-9]{1,2}[-/.][0-9]{1,2}[-/.][0-9]{2,4}"
    r"|[0-9]{1,2}:[0-9]{2}|[0-9]{1,2}h[0-9]{2}"
    r"|[0-9]{1,2}\s?(?:[ap]\.?\s?m\b|uhr\b|h\b)"
    r"|[0-9]{3,4}\s?(?:UTC|GMT|Z)\b"
    r"|[0-9]{1,4}年|[0-9]{1,2}月|[0-9]{1,2}[時时시]"
    rf"|{_MONTH}\s[0-9]{{1,2}}(?![0-9])|[0-9]{{1,2}}(?:st|nd|rd|th|\.)?\s(?:de\s)?{_MONTH}(?=[\s,.]|$)"
    r"|(?:(?:mon|tues|wednes|thurs|fri|satur|sun)day|today|yesterday|tonight|now|heute|gestern|hier|hoy|oggi|hoje)\b"
    r")",
    re.IGNORECASE,
)
_DATED = re.compile(r"[0-9]{4}[-/.][0-9]{1,2}[-/.][0-9]{1,2}|[0-9]{1,2}[./][0-9]{1,2}[./][0-9]{2,4}|[0-9]{4}年")
_WHOLE = re.compile(r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}[Tt ][0-9]{1,2}:[0-9]{2}.*")
_TAG = re.compile(r"</?[A-Za-z][^<>]{0,200}>")
_LINK = re.compile(r"\[([^\[\]]{0,200})\](?:\([^()]{0,200}\)|\[[^\[\]]{0,200}\])?")
_EMPHASIS = re.compile(r"\\(?=[^\w\s])|[*`~]+|(?<!\w)_+|_+(?!\w)")
_BETWEEN = " " + _DASHES + ":,|([/"
_AROUND = " \t\\" + _DASHES + ".,:;!|/=>→⇒()[]{}"
_SYMBOL = re.compile(
    r"[\u2190-\u21ff\u2300-\u27bf\u2b00-\u2bff\ufe0e\ufe0f\u200d\u20e3\U0001f000-\U0001faff]|:[+-]?[a-z][a-z0-9_+-]{1,40}:"
)
_LEADING = re.compile(r"\A(?:[>\s]|[-*+•](?=\s)|[0-9]{1,3}[.)](?=\s)|\[[ xX]\](?=\s))*")
_HASHES = re.compile(r"[#＃]{1,6}(?=[^#＃]|$)")
_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u2060\ufeff]")
_FACT = re.compile(r"[0-9A-Za-z)]\s?[:：]\s+[^0-9\s]")
_FENCE_HINT = "to quote one, put it in a fenced code block"


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
    """What the text of a level-2 heading means; None for content.

    Its dress does not count: emphasis, code, a link, brackets, emoji, parentheses around the time.
    """
    text = _bare(heading[: 4 * _MAX_HEADING])[: _MAX_HEADING + 1]
    when = _WHEN.search(text)
    if when is None:
        return _timeless(kind, text)
    words, separator, written = _parts(text, when.start())
    status = statuses.status(words)
    if status is None or not text[: when.start()].strip(_AROUND):
        return _strange(kind, text, when.start(), marked=True, heading=True)
    if status not in statuses.STATUSES[kind]:
        others = " or ".join(statuses.kinds(status))
        known = ", ".join(statuses.STATUSES[kind])
        return Doubt("wrong-status", f"`{status}` is a status of {others}; this {kind} takes {known}", words)
    try:
        time = parse_time(written)
    except ValueError as error:
        return Doubt("bad-time", str(error), written)
    if not separator:
        return Doubt("no-separator", f"write `{_line(status, time)}`, with a `-` before the time")
    return Entry(status, time)


def suspect(kind: Kind, line: str) -> Doubt | None:
    """What is wrong with a line of text that is no level-2 heading, and that somebody meant as one; None for text.

    A line without `#` or bold type is one if nothing but a status and a whole date stands on it, and no colon between
    them, as in a list of facts (`Resolved: 2026-11-22`).
    """
    if len(line) > 2 * _MAX_HEADING or not any(each.isdigit() for each in line):
        return None
    dressed = _INVISIBLE.sub("", _LEADING.sub("", line, count=1))
    inner = _TAG.sub("", dressed).strip()
    if inner.startswith("\\"):  # escaped on purpose
        return None
    mark = _HASHES.match(inner)
    hashes = len(mark[0]) if mark else 0
    bold = inner.startswith(("**", "__")) or re.match(r"<(?:h[1-6]|b|strong)\b", dressed, re.IGNORECASE) is not None
    text = _bare(inner[hashes:])
    when = _WHEN.search(text)
    if when is None or len(text) > _MAX_HEADING or text.startswith("|"):
        return None
    if not hashes and not bold:
        between = text[: when.start()].rstrip()
        if not _DATED.search(text) or between.endswith((":", "：")) or _FACT.search(text):
            return None
    found = _strange(kind, text, when.start(), marked=bool(hashes) or bold, heading=hashes == 2)
    if found is None and hashes == 2:
        read = read_heading(kind, text)
        found = read if isinstance(read, Doubt) else None
    if found is not None and re.match(r" {0,3}#{1,6}\s", line) and found.code == "not-an-update":
        return Doubt("heading-level", found.message)
    return found


def as_fact(line: str) -> str:
    """The words of such a line as a fact of the text: without dress, and with a colon (`Resolved: 2026-11-22`)."""
    text = _bare(_LEADING.sub("", line, count=1))
    when = _WHEN.search(text)
    if when is None:
        return text
    words, _, written = _parts(text, when.start())
    if not words:
        written, words = _split_after(written)
        return f"{written}: {words}"
    return f"{words}: {written}"


def _bare(text: str) -> str:
    """What is left of a heading without its dress."""
    text = _INVISIBLE.sub("", unescape(_TAG.sub("", text)))
    text = _EMPHASIS.sub("", _LINK.sub(r"\1", text))
    return " ".join(_SYMBOL.sub(" ", text).split()).strip("#＃ ")


def _parts(text: str, at: int) -> tuple[str, bool, str]:
    """The words before the time, whether what is between them separates, and the time."""
    before, written = text[:at], text[at:]
    words = before.rstrip(_BETWEEN)
    between = before[len(words) :].strip()
    if between.endswith("("):
        written = written.rstrip(" ").removesuffix(")")
    separates = bool(between) and not between.strip(_DASHES + "( ")
    return re.sub(r" (?:at|on|since)$", "", words), separates, written.strip(" .")


def _timeless(kind: Kind, text: str) -> Doubt | None:
    words = re.sub(r"\s#?[0-9]{1,3}$", "", text.rstrip(":.! " + _DASHES))
    after = re.fullmatch(rf"(.*?)\s?[{re.escape(_DASHES)}]\s?([0-9].*)", text)
    if after and (status := statuses.status(after[1])) in statuses.STATUSES[kind]:
        try:
            parse_time(after[2])
        except ValueError as error:
            return Doubt("bad-time", str(error), after[2])
    status = statuses.status(words)
    if status in statuses.STATUSES[kind]:
        return Doubt("heading-without-time", f"`{text}` begins an update only with a time: `{text} - {EXAMPLE}`")
    return None


def _strange(kind: Kind, text: str, at: int, *, marked: bool, heading: bool) -> Doubt | None:
    """A line with a time at `at` and, before or after it, words that stand for a status; in a level-2 heading that ends
    in a whole time, any words. Where it is not `marked` as a heading, `Fixed at 2026-11-22` is a sentence."""
    words, written = text[:at].strip(_AROUND), text[at:]
    if marked:
        words = re.sub(r" (?:at|on|since)$", "", words)
    if not words:  # the time comes first
        written, words = _split_after(text[at:])
    found = meant(words) if words else None
    if found is None and words:
        near = get_close_matches(words.casefold(), statuses.STATUSES[kind], n=1, cutoff=0.75)
        found = near[0] if near else None
    time = _time(written.rstrip(_AROUND))
    if found is None:
        if not (heading and time is not None and _WHOLE.fullmatch(written)):
            return None
        found = next(filter(None, map(statuses.status, (words.split() or [""])[::-1])), None)
    if found is None:
        known = ", ".join(f"`{one}`" for one in statuses.STATUSES[kind])
        no_status = f"`{shown(words or text)}` is not a status: there are {known}"
        return Doubt("misspelled-status", f"{no_status}. Begin a heading of the text itself with `###`")
    status = found if found in statuses.STATUSES[kind] else statuses.CHAINS[kind][-1]
    known_word = statuses.status(words) is not None
    code = "not-an-update" if known_word else "misspelled-status"
    why = "looks like the beginning of an update, and is none" if known_word else "is not how an update begins"
    return Doubt(code, f"`{shown(text)}` {why}: did you mean `{_line(status, time)}`? ({_FENCE_HINT})")


def _split_after(text: str) -> tuple[str, str]:
    """The time, and the words behind it."""
    match = re.fullmatch(
        rf"((?:[0-9:.,/TtZz+\s{re.escape(_DASHES)}]|UTC|GMT|[ap]m\b|[A-Z][a-z]+/[A-Z]\w+)+?)[\s:|,;(\[{re.escape(_DASHES)}]+"
        r"([^\W\d_].*)",
        text,
        re.IGNORECASE,
    )
    while match and match[2].upper().startswith(("UTC", "GMT")):
        rest = match[2][3:].strip(_AROUND)
        return f"{match[1]} UTC", rest
    return (match[1].strip(), match[2].strip(_AROUND)) if match else (text, "")


def _time(written: str) -> datetime | None:
    try:
        return parse_time(written)
    except ValueError:
        return None


def _line(status: str, time: datetime | None) -> str:
    return f"## {status.capitalize()} - {format_time(time) if time else EXAMPLE}"
