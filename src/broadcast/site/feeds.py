"""The feeds: one entry for each update, the newest first."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from markupsafe import Markup

from broadcast.site.gallery import Gallery
from broadcast.site.markdown import to_html
from broadcast.site.pages import Entry, Page
from broadcast.text.clean import clean

ENTRIES = 50
NEVER = datetime(1970, 1, 1, tzinfo=UTC)
"""When a site without any update was last updated: Atom wants a time, and the wall clock would change the file."""


@dataclass(frozen=True, slots=True)
class Item:
    """An update as a feed tells it; `address` is its URL where the site has one."""

    id: str
    address: str | None
    title: str
    html: str
    page: Page
    entry: Entry


Show = Callable[[Page, Entry, Markup], str]
"""The HTML of an update, from that of its text."""


def items(pages: Sequence[Page], gallery: Gallery, url: str | None, show: Show) -> list[Item]:
    """The newest updates of the announcements (not of their translations)."""
    every = [
        (entry.time, page.slug, page, entry) for page in pages if page.translation is None for entry in page.entries
    ]
    every.sort(key=lambda item: item[:2], reverse=True)
    return [_item(page, entry, gallery, url, show) for _, _, page, entry in every[:ENTRIES]]


def _item(page: Page, entry: Entry, gallery: Gallery, url: str | None, show: Show) -> Item:
    def resolve(source: str) -> str | None:
        address = gallery.address(page.path, source)
        return f"{url.rstrip('/')}/{address}" if url and address else address

    address = f"{page.address}#{entry.anchor}" if page.address else None
    name = address or uuid5(NAMESPACE_URL, f"{page.slug}#{entry.anchor}").urn
    html = show(page, entry, to_html(entry.body, resolve))
    return Item(name, address, f"{entry.status}: {page.title}", html, page, entry)


def atom(found: Sequence[Item], title: str, url: str | None) -> bytes:
    """An Atom feed (RFC 4287)."""
    from feedgen.feed import FeedGenerator  # type: ignore[import-untyped]  # it has no types; and it pulls lxml: late

    home = url.rstrip("/") if url else None
    feed = FeedGenerator()
    feed.id(f"{home}/" if home else uuid5(NAMESPACE_URL, title).urn)
    feed.title(clean(title))
    feed.author({"name": clean(title)})
    feed.updated(found[0].entry.time if found else NEVER)
    if home:
        feed.link(href=f"{home}/feed.atom", rel="self", type="application/atom+xml")
        feed.link(href=f"{home}/", rel="alternate", type="text/html")
    for item in found:
        entry = feed.add_entry(order="append")
        entry.id(item.id)
        entry.title(item.title)
        entry.content(item.html, type="html")
        entry.published(item.entry.time)
        entry.updated(item.entry.time)
        if item.address:
            entry.link(href=item.address, rel="alternate", type="text/html")
        for term in _terms(item.page):
            entry.category(term=term)
    made: bytes = feed.atom_str(pretty=True)
    return made


def json_feed(found: Sequence[Item], title: str, url: str | None) -> str:
    """A JSON Feed of version 1.1 (jsonfeed.org)."""
    feed: dict[str, Any] = {"version": "https://jsonfeed.org/version/1.1", "title": clean(title)}
    if url:
        home = url.rstrip("/")
        feed |= {"home_page_url": f"{home}/", "feed_url": f"{home}/feed.json"}
    feed["items"] = [_json(item) for item in found]
    return json.dumps(feed, ensure_ascii=False, indent=2) + "\n"


def _json(item: Item) -> dict[str, Any]:
    told: dict[str, Any] = {"id": item.id}
    if item.address:
        told["url"] = item.address
    return told | {
        "title": item.title,
        "content_html": item.html,
        "date_published": f"{item.entry.time:%Y-%m-%dT%H:%M:%SZ}",
        "language": item.page.language,
        "tags": list(_terms(item.page)),
    }


def _terms(page: Page) -> Iterator[str]:
    yield page.kind
    if page.severity:
        yield page.severity
    yield from page.components
    yield from page.tags
