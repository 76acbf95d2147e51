"""What every kind of ledger promises, on real ones: a local branch, a remote's branch, SQLite, PostgreSQL."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from broadcast.errors import LedgerError, LedgerMovedError
from broadcast.ledger.base import NO_LEDGER, Ledger, Log
from broadcast.ledger.codec import Entry, entry
from broadcast.model import Event, Facet, Intent, Media, Place, Post, Receipt, Ref, Verdict
from ledgers import Machine

AT = datetime(2026, 11, 22, 14, 5, tzinfo=UTC)
ODD = "nul \0, bell \a, quote ' \" `, \\, lone \ud800, 👩🏽‍💻, line\nfeed, %s :name ?"


def event(number: int, slug: str = "api-errors") -> Receipt:
    return Receipt(slug, AT, "x", 1, AT + timedelta(seconds=number), "run", Ref(str(number)))


def numbers(log: Log, slug: str = "api-errors") -> list[int]:
    return [int(found.ref.id) for found in log.events.get(slug, ()) if isinstance(found, Receipt)]


def keys(ledger: Ledger) -> list[str]:
    return [item.key for item in ledger.entries()]


def test_an_empty_ledger_is_read_without_making_it(machine: Machine) -> None:
    here = machine("here")
    assert here.read() == Log(NO_LEDGER, {})
    assert here.read() == Log(NO_LEDGER, {})
    assert list(here.entries()) == []


def test_events_are_read_as_they_were_appended(machine: Machine) -> None:
    here, there = machine("here"), machine("there")
    first = here.append([event(1), event(2, "störung-2"), event(3)], NO_LEDGER)
    assert here.read() == Log(first, {"api-errors": (event(1), event(3)), "störung-2": (event(2, "störung-2"),)})
    assert there.read() == here.read()
    second = there.append([event(4)], there.read().version)
    assert second not in (first, NO_LEDGER)
    assert here.read().version == second
    assert numbers(here.read()) == [1, 3, 4]
    assert [item.event for item in here.entries() if item.event.announcement == "api-errors"] == [
        event(1),
        event(3),
        event(4),
    ]


def test_every_kind_of_event_and_text_comes_back_whole(machine: Machine) -> None:
    place = Place("incidents/a.md", 3, 4)
    post = Post(ODD, 12, (Facet("link", "https://a.example", 1, 4),), (Media("a.png", ODD, place),))
    intent = Intent(
        *("a", AT, "bluesky", 1, 2, AT, "run", "investigating", post, "de", "5f0c"),
        payload={"nested": [ODD, None, 1.5, {"deep": True}]},
        ref=Ref("at://x", None, {"cid": ODD}),
        parent=Ref("at://y", "https://y.example"),
        audience=("x", ODD),
    )
    events: list[Event] = [
        intent,
        Receipt("a", AT, "x", 2, AT, "run", Ref(ODD)),
        Verdict("a", AT, "x", 0, AT, "r", "posted", ODD),
    ]
    machine("here").append(events, NO_LEDGER)
    assert machine("there").read().events == {"a": tuple(events)}


def test_many_events_at_once(machine: Machine) -> None:
    events = [event(number, f"slug-{number % 7}") for number in range(3000)]
    version = machine("here").append(events, NO_LEDGER)
    log = machine("there").read()
    assert log.version == version
    for slug in range(7):
        assert numbers(log, f"slug-{slug}") == list(range(slug, 3000, 7))


def test_of_two_that_saw_the_same_state_the_second_is_refused(machine: Machine) -> None:
    here, there = machine("here"), machine("there")
    for before in ([], [1, 2, 3]):
        seen = here.read().version
        assert (there.read().version, numbers(there.read())) == (seen, before)
        here.append([event(1), event(2)], seen)
        with pytest.raises(LedgerMovedError):
            there.append([event(3), event(4, "other")], seen)
        assert numbers(there.read()) == [*before, 1, 2]
        there.append([event(3)], there.read().version)
        assert numbers(here.read()) == [*before, 1, 2, 3]
        assert "other" not in here.read().events


def test_a_state_of_long_ago_is_refused(machine: Machine) -> None:
    here = machine("here")
    versions = [NO_LEDGER, *(here.append([event(number)], None) for number in range(3))]
    assert len(set(versions)) == 4
    for version in versions[:-1]:
        with pytest.raises(LedgerMovedError):
            machine("there").append([event(9)], version)
    machine("there").append([event(9)], versions[-1])
    assert numbers(here.read()) == [0, 1, 2, 9]


def test_a_version_that_never_was_is_refused(machine: Machine) -> None:
    machine("here").append([event(1)], None)
    with pytest.raises(LedgerMovedError):
        machine("here").append([event(2)], "1-0123456789abcdef")


def test_without_a_version_it_follows_whatever_came_before(machine: Machine) -> None:
    here, there = machine("here"), machine("there")
    here.append([event(1)], None)
    there.append([event(2)], None)
    here.append([event(3)], None)
    assert numbers(here.read()) == numbers(there.read()) == [1, 2, 3]


def test_equal_events_are_two(machine: Machine) -> None:
    machine("here").append([event(1), event(1)], None)
    machine("here").append([event(1)], None)
    assert numbers(machine("there").read()) == [1, 1, 1]


def test_the_journal_is_shown_at_once_and_carried_by_the_next_append(machine: Machine) -> None:
    machine("here").append([event(1)], NO_LEDGER)
    machine("here").journal(event(2))
    machine("here").journal(event(3, "other"))
    assert numbers(machine("here").read()) == [1, 2]
    assert numbers(machine("here").read(), "other") == [3]
    machine("here").append([event(4)], machine("here").read().version)
    assert numbers(machine("there").read()) == [1, 2, 4]
    machine("here").journal(event(5))
    machine("here").append([], None)
    assert numbers(machine("there").read()) == [1, 2, 4, 5]
    version = machine("here").read().version
    assert machine("here").append([], None) == machine("here").append([], version) == version
    assert len(keys(machine("there"))) == len(set(keys(machine("there")))) == 5


def test_the_journal_outlives_an_append_that_was_refused(machine: Machine) -> None:
    machine("here").append([event(1)], None)
    machine("here").journal(event(2))
    with pytest.raises(LedgerMovedError):
        machine("here").append([event(3)], NO_LEDGER)
    assert numbers(machine("here").read()) == [1, 2]
    machine("here").append([], None)
    assert numbers(machine("there").read()) == [1, 2]


def test_a_journal_that_outlives_its_append_is_not_carried_twice(machine: Machine, tmp_path: Path) -> None:
    """As after a kill between the commit and the clearing."""
    machine("here").journal(event(1))
    file = next(tmp_path.rglob("journal.jsonl"))
    kept = file.read_bytes()
    version = machine("here").append([event(2)], None)
    file.write_bytes(kept)
    assert numbers(machine("here").read()) == [1, 2]
    assert machine("here").append([], None) == version
    assert not file.exists()
    file.write_bytes(kept)
    machine("here").append([event(3)], None)
    assert numbers(machine("there").read()) == [1, 2, 3]


def test_entries_are_carried_once_with_their_keys(machine: Machine) -> None:
    items = [entry(event(number)) for number in range(4)]
    here = machine("here")
    here.carry(items[:2])
    here.append([event(9)], None)
    here.carry(items)
    machine("there").carry(items)
    found = [item for item in machine("there").entries() if item in items]
    assert found == items
    assert numbers(here.read()) == [0, 1, 9, 2, 3]


def test_entries_of_one_key_are_one(machine: Machine) -> None:
    item = entry(event(1))
    machine("here").carry([item, Entry(item.key, event(1))])
    assert list(machine("there").entries()) == [item]


def test_entries_show_the_journal_too(machine: Machine) -> None:
    machine("here").append([event(1)], None)
    machine("here").journal(event(2))
    assert [item.event for item in machine("here").entries()] == [event(1), event(2)]
    # Carried by hand with the same key, it is not carried again from the journal.
    machine("there").carry(machine("here").entries())
    machine("here").append([event(3)], None)
    assert numbers(machine("there").read()) == [1, 2, 3]


@pytest.mark.parametrize("slug", ["", "..", "../x", "a/b", "a\0b", "a\nb", ".git", "a" * 250, "\ud800"])
def test_the_same_names_are_refused_by_all(machine: Machine, slug: str) -> None:
    here = machine("here")
    for call in (
        lambda: here.append([event(1), event(1, slug)], None),
        lambda: here.journal(event(1, slug)),
        lambda: here.carry([entry(event(1, slug))]),
    ):
        with pytest.raises(LedgerError):
            call()
    assert here.read() == Log(NO_LEDGER, {})
