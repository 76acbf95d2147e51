"""How many requests a server takes in a window of time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a client stands: whether this request is `allowed`, and what remains until `reset` ends the window."""

    allowed: bool
    limit: int
    remaining: int
    reset: datetime
    length: timedelta


class Window:
    """`limit` points in each `length` of time, counted from the first request of it.

    A rehearsal squeezes days into seconds, so that a limit that no real run meets would stop it: unless `enforced`,
    nothing is refused and the count only goes down to zero.
    """

    def __init__(self, limit: int, length: timedelta, *, enforced: bool) -> None:
        self._limit = limit
        self._length = length
        self._enforced = enforced
        self._used = 0
        self._reset: datetime | None = None

    def take(self, now: datetime, points: int = 1) -> Standing:
        if self._reset is None or now >= self._reset:
            self._used, self._reset = 0, now + self._length
        self._used += points
        allowed = not self._enforced or self._used <= self._limit
        return Standing(allowed, self._limit, max(0, self._limit - self._used), self._reset, self._length)
