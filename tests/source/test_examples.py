"""The announcements that come with broadcast are its demo: they must be right, and show what there is to show."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from PIL import Image

from broadcast.source.check import check
from broadcast.source.read import read

ROOT = Path(__file__).parents[2]


def test_the_examples_have_no_problem() -> None:
    announcements, problems = read(ROOT, "incidents", "en")
    names = {"x", "bluesky", "mastodon", "site"}
    assert (*problems, *check(announcements, root=ROOT, channels=names, platforms=names)) == ()
    assert {each.kind for each in announcements} == {"incident", "maintenance", "release"}
    assert {each.language for each in announcements} == {"en", "fr"}
    assert max(each.updates[-1].time for each in announcements) < datetime(2026, 11, 22, tzinfo=UTC)


def test_the_examples_show_what_there_is_to_show() -> None:
    announcements, _ = read(ROOT, "incidents", "en")
    incident = next(each for each in announcements if each.kind == "incident")
    assert [each.status for each in incident.updates] == ["investigating", "identified", "monitoring", "resolved"]
    assert any(len(each.body) > 500 for each in incident.updates)
    assert any(each.overrides for each in incident.updates)
    release = next(each for each in announcements if each.kind == "release")
    body = release.updates[0].body
    assert release.version
    assert all(mark in body for mark in ("- ", "`", "](https://"))


def test_the_image_is_small() -> None:
    path = ROOT / "incidents" / "checkout-errors.png"
    assert path.stat().st_size < 40_000
    with Image.open(path) as image:
        assert image.size == (1200, 630)
