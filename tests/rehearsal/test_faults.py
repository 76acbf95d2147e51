from __future__ import annotations

import pytest

from broadcast.rehearsal.base import Request
from broadcast.rehearsal.faults import KINDS, at, either, every, noting, seeded, since, write
from broadcast.rehearsal.server import HUNG, LOST, REFUSED, Fault, Faults

WRITES = [Request("POST", path, path) for path in ("/2/tweets", "/api/v1/statuses")]
READ = Request("GET", "/2/tweets", "/2/tweets")


def told(faults: Faults, requests: list[Request]) -> list[Fault | None]:
    return [faults(request, number) for number, request in enumerate(requests)]


def test_the_nth_write_goes_wrong_and_nothing_else() -> None:
    assert [write(request) for request in (*WRITES, READ)] == [True, True, False]
    assert told(at(2, LOST), [WRITES[0], READ, WRITES[1], READ, WRITES[0]]) == [None, None, LOST, None, None]
    assert told(at(2, LOST, every), [READ, READ, READ]) == [None, LOST, None]


def test_a_server_that_dies_answers_nothing_more() -> None:
    assert told(since(1, REFUSED), [READ, WRITES[0], READ, WRITES[1]]) == [None, REFUSED, REFUSED, REFUSED]


def test_plans_are_put_together() -> None:
    both = either(at(1, LOST), since(1, REFUSED))
    assert told(both, [READ, WRITES[0], READ]) == [None, LOST, REFUSED]


def test_a_seed_repeats_its_faults_and_they_end() -> None:
    requests = [READ] * 400
    first = told(seeded(7, 0.2, most=9), requests)
    assert first == told(seeded(7, 0.2, most=9), requests)
    assert first != told(seeded(8, 0.2, most=9), requests)
    assert sum(fault is not None for fault in first) == 9
    everything = told(seeded("all", 1.0, most=400), requests)
    assert all(fault in everything for fault in KINDS.values())
    with pytest.raises(ValueError, match="above 0"):
        seeded(1, 0, most=1)


def test_what_happened_is_noted() -> None:
    seen: list[tuple[Request, Fault]] = []
    told(noting(at(1, HUNG), lambda request, fault: seen.append((request, fault))), [READ, WRITES[0], WRITES[1]])
    assert seen == [(WRITES[0], HUNG)]
