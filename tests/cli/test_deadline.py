"""`publish --deadline`: nothing is begun after it, and the next run goes on."""

from __future__ import annotations

import pytest

from broadcast.rehearsal.base import Request
from broadcast.rehearsal.server import Fault
from kit import Desk, incident

LONG = "Searches are slow for some of you, and we do not know why yet. " * 12


def test_what_is_not_sent_by_then_is_given_back(live: Desk) -> None:
    live.write("incidents/slow.md", incident(("Investigating", 30, LONG), ("Resolved", 5, "Fixed.")))

    def slow(request: Request, number: int) -> Fault | None:
        return Fault(delay=1.5) if (request.method, request.path) == ("POST", "/2/tweets") else None

    live.servers["x"].faults = slow
    late = live.run("publish", "--yes", "--deadline", "3s", "--json")
    assert late.code == 3, late.err
    assert "deadline" in late.err
    assert "run again" in late.err
    states = [row["state"] for row in live.run("plan", "--json").json()["actions"] if row["channel"] == "x"]
    assert "uncertain" not in states
    assert "todo" in states
    live.servers["x"].faults = None
    assert live.run("publish", "--yes").code == 0
    texts = [row["text"] for row in live.run("plan", "--json").json()["actions"] if row["channel"] == "x"]
    assert [seen.text for seen in live.stands("x")] == texts


@pytest.mark.parametrize("text", ["soon", "5", "-1s", ""])
def test_what_is_no_deadline(live: Desk, text: str) -> None:
    refused = live.run("publish", "--yes", f"--deadline={text}")
    assert refused.code == 2
    assert "90s" in refused.err
