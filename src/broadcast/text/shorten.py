"""One post: optional parts go first, then words are abbreviated, then whole sentences go, then the last is cut.

The headline and the link always survive, and nothing is done that is not needed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from broadcast.errors import DoesNotFitError
from broadcast.model import FitOptions, Limits, Media, Post
from broadcast.text.abbreviate import Edit, apply, edits
from broadcast.text.atoms import WHOLE_SENTENCES, Atom, Break, breaks
from broadcast.text.compose import compose, fits, join
from broadcast.text.tear import tear

OPTIONAL = ("tags", "next_update")
"""The parts that a short post can do without, the first to go first."""
ELLIPSIS = "…"
_DANGLING = ",;:–—-([{…"


def shorten(
    atoms: Sequence[Atom], media: Sequence[Media], limits: Limits, options: FitOptions, language: str
) -> Post:
    """The post. Images beyond `limits.images` are left out. Raises `DoesNotFitError` when not even the link fits."""
    kept = list(atoms)
    for part in ("", *OPTIONAL):
        kept = [atom for atom in kept if atom.part != part]
        if _all_fit(kept, limits):
            break
    else:
        kept = _shortened(kept, limits, options, language)
    return compose(kept, limits, media=media[: max(limits.images, 0)])


def _all_fit(atoms: Sequence[Atom], limits: Limits) -> bool:
    text = join(atoms)
    return len(text) <= 16 * limits.length and fits(text, limits)


def _shortened(atoms: Sequence[Atom], limits: Limits, options: FitOptions, language: str) -> list[Atom]:
    """The first of these that fits: fewer letters, fewer sentences, fewer words; no body; fewer words of the headline;
    the link alone."""
    link = [atom for atom in atoms if atom.part == "link"]
    if link and not fits(join(link), limits):
        length = limits.measure(join(link))
        raise DoesNotFitError(f"the link {join(link)} has {length} {limits.unit}, but a post takes {limits.length}")
    headline = [atom for atom in atoms if atom.part == "headline"]
    body = [atom for atom in atoms if atom.part not in ("headline", "link")]
    frame = _Frame(headline, link, _order(atoms), limits)
    # No atom is shorter than a character, so no more of them can stand in a post.
    for part in (body[: limits.length + 1], []):
        whole = len(part) == len(body)
        for candidate in _candidates(part, frame, options, language, whole=whole):
            return candidate
    return link


def _order(atoms: Sequence[Atom]) -> list[str]:
    """The parts as the template orders them."""
    return list(dict.fromkeys(atom.part for atom in atoms))
