"""Where sentences and clauses end, in English, German, French, Spanish, Chinese and Japanese; and which words stay
together. Judged by the words on both sides of a break, never by a model of the language."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import pairwise
from typing import Any

_CLOSERS = "\"'”’»›)]}」』】》）*_~`"
_OPENERS = "\"'“‘„«‹([{「『【《（¿¡*_~`"
_STOPS = (".", "!", "?", "…", "。", "！", "？", "．", "｡")
_WIDE_STOPS = ("。", "！", "？", "．", "｡")
_CLAUSES = (",", ";", ":", "—", "–", "、", "，", "；", "：")
_INITIAL = re.compile(r"[^\W\d_]\.|(?:[^\W\d_]\.){2,}")
_NUMBER_DOT = re.compile(r"\d+\.")
_NUMBER = re.compile(r"(?:[(\[~≈<>≥≤#№§+-]|[$€£¥])?\d[\d.,:/]*")
_DAY, _YEAR = re.compile(r"\d{1,2},"), re.compile(r"\d{4}\b")
_SPACED_BEFORE = frozenset(("!", "?", ":", ";", "»", "%", "?!", "!!", "€", "…", ")", "]"))
_SPACED_AFTER = frozenset(("«", "¿", "¡", "(", "[", "§", "№", "#"))


@dataclass(frozen=True, slots=True)
class Known:
    """What is known about a language: how words may be written `shorter`, which words end with a dot that ends no
    sentence (`dotted`), and which pairs of words are one abbreviation."""

    shorter: Mapping[str, str]
    dotted: frozenset[str]
    pairs: frozenset[tuple[str, str]]


@cache
def known(language: str) -> Known:
    """The entry for an IETF language tag, of which the first part counts; English where there is none."""
    tables = _tables()
    table = tables.get(language.lower().partition("-")[0], tables["en"])
    entries = [entry.casefold().split() for entry in table["dotted"]]
    return Known(
        table["shorter"],
        frozenset(word for words in entries for word in words if word.endswith(".")),
        frozenset(pair for words in entries for pair in pairwise(words)),
    )


@cache
def _tables() -> Mapping[str, Any]:
    return tomllib.loads(files("broadcast.text").joinpath("abbreviations.toml").read_text("utf-8"))


def ends_sentence(before: str, after: str, language: str) -> bool:
    """Whether the word `before` ends a sentence, given the word `after` it."""
    core = before.rstrip(_CLOSERS)
    if not core.endswith(_STOPS):
        return False
    if core.endswith(_WIDE_STOPS):
        return True
    start = after.lstrip(_OPENERS)[:1]
    if start.islower():
        return False
    if core.endswith("."):
        word = core.lstrip(_OPENERS)
        if word.casefold() in known(language).dotted or _INITIAL.fullmatch(word):
            return False
        # "am 3. Oktober": in German a number with a dot is an ordinal.
        return not (language.startswith("de") and _NUMBER_DOT.fullmatch(word))
    return True


def ends_clause(before: str, after: str) -> bool:
    """Whether a part of a sentence ends between two words."""
    return (
        before.rstrip(_CLOSERS).endswith(_CLAUSES)
        or before.endswith((")", "]"))
        or after.startswith(("(", "[", "–", "—"))
    )


def stay_together(before: str, after: str, language: str) -> bool:
    """Whether two words are one: `z. B.`, `J. Smith`, `mot !`, `« mot`, `18, 2026`."""
    if after in _SPACED_BEFORE or before in _SPACED_AFTER:
        return True
    if _DAY.fullmatch(before) and _YEAR.match(after):
        return True
    word = before.lstrip(_OPENERS)
    if _INITIAL.fullmatch(word) and word[0].isupper() and after[:1].isupper():
        return True
    return (word.casefold(), after.rstrip(",;:" + _CLOSERS).casefold()) in known(language).pairs


def is_number(word: str) -> bool:
    """Whether a word is a number, which its unit or its noun should follow."""
    return _NUMBER.fullmatch(word) is not None
