"""The shared, append-only record of intents, receipts and verdicts, and what it must promise."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

from broadcast.errors import LedgerError, LedgerMovedError
from broadcast.ledger.codec import Entry
from broadcast.model import Event

NO_LEDGER = "none"
"""The version of a ledger that nobody has written to."""


@dataclass(frozen=True, slots=True)
class Log:
    """All events, in order, by announcement; `version` is what `Ledger.append` compares."""

    version: str
    events: Mapping[str, Sequence[Event]]


class UnverifiedError(LedgerError):
    """The ledger is signed, and there is no key to verify it with: `log` may be shown, and nothing is sent by it."""

    def __init__(self, log: Log, message: str, hint: str) -> None:
        super().__init__(message, hint)
        self.log = log


@dataclass(frozen=True, slots=True)
class Survey:
    """What of a ledger does not verify: the number of lines by announcement, and why. `version` is as in `Log`."""

    version: str
    lines: Mapping[str, int]
    whys: Sequence[str]


class Ledger(Protocol):
    """Raises `LedgerError` when it cannot be reached or written; nothing is half written."""

    def read(self) -> Log:
        """The newest state that every run agrees on."""
        ...

    def recall(self) -> Log:
        """What this machine knew when it last reached the ledger: enough to show, never to send by. Raises
        `LedgerError` where it keeps nothing."""
        ...

    def append(self, events: Sequence[Event], version: str | None) -> str:
        """Append all or nothing and return the new version. With a `version`, only if nobody appended since it was
        read (compare-and-swap), else `LedgerMovedError`; with None, whatever came before."""
        ...

    def journal(self, event: Event) -> None:
        """Keep an event on local disk, synced, until the next `append` carries it; `read` already shows it."""
        ...

    def entries(self) -> Sequence[Entry]:
        """What `read` shows, with the keys of the lines; those of one announcement are in order."""
        ...

    def survey(self) -> Survey:
        """What was not signed with this key as it stands there. Raises `ConfigError` without a key."""
        ...

    def adopt(self, version: str) -> None:
        """Sign everything that stands there, as it stands there; a human has looked at it in this version."""
        ...

    def carry(self, items: Sequence[Entry]) -> None:
        """Append, all or nothing and whatever came before, those of the entries whose keys are not there yet."""
        ...


@contextmanager
def adding(consequence: str) -> Iterator[None]:
    """Say in every `LedgerError` what it means for the posts."""
    try:
        yield
    except LedgerMovedError:
        raise
    except UnverifiedError as error:
        raise UnverifiedError(error.log, f"{error.message} ({consequence})", error.hint) from None
    except LedgerError as error:
        raise LedgerError(f"{error.message} ({consequence})", error.hint) from None
