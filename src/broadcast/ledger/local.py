"""What a machine keeps of a ledger that is elsewhere: its journal, and how far it has seen that ledger."""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
from pathlib import Path

from broadcast.errors import LedgerError
from broadcast.ledger.codec import Check, unchecked
from broadcast.ledger.journal import Journal
from broadcast.model import Event

FOLDER = ".broadcast"
"""Below the project's root; git ignores it, as it says itself."""


class Local:
    """The folder `.broadcast/ledger-<digest of identity>` of the project. Two ledgers have two identities; no secret
    is a part of one. Made when it is needed: who only reads may be on a file system that is read-only."""

    def __init__(self, root: Path, identity: str, check: Check = unchecked) -> None:
        self._home = root / FOLDER
        folder = self._home / f"ledger-{hashlib.sha256(identity.encode()).hexdigest()[:16]}"
        self.journal = Journal(folder, check)
        self.seen_file = folder / "seen"

    def add(self, event: Event) -> None:
        """Keep an event in the journal."""
        try:
            self._make()
        except OSError as error:
            raise LedgerError(f"{self._home} cannot be written: {error.strerror}") from None
        self.journal.add(event)

    def seen(self) -> str | None:
        """A version that the ledger once had: it holds that, and maybe more, for ever. None where none is known."""
        try:
            return self.seen_file.read_text(encoding="ascii").strip() or None
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is damaged"
            raise LedgerError(f"{self.seen_file} cannot be read: {reason}", f"rm '{self.seen_file}'") from None

    def see(self, version: str) -> None:
        """Remember a version. That it cannot be remembered is no reason to stop."""
        new = self.seen_file.with_name(f"seen.{secrets.token_hex(4)}")
        with contextlib.suppress(OSError):
            self._make()
            try:
                new.write_text(version + "\n", encoding="ascii")
                new.replace(self.seen_file)
            finally:
                new.unlink(missing_ok=True)

    def _make(self) -> None:
        self.seen_file.parent.mkdir(parents=True, exist_ok=True)
        ignore = self._home / ".gitignore"
        if not os.path.lexists(ignore):
            ignore.write_text("*\n", encoding="utf-8")
