"""Real input: the incidents of a real status page, and how much better a thread could be."""

from __future__ import annotations

import math
import os
import time
from functools import cache
from pathlib import Path

import pytest

from broadcast.model import Draft, FitOptions, Limits, Part
from broadcast.text import measure, rich
from broadcast.text.fit import fit

SHARED = Path(os.environ.get("BROADCAST_SHARED", Path(__file__).parents[3] / "shared"))
PLATFORMS = {
    "x": Limits(280, measure.weighted),
    "bluesky": Limits(300, measure.graphemes, "graphemes", max_bytes=3000, facets=True),
    "mastodon": Limits(500, measure.mastodon()),
}
CHANGELOG = "\n\n".join(
    f"## {number}.{number % 7}.0\n\n### Added\n\n"
    + "\n".join(
        f"- `broadcast {verb}` {what}; see [#{number * 10 + line}](https://example.com/issues/{number * 10 + line})."
        for line, (verb, what) in enumerate(
            [
                ("publish", "waits for the rate limit of the platform instead of failing, and says for how long"),
                ("plan", "shows what a post will cost, e.g. 0.2 dollars for one with a link, before it is sent"),
                ("check", "names the line and the column of every problem"),
            ]
        )
    )
    + "\n\n### Fixed\n\nThreads are no longer cut inside of `inline code`. This was reported by three users. Thank you!"
    for number in range(1, 60)
)
"""A long release note, made up: headings, lists, code and links."""


@cache
def bodies() -> list[str]:
    folder = SHARED / "data" / "jenkins-status"
    if not folder.is_dir():
        pytest.skip(f"the incidents are not at {folder}; set BROADCAST_SHARED")
    return [path.read_text("utf-8").split("---", 2)[2] for path in sorted(folder.glob("*.md"))]


def draft(body: str) -> Draft:
    return Draft((Part("body", *rich.parse(body)),))


def waste(texts: list[str], limits: Limits) -> float:
    """How many more posts the threads of `texts` use than their lengths need, as a share."""
    boundless = Limits(10**9, limits.measure, facets=limits.facets)
    posts = needed = 0
    for text in texts:
        (whole,) = fit(draft(text), boundless, FitOptions())
        posts += len(fit(draft(text), limits, FitOptions(fit="thread", numbering=False)))
        needed += math.ceil(whole.length / limits.length)
    return posts / needed - 1


@pytest.mark.parametrize("platform", PLATFORMS)
def test_threads_of_incidents_waste_less_than_two_percent(platform: str) -> None:
    assert len(bodies()) >= 290
    assert waste(bodies(), PLATFORMS[platform]) <= 0.02


@pytest.mark.parametrize("platform", PLATFORMS)
def test_a_long_changelog_wastes_little(platform: str) -> None:
    # Every third line ends with a link, which counts 23 and more in one piece.
    assert waste([CHANGELOG], PLATFORMS[platform]) <= (0.03 if platform == "x" else 0.02)


def test_a_long_release_note_is_fitted_in_time() -> None:
    text = (CHANGELOG * 8)[:100_000]
    warm = draft("Warm up: https://example.com/x")
    for limits in PLATFORMS.values():
        fit(warm, limits, FitOptions())
    start = time.process_time()
    for limits in PLATFORMS.values():
        assert len(fit(draft(text), limits, FitOptions(fit="thread"))) > 100
    assert time.process_time() - start < 3  # 0.9 s on the machine that the project is built on


def test_time_grows_with_the_text_and_not_faster() -> None:
    def once(text: str) -> float:
        start = time.process_time()
        fit(draft(text), PLATFORMS["x"], FitOptions(fit="thread"))
        return time.process_time() - start

    def seconds(text: str) -> float:
        # The best of three: what a collection of the whole session's garbage takes is not the text's.
        return min(once(text) for _ in range(3))

    unspaced = "本日、欧州リージョンのAPIでエラー率が上昇しています。原因を調査中です。"
    for unit in (CHANGELOG[:4_000] + "\n\n", unspaced, "x", "https://example.com/some/page?x=1 ", "a.b.c-", "*a [b](c"):
        once(unit)
        short, long = seconds(unit * (10_000 // len(unit))), seconds(unit * (80_000 // len(unit)))
        assert long < 8 * 4 * max(short, 0.01)
