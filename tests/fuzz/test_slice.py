"""A fixed slice of what `make fuzz` tries for an hour: whatever comes in, nothing but what we mean comes out."""

from __future__ import annotations

from random import Random

import pytest

from broadcast.model import Draft, FitOptions, Limits, Post
from fuzz.entrances import ENTRANCES
from fuzz.mutation import mutate


@pytest.mark.parametrize("name", ENTRANCES)
def test_every_entrance_takes_what_is_nearly_right(name: str) -> None:
    entrance, random = ENTRANCES[name], Random(name)
    seeds = list(entrance.seeds())
    for number in range(entrance.slice):
        case = mutate(random.choice(seeds), random, seeds)
        try:
            entrance(case)
        except Exception as error:
            error.add_note(f"case {number} of {name}: {case[:2000]!r}")
            raise


def test_a_defect_that_users_would_only_be_told_of_is_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*given: object, **more: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("broadcast.source.read.parse", broken)
    with pytest.raises(ZeroDivisionError):
        ENTRANCES["line"](next(ENTRANCES["line"].seeds()))


def test_a_post_that_is_too_long_is_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    def careless(draft: Draft, limits: Limits, options: FitOptions) -> tuple[Post, ...]:
        return (Post("a" * 299, 299),)

    monkeypatch.setattr("fuzz.documents.fit", careless)
    with pytest.raises(AssertionError, match="299 of 280"):
        ENTRANCES["posts"](b"\0text")


@pytest.mark.parametrize("hostile", ["<script>", '<b onclick="x">', '<a href="javascript:x">', "\x1b[31m", "\u202e"])
def test_a_page_that_obeys_strangers_is_a_finding(hostile: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("broadcast.views.html.preview", lambda plan, root: f"<p>{hostile}</p>")
    with pytest.raises(AssertionError):
        ENTRANCES["line"](next(ENTRANCES["line"].seeds()))


def test_a_client_that_never_ends_is_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fuzz.answers.MOST", 3)
    with pytest.raises(AssertionError, match="does this end"):
        ENTRANCES["x"](next(ENTRANCES["x"].seeds()))
