"""The rest of a thread whose first posts stand already, laid out in another way than they were."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from broadcast.model import FitOptions, Limits, Media, Post
from broadcast.text.atoms import Atom
from broadcast.text.compose import join
from broadcast.text.thread import Layout, laid_out, layouts


def resume(
    atoms: Sequence[Atom],
    media: Sequence[Media],
    limits: Limits,
    options: FitOptions,
    language: str,
    stands: Sequence[Post],
) -> tuple[Post, ...]:
    """The posts that follow those that stand, numbered on from them. None where these do not say, word by word, what
    the text begins with, or say all of it."""
    for layout in layouts(atoms, limits, options):
        if rest := _after(layout, stands):
            return laid_out(rest, media, limits, language)
    return ()


def _after(layout: Layout, stands: Sequence[Post]) -> Layout | None:
    """The layout of what is left of one."""
    link = re.escape(join(layout.link))
    foot = re.compile(rf"(\s*{link})?(\s*\d+/\d+)?")
    index = 0
    for post in stands:
        position, start = 0, index
        while index < len(layout.body):
            atom = layout.body[index]
            piece = atom.text if index == start else atom.space + atom.text
            if not post.text.startswith(piece, position):
                break
            position += len(piece)
            index += 1
        if not foot.fullmatch(post.text, position):
            return None
    if index == len(layout.body):
        return None
    shown = sum(len(post.media) for post in stands)
    late = [image for atom in layout.body[:index] for image in atom.media][shown:]
    first, *others = layout.body[index:]
    first = replace(first, media=(*late, *first.media))
    return replace(layout, body=[first, *others], before=len(stands))
