"""Cut a text into the fewest posts, and among all ways to do that, where an editor would.

Exact, in time linear in the text: post k can end no later than where greedy posts from the front end (`latest`), and no
earlier than where greedy posts from the back begin (`earliest`). These bands do not overlap. Through them the cheapest
way is found by dynamic programming; since a break's price depends on its place only, the best way to a place is the
minimum of a window that moves one way.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Protocol

from broadcast.model import Limits
from broadcast.text.atoms import COSTS, Atom
from broadcast.text.compose import fits, join

Foot = Callable[[int, bool, int], str]
"""What stands below post number n (from 1; whether it is the last; of how many), white space included."""


class Ruler(Protocol):
    """Says whether a run of atoms and a foot are one post."""

    def fits(self, start: int, end: int, foot: str) -> bool: ...


class Sums:
    """A ruler for measures that add up: each atom is measured once."""

    def __init__(self, atoms: Sequence[Atom], limits: Limits) -> None:
        measured = {text: limits.measure(text) for atom in atoms for text in (atom.text, atom.space)}
        self._measure, self._length, self._bytes = limits.measure, limits.length, limits.max_bytes
        self._lead = [measured[atom.space] if atom.space else 0 for atom in atoms]
        ends = accumulate((lead + measured[atom.text] for lead, atom in zip(self._lead, atoms, strict=True)), initial=0)
        self._ends = list(ends)
        if limits.max_bytes is not None:
            sizes = (len(atom.space.encode()) + len(atom.text.encode()) for atom in atoms)
            self._byte_ends = list(accumulate(sizes, initial=0))
        self._feet: dict[str, tuple[int, int]] = {"": (0, 0)}

    def fits(self, start: int, end: int, foot: str) -> bool:
        if foot not in self._feet:
            self._feet[foot] = self._measure(foot), len(foot.encode())
        length, size = self._feet[foot]
        if self._ends[end] - self._ends[start] - self._lead[start] + length > self._length:
            return False
        return self._bytes is None or self._byte_ends[end] - self._byte_ends[start] + size <= self._bytes


class Scale:
    """A ruler for any measure: every run is put on it as a whole."""

    def __init__(self, atoms: Sequence[Atom], limits: Limits) -> None:
        self._atoms, self._limits = atoms, limits

    def fits(self, start: int, end: int, foot: str) -> bool:
        return fits(join(self._atoms[start:end]) + foot, self._limits)


@dataclass(frozen=True, slots=True)
class Text:
    """Atoms, the price of a break before each, and where a break would leave posts equally full: `weights` are the
    lengths so far."""

    atoms: Sequence[Atom]
    costs: Sequence[int]
    weights: Sequence[int]


def cut(text: Text, ruler: Ruler, foot: Foot, more: int = 0) -> list[tuple[int, int]] | None:
    """The posts as (start, end) in atoms; None when some stretch between two breaks is longer than a post. `more` is
    the number of posts without text that will follow; their number is counted in what `foot` says."""
    never = COSTS["never"]
    places = [0, *(index for index in range(1, len(text.atoms)) if text.costs[index] < never), len(text.atoms)]
    most = 9
    while (latest := _latest(places, most, ruler, foot)) is not None:
        posts = len(latest) - 1
        if posts + more <= most:
            earliest = _earliest(places, posts, most, ruler, foot)
            return _cheapest(text, places, latest, earliest, most, ruler, foot)
        most = 10 ** len(str(posts + more)) - 1
    return None


def _latest(places: Sequence[int], posts: int, ruler: Ruler, foot: Foot) -> list[int] | None:
    """For each post, the last place where it can end, as an index of `places`; the first is where the text begins."""
    reached, last = [0], len(places) - 1
    while reached[-1] < last:
        start, number = reached[-1], len(reached)
        under = foot(number, False, posts)
        end = start
        while end < last and ruler.fits(places[start], places[end + 1], under):
            end += 1
        if end == last and not ruler.fits(places[start], places[end], foot(number, True, posts)):
            end -= 1  # the last post has a longer foot: some words are left over for another
        if end == start:
            return None
        reached.append(end)
    return reached


def _earliest(places: Sequence[int], posts: int, most: int, ruler: Ruler, foot: Foot) -> list[int]:
    """For each post, the first place where it can end if the rest is to fit into the posts that follow."""
    ends = [len(places) - 1]
    for number in range(posts, 1, -1):
        end = start = ends[-1]
        under = foot(number, number == posts, most)
        while start > 0 and ruler.fits(places[start - 1], places[end], under):
            start -= 1
        ends.append(start)
    return [0, *reversed(ends)]


def _cheapest(
    text: Text,
    places: Sequence[int],
    latest: Sequence[int],
    earliest: Sequence[int],
    most: int,
    ruler: Ruler,
    foot: Foot,
) -> list[tuple[int, int]] | None:
    posts = len(latest) - 1
    share = text.weights[-1] / posts
    best: dict[int, tuple[int, float]] = {0: (0, 0.0)}
    came: list[dict[int, int]] = []
    for number in range(1, posts + 1):
        # Where the first post has less room than the others, its band can reach down to nothing: every post says some.
        band = range(max(earliest[number], min(best) + 1), latest[number] + 1)
        before = sorted(best, reverse=True)
        reached: dict[int, tuple[int, float]] = {}
        origin: dict[int, int] = {}
        under = foot(number, number == posts, most)
        window, nearest = 0, None
        for place in reversed(band):
            while window < len(before) and (
                before[window] >= place or ruler.fits(places[before[window]], places[place], under)
            ):
                candidate = before[window]
                if candidate < place and (nearest is None or best[candidate] < best[nearest]):
                    nearest = candidate
                window += 1
            if nearest is not None and nearest >= place:
                nearest = min((start for start in before[:window] if start < place), key=best.__getitem__, default=None)
            if nearest is not None:
                index = places[place]
                price, uneven = best[nearest]
                price += text.costs[index] if number < posts else 0
                uneven += (text.weights[index] - number * share) ** 2
                reached[place], origin[place] = (price, uneven), nearest
        if not reached:
            return None
        best = reached
        came.append(origin)
    cuts = [len(places) - 1]
    for origin in reversed(came):
        cuts.append(origin[cuts[-1]])
    cuts.reverse()
    return [(places[start], places[end]) for start, end in pairwise(cuts)]
