"""The splitter against every other way to split: the fewest posts, and of those the cheapest."""

from __future__ import annotations

import os
from itertools import accumulate, combinations, pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from broadcast.model import Draft, FitOptions, Limits, Part
from broadcast.text import measure, rich
from broadcast.text.atoms import COSTS, Atom, Break
from broadcast.text.compose import join
from broadcast.text.fit import fit
from broadcast.text.split import Scale, Sums, Text, cut

EXAMPLES = int(os.environ.get("BROADCAST_EXAMPLES", "0"))
exhaustive = settings(max_examples=EXAMPLES or 200, derandomize=not EXAMPLES, database=None, deadline=None)

KINDS: list[Break] = ["paragraph", "item", "sentence", "clause", "word", "word", "word", "never"]
ATOMS = st.lists(
    st.builds(lambda size, kind: Atom("x" * size, " ", kind), st.integers(1, 9), st.sampled_from(KINDS)),
    min_size=1,
    max_size=12,
)


def text_of(atoms: list[Atom]) -> Text:
    weights = list(accumulate((len(atom.space) + len(atom.text) for atom in atoms), initial=0))
    return Text(atoms, [COSTS[atom.kind] for atom in atoms], weights)


def best(text: Text, limit: int, foot: str, last_foot: str) -> tuple[int, int, float] | None:
    """Posts, price and unevenness of the best way, by trying all of them."""
    places = [index for index in range(1, len(text.atoms)) if text.costs[index] < COSTS["never"]]
    for posts in range(1, len(places) + 2):
        ways = []
        for cuts in combinations(places, posts - 1):
            runs = list(pairwise([0, *cuts, len(text.atoms)]))
            feet = [foot] * (posts - 1) + [last_foot]
            if all(len(join(text.atoms[a:b]) + below) <= limit for (a, b), below in zip(runs, feet, strict=True)):
                ways.append((posts, sum(text.costs[place] for place in cuts), unevenness(text, list(cuts))))
        if ways:
            return min(ways)
    return None


def unevenness(text: Text, cuts: list[int]) -> float:
    share = text.weights[-1] / (len(cuts) + 1)
    places = [*cuts, len(text.atoms)]
    return sum((text.weights[place] - number * share) ** 2 for number, place in enumerate(places, 1))


@exhaustive
@given(ATOMS, st.integers(9, 40), st.sampled_from(["", " n"]), st.sampled_from(["", " last"]))
def test_no_way_is_better(atoms: list[Atom], limit: int, foot: str, more: str) -> None:
    text = text_of(atoms)
    limits = Limits(limit, measure.graphemes)
    expected = best(text, limit, foot, foot + more)
    for ruler in (Sums(atoms, limits), Scale(atoms, limits)):
        runs = cut(text, ruler, lambda number, last, posts: foot + more if last else foot)
        if expected is None:
            assert runs is None
            continue
        assert runs is not None
        cuts = [end for _, end in runs[:-1]]
        assert runs == list(pairwise([0, *cuts, len(atoms)]))
        found = (len(runs), sum(text.costs[place] for place in cuts), unevenness(text, cuts))
        assert found[:2] == expected[:2]
        assert abs(found[2] - expected[2]) < 1e-6


def test_numbers_of_more_digits_have_their_room() -> None:
    atoms = [Atom("x" * 7, " ", "word") for _ in range(12)]
    runs = cut(text_of(atoms), Sums(atoms, Limits(12, len)), lambda number, last, posts: f" {number}/{posts}")
    assert runs is None  # " 10/12" leaves 6
    runs = cut(text_of(atoms), Sums(atoms, Limits(13, len)), lambda number, last, posts: f" {number}/{posts}")
    assert runs == [(index, index + 1) for index in range(12)]


def test_posts_without_text_are_counted() -> None:
    atoms = [Atom("x" * 7, " ", "word") for _ in range(9)]
    limits = Limits(11, len)
    assert cut(text_of(atoms), Sums(atoms, limits), lambda number, last, posts: f" {number}/{posts}") is not None
    assert cut(text_of(atoms), Sums(atoms, limits), lambda number, last, posts: f" {number}/{posts}", more=1) is None


def test_a_first_post_with_less_room_still_says_something() -> None:
    body = "Sentence 0 of two goes here with words. " * 12
    parts = (
        Part("headline", *rich.parse("Investigating: Outage two")),
        Part("body", *rich.parse(body)),
        Part("link", *rich.parse("https://status.example.com/a.html")),
    )
    posts = fit(Draft(parts), Limits(280, measure.weighted), FitOptions())
    assert posts[0].text.startswith("Investigating: Outage two")
    assert [facet.value for post in posts for facet in post.facets] == ["https://status.example.com/a.html"]
