"""Posts as X's API shows them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from html import unescape
from typing import Any

from broadcast.platforms import standing
from broadcast.platforms.base import Ours
from broadcast.platforms.standing import Standing

FIELDS = ["author_id", "conversation_id", "created_at", "entities", "referenced_tweets"]
"""What is asked for of each."""


def differing(answer: Mapping[str, Any], posts: Sequence[Ours], user: str | None) -> Mapping[str, str]:
    """What is wrong with those that the answer to `GET /2/tweets` shows as another account's than `user`, or with
    another text than was sent."""
    there = {str(post["id"]): post for post in answer.get("data") or ()}
    gone = {str(error.get("resource_id")) for error in answer.get("errors") or () if _is_missing(error)}
    wrong: dict[str, str] = {}
    for one in posts:
        post = there.get(one.ref.id)
        if post is None:
            wrong |= {} if one.ref.id in gone else {one.ref.id: "X does not show it"}
        elif user is not None and str(post.get("author_id", user)) != user:
            wrong[one.ref.id] = standing.NOT_OURS
        elif not standing.says(standing_of(post).text, one.posts):
            wrong[one.ref.id] = standing.OTHER
    return wrong


def _is_missing(error: Mapping[str, Any]) -> bool:
    return str(error.get("type", "")).endswith("/resource-not-found")


def created(post: Mapping[str, Any]) -> datetime | None:
    return datetime.fromisoformat(post["created_at"]) if "created_at" in post else None


def standing_of(post: Mapping[str, Any]) -> Standing:
    """A post as X lists it; its text with every t.co link undone, and without those that X adds for images."""
    # Before the links: theirs are as they were written, and may look like HTML (`?a=1&copy=2`).
    text = unescape(str(post.get("text", "")))
    urls = {
        str(url["url"]): "" if url.get("media_key") else str(url.get("expanded_url") or url["url"])
        for url in (post.get("entities") or {}).get("urls") or ()
        if url.get("url")
    }
    if urls:  # all at once, and the longest first: one may begin as another does
        shorts = "|".join(map(re.escape, sorted(urls, key=len, reverse=True)))
        text = re.sub(shorts, lambda found: urls[found[0]], text)
    # API 2.167 calls them posts in its description, and tweets in its documentation.
    references = post.get("referenced_tweets") or post.get("referenced_posts") or ()
    parent = next((str(reference["id"]) for reference in references if reference.get("type") == "replied_to"), None)
    begins = str(post.get("conversation_id", "")) == str(post["id"])
    return Standing(str(post["id"]), text, parent, told=parent is not None or begins)
