"""Atoms: the pieces of a text that a post holds whole or not at all, and what it costs to part two of them.

An atom is a word with its punctuation, a URL, a code span, the words of a link that has a facet, or a Chinese or
Japanese character. A text is its atoms with the white space before each; a post is a run of them, without the white
space before the first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from broadcast.text import sentences

Break = Literal["paragraph", "item", "line", "sentence", "clause", "word", "character", "announced", "torn", "never"]

COSTS: dict[Break, int] = {
    "paragraph": 0,
    "item": 2,
    "line": 4,
    "sentence": 5,
    "clause": 15,
    "word": 25,
    "character": 26,  # between two characters of a language that is written without spaces
    "announced": 60,  # between "The following are affected:" and the list, a label or the headline and the text
    "torn": 1000,  # inside what should never be parted, because it is longer than a post
    "never": 10**9,
}
"""What a break costs, before the extras. Of all ways to cut a text into the fewest posts, the cheapest is taken."""
IN_LINK = 20
"""Extra: between the words of a link that are followed by its URL."""
ORPHAN = 15
"""Extra: a sentence has only one word before, or after, the break, or a list only one item."""
AFTER_NUMBER = 8
"""Extra: between a number and what it counts."""

WHOLE_SENTENCES: frozenset[Break] = frozenset(("paragraph", "item", "line", "sentence", "announced"))
"""The breaks between which a text can be left out without anybody missing half a sentence."""


@dataclass(frozen=True, slots=True)
class Mark:
    """What a stretch of an atom is. The atoms of one link share one mark."""

    kind: Literal["link", "tag", "mention"]
    value: str


@dataclass(frozen=True, slots=True)
class Atom:
    """A piece of text, the white space before it and what a break before it would be.

    `marks` are (start, end, mark) in code points of `text`; `media` are the numbers of the images that stand here;
    `part` is the name of the draft's part; `fixed` is text that no abbreviation may touch.
    """

    text: str
    space: str
    kind: Break
    marks: tuple[tuple[int, int, Mark], ...] = ()
    media: tuple[int, ...] = ()
    part: str = ""
    in_link: bool = False
    fixed: bool = False


def breaks(atoms: Sequence[Atom], language: str) -> list[Break]:
    """What a break before each atom is, now that the words on both sides are known."""
    kinds: list[Break] = []
    before = ""
    for atom in atoms:
        kind = atom.kind
        if kind in ("word", "character"):
            kind = _between(before, atom.text, kind, language)
        kinds.append(kind)
        before = atom.text
    return kinds


def _between(before: str, after: str, kind: Break, language: str) -> Break:
    if kind == "word" and sentences.stay_together(before, after, language):
        return "never"
    if sentences.ends_sentence(before, after, language):
        return "sentence"
    return "clause" if sentences.ends_clause(before, after) else kind


def prices(atoms: Sequence[Atom], kinds: Sequence[Break]) -> list[int]:
    """What a break before each atom costs, extras included."""
    costs = [COSTS[kind] for kind in kinds]
    edges = [index for index, kind in enumerate(kinds) if kind in WHOLE_SENTENCES]
    for start, end in zip(edges, [*edges[1:], len(atoms)], strict=True):
        for lonely in {start + 1, end - 1}:
            if start < lonely < end and kinds[lonely] in ("clause", "word"):
                costs[lonely] += ORPHAN
    rows = [index for index, kind in enumerate(kinds) if kind in ("paragraph", "announced", "item")]
    for before, index, after in zip(["paragraph", *(kinds[row] for row in rows)], rows, [*rows[1:], -1], strict=False):
        if kinds[index] == "item" and (before != "item" or after < 0 or kinds[after] != "item"):
            costs[index] += ORPHAN
    for index in range(1, len(atoms)):
        if kinds[index] == "word":
            if atoms[index].in_link and atoms[index - 1].in_link:
                costs[index] += IN_LINK
            if atoms[index - 1].text[:1].isascii() and sentences.is_number(atoms[index - 1].text):
                costs[index] += AFTER_NUMBER
    return costs
