"""Where an announcement and each of its updates stand on the status page."""

from __future__ import annotations

from datetime import UTC, datetime
from urllib.parse import quote


def page_name(slug: str, language: str | None = None) -> str:
    """The file of an announcement's page; `language` is that of a translation, None for the announcement itself."""
    return f"{slug}.html" if language is None else f"{slug}.{language}.html"


def permalink(url: str, slug: str, language: str | None = None) -> str:
    """The address of an announcement's page on a site served at `url`."""
    return f"{url.rstrip('/')}/{quote(page_name(slug, language), safe='')}"


def anchor(time: datetime) -> str:
    """What a page calls the update of this time, without `#`."""
    return f"u-{time.astimezone(UTC):%Y%m%dT%H%M%SZ}"
