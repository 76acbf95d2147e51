"""The shared, append-only record of intents, receipts and verdicts, and what it must promise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from broadcast.model import Event


@dataclass(frozen=True, slots=True)
class Log:
    """All events, in order, by announcement; `version` is what `Ledger.append` compares."""

    version: str
    events: Mapping[str, Sequence[Event]]


class Ledger(Protocol):
    """Raises `LedgerError` when it cannot be reached or written; nothing is half written."""

    def read(self) -> Log:
        """The newest state that every run agrees on."""
        ...

    def recall(self) -> Log:
        """What this machine knew when it last reached the ledger: enough to show, never to send by."""
        ...

    def append(self, events: Sequence[Event], version: str | None) -> str:
        """Append all or nothing and return the new version. With a `version`, only if nobody appended since it was
        read (compare-and-swap), else `LedgerMovedError`; with None, whatever came before."""
        ...

    def journal(self, event: Event) -> None:
        """Keep an event on local disk, synced, until the next `append` carries it; `read` already shows it."""
        ...
