"""TOML as users write it: read in time linear in the text, and where each key stands, which tomllib does not say: a
scan for the start of keys and tables is enough."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from typing import Any

Path = tuple[str | int, ...]
"""The keys and the numbers of items that lead to a value."""
Places = Mapping[Path, tuple[int, int]]
"""Line and column, from 1, of each key and each table."""

_KEY = re.compile(r"""\s*((?:[\w-]+|"[^"\n]*"|'[^'\n]*')(?:\s*\.\s*(?:[\w-]+|"[^"\n]*"|'[^'\n]*'))*)\s*=""")
_TABLE = re.compile(r"\s*+(\[\[?)([^\]\n]++)\]")
_DEEP = re.compile(r"""(?<![\w"'-])(?:[\w"'-]+[ \t]*\.[ \t]*){64}""")
"""A key of this many parts, for which tomllib takes quadratic time."""
_WIDEST = 500
"""Characters of a line in which a key begins."""


def loads(text: str) -> dict[str, Any]:
    """The values of a TOML text. Raises `tomllib.TOMLDecodeError`, and `RecursionError` where it is nested deeper than
    anybody writes."""
    if _DEEP.search(text):
        raise RecursionError("a key of too many parts")
    return tomllib.loads(text)


def read_places(text: str) -> Places:
    """Where each key and each table of a valid TOML text begins."""
    places: dict[Path, tuple[int, int]] = {}
    table: Path = ()
    counts: dict[Path, int] = {}
    quote = ""
    for number, whole in enumerate(text.split("\n"), 1):
        line = whole[:_WIDEST]
        if quote:
            quote = "" if quote in whole else quote
            continue
        if found := _TABLE.match(line):
            table = tuple(_split(found[2]))
            if found[1] == "[[":
                counts[table] = counts.get(table, -1) + 1
                table = (*table, counts[table])
            places.setdefault(table, (number, found.start(1) + 1))
        elif found := _KEY.match(line):
            places.setdefault((*table, *_split(found[1])), (number, found.start(1) + 1))
            for mark in ('"""', "'''"):
                if whole.count(mark) == 1:
                    quote = mark
    return places


def nearest(places: Places, path: Path) -> tuple[int, int]:
    """Where a value stands, or else the nearest table that it would be in."""
    while path and path not in places:
        path = path[:-1]
    return places.get(path, (1, 1))


def _split(dotted: str) -> list[str]:
    return [bare or quoted[1:-1] for bare, quoted in re.findall(r"""([\w-]+)|("[^"]*"|'[^']*')""", dotted)]
