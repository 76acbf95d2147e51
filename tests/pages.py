"""A page as a strict reader sees it."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path

VOID = {"meta", "link", "img", "br", "hr", "input"}


@dataclass
class Seen(HTMLParser):
    """Tags must nest, and ids are unique. `loose` is the text that stands in no code."""

    ids: list[str] = field(default_factory=list)
    tags: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    text: str = ""
    loose: str = ""
    open: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        known = {name: value or "" for name, value in attrs}
        assert len(known) == len(attrs), f"an attribute stands twice in {tag}"
        self.tags.append((tag, known))
        if "id" in known:
            self.ids.append(known["id"])
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open[-1] == tag, f"</{tag}> closes <{self.open[-1]}>"
        self.open.pop()

    def handle_data(self, data: str) -> None:
        if not self.open or self.open[-1] != "style":
            self.text += data
        if "code" not in self.open:
            self.loose += data

    def all(self, name: str) -> list[dict[str, str]]:
        return [attributes for tag, attributes in self.tags if tag == name]


def read(page: Path | str) -> Seen:
    """Parse an HTML file, or the text of one. Fails the test where it is not well formed."""
    seen = Seen()
    seen.feed(page if isinstance(page, str) else page.read_text(encoding="utf-8"))
    seen.close()
    assert not seen.open, f"never closed: {seen.open}"
    assert len(seen.ids) == len(set(seen.ids)), "an id stands twice"
    return seen
