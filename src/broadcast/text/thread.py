"""A thread: the link where it is wanted, a number below each post, images on the posts where they stood."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate

from broadcast.errors import DoesNotFitError
from broadcast.model import FitOptions, Limits, Media, Post
from broadcast.text.atoms import Atom, breaks, prices
from broadcast.text.compose import compose, fits, join, spread
from broadcast.text.split import Scale, Sums, Text, cut
from broadcast.text.tear import tear


def thread(
    atoms: Sequence[Atom], media: Sequence[Media], limits: Limits, options: FitOptions, language: str
) -> tuple[Post, ...]:
    """The fewest posts that hold every word. Raises `DoesNotFitError` for a URL that no post has room for."""
    text, shares = join(atoms), spread([media], limits)
    if not atoms:
        return tuple(compose(atoms, limits, media=share) for share in shares)
    if len(shares) == 1 and fits(text, limits):
        return (compose(atoms, limits, media=shares[0]),)
    for layout in layouts(atoms, limits, options):
        posts = laid_out(layout, media, limits, language)
        if posts:
            return posts
    raise DoesNotFitError(_what_does_not_fit(atoms, limits))


@dataclass(frozen=True, slots=True)
class Layout:
    """The atoms that are cut, those that stand below the `first` post, the `last` or `every`, and whether there are
    numbers. `before` is how many posts of the thread stand already."""

    body: Sequence[Atom]
    link: Sequence[Atom] = ()
    place: str = "none"
    numbering: bool = True
    before: int = 0

    def below(self, number: int, last: bool) -> Sequence[Atom]:
        wanted = {"first": self.before + number == 1, "last": last, "every": True}
        return self.link if wanted.get(self.place) else ()

    def foot(self, number: int, last: bool, posts: int) -> str:
        below = self.below(number, last)
        return (below[0].space + join(below) if below else "") + self.label(number, posts)

    def label(self, number: int, posts: int) -> str:
        return f" {self.before + number}/{self.before + posts}" if self.numbering else ""


def layouts(atoms: Sequence[Atom], limits: Limits, options: FitOptions) -> Iterator[Layout]:
    """The layout that the options ask for, then what else can be done when a URL leaves no room for it: the link as a
    paragraph where the template has it, and no numbers."""
    link = [atom for atom in atoms if atom.part == "link"]
    body = [atom for atom in atoms if atom.part != "link"]
    if link and body and limits.measure(join(link)) * 2 <= limits.length:
        below = [replace(link[0], space="\n\n", media=()), *(replace(atom, media=()) for atom in link[1:])]
        hung = tuple(image for atom in link for image in atom.media)
        body[0] = replace(body[0], media=(*hung, *body[0].media))
        yield Layout(body, below, options.link, options.numbering)
    yield Layout(atoms, numbering=options.numbering)
    if options.numbering:
        yield Layout(atoms, numbering=False)


def laid_out(layout: Layout, media: Sequence[Media], limits: Limits, language: str) -> tuple[Post, ...]:
    """The posts of a layout; none when some URL has no room in it."""
    feet = [layout.foot(99, last, 99) for last in (False, True)] + [layout.foot(1, False, 99)]
    widest = max(feet, key=limits.measure)
    atoms, kinds = tear(layout.body, breaks(layout.body, language), widest, limits)
    weights = list(accumulate((len(atom.space) + len(atom.text) for atom in atoms), initial=0))
    text = Text(atoms, prices(atoms, kinds), weights)
    for ruler in (Sums(atoms, limits), Scale(atoms, limits)):
        runs = cut(text, ruler, layout.foot)
        if runs and (more := len(_shares(runs, atoms, media, limits)) - len(runs)):
            runs = cut(text, ruler, layout.foot, more)
        if runs:
            shares = _shares(runs, atoms, media, limits)
            posts = _posts(layout, [atoms[start:end] for start, end in runs], shares, limits)
            if all(fits(post.text, limits) for post in posts):
                return posts
    return ()


def _shares(
    runs: Sequence[tuple[int, int]], atoms: Sequence[Atom], media: Sequence[Media], limits: Limits
) -> list[list[Media]]:
    """The images of each post, in the order in which they stand in the text."""
    hung = ([media[image] for atom in atoms[start:end] for image in atom.media] for start, end in runs)
    return spread(list(hung), limits)


def _posts(
    layout: Layout, runs: Sequence[Sequence[Atom]], shares: Sequence[Sequence[Media]], limits: Limits
) -> tuple[Post, ...]:
    posts = []
    for number, share in enumerate(shares, start=1):
        run = runs[number - 1] if number <= len(runs) else ()
        whole = [*run, *layout.below(number, number == len(runs))] if run else []
        label = layout.label(number, len(shares))
        on_its_own_line = (
            compose(whole, limits, "\n" + label.strip(), share) if label and _ends_in_list(whole) else None
        )
        if on_its_own_line and fits(on_its_own_line.text, limits):
            posts.append(on_its_own_line)
        else:
            posts.append(compose(whole, limits, label, share))
    return tuple(posts)


def _ends_in_list(atoms: Sequence[Atom]) -> bool:
    """Whether the last line is one of a list, a table or code: a number behind it would seem to belong to it."""
    line = next((atom for atom in reversed(atoms) if "\n" in atom.space), None)
    return line is not None and "\n\n" not in line.space and line.kind != "never"


def _what_does_not_fit(atoms: Sequence[Atom], limits: Limits) -> str:
    for atom in atoms:
        for start, end, mark in atom.marks:
            if mark.kind == "link" and not fits(atom.text[start:end], limits):
                length = limits.measure(atom.text[start:end])
                return f"the URL {mark.value} has {length} {limits.unit}, but a post takes {limits.length}"
    return f"the text cannot be cut into posts of {limits.length} {limits.unit}"
