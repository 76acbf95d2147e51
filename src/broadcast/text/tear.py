"""What is longer than a post is torn: a link between its words, code between its words, a word between graphemes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from broadcast.model import Limits
from broadcast.text.atoms import Atom, Break, Mark
from broadcast.text.characters import clusters
from broadcast.text.compose import fits, join

_WORDS = re.compile(r"(?<!\s)(\s*+)(\S++)")
HUGE = 20
"""A word longer than this many posts is torn into fortieths of a post instead of graphemes."""


def tear(atoms: Sequence[Atom], kinds: Sequence[Break], foot: str, limits: Limits) -> tuple[list[Atom], list[Break]]:
    """Atoms, and the breaks before them, of which each fits into a post with this foot: all but URLs, which are never
    torn. What must not be parted (a heading from its text) is, when it fits no post together."""
    whole: list[Atom] = []
    breaks: list[Break] = []
    known: dict[str, bool] = {}
    for atom, kind in zip(atoms, kinds, strict=True):
        if atom.text not in known:
            known[atom.text] = fits(atom.text + foot, limits)
        if known[atom.text]:
            whole.append(atom)
            breaks.append(kind)
        else:
            pieces = _pieces(atom, foot, limits)
            whole += pieces
            breaks.append(kind)
            breaks += ["torn"] * (len(pieces) - 1)
    _loosen(whole, breaks, foot, limits)
    return whole, breaks


def _loosen(atoms: Sequence[Atom], kinds: list[Break], foot: str, limits: Limits) -> None:
    start = 0
    for index in range(1, len(atoms) + 1):
        if index < len(atoms) and kinds[index] == "never":
            continue
        if index - start > 1 and not fits(join(atoms[start:index]) + foot, limits):
            kinds[start + 1 : index] = ["torn"] * (index - start - 1)
        start = index


def _pieces(atom: Atom, foot: str, limits: Limits) -> list[Atom]:
    """The pieces of an atom: the first has its white space and its images, each has its link."""
    pieces = []
    for start, end, mark in _stretches(atom):
        text = atom.text[start:end]
        if mark and not re.search(r"\s", text):
            pieces.append(replace(atom, text=text, space="", marks=((0, len(text), mark),), media=()))
            continue
        for space, word in _WORDS.findall(text):
            for number, part in enumerate(_cut_word(word, foot, limits)):
                marks = ((0, len(part), mark),) if mark else ()
                pieces.append(replace(atom, text=part, space="" if number else space, marks=marks, media=()))
    return [replace(pieces[0], space=atom.space, media=atom.media), *pieces[1:]]


def _stretches(atom: Atom) -> Iterator[tuple[int, int, Mark | None]]:
    """The text of an atom by what it is. Half a hashtag is none, so only links count."""
    position = 0
    for start, end, mark in atom.marks:
        if mark.kind == "link":
            yield from [(position, start, None)] if start > position else []
            yield start, end, mark
            position = end
    yield from [(position, len(atom.text), None)] if position < len(atom.text) else []


def _cut_word(word: str, foot: str, limits: Limits) -> Iterator[str]:
    if fits(word + foot, limits):
        yield word
        return
    graphemes = clusters(word)
    size = 1 if len(graphemes) <= HUGE * limits.length else max(limits.length // 40, 1)
    for start in range(0, len(graphemes), size):
        piece = "".join(graphemes[start : start + size])
        # A letter under a thousand accents has no room anywhere: then its code points go their own ways.
        yield from [piece] if fits(piece + foot, limits) else piece
