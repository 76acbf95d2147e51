"""The statuses of each kind of announcement, and which may follow which."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from broadcast.model import Kind

CHAINS: dict[Kind, tuple[str, ...]] = {
    "incident": ("investigating", "identified", "monitoring", "resolved"),
    "maintenance": ("scheduled", "in progress", "verifying", "completed"),
    "release": ("released",),
}
"""What each kind goes through, in order; the first begins it, the last ends it."""

ASIDES: dict[Kind, tuple[str, ...]] = {
    "incident": ("update", "postmortem", "reopened"),
    "maintenance": ("update", "delayed", "cancelled"),
    "release": ("update", "withdrawn"),
}
"""What may come in between or after."""

STATUSES: dict[Kind, tuple[str, ...]] = {kind: CHAINS[kind] + ASIDES[kind] for kind in CHAINS}

FINAL = frozenset({"resolved", "completed", "cancelled", "released", "withdrawn"})
"""The states in which followers are owed no more news."""

UNMOVED = frozenset({"update", "postmortem"})
"""The statuses that leave an announcement open or over, as it was."""

_SPELLINGS = {
    "in-progress": "in progress",
    "canceled": "cancelled",
    "post-mortem": "postmortem",
    "re-opened": "reopened",
}


def status(text: str) -> str | None:
    """The status, of whatever kind, that a heading's words name: lower case, one spelling."""
    words = " ".join(text.lower().split())
    words = _SPELLINGS.get(words, words)
    return words if any(words in known for known in STATUSES.values()) else None


def kinds(status: str) -> tuple[Kind, ...]:
    """The kinds that have this status."""
    return tuple(kind for kind, known in STATUSES.items() if status in known)


def named(kind: Kind) -> str:
    """`an incident`, `a release`."""
    return f"{'an' if kind == 'incident' else 'a'} {kind}"


@dataclass(frozen=True, slots=True)
class Step:
    """What a status does to an announcement: the state it leaves it in, and `reason`, why it may not come here."""

    state: str | None
    reason: str = ""


def step(kind: Kind, state: str | None, status: str) -> Step:
    """What happens when `status` follows `state`, which is None before the first update."""
    if status in CHAINS[kind]:
        return _forward(kind, state, status)
    if state is None:
        return Step(state, reason=f"an announcement cannot begin with `{status}`: begin with `{CHAINS[kind][0]}`")
    if status == "update":
        return Step(state)
    if status in {"postmortem", "reopened"}:
        if state != "resolved":
            return Step(state, reason=f"`{status}` comes after `resolved`, but the incident is `{state}`")
        return Step("resolved" if status == "postmortem" else CHAINS[kind][0])
    if status == "withdrawn" and state == "released":
        return Step("withdrawn")
    if state in FINAL:
        return Step(state, reason=f"`{status}` cannot follow `{state}`: write an `update`")
    # A delayed maintenance is as good as scheduled: everything that comes after it is still to come.
    return Step("scheduled" if status == "delayed" else status)


def _forward(kind: Kind, state: str | None, status: str) -> Step:
    chain = CHAINS[kind]
    rank = chain.index(status)
    if state in FINAL:
        instead = "`reopened`" if kind == "incident" else "an `update`"
        again = f"it is `{state}` already" if state == status else f"`{status}` cannot follow `{state}`"
        return Step(state, reason=f"{again}: write {instead}")
    before = chain.index(state) if state is not None else -1
    if rank < before:
        return Step(state, reason=f"`{status}` cannot follow `{state}`: write an `update`")
    return Step(status)


def states(kind: Kind, statuses: Iterable[str]) -> Iterator[str | None]:
    """The state that each of these statuses, in order, leaves an announcement in; what is refused changes nothing."""
    state: str | None = None
    for each in statuses:
        state = step(kind, state, each).state
        yield state


def current(kind: Kind, statuses: Iterable[str]) -> str | None:
    """The state after all of them."""
    return [None, *states(kind, statuses)][-1]
