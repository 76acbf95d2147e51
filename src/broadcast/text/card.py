"""The card of the announcement's page, on the post that leads to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from broadcast.images import is_video
from broadcast.model import Card, Post


def with_card(posts: Sequence[Post], card: Card) -> tuple[Post, ...]:
    """The posts, with the card on the first that leads to its page, unless that one shows images already. A video may
    be refused, so the card is there to stand in for it."""
    for index, post in enumerate(posts):
        if any(facet.kind == "link" and facet.value == card.url for facet in post.facets):
            images = [media for media in post.media if not is_video(media.path)]
            carried = post if images else replace(post, card=card)
            return (*posts[:index], carried, *posts[index + 1 :])
    return tuple(posts)
