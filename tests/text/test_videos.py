from __future__ import annotations

from dataclasses import replace
from typing import Literal

import pytest

from broadcast.model import Limits, Media
from broadcast.text.compose import spread

LIMITS = Limits(length=280, measure=len, images=2)
NAMES = {name: Media(name, "x") for name in ("a.png", "b.png", "c.png", "v.mp4", "g.gif")}


@pytest.mark.parametrize(
    ("videos", "names", "posts"),
    [
        ("alone", "a.png v.mp4 b.png c.png", ["a.png", "v.mp4", "b.png c.png"]),
        ("alone", "v.mp4 g.gif a.png", ["v.mp4", "g.gif", "a.png"]),
        ("alone", "a.png b.png c.png", ["a.png b.png", "c.png"]),
        ("any", "a.png v.mp4 b.png", ["a.png v.mp4", "b.png"]),
        ("none", "a.png v.mp4 b.png", ["a.png b.png"]),
        ("none", "v.mp4", [""]),
    ],
)
def test_what_goes_on_one_post(videos: Literal["none", "alone", "any"], names: str, posts: list[str]) -> None:
    wanted = [NAMES[name] for name in names.split()]
    shares = spread([wanted], replace(LIMITS, videos=videos))
    assert [" ".join(item.path for item in share) for share in shares] == posts
