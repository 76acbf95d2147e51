"""Plans for the tests of the views."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from broadcast.model import Action, Facet, Media, Post

Act = Callable[..., Action]


@pytest.fixture
def act() -> Act:
    """One action; `links` are (words, URL) and stand where the words first do."""

    def make(
        text: str = "Elevated errors.",
        channel: str = "x",
        *,
        slug: str = "api-errors",
        update: str = "2026-11-22T14:05",
        links: Sequence[tuple[str, str]] = (),
        media: Sequence[Media] = (),
        **more: Any,
    ) -> Action:
        data = text.encode(errors="replace")
        facets = []
        for words, url in links:
            start = data.index(words.encode())
            facets.append(Facet("link", url, start, start + len(words.encode())))
        values: dict[str, Any] = {
            "announcement": slug,
            "update": datetime.fromisoformat(update).replace(tzinfo=UTC),
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

    return make
