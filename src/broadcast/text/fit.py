"""A draft becomes the posts of one channel: as a thread, or shortened to one post."""

from __future__ import annotations

from collections.abc import Sequence

from broadcast.errors import DoesNotFitError
from broadcast.model import Draft, FitOptions, Limits, Media, Post
from broadcast.text.atoms import Atom
from broadcast.text.clean import clean
from broadcast.text.compose import compose, fits, spread
from broadcast.text.resume import resume
from broadcast.text.shorten import shorten
from broadcast.text.thread import thread
from broadcast.text.weave import literal, weave


def fit(draft: Draft, limits: Limits, options: FitOptions, stands: Sequence[Post] = ()) -> tuple[Post, ...]:
    """The posts of a draft, in order; none for a draft that says nothing. With posts that stand already, those, and
    then what they left unsaid, where they were made of the same draft.

    Every post's `length` is what `limits.measure` says of its text, and is at most `limits.length`. Raises
    `DoesNotFitError` for an override that is too long, and for a URL or a link that no post has room for.
    """
    media = [image for part in draft.parts for image in part.media]
    if draft.override is not None:
        return _override(clean(draft.override).strip(), media, limits)
    parts = [part for part in draft.parts if options.link != "none" or part.name != "link"]
    atoms = weave(parts, facets=limits.facets, short_urls=options.short_urls and limits.facets)
    media = [image for part in parts for image in part.media]
    if not atoms and not media:
        return ()
    posts = _laid_out(atoms, media, limits, options, draft.language)
    if stands and [said(post) for post in posts[: len(stands)]] != [said(post) for post in stands]:
        rest = resume(atoms, media, limits, options, draft.language, stands)
        return (*stands, *rest) if rest else posts
    return posts


def said(post: Post) -> tuple[object, ...]:
    """What followers see of a post. Its card is shown beside it."""
    return post.text, post.facets, [(item.path, item.alt) for item in post.media]


def _laid_out(
    atoms: Sequence[Atom], media: Sequence[Media], limits: Limits, options: FitOptions, language: str
) -> tuple[Post, ...]:
    if options.fit != "single":
        posts = thread(atoms, media, limits, options, language)
        if options.fit == "thread" or len(posts) <= options.max_posts:
            return posts
    return (shorten(atoms, media, limits, options, language),)


def _override(text: str, media: Sequence[Media], limits: Limits) -> tuple[Post, ...]:
    """The user's own text as it is, in one post; images beyond the first post's share follow."""
    if not fits(text, limits):
        length, size = limits.measure(text), len(text.encode())
        have, room = (
            (f"{length} {limits.unit}", limits.length)
            if length > limits.length
            else (f"{size} bytes", limits.max_bytes)
        )
        raise DoesNotFitError(f"the text of the `post` block has {have}, but a post takes {room}")
    if not text and not media:
        return ()
    atoms = [literal(text, facets=limits.facets)] if text else []
    first, *more = spread([media], limits)
    return (compose(atoms, limits, media=first), *(compose([], limits, media=share) for share in more))
