"""Grapheme clusters and the composed form of a text, in time linear in its length.

Both libraries take quadratic time for what nobody writes: `regex` looks at a run of flags from its beginning for each
of them, `unicodedata` sorts the marks on one letter by insertion. They are given such runs in pieces, or sorted.
"""

from __future__ import annotations

import re
import unicodedata

import regex

_CLUSTER = regex.compile(r"\X")
_FLAGS = re.compile(r"[\U0001f1e6-\U0001f1ff]{64}")
"""An even number of the letters that flags are made of: two are one, counted from the beginning of the run."""
_MARKS = regex.compile(r"\p{M}{32,}")
"""More marks than any language puts on one letter; the Stream-Safe Text Format of UAX #15 has 30 at most."""


def clusters(text: str) -> list[str]:
    """What a person calls characters (UAX #29), in order."""
    if len(text) < 64:
        return _CLUSTER.findall(text)
    found: list[str] = []
    position = 0
    for run in _FLAGS.finditer(text):
        # The last flag stays with what follows, which may be a part of it.
        end = run.end() - 2
        found += _CLUSTER.findall(text[position:end])
        position = end
    return found + _CLUSTER.findall(text[position:])


def composed(text: str) -> str:
    """The text in NFC (UAX #15)."""
    return unicodedata.normalize("NFC", text if text.isascii() else _MARKS.sub(_in_order, text))


def _in_order(marks: regex.Match[str]) -> str:
    """The marks in their canonical order, which is what the library would sort them into: by class, and stable."""
    ordered: list[str] = []
    pending: list[str] = []
    for mark in unicodedata.normalize("NFD", "\0".join(marks[0])):
        if unicodedata.combining(mark):
            pending.append(mark)
        elif mark != "\0":
            ordered += [*sorted(pending, key=unicodedata.combining), mark]
            pending = []
    return "".join([*ordered, *sorted(pending, key=unicodedata.combining)])
