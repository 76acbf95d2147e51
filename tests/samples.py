"""Announcements and plans for tests, from a few words."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import Any

from broadcast.model import Action, Announcement, Facet, Kind, Media, Place, Post, Update


def at(text: str) -> datetime:
    """A time in UTC, `2026-11-22T14:05`."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def announce(slug: str, *updates: tuple[str, str, str], kind: Kind = "incident", **more: Any) -> Announcement:
    """Updates are (status, time, body)."""
    path = more.pop("path", f"incidents/{slug}.md")
    chain = tuple(Update(status, at(time), body, Place(path)) for status, time, body in updates)
    title = more.pop("title", f"About {slug}")
    more.setdefault("translation", PurePosixPath(path).stem != slug)
    return Announcement(slug, path, title, kind, more.pop("language", "en"), chain, **more)


def act(
    text: str = "Elevated errors.",
    channel: str = "x",
    *,
    slug: str = "api-errors",
    update: str = "2026-11-22T14:05",
    links: Sequence[tuple[str, str]] = (),
    media: Sequence[Media] = (),
    **more: Any,
) -> Action:
    """One action; `links` are (words, URL) and stand where the words first do."""
    data = text.encode(errors="replace")
    facets = []
    for words, url in links:
        start = data.index(words.encode())
        facets.append(Facet("link", url, start, start + len(words.encode())))
    values: dict[str, Any] = {
        "announcement": slug,
        "update": at(update),
        "status": "investigating",
        "channel": channel,
        "platform": channel,
        "part": 1,
        "parts": 1,
        "post": Post(text, len(text), tuple(facets), tuple(media)),
        "limit": 280,
        "language": "en",
        "reply_to": None,
        "state": "todo",
    }
    return Action(**(values | more))
