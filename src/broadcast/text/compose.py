"""Atoms to posts: the text, what its stretches are, and the images."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from broadcast.images import is_gif, is_video
from broadcast.model import Facet, Limits, Media, Post
from broadcast.text.atoms import Atom, Mark


def join(atoms: Sequence[Atom]) -> str:
    """The text of a run of atoms that opens a post."""
    return "".join([atom.space + atom.text for atom in atoms])[len(atoms[0].space) :] if atoms else ""


def compose(atoms: Sequence[Atom], limits: Limits, suffix: str = "", media: Sequence[Media] = ()) -> Post:
    """A post of these atoms and a suffix (a number, white space included)."""
    text = join(atoms) + suffix
    if not atoms:
        text = text.strip()
    return Post(text, limits.measure(text), tuple(_facets(atoms)), tuple(_described(image, limits) for image in media))


def fits(text: str, limits: Limits) -> bool:
    """Whether a post may have this text."""
    if limits.max_bytes is not None and len(text.encode()) > limits.max_bytes:
        return False
    return limits.measure(text) <= limits.length


def _facets(atoms: Sequence[Atom]) -> list[Facet]:
    """The marks of atoms as facets in UTF-8 bytes; a mark that goes on in the next atom is one facet."""
    facets: list[Facet] = []
    last: Mark | None = None
    position = 0
    for index, atom in enumerate(atoms):
        if index:
            position += len(atom.space.encode())
        for start, end, mark in atom.marks:
            begin = position + len(atom.text[:start].encode())
            stop = position + len(atom.text[:end].encode())
            if mark is last and index and atoms[index - 1].marks:
                facets[-1] = Facet(mark.kind, mark.value, facets[-1].start, stop)
            else:
                facets.append(Facet(mark.kind, mark.value, begin, stop))
            last = mark
        position += len(atom.text.encode())
    return facets


def _described(image: Media, limits: Limits) -> Media:
    """The image with an alternative text that is not too long: cut at a word."""
    most = limits.video_alt if limits.video_alt is not None and is_video(image.path) else limits.alt
    if len(image.alt) <= most:
        return image
    kept = image.alt[: max(most - 1, 0)]
    at_word = kept.rpartition(" ")[0] if " " in kept[-40:] else kept
    return Media(image.path, (at_word.rstrip() + "…")[:most], image.place)


def spread(wanted: Sequence[Sequence[Media]], limits: Limits) -> list[list[Media]]:
    """The images and videos of each post, at most `limits.images` on one. What is too much goes to the next post; at
    the end, posts are added for what is left. A channel that takes none gets none."""
    if limits.images < 1:
        return [[] for _ in wanted]
    posts: list[list[Media]] = []
    waiting: deque[Media] = deque()
    for images in wanted:
        waiting += [image for image in images if limits.videos != "none" or not is_video(image.path)]
        posts.append(_share(waiting, limits))
    while waiting:
        posts.append(_share(waiting, limits))
    return posts


def _share(waiting: deque[Media], limits: Limits) -> list[Media]:
    """Take as many of the first as go on one post."""
    share: list[Media] = []
    while waiting and len(share) < limits.images:
        alone = limits.videos == "alone" and (
            is_video(waiting[0].path) or (limits.gifs_move and is_gif(waiting[0].path))
        )
        if alone and share:
            break
        share.append(waiting.popleft())
        if alone:
            break
    return share
