"""No regular expression of the package takes longer than in proportion to its text: each is fed its own worst case,
made of its own repetitions. A new pattern is found by itself."""

from __future__ import annotations

import re
import time

import pytest

import patterns
from patterns import Pattern

LENGTHS = (1_000, 4_000)
HANGS = 0.05
"""Seconds for a text of fewer than the shorter length, from which on longer ones are not tried."""
FLOOR = 0.004
"""Seconds that are too short to compare; what grows with the square takes some 0.05 s for the longer text."""
MOST = 8.0
"""Times as long that four times the text may take: 4 is in proportion, 16 is the square."""

BUILT = {
    "text/twitter.py: f\"\\\\.(?:{'|'.join(patterns)})\"": "names of top-level domains",
    "text/resume.py: f'(\\\\s*{link})?(\\\\s*\\\\d+/\\\\d+)?'": "two optional parts that begin differently",
    "source/outline.py: f' {{0,3}}{re.escape(token.markup)}{re.escape(token.markup[0])}*[ \\\\t]*'": "a fence",
    "rehearsal/routes.py: pattern": "a route's own letters, and `([^/]+)` between them",
}
"""Patterns that functions build, each of escaped words or as told: what a user writes never becomes a pattern."""
ESCAPED = "re.escape("
NAMED = re.compile(r"(?:self\.)?[A-Za-z]+")
"""A pattern that is given by name is a constant of some module, and found there."""


def _seconds(pattern: re.Pattern[str], how: str, text: str) -> float:
    start = time.thread_time()
    getattr(pattern, how)(text)
    return time.thread_time() - start


def _slow(one: Pattern) -> str | None:
    """The first text on which the time of a pattern grows too fast."""
    pattern = patterns.compiled(one)
    for before, pump, tail in patterns.attacks(one):
        shape = f"{before!r} + {pump!r} * n + {tail!r}"
        count = 4
        while (
            count * len(pump) < LENGTHS[0]
        ):  # by small steps: each takes an exponential pattern a multiple of the time
            text = before + pump * count + tail
            if _seconds(pattern, one.how, text) > HANGS and _seconds(pattern, one.how, text) > HANGS:
                return f"{shape}: {count} repetitions"
            count += max(count // 5, 1)
        shorter, longer = (before + pump * (length // len(pump)) + tail for length in LENGTHS)
        if _seconds(pattern, one.how, longer) < FLOOR:
            continue
        base = min(_seconds(pattern, one.how, shorter) for _ in range(3))
        grown = min(_seconds(pattern, one.how, longer) for _ in range(3))
        if grown > max(MOST * base, FLOOR):
            return f"{shape}: {grown / base:.0f} times as long for four times the text"
    return None


def test_no_pattern_takes_longer_than_in_proportion() -> None:
    every = patterns.found()
    assert len(every) > 150
    slow = {f"{one.where} ({one.how}): {one.text[:80]}": why for one in every if (why := _slow(one))}
    assert not slow, "\n".join(f"{name}\n  {why}" for name, why in slow.items())


@pytest.mark.parametrize(
    ("text", "how"),
    [
        (r"[A-Za-z][A-Za-z0-9]*(?:[ ./()+-]+[A-Za-z0-9()]+)*", "fullmatch"),  # what quoted titles once
        (r"(?:a+)+", "fullmatch"),
        (r"(?:a|aa)+b", "match"),
        (r"(?:[a-z]+,?)*;", "match"),
        (r"\s+$", "search"),
        (r"\w+ does not", "search"),
        (r"x*[0-9a]*[a-f0-9]*!", "match"),
        (r"@([a-z0-9_]+(?:[a-z0-9_.-]*[a-z0-9_])?)@", "search"),
    ],
)
def test_a_pattern_that_does_is_found(text: str, how: str) -> None:
    assert _slow(Pattern("here", text, 0, how)) is not None


@pytest.mark.parametrize("text", [r"[a-z]+(?:-[a-z]+)*", r"a*b", r"\d{1,4}-\d{1,4}", r"(?:ab?)*c"])
def test_a_pattern_that_does_not_is_left_alone(text: str) -> None:
    assert _slow(Pattern("here", text, 0, "match")) is None


def test_patterns_that_functions_build_are_known() -> None:
    """One more has to be looked at by a person, and told here."""
    made = {what for what in patterns.built() if ESCAPED not in what and not NAMED.fullmatch(what.partition(": ")[2])}
    assert made == {what for what in BUILT if ESCAPED not in what and not NAMED.fullmatch(what.partition(": ")[2])}
