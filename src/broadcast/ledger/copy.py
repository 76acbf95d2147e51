"""From one ledger to another: what moves a project from git to a database, or back."""

from __future__ import annotations

from broadcast.ledger.base import Ledger


def copy(source: Ledger, target: Ledger) -> int:
    """Carry all that `target` lacks to it, keys and all, and give the number of events that it lacked: a second copy
    finds nothing to do. All or nothing. Raises `LedgerError`."""
    there = {item.key for item in target.entries()}
    missing = [item for item in source.entries() if item.key not in there]
    if missing:
        target.carry(missing)
    return len(missing)
