"""A draft or a post with the time of its update, to tell it from another that says the same."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from broadcast.model import Block, Draft, Limits, Part, Post, Span
from broadcast.text.compose import fits

HEADLINE = "headline"

Make = Callable[[str, int], tuple[Post, ...]]
"""The posts of an update with a stamp in its headline (none if it is empty), each with so much room left."""


def stamps(time: datetime) -> Iterator[str]:
    """What may be added, from the shortest."""
    yield f"{time:%H:%M} UTC"
    yield f"{time:%Y-%m-%d %H:%M} UTC"
    yield f"{time:%Y-%m-%d %H:%M:%S} UTC"


def stamped(draft: Draft, stamp: str) -> Draft:
    """The draft with a stamp behind its headline, or behind the user's own text; before a text without a headline."""
    if draft.override is not None:
        return replace(draft, override=f"{draft.override.rstrip()} ({stamp})")
    headed = any(part.name == HEADLINE and part.blocks for part in draft.parts)
    done = False
    parts: list[Part] = []
    for part in draft.parts:
        if not done and part.blocks and (part.name == HEADLINE or not headed):
            done, blocks = True, list(part.blocks)
            if headed:
                blocks[-1] = _added(blocks[-1], before="", after=f" ({stamp})")
            else:
                blocks[0] = _added(blocks[0], before=f"{stamp}: ", after="")
            part = replace(part, blocks=tuple(blocks))
        parts.append(part)
    return replace(draft, parts=tuple(parts))


def _added(block: Block, *, before: str, after: str) -> Block:
    spans = [Span("text", before)] if before else []
    return replace(block, spans=(*spans, *block.spans, *([Span("text", after)] if after else [])))


def told_apart(make: Make, time: datetime, taken: Collection[str], limits: Limits) -> tuple[Post, ...]:
    """The posts of an update of this time, none of which says what is in `taken` (as `essence` has it): with its time
    in the headline and, where later posts of a thread repeat others, at their end."""
    posts = make("", 0)
    if not _repeated(posts, taken):
        return posts
    for stamp in stamps(time):
        posts = make(stamp, 0)
        if not _repeated(posts, taken):
            return posts
    tail = f"\n{stamp}"
    posts = make(stamp, limits.measure(tail))
    return tuple(_ended(post, tail, limits) if essence(post.text) in taken else post for post in posts)


def essence(text: str) -> str:
    """What platforms that refuse repetitions compare, at most: neither case nor blanks tell texts apart."""
    return " ".join(text.split()).casefold()


def _repeated(posts: Sequence[Post], taken: Collection[str]) -> bool:
    return any(essence(post.text) in taken for post in posts)


def _ended(post: Post, tail: str, limits: Limits) -> Post:
    text = post.text + tail
    return replace(post, text=text, length=limits.measure(text)) if fits(text, limits) else post
