from __future__ import annotations

from itertools import pairwise

import pytest

from broadcast.model import Kind
from broadcast.source.statuses import CHAINS, FINAL, STATUSES, current, kinds, status, step


@pytest.mark.parametrize("kind", list(CHAINS))
def test_each_kind_goes_through_its_chain(kind: Kind) -> None:
    state: str | None = None
    for each in CHAINS[kind]:
        taken = step(kind, state, each)
        assert (taken.state, taken.reason) == (each, "")
        state = taken.state
    assert current(kind, CHAINS[kind]) in FINAL


@pytest.mark.parametrize("kind", list(CHAINS))
def test_backwards_is_refused_and_changes_nothing(kind: Kind) -> None:
    for earlier, later in pairwise(CHAINS[kind]):
        taken = step(kind, later, earlier)
        assert taken.reason
        assert taken.state == later
    last = CHAINS[kind][-1]
    assert step(kind, last, last).reason


@pytest.mark.parametrize(
    ("kind", "state", "new", "then"),
    [
        ("incident", "resolved", "reopened", "investigating"),
        ("incident", "resolved", "postmortem", "resolved"),
        ("incident", "identified", "update", "identified"),
        ("incident", "identified", "identified", "identified"),
        ("maintenance", "scheduled", "delayed", "scheduled"),
        ("maintenance", "in progress", "delayed", "scheduled"),
        ("maintenance", "scheduled", "cancelled", "cancelled"),
        ("maintenance", "completed", "update", "completed"),
        ("release", "released", "withdrawn", "withdrawn"),
        ("release", "released", "update", "released"),
    ],
)
def test_asides(kind: Kind, state: str, new: str, then: str) -> None:
    taken = step(kind, state, new)
    assert (taken.state, taken.reason) == (then, "")


@pytest.mark.parametrize(
    ("kind", "state", "new"),
    [
        ("incident", "investigating", "reopened"),
        ("incident", "monitoring", "postmortem"),
        ("incident", None, "update"),
        ("incident", None, "postmortem"),
        ("incident", "resolved", "monitoring"),
        ("maintenance", "completed", "cancelled"),
        ("maintenance", "cancelled", "completed"),
        ("maintenance", "completed", "delayed"),
        ("release", None, "withdrawn"),
        ("release", "withdrawn", "released"),
    ],
)
def test_what_cannot_follow(kind: Kind, state: str | None, new: str) -> None:
    assert step(kind, state, new).reason


def test_skipping_forward_is_normal() -> None:
    assert step("incident", "investigating", "resolved").reason == ""
    assert step("incident", None, "identified").reason == ""


def test_one_spelling() -> None:
    assert status("In  Progress") == status("in-progress") == "in progress"
    assert status("Canceled") == "cancelled"
    assert status("Post-mortem") == "postmortem"
    assert status("done") is None
    assert kinds("update") == ("incident", "maintenance", "release")
    assert set(STATUSES["release"]) == {"released", "update", "withdrawn"}


def test_an_incident_is_open_again_when_it_was_reopened() -> None:
    told = ["investigating", "identified", "monitoring", "resolved"]
    assert current("incident", [*told, "postmortem", "update"]) in FINAL
    assert current("incident", [*told, "reopened"]) not in FINAL
    assert current("incident", [*told, "investigating"]) == "resolved"
