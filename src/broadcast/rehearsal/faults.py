"""Faults for a stand-in's server: scripted ones, at a request that is chosen, and random ones that a seed repeats.

Every fault can happen to any request, of whatever platform, and every one of them happens on real networks:

==========  ===================================================================================================
refused     the connection breaks before the request has any effect
hung        the server takes the request and never answers; there is no effect
lost        the request has its effect, and the connection breaks before the answer
half        the request has its effect, and the answer breaks off in the middle
denied      400, without an effect
limited     429, without an effect; come back in 15 minutes
failed      500, without an effect
faltered    500, though the request has its effect
slow        all is well, but only after a while
==========  ===================================================================================================
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from itertools import count

from broadcast.rehearsal.base import Request, json_response
from broadcast.rehearsal.server import HALF, HUNG, LOST, REFUSED, Fault, Faults

SLOW = 0.3
"""Seconds that a slow answer takes."""

KINDS: Mapping[str, Fault] = {
    "refused": REFUSED,
    "hung": HUNG,
    "lost": LOST,
    "half": HALF,
    "denied": Fault(effect=False, answer=json_response({"error": "a fault of the rehearsal"}, 400)),
    "limited": Fault(effect=False, answer=json_response({"error": "slow down"}, 429, {"Retry-After": "900"})),
    "failed": Fault(effect=False, answer=json_response({"error": "a fault of the rehearsal"}, 500)),
    "faltered": Fault(answer=json_response({"error": "a fault of the rehearsal"}, 500)),
    "slow": Fault(delay=SLOW),
}

Chosen = Callable[[Request], bool]
"""Whether a request is one of those that a script counts."""

_WRITES = ("/2/tweets", "/xrpc/com.atproto.repo.applyWrites", "/api/v1/statuses")


def write(request: Request) -> bool:
    """The requests that make posts stand: on X and Mastodon one for each post, on Bluesky one for a thread."""
    return request.method == "POST" and request.path in _WRITES


def every(request: Request) -> bool:
    return True


def at(nth: int, fault: Fault, chosen: Chosen = write) -> Faults:
    """The fault at the nth of the chosen requests, counted from 1, and at no other."""
    seen = count(1)
    return lambda request, number: fault if chosen(request) and next(seen) == nth else None


def since(nth: int, fault: Fault, chosen: Chosen = write) -> Faults:
    """The fault at the nth of the chosen requests, and at every request of any kind that follows."""
    seen, begun = count(1), [False]

    def decide(request: Request, number: int) -> Fault | None:
        begun[0] = begun[0] or (chosen(request) and next(seen) == nth)
        return fault if begun[0] else None

    return decide


def either(*plans: Faults) -> Faults:
    """What the first of these plans says that says anything. Each hears of every request."""

    def decide(request: Request, number: int) -> Fault | None:
        said = [plan(request, number) for plan in plans]
        return next((fault for fault in said if fault is not None), None)

    return decide


def seeded(seed: int | str, rate: float, most: int) -> Faults:
    """Random faults: each request has one with the probability `rate` (above 0, at most 1), until `most` requests had
    one. After that all goes well, so that a run that is repeated gets through. The same seed makes the same faults at
    the same requests, counted from the server's start."""
    if not 0 < rate <= 1:
        raise ValueError(f"rate is {rate}, and must be above 0 and at most 1")
    chance = random.Random(seed)
    plan: dict[int, Fault] = {}
    number = 0
    while len(plan) < most:
        if chance.random() < rate:
            plan[number] = KINDS[chance.choice(list(KINDS))]
        number += 1
    return lambda request, before: plan.get(before)


def noting(faults: Faults, happened: Callable[[Request, Fault], None]) -> Faults:
    """The same faults; `happened` hears of each one when its request arrives, from the server's thread."""

    def decide(request: Request, number: int) -> Fault | None:
        fault = faults(request, number)
        if fault is not None:
            happened(request, fault)
        return fault

    return decide
