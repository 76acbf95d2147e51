"""What the tests of the status page build with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from broadcast.model import Announcement, Kind, Place, Update

VOID = {"meta", "link", "img", "br", "hr", "input", "circle"}

Announce = Callable[..., Announcement]


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.fixture
def announce() -> Announce:
    """An announcement from a few words: updates are (status, time, body)."""

    def make(slug: str, *updates: tuple[str, str, str], kind: Kind = "incident", **more: Any) -> Announcement:
        path = more.pop("path", f"incidents/{slug}.md")
        chain = tuple(Update(status, at(time), body, Place(path)) for status, time, body in updates)
        title = more.pop("title", f"About {slug}")
        return Announcement(slug, path, title, kind, more.pop("language", "en"), chain, **more)

    return make


@dataclass
class Seen(HTMLParser):
    """A page as a strict reader sees it: tags must nest, and ids are unique."""

    ids: list[str] = field(default_factory=list)
    tags: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    text: str = ""
    _open: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        known = {name: value or "" for name, value in attrs}
        assert len(known) == len(attrs), f"an attribute stands twice in {tag}"
        self.tags.append((tag, known))
        if "id" in known:
            self.ids.append(known["id"])
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self._open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self._open, f"</{tag}> closes nothing"
        assert self._open[-1] == tag, f"</{tag}> closes <{self._open[-1]}>"
        self._open.pop()

    def handle_data(self, data: str) -> None:
        if not self._open or self._open[-1] != "style":
            self.text += data

    def all(self, name: str) -> list[dict[str, str]]:
        return [attributes for tag, attributes in self.tags if tag == name]


@pytest.fixture
def read() -> Callable[[Path | str], Seen]:
    def parse(page: Path | str) -> Seen:
        seen = Seen()
        seen.feed(page if isinstance(page, str) else page.read_text(encoding="utf-8"))
        seen.close()
        assert not seen._open, f"never closed: {seen._open}"
        assert len(seen.ids) == len(set(seen.ids))
        return seen

    return parse
