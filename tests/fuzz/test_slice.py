"""A fixed slice of what `make fuzz` tries for an hour: whatever comes in, nothing but what we mean comes out."""

from __future__ import annotations

from random import Random

import pytest

from broadcast.source import headings
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


def test_a_defect_that_users_would_be_told_of_is_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(kind: object, heading: str) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("broadcast.source.updates.read_heading", broken)
    with pytest.raises(ZeroDivisionError):
        ENTRANCES["line"](next(ENTRANCES["line"].seeds()))
    assert headings.read_heading("incident", "Resolved - 2026-11-22 14:05 UTC") is not None


def test_a_post_that_is_too_long_is_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fuzz.documents.fit", _as_it_is)
    with pytest.raises(AssertionError, match="299 of 280"):
        ENTRANCES["posts"](b"\0text")
