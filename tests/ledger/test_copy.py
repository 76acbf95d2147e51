"""Moving from any kind of ledger to any other."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from broadcast.errors import LedgerError
from broadcast.ledger.base import Ledger
from broadcast.ledger.copy import copy
from broadcast.ledger.open import open_ledger
from broadcast.model import Event, Receipt, Ref, Verdict
from ledgers import KINDS, Machine, machines

AT = datetime(2026, 11, 22, 14, 5, tzinfo=UTC)


def event(number: int, slug: str = "api-errors") -> Event:
    if number % 3 == 0:
        return Verdict(slug, AT, "x", 1, AT, str(number), "absent", "reconcile")
    return Receipt(slug, AT, "x", 1, AT, "run", Ref(str(number)))


def keys(ledger: Ledger) -> dict[str, list[str]]:
    """The keys of each announcement's lines, in order."""
    found: dict[str, list[str]] = {}
    for item in ledger.entries():
        found.setdefault(item.event.announcement, []).append(item.key)
    return found


UNSIGNED = [kind for kind in KINDS if "signed" not in kind]
PAIRS = [f"{one} to {other}" for one in UNSIGNED for other in UNSIGNED]
PAIRS += [f"{one}, signed to {other}, signed" for one, other in zip(UNSIGNED, UNSIGNED[::-1], strict=True)]


@pytest.fixture(params=PAIRS)
def pair(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Machine, Machine]:
    one, other = request.param.split(" to ")
    return machines(one, tmp_path / "source", request), machines(other, tmp_path / "target", request)


def test_everything_is_copied_once(pair: tuple[Machine, Machine]) -> None:
    source, target = pair[0]("here"), pair[1]("there")
    source.append([event(number, slug) for number in range(9) for slug in ("a", "störung")], None)
    source.append([event(9, "b")], None)
    assert copy(source, target) == 19
    assert target.read().events == source.read().events
    assert keys(target) == keys(source)
    version = target.read().version
    assert copy(source, target) == 0
    assert target.read().version == version


def test_what_both_have_grown_since_is_joined(pair: tuple[Machine, Machine]) -> None:
    source, target = pair[0]("here"), pair[1]("there")
    source.append([event(1), event(2)], None)
    target.append([event(3, "other")], None)
    assert copy(source, target) == 2
    source.append([event(4)], None)
    target.append([event(5)], None)
    assert copy(source, target) == 1
    assert copy(target, source) == 2
    assert target.read().events["api-errors"] == (event(1), event(2), event(5), event(4))
    assert sorted(map(len, source.read().events.values())) == [1, 4]
    assert copy(source, target) == copy(target, source) == 0


def test_the_journal_of_the_source_goes_along(pair: tuple[Machine, Machine]) -> None:
    source, target = pair[0]("here"), pair[1]("there")
    source.append([event(1)], None)
    source.journal(event(2))
    assert copy(source, target) == 2
    source.append([event(4)], None)
    assert copy(source, target) == 1
    assert target.read().events["api-errors"] == (event(1), event(2), event(4))


def test_an_empty_ledger_makes_nothing(pair: tuple[Machine, Machine]) -> None:
    assert copy(pair[0]("here"), pair[1]("there")) == 0
    assert pair[1]("there").read().version == "none"


def test_a_ledger_onto_itself_is_nothing_to_do(tmp_path: Path) -> None:
    ledger = open_ledger("sqlite:///a.db", tmp_path)
    ledger.append([event(1)], None)
    assert copy(ledger, open_ledger("sqlite:///a.db", tmp_path)) == 0


def test_what_cannot_be_reached_says_that_nothing_was_copied(tmp_path: Path) -> None:
    there = open_ledger("sqlite:///a.db", tmp_path)
    there.append([event(1)], None)
    gone = open_ledger("postgresql+psycopg://me@127.0.0.1:1/db", tmp_path)
    for source, target in ((there, gone), (gone, there)):
        with pytest.raises(LedgerError, match=r"127\.0\.0\.1:1/db cannot be read.*\(nothing was copied\)"):
            copy(source, target)
