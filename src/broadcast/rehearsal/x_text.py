"""How X measures a text, and what becomes of it when it is read back."""

from __future__ import annotations

import hashlib
import html
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from broadcast.rehearsal.base import SeenLink
from broadcast.text import twitter

LIMIT = 280


@dataclass(frozen=True, slots=True)
class _Url:
    text: str
    start: int
    end: int

    @property
    def expanded(self) -> str:
        return self.text if "://" in self.text else f"http://{self.text}"


def too_long(text: str) -> bool:
    """By twitter-text's weights, version 3 (https://docs.x.com/fundamentals/counting-characters)."""
    return bool(twitter.library("parse_tweet").parse_tweet(text).weightedLength > LIMIT)


def same(text: str) -> str:
    """What two texts have in common when X takes the second for a duplicate of the first."""
    return " ".join(unicodedata.normalize("NFC", text).casefold().split())


def links(text: str) -> tuple[SeenLink, ...]:
    """What X makes a link, a bare domain too, whether the author meant it or not."""
    return tuple(
        SeenLink(url.expanded, len(text[: url.start].encode()), len(text[: url.end].encode())) for url in _urls(text)
    )


def as_read(text: str, pictures: Sequence[tuple[str, str]]) -> tuple[str, list[dict[str, Any]]]:
    """The `text` and the `entities.urls` of a post that is read back: every URL is a t.co one, `&`, `<` and `>` are
    escaped, and a link to the pictures, given as media key and URL, is put at the end."""
    out: list[str] = []
    entities: list[dict[str, Any]] = []
    length = done = 0

    def put(piece: str) -> None:
        nonlocal length
        out.append(piece)
        length += len(piece)

    for url in _urls(text):
        put(html.escape(text[done : url.start], quote=False))
        start = length
        put(_short(url.text))
        entities.append(_entity(start, length, _short(url.text), url.expanded))
        done = url.end
    put(html.escape(text[done:], quote=False))
    if pictures:
        put(" " if text else "")
        start = length
        short = _short(pictures[0][1])
        put(short)
        entities += [_entity(start, length, short, target) | {"media_key": key} for key, target in pictures]
    return "".join(out), entities


def _urls(text: str) -> list[_Url]:
    return [
        _Url(found["url"], *found["indices"])
        for found in twitter.library("extract_urls").extract_urls_with_indices(text)
    ]


def _short(url: str) -> str:
    digest = hashlib.sha256(url.encode()).hexdigest()
    return f"https://t.co/{digest[:10]}"


def _entity(start: int, end: int, short: str, target: str) -> dict[str, Any]:
    shown = target.partition("://")[2].removeprefix("www.")
    display = shown if len(shown) <= 27 else f"{shown[:26]}…"
    return {"start": start, "end": end, "url": short, "expanded_url": target, "display_url": display}
