"""A rehearsal with a network that fails: what goes wrong, and how often publishing is run again."""

from __future__ import annotations

from dataclasses import dataclass, field

from broadcast.platforms.base import Patience
from broadcast.rehearsal.faults import noting, seeded
from broadcast.rehearsal.server import Fault, Faults

RATE = 0.3
"""How likely a request is to go wrong."""
MOST = 6
"""How many requests of one stand-in go wrong, at most."""
RUNS = 10
"""How often publishing is run, at most. Each run that is not the last meets at least one of the faults."""
PATIENCE = Patience(answer=1.5, lag=(0.05,))
"""Stand-ins are near: they answer soon or never, and list a post as soon as it stands."""


@dataclass(slots=True)
class Chaos:
    """The same seed makes the same requests of each channel go wrong, in the same way. `happened` is what did."""

    seed: int
    happened: list[Fault] = field(default_factory=list)

    def faults(self, channel: str) -> Faults:
        return noting(seeded(f"{self.seed} {channel}", RATE, MOST), lambda request, fault: self.happened.append(fault))
