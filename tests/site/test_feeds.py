from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from broadcast.site.build import build
from samples import announce

NOW = datetime(2026, 11, 22, 16, 0, tzinfo=UTC)
ATOM = "{http://www.w3.org/2005/Atom}"


def feeds(root: Path, *announcements: Any, url: str | None = "https://status.example.com/") -> tuple[ET.Element, Any]:
    build(announcements, root / "public", url=url, root=root, templates=None, now=NOW, title="Status & more")
    atom = ET.fromstring((root / "public/feed.atom").read_bytes())  # noqa: S314 - our own output
    return atom, json.loads((root / "public/feed.json").read_text(encoding="utf-8"))


def test_an_entry_for_each_update_newest_first(tmp_path: Path) -> None:
    (tmp_path / "incidents").mkdir()
    (tmp_path / "incidents/e.png").write_bytes(b"x")
    atom, feed = feeds(
        tmp_path,
        announce(
            "api",
            ("investigating", "2026-11-22T14:05", "We *look*. ![Errors](e.png)"),
            ("in progress", "2026-11-22T15:40", "Soon."),
            title="Errors < 5",
            severity="major",
            components=("API",),
        ),
    )
    assert [entry.findtext(f"{ATOM}title") for entry in atom.iter(f"{ATOM}entry")] == [
        "In progress: Errors < 5",
        "Investigating: Errors < 5",
    ]
    assert atom.findtext(f"{ATOM}id") == "https://status.example.com/"
    assert atom.findtext(f"{ATOM}updated") == "2026-11-22T15:40:00+00:00"
    first = list(atom.iter(f"{ATOM}entry"))[1]
    assert first.findtext(f"{ATOM}id") == "https://status.example.com/api.html#u-20261122T140500Z"
    content = first.find(f"{ATOM}content")
    assert content is not None
    assert content.attrib["type"] == "html"
    assert '<img src="https://status.example.com/media/' in (content.text or "")
    assert [term.attrib["term"] for term in first.iter(f"{ATOM}category")] == ["incident", "major", "API"]
    assert feed["version"] == "https://jsonfeed.org/version/1.1"
    assert feed["title"] == "Status & more"
    assert feed["home_page_url"] == "https://status.example.com/"
    assert feed["feed_url"] == "https://status.example.com/feed.json"
    item = feed["items"][1]
    assert item["id"] == item["url"] == "https://status.example.com/api.html#u-20261122T140500Z"
    assert item["date_published"] == "2026-11-22T14:05:00Z"
    assert item["content_html"] == content.text
    assert item["tags"] == ["incident", "major", "API"]


def test_without_a_url_ids_are_still_unique_and_stable(tmp_path: Path) -> None:
    one = announce("a", ("investigating", "2026-11-22T14:05", "x"))
    other = announce("b", ("investigating", "2026-11-22T14:05", "x"))
    _, feed = feeds(tmp_path, one, other, url=None)
    ids = [item["id"] for item in feed["items"]]
    assert len(set(ids)) == 2
    assert all(name.startswith("urn:uuid:") for name in ids)
    assert [item["id"] for item in feeds(tmp_path, one, other, url=None)[1]["items"]] == ids
    assert "home_page_url" not in feed


def test_an_empty_feed_has_a_time_that_never_changes(tmp_path: Path) -> None:
    atom, feed = feeds(tmp_path)
    assert atom.findtext(f"{ATOM}updated") == "1970-01-01T00:00:00+00:00"
    assert feed["items"] == []


def test_feeds_say_what_is_promised_and_planned(tmp_path: Path) -> None:
    """At e0fdd80 the preview of the page's channel said both, and neither was there."""
    (tmp_path / "incidents").mkdir()
    _, feed = feeds(
        tmp_path,
        announce(
            "api",
            ("investigating", "2026-11-22T15:05", "We look."),
            ("identified", "2026-11-22T15:40", "A disk."),
            update_every=timedelta(minutes=30),
            language="de",
        ),
        announce(
            "db",
            ("scheduled", "2026-11-22T09:00", "An upgrade."),
            kind="maintenance",
            starts=datetime(2026, 11, 23, 2, 0, tzinfo=UTC),
            ends=datetime(2026, 11, 23, 4, 0, tzinfo=UTC),
        ),
    )
    newest, first, planned = (item["content_html"] for item in feed["items"])
    assert newest.endswith(
        '<p>Nächstes Update bis <time datetime="2026-11-22T16:10:00Z">22 Nov 2026, 16:10 UTC</time></p>'
    )
    assert first == "<p>We look.</p>"
    assert "<p>When: <time" in planned
    assert "23 Nov 2026, 02:00 UTC" in planned
    assert "04:00 UTC" in planned
