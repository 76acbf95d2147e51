from __future__ import annotations

from dataclasses import replace
from typing import Literal

import pytest

from broadcast.model import Limits, Media
from broadcast.text.compose import compose, spread

LIMITS = Limits(length=280, measure=len, images=2)
NAMES = {name: Media(name, "x") for name in ("a.png", "b.png", "c.png", "v.mp4", "g.gif")}


@pytest.mark.parametrize(
    ("videos", "names", "posts"),
    [
        ("alone", "a.png v.mp4 b.png c.png", ["a.png", "v.mp4", "b.png c.png"]),
        ("alone", "v.mp4 g.gif a.png", ["v.mp4", "g.gif a.png"]),
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


def test_a_gif_stands_alone_where_it_is_shown_as_a_video() -> None:
    wanted = [NAMES[name] for name in ("v.mp4", "g.gif", "a.png")]
    shares = spread([wanted], replace(LIMITS, videos="alone", gifs_move=True))
    assert [[item.path for item in share] for share in shares] == [["v.mp4"], ["g.gif"], ["a.png"]]


def test_an_alternative_text_may_be_shorter_for_a_video() -> None:
    limits = replace(LIMITS, alt=2000, video_alt=1000)
    media = [Media(path, "word " * 500) for path in ("a.png", "v.mp4")]
    cut = compose((), limits, media=media).media
    assert [len(item.alt) <= most for item, most in zip(cut, (2000, 1000), strict=True)] == [True, True]
    assert [len(item.alt) > least for item, least in zip(cut, (1990, 990), strict=True)] == [True, True]
    assert len(compose((), LIMITS, media=media).media[1].alt) <= 1000
