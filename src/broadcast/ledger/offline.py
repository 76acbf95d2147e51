"""In an emergency: a ledger that cannot be reached, written on local disk only, to be carried to it later."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from broadcast.errors import LedgerError
from broadcast.ledger.base import Ledger, Log, Survey
from broadcast.ledger.codec import Entry
from broadcast.model import Event


@dataclass(frozen=True, slots=True)
class OfflineLedger:
    """Shows what this machine knows of `ledger`, and keeps every event in its journal, which the next run that reaches
    it carries there. Nothing stops another machine from sending the same posts meanwhile: only a human may choose this.
    """

    ledger: Ledger

    def read(self) -> Log:
        return self.ledger.recall()

    def recall(self) -> Log:
        return self.ledger.recall()

    def append(self, events: Sequence[Event], version: str | None) -> str:
        for event in events:
            self.ledger.journal(event)
        return version or ""

    def journal(self, event: Event) -> None:
        self.ledger.journal(event)

    def entries(self) -> Sequence[Entry]:
        raise LedgerError("the ledger cannot be copied while it cannot be reached")

    def survey(self) -> Survey:
        raise LedgerError("the ledger cannot be verified while it cannot be reached")

    def adopt(self, version: str) -> None:
        raise LedgerError("the ledger cannot be signed while it cannot be reached")

    def carry(self, items: Sequence[Entry]) -> None:
        raise LedgerError("the ledger cannot be copied to while it cannot be reached")
