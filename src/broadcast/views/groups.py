"""A plan's posts in the order in which people read them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from broadcast.model import Action

UNBOUNDED = 1_000_000
"""A limit that only stands there because every channel has one."""


def by_update(actions: Iterable[Action]) -> Mapping[str, Mapping[datetime, Mapping[str, list[Action]]]]:
    """Announcement → update → channel → its posts by part. Announcements and updates: the oldest first; channels in
    the plan's order."""
    groups: dict[str, dict[datetime, dict[str, list[Action]]]] = {}
    for action in sorted(actions, key=lambda action: (action.update, action.part)):
        channels = groups.setdefault(action.announcement, {}).setdefault(action.update, {})
        channels.setdefault(action.channel, []).append(action)
    return groups


def count(number: int, one: str, many: str = "") -> str:
    """`1 post`, `2 posts`."""
    return f"{number} {one if number == 1 else many or one + 's'}"


def dollars(usd: float) -> str:
    """`$0.215`: at least two decimals, no more than the price needs."""
    whole, _, rest = f"{usd:.4f}".partition(".")
    return f"${whole}.{rest.rstrip('0').ljust(2, '0')}"


def part_of(part: int, parts: int) -> str:
    """`2/3`, or nothing for a post that stands alone."""
    return f"{part}/{parts}" if parts > 1 else ""


def size(length: int, limit: int) -> str:
    """`264/280`; a limit that no post comes near is left out."""
    return f"{length}/{limit}" if limit < UNBOUNDED else str(length)


def label(status: str) -> str:
    """`In progress` for `in progress`."""
    return status[:1].upper() + status[1:]
