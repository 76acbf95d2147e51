from __future__ import annotations

import base64
import hashlib
import re
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from broadcast.model import Media, Place, Plan, Problem, Ref, ReplyTo
from broadcast.views.html import MAX_IMAGE, Card, Column, columns, page, preview
from pages import read
from samples import act

TIME = datetime(2026, 11, 22, 14, 5, tzinfo=UTC)


def test_a_column_for_each_channel_a_heading_for_each_update(tmp_path: Path) -> None:
    plan = Plan(
        (
            act("One 1/2", "x", parts=2, ref=Ref("1", "https://x.example/1"), state="done"),
            act("Two 2/2", "x", part=2, parts=2),
            act("All", "bluesky", limit=300),
            act("Fixed", "x", update="2026-11-22T15:00", status="resolved", reply_to=ReplyTo(TIME, 2)),
        ),
        (Problem("error", "bad", Place("a.md", 3), "wrong"),),
        {"x": 0.215},
    )
    seen = read(preview(plan, tmp_path))
    assert [column.name for column in columns(plan, tmp_path)] == ["x", "bluesky"]
    for words in (
        "api-errors · Investigating · 2026-11-22 14:05 UTC",
        "api-errors · Resolved · 2026-11-22 15:00 UTC",
        "7/280",
        "3/300",
        "Replies to the update of 2026-11-22 14:05 UTC",
        "a.md:3: error: wrong",
        "x: $0.215",
    ):
        assert words in seen.text
    cards = [attributes["class"] for attributes in seen.all("li") if "class" in attributes]
    assert cards == ["card continued", "card threaded", "card", "card"]
    assert {"href": "https://x.example/1", "rel": "noopener nofollow"} in seen.all("a")


def test_the_policy_allows_the_style_sheet_and_pictures_in_the_page() -> None:
    text = page("T", [Column("x", "x", "x", (Card("a", TIME),))])
    style = re.search(r"<style>(.*?)</style>", text, re.DOTALL)
    assert style is not None
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    policy = next(entry["content"] for entry in read(text).all("meta") if entry.get("http-equiv"))
    assert policy.startswith(f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:;")
    assert not any("style" in attributes for _, attributes in read(text).tags)


def test_everything_is_escaped() -> None:
    bad = "\"'></div><script>alert(1)</script><img src=x onerror=y>{{ 7 * 7 }}\x1b\u202e"
    card = Card(
        bad,
        TIME,
        links=(
            (0, 5, "javascript:alert(1)"),
            (6, 9, 'https://a.b/"onclick="x'),
            (9, 12, "https://a.b/\x7f"),
            (12, 15, "https://a.b/\x1b[31m"),
            (15, 18, "https://a.b/\u202egnp"),
        ),
        media=((bad, b"x", bad), ("text/html", b"<script>", bad), ("image/svg+xml", b"<svg/>", bad)),
        status=bad,
        reply_to=bad,
        url="javascript:alert(1)",
        note=bad,
        group=bad,
        language=bad,
    )
    seen = read(page(bad, [Column(bad, bad, bad, (card,))], subtitle=bad, notes=[bad]))
    assert not seen.all("script")
    assert not seen.all("img")
    assert [entry["href"] for entry in seen.all("a")] == ['https://a.b/"onclick="x']
    assert not any(name.startswith("on") for _, attributes in seen.tags for name in attributes)
    assert "{{ 7 * 7 }}" in seen.text


def test_nothing_in_a_page_acts_on_a_terminal() -> None:
    for bad in ("\x85", "\x7f", "\x1b[31m", "\u202e", "\u2028"):
        card = Card(bad, TIME, status=bad, reply_to=bad, url=f"https://a.b/{bad}", note=bad, group=bad, language=bad)
        card = replace(card, media=(("image/png", b"x", bad),), links=((0, len(bad.encode()), f"https://a.b/{bad}"),))
        assert bad not in page(bad, [Column(bad, bad, bad, (card,))], subtitle=bad, notes=[bad])


def test_links_stand_on_their_words() -> None:
    text = "🔴 süß docs"
    start = len("🔴 süß ".encode())
    made = page("T", [Column("b", "bluesky", "b", (Card(text, TIME, links=((start, start + 4, "https://a.b/"),)),))])
    assert '🔴 süß <a href="https://a.b/" rel="noopener nofollow">docs</a></div>' in made


def test_pictures_are_in_the_page_as_long_as_there_is_room(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"picture")
    (tmp_path / "big.png").write_bytes(b"x" * (MAX_IMAGE + 1))
    (tmp_path / "secret.env").write_bytes(b"secret")
    (tmp_path / "link.png").symlink_to(tmp_path / "secret.env")
    media = [Media(name, name) for name in ("a.png", "big.png", "gone.png", "../a.png", "link.png", "secret.env")]
    made = preview(Plan((act(media=media),)), tmp_path)
    assert [image["src"] for image in read(made).all("img")] == ["data:image/png;base64,cGljdHVyZQ=="]
    assert made.count("No picture here") == 5


def test_replies_within_a_group_hang_together() -> None:
    cards = (
        Card("a", TIME, group="api"),
        Card("b", TIME + timedelta(hours=1), group="api", reply_to="the post before it"),
        Card("c", TIME + timedelta(hours=2), group="other", reply_to="something else"),
    )
    seen = read(page("T", [Column("x", "x", "x", cards)]))
    assert [entry["class"] for entry in seen.all("li")] == ["card continued", "card threaded", "card"]


def test_a_length_over_the_limit_stands_out() -> None:
    made = page("T", [Column("x", "x", "x", (Card("a", TIME, length=300, limit=280),))])
    assert 'class="meter over"' in made
    assert "300/280" in made


def test_no_posts() -> None:
    assert "No posts." in read(page("T", [])).text


def test_a_thousand_posts_take_seconds_at_most(tmp_path: Path) -> None:
    plan = Plan(tuple(act("x " * 100, f"c{index % 4}", slug=f"a{index // 4}") for index in range(1200)))
    start = time.perf_counter()
    preview(plan, tmp_path)
    assert time.perf_counter() - start < 10
