"""`rehearse --chaos SEED`: what a team can see for itself."""

from __future__ import annotations

import re

import pytest

from broadcast.rehearsal.base import load
from kit import Desk, incident, table
from scenes import EVERY

SEEDS = range(40) if EVERY else (3,)
LONG = "Searches are slow for some of you, and we do not know why yet. " * 9


@pytest.mark.parametrize("seed", SEEDS)
def test_every_post_stands_once_whatever_goes_wrong(desk: Desk, seed: int) -> None:
    tables = [
        table(name, load(name).create().options("https://stands.example")) for name in ("x", "bluesky", "mastodon")
    ]
    desk.write("broadcast.toml", "\n".join(['url = "https://status.example.com"\n', *tables]))
    # The last one is announced for the day after tomorrow: a rehearsal takes it all the same.
    updates = (("Investigating", 30.0, LONG), ("Monitoring", 5.0, "Fixed, we think."), ("Resolved", -2880.0, "Fixed."))
    desk.write("incidents/slow.md", incident(*updates))
    done = desk.run("rehearse", "--chaos", str(seed))
    assert done.code == 0, done.err
    assert "Traceback" not in done.err
    assert "All equal to the plan." in done.out
    exits = re.findall(r"^run \d+: exit (\d+)$", done.err, re.MULTILINE)
    assert exits[-1] == "0"
    assert set(exits[:-1]) <= {"3", "4"}
    told = re.search(r"(\d+) requests went wrong; publish ran (\d+) times", done.err)
    assert told is not None
    assert int(told[1]) > 0
    assert int(told[2]) == len(exits)
