"""The ledger in an SQL database: transactions where the git ledger has commits and pushes.

`tables` says what is in it. Every append is one transaction that locks the ledger's one row, compares, looks up which
of the keys are there already, adds the rest and moves the row: of those that saw the same state one wins, a batch is
there whole or not at all, and what is carried twice counts once. A commit whose answer was lost is settled by doing it
all again: the lock is only given when the earlier transaction has ended, and then its keys are there or they are not.

What was journaled, and how far this machine has seen the ledger, is kept below the project's root (`local`). A ledger
that no longer holds what it once held, because it was restored, emptied or is another one, is not taken for a new one.
"""

from __future__ import annotations

import contextlib
import random
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from broadcast.errors import LedgerError, LedgerMovedError
from broadcast.ledger import tables
from broadcast.ledger.base import NO_LEDGER, Log, adding
from broadcast.ledger.codec import Check, Entry, entry, unchecked
from broadcast.ledger.database import Database, lost, passing, words
from broadcast.ledger.local import Local
from broadcast.ledger.objects import file_name
from broadcast.ledger.tables import Tip
from broadcast.model import Event

_RETRYING = 60.0
"""Seconds after which a transaction that cannot be brought to its end is given up."""

_Found = TypeVar("_Found")


class SqlLedger:
    """The ledger in `database`, with its journal below `root`. Nothing is looked at before the first call; all raise
    `LedgerError`. Reading makes and writes nothing in the database, so a role that may only SELECT can."""

    def __init__(self, database: Database, root: Path, retrying: float = _RETRYING, check: Check = unchecked) -> None:
        self._database = database
        self._check = check
        self._where = f"ledger {database.name}"
        self._local = Local(root.absolute(), database.identity, check)
        self._retrying = retrying

    def read(self) -> Log:
        """One snapshot of the database, and this machine's journal."""
        with adding("nothing was sent"):
            version, items = self._newest()
        events: dict[str, list[Event]] = {}
        for item in items:
            events.setdefault(item.event.announcement, []).append(item.event)
        return Log(version, {slug: tuple(story) for slug, story in sorted(events.items())})

    def recall(self) -> Log:
        """Always raises `LedgerError`: no copy of a database is kept, and a journal alone would look like a ledger in
        which nothing was ever published."""
        raise LedgerError(f"{self._where}: this machine keeps no copy of it")

    def append(self, events: Sequence[Event], version: str | None) -> str:
        """Add the events, after those of the journal, in one transaction. With nothing to add it asks nobody, and gives
        the newest version that this machine knows."""
        with adding(
            "nothing was sent" if version is not None else "what is in this machine's journal is kept for the next run"
        ):
            return self._append([entry(event) for event in events], version)

    def journal(self, event: Event) -> None:
        """Keep the event in the journal of this project's folder on this machine."""
        file_name(event.announcement)
        self._local.add(event)

    def entries(self) -> list[Entry]:
        """What `read` shows, in the order in which it was written, with the keys of the lines."""
        with adding("nothing was copied"):
            return self._newest()[1]

    def carry(self, items: Sequence[Entry]) -> None:
        """Add those that are not there, after those of the journal, in one transaction."""
        with adding("nothing was copied"):
            self._append(items, None)

    def _newest(self) -> tuple[str, list[Entry]]:
        # The journal first: what another run of this machine carries in between is then seen twice, not never.
        pending = self._local.journal.pending()
        items = self._persist("read", self._snapshot)
        found = {item.key: item for item in items}
        version = NO_LEDGER
        if items:
            version = _version(Tip(len(items), items[-1].key))
            self._local.see(version)
        for item in pending:
            found.setdefault(item.key, item)
        return version, list(found.values())

    def _snapshot(self) -> list[Entry]:
        seen = self._local.seen()
        with self._database.reading() as connection:
            there = connection is not None and tables.exists(connection)
            items = (
                list(tables.entries(connection, self._where, self._check)) if connection is not None and there else []
            )
        self._compare(seen, lambda number: items[number - 1].key if number <= len(items) else None)
        return items

    def _append(self, mine: Sequence[Entry], version: str | None) -> str:
        for item in mine:
            file_name(item.event.announcement)
        if not mine and not self._local.journal.pending():
            return version or self._local.seen() or NO_LEDGER
        return self._persist("written", lambda: self._attempt(mine, version))

    def _attempt(self, mine: Sequence[Entry], version: str | None) -> str:
        pending = self._local.journal.pending()
        with self._database.writing() as connection:
            last = self._locked(connection)
            there = tables.numbers(connection, [*pending, *mine])
            if mine and all(item.key in there for item in mine):
                # An earlier attempt arrived, though its answer did not; others may have come after it.
                newest = max(mine, key=lambda item: there[item.key])
                new = Tip(there[newest.key], newest.key)
                carried = {item.key for item in pending if item.key in there}
            else:
                if version not in (None, _version(last)):
                    raise LedgerMovedError("another run wrote to the ledger since it was read")
                added = {item.key: item for item in (*pending, *mine) if item.key not in there}
                new = tables.append(connection, last, list(added.values()))
                carried = {item.key for item in pending}
        # What cannot be discarded is known by its keys, and is not carried again.
        with contextlib.suppress(LedgerError):
            self._local.journal.discard(carried)
        self._local.see(_version(new))
        return _version(new)

    def _locked(self, connection: Connection) -> Tip:
        """The last line, locked for this transaction, which makes the tables if there are none."""
        seen = self._local.seen()
        if not tables.exists(connection):
            self._compare(seen, lambda _number: None)
            tables.create(connection)
        last = tables.tip(connection, self._where, lock=True)
        self._compare(seen, lambda number: tables.key_of(connection, number))
        return last

    def _compare(self, seen: str | None, key_of: Callable[[int], str | None]) -> None:
        """Raises `LedgerError` unless the ledger still holds what this machine had seen in it before."""
        number, _, key = (seen or NO_LEDGER).partition("-")
        if number.isdecimal() and key_of(int(number)) != key:
            raise LedgerError(
                f"{self._where} no longer holds all that it held when this machine read it last",
                f"restore it from a backup; or accept it as it is: rm '{self._local.seen_file}'",
            )

    def _persist(self, what: str, attempt: Callable[[], _Found]) -> _Found:
        """Try until the transaction has certainly happened, or certainly not."""
        tries, in_doubt, give_up = 0, False, time.monotonic() + self._retrying
        while True:
            try:
                return attempt()
            except SQLAlchemyError as error:
                in_doubt = in_doubt or lost(error)
                if not (in_doubt or passing(error)) or time.monotonic() > give_up:
                    said, hint = words(error)
                    raise LedgerError(f"{self._where} cannot be {what}: {self._database.masked(said)}", hint) from None
            time.sleep(random.random() * 0.1 * 2 ** min(tries, 5))
            tries += 1


def _version(tip: Tip) -> str:
    return f"{tip.number}-{tip.key}" if tip.number else NO_LEDGER
