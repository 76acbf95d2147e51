from __future__ import annotations

import hashlib
import json
import re
import time
from base64 import b64encode
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from broadcast.errors import ConfigError
from broadcast.model import Announcement
from broadcast.site.build import build
from pages import read
from samples import announce

NOW = datetime(2026, 11, 22, 16, 0, tzinfo=UTC)
URL = "https://status.example.com"
PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c49444154789c63f8cfc000000301010018dd8db0"
    "0000000049454e44ae426082"
)


@pytest.fixture
def site(tmp_path: Path) -> Callable[..., Path]:
    def make(*announcements: Announcement, **options: Any) -> Path:
        values: dict[str, Any] = {"url": URL, "root": tmp_path, "templates": None, "now": NOW} | options
        build(announcements, tmp_path / "public", **values)
        return tmp_path / "public"

    return make


def outage(**more: Any) -> Announcement:
    return announce(
        "api-errors",
        ("investigating", "2026-11-22T14:05", "We see *errors*. ![Error rate](errors.png)"),
        ("resolved", "2026-11-22T15:40", "Fixed."),
        ("postmortem", "2026-11-23T09:00", "Why it happened."),
        **{"severity": "major", "components": ("API",), "title": "Elevated <errors> & more"} | more,
    )


def test_every_page_and_feed_is_there(tmp_path: Path) -> None:
    (tmp_path / "incidents").mkdir()
    (tmp_path / "incidents/errors.png").write_bytes(PIXEL)
    files = build([outage()], tmp_path / "public", url=URL, root=tmp_path, templates=None, now=NOW)
    names = {path.relative_to(tmp_path / "public").as_posix() for path in files}
    picture = f"media/{hashlib.sha256(PIXEL).hexdigest()[:20]}.png"
    assert names == {
        ".broadcast-site",
        "api-errors.html",
        "feed.atom",
        "feed.json",
        "history/2026.html",
        "index.html",
        picture,
    }
    assert (tmp_path / "public" / picture).read_bytes() == PIXEL
    for path in files:
        if path.suffix == ".html":
            read(path)


def test_a_page_shows_its_updates_newest_first_and_hides_the_future(site: Any) -> None:
    page = read(site(outage()) / "api-errors.html")
    assert [name for name in page.ids if name.startswith("u-")] == ["u-20261122T154000Z", "u-20261122T140500Z"]
    assert "Why it happened" not in page.text
    assert "Elevated <errors> & more" in page.text
    assert "lasted 1 h 35 min" in page.text
    assert {"datetime": "2026-11-22T14:05:00Z"} in page.all("time")
    links = {entry.get("rel"): entry["href"] for entry in page.all("link")}
    assert links["canonical"] == f"{URL}/api-errors.html"


def test_an_announcement_of_the_future_has_no_page(site: Any) -> None:
    public = site(announce("later", ("scheduled", "2026-11-30T10:00", "x"), kind="maintenance"))
    assert not (public / "later.html").exists()


def test_the_policy_allows_the_style_sheet_and_nothing_else(site: Any) -> None:
    for path in site(outage()).rglob("*.html"):
        text = path.read_text(encoding="utf-8")
        style = re.search(r"<style>(.*?)</style>", text, re.DOTALL)
        assert style is not None
        digest = b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
        page = read(path)
        policy = next(entry["content"] for entry in page.all("meta") if entry.get("http-equiv"))
        assert policy.startswith(f"default-src 'none'; style-src 'sha256-{digest}';")
        assert "unsafe" not in policy
        assert not page.all("script")
        assert not any("style" in attributes for _, attributes in page.tags)
        assert "url(" not in style[1]
        assert "@import" not in style[1]


def test_pages_can_be_used_without_seeing_them(site: Any) -> None:
    for path in site(outage()).rglob("*.html"):
        page = read(path)
        assert page.all("html")[0]["lang"] == "en"
        assert len(page.all("main")) == len(page.all("h1")) == 1
        assert page.all("a")[0]["href"] == "#main"
        assert "main" in page.ids
        assert all("alt" in image for image in page.all("img"))
        levels = [int(tag[1]) for tag, _ in page.tags if re.fullmatch("h[1-6]", tag)]
        assert all(after <= before + 1 for before, after in pairwise(levels))
        named = {name for _, attributes in page.tags for name in attributes.get("aria-labelledby", "").split()}
        assert named <= set(page.ids)
        local = [entry["href"].partition("#")[0] for entry in page.all("a") if "://" not in entry["href"]]
        assert all((path.parent / target).exists() for target in local if target)


def test_translations_know_each_other(site: Any) -> None:
    french = outage(language="ar", path="incidents/api-errors.ar.md", title="أخطاء")
    public = site(outage(), french)
    page = read(public / "api-errors.html")
    other = read(public / "api-errors.ar.html")
    assert {"rel": "alternate", "hreflang": "ar", "href": f"{URL}/api-errors.ar.html"} in page.all("link")
    assert {"rel": "alternate", "hreflang": "en", "href": f"{URL}/api-errors.html"} in other.all("link")
    assert other.all("h1")[0] == {"lang": "ar", "dir": "rtl"}
    assert "العربية" in page.text
    assert "أخطاء" not in read(public / "index.html").text
    assert len(json.loads((public / "feed.json").read_text())["items"]) == 2


def test_only_images_of_the_project_are_copied(tmp_path: Path, site: Any) -> None:
    root = tmp_path / "project"
    (root / "incidents").mkdir(parents=True)
    for name in ("incidents/used.png", "incidents/unused.png", "top.png", "secret.txt", "code.svg"):
        (root / name).write_bytes(name.encode())
    (tmp_path / "outside.png").write_bytes(b"outside")
    (root / "incidents/link.png").symlink_to(tmp_path / "outside.png")
    (root / "incidents/text.png").symlink_to(root / "secret.txt")
    body = "".join(
        f"![a]({source})\n\n"
        for source in (
            "used.png",
            "../top.png",
            "../../outside.png",
            "link.png",
            "text.png",
            "../code.svg",
            "../secret.txt",
            "/etc/hostname",
            "gone.png",
            "used.png",
        )
    )
    public = site(announce("a", ("investigating", "2026-11-22T14:05", body)), root=root)
    copied = sorted(path.read_bytes() for path in (public / "media").iterdir())
    assert copied == [b"incidents/used.png", b"top.png"]
    assert len(read(public / "a.html").all("img")) == 3


def test_a_site_that_was_made_is_made_again_the_same(tmp_path: Path) -> None:
    made = []
    for _ in range(2):
        files = build([outage()], tmp_path / "public", url=URL, root=tmp_path, templates=None, now=NOW)
        made.append({path.name: path.read_bytes() for path in files})
    assert made[0] == made[1]
    later = NOW + timedelta(hours=3)
    files = build([outage()], tmp_path / "public", url=URL, root=tmp_path, templates=None, now=later)
    assert {path.name: path.read_bytes() for path in files} == made[0]


def test_users_templates_come_first(tmp_path: Path, site: Any) -> None:
    (tmp_path / "mine/site").mkdir(parents=True)
    (tmp_path / "mine/site/index.html.j2").write_text("<p>{{ title }}: {{ overview.headline }}</p>")
    public = site(outage(), templates=tmp_path / "mine", title="A & B")
    assert (public / "index.html").read_text() == "<p>A &amp; B: No known problems</p>\n"


@pytest.mark.parametrize("template", ["{{ nothing }}", "{% if %}", "{{ 1 / 0 }}", "{{ ''.__class__.__mro__ }}"])
def test_a_broken_template_is_named_and_leaves_the_old_site(tmp_path: Path, site: Any, template: str) -> None:
    public = site(outage())
    before = (public / "index.html").read_bytes()
    (tmp_path / "mine/site").mkdir(parents=True)
    (tmp_path / "mine/site/index.html.j2").write_text(template)
    with pytest.raises(ConfigError, match=r"site/index\.html\.j2"):
        site(outage(), templates=tmp_path / "mine")
    assert (public / "index.html").read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mine", "public"]


def test_two_announcements_never_share_a_page(site: Any) -> None:
    with pytest.raises(ConfigError, match=r"Index\.md would become Index\.html"):
        site(announce("Index", ("investigating", "2026-11-22T14:05", "x")))
    one = announce("a", ("investigating", "2026-11-22T14:05", "x"))
    other = announce("a", ("investigating", "2026-11-22T14:05", "x"), path="incidents/old/a.md")
    with pytest.raises(ConfigError, match=r"incidents/.*a\.md would become a\.html"):
        site(one, other)


def test_a_hostile_announcement_breaks_no_page(site: Any) -> None:
    bad = "\"'><script>alert(1)</script>\x00\x1b]0;x\x07{{ 7*7 }}{% raw %}"
    public = site(
        announce(
            "a",
            ("update", "2026-11-22T14:05", bad),
            title=bad,
            components=(bad,),
            tags=(bad,),
            version=bad,
            link="javascript:alert(1)",
            intro=bad,
        )
    )
    for path in public.rglob("*.html"):
        page = read(path)
        assert not page.all("script")
        assert not any(entry["href"].startswith("javascript") for entry in page.all("a"))
        assert "{{ 7*7 }}" in page.text or "history" in str(path)


def test_three_hundred_announcements_stay_usable(site: Any) -> None:
    start = datetime(2021, 1, 3, 10, 0, tzinfo=UTC)
    many = []
    for index in range(300):
        began = start + timedelta(days=7 * index)
        over = began + timedelta(hours=2)
        many.append(announce(f"a{index}", ("investigating", f"{began:%FT%T}", "x"), ("resolved", f"{over:%FT%T}", "y")))
    clock = time.perf_counter()
    public = site(*many)
    assert time.perf_counter() - clock < 20
    front = read(public / "index.html")
    assert sum("a2" in entry["href"] for entry in front.all("a")) <= 20
    assert (public / "index.html").stat().st_size < 40_000
    archived = [
        entry["href"]
        for path in (public / "history").iterdir()
        for entry in read(path).all("a")
        if entry["href"].startswith("../a")
    ]
    assert sorted(archived) == sorted(f"../a{index}.html" for index in range(300))
    assert len(json.loads((public / "feed.json").read_text())["items"]) == 50


def test_colors_can_be_told_apart_in_light_and_in_dark(site: Any) -> None:
    """WCAG 2.2, 1.4.3: 4.5 to 1 for text."""
    text = (site(outage()) / "index.html").read_text(encoding="utf-8")
    schemes = re.findall(r":root \{(.*?)\}", text, re.DOTALL)
    for scheme in schemes[:2]:
        colors = dict(re.findall(r"--(\w+): (#[0-9a-f]{6})", scheme))
        for name in set(colors) - {"paper", "card", "rule", "code"}:
            for ground in ("paper", "card"):
                assert contrast(colors[name], colors[ground]) >= 4.5, (name, ground)
        assert contrast(colors["ink"], colors["code"]) >= 4.5


def contrast(one: str, other: str) -> float:
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def luminance(color: str) -> float:
    parts = [int(color[index : index + 2], 16) / 255 for index in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
