"""One post: optional parts go first, then words are abbreviated, then whole sentences go, then the last is cut.

The headline and the link always survive, and nothing is done that is not needed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

from broadcast.errors import DoesNotFitError
from broadcast.model import FitOptions, Limits, Media, Post
from broadcast.text.abbreviate import Edit, apply, edits
from broadcast.text.atoms import WHOLE_SENTENCES, Atom, breaks
from broadcast.text.compose import compose, fits, join
from broadcast.text.tear import tear

Item = TypeVar("Item")

OPTIONAL = ("tags", "next_update")
"""The parts that a short post can do without, the first to go first."""
ELLIPSIS = "…"
_DANGLING = ",;:–—-([{…"


def shorten(atoms: Sequence[Atom], media: Sequence[Media], limits: Limits, options: FitOptions, language: str) -> Post:
    """The post. Images beyond `limits.images` are left out. Raises `DoesNotFitError` when not even the link fits."""
    kept = list(atoms)
    for part in (None, *OPTIONAL):
        kept = [atom for atom in kept if atom.part != part]
        if fits(join(kept), limits):
            break
    else:
        kept = _shortened(kept, limits, options, language)
    return compose(kept, limits, media=media[: max(limits.images, 0)])


def _shortened(atoms: Sequence[Atom], limits: Limits, options: FitOptions, language: str) -> list[Atom]:
    """The headline, as much of the body as fits, the link; where there is no room for that, as much of the headline as
    fits above the link."""
    link = [atom for atom in atoms if atom.part == "link"]
    if link and not fits(join(link), limits):
        length = limits.measure(join(link))
        raise DoesNotFitError(f"the link {join(link)} has {length} {limits.unit}, but a post takes {limits.length}")
    body = [index for index, atom in enumerate(atoms) if atom.part not in ("headline", "link")]
    first = body[0] if body else len(atoms)
    before = list(atoms[:first])
    after = [atom for atom in atoms[first:] if atom.part in ("headline", "link")]
    kept = _most([atoms[index] for index in body], before, after, limits, options.abbreviations, language)
    if kept is not None:
        return [*before, *kept, *after]
    if fits(join([*before, *after]), limits):
        return [*before, *after]
    headline = [atom for atom in atoms if atom.part == "headline"]
    return [*(_most(headline, [], link, limits, None, language) or []), *link]


def _most(
    atoms: Sequence[Atom],
    before: Sequence[Atom],
    after: Sequence[Atom],
    limits: Limits,
    own: Mapping[str, str] | None,
    language: str,
) -> list[Atom] | None:
    """The beginning of `atoms` that fits between `before` and `after`, abbreviated as far as needed: whole sentences
    and list items, or else words and `…`. A list that goes on says so."""

    def has_room(kept: Sequence[Atom]) -> bool:
        return fits(join([*before, *kept, *after]), limits)

    enough = 64
    while enough < len(atoms) and has_room(atoms[:enough]):
        enough *= 2
    some = atoms[:enough]
    some, kinds = tear(some, breaks(some, language), ELLIPSIS, limits)
    shorter = edits(some, kinds, own, language) if own is not None else []

    def inside(end: int) -> list[Edit]:
        return [edit for edit in shorter if edit.end <= end]

    def sentences(end: int, chosen: Sequence[Edit]) -> list[Atom]:
        goes_on = end < len(some) and kinds[end] == "item"
        more = [Atom(ELLIPSIS, "\n", "item", part=some[0].part)] if goes_on else []
        return [*apply(some[:end], chosen), *more]

    def words(end: int, chosen: Sequence[Edit]) -> list[Atom]:
        return _with_ellipsis(apply(some[:end], chosen))

    whole = [len(some)] if some and enough >= len(atoms) else []
    ends = [end for end in range(1, len(some)) if kinds[end] in WHOLE_SENTENCES and kinds[end] != "announced"]
    cuts = [end for end in range(len(some) - 1, 0, -1) if kinds[end] != "never"]

    def longest(made: Callable[[int, Sequence[Edit]], list[Atom]], places: Sequence[int]) -> list[Atom] | None:
        last = _first(places, lambda end: has_room(made(end, inside(end))))
        if last is None:
            return None
        fewer = (made(last, inside(last)[:most]) for most in range(len(inside(last)) + 1))
        return next(kept for kept in fewer if has_room(kept))

    return longest(sentences, [*whole, *reversed(ends)]) or longest(words, cuts)


def _first(items: Sequence[Item], fitting: Callable[[Item], bool]) -> Item | None:
    """The first item that fits, of items that get shorter and shorter."""
    low, high = 0, len(items)
    found = None
    while low < high:
        middle = (low + high) // 2
        if fitting(items[middle]):
            found, high = items[middle], middle
        else:
            low = middle + 1
    return found


def _with_ellipsis(atoms: Sequence[Atom]) -> list[Atom]:
    last = atoms[-1]
    if last.marks and last.marks[-1][1] == len(last.text):
        return [*atoms, Atom(ELLIPSIS, " ", "never", part=last.part)]
    return [*atoms[:-1], replace(last, text=(last.text.rstrip(_DANGLING) or last.text) + ELLIPSIS)]
