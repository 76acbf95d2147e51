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
from broadcast.ledger.base import NO_LEDGER, Log, Survey, UnverifiedError, adding
from broadcast.ledger.codec import Check, Entry, entry, unchecked
from broadcast.ledger.database import Database, lost, passing, words
from broadcast.ledger.local import Local
from broadcast.ledger.objects import file_name
from broadcast.ledger.seal import START, Head, Key, Line, Seal, Where, needs_key, no_key
from broadcast.ledger.tables import Row, Tip
from broadcast.model import Event

_RETRYING = 60.0
"""Seconds after which a transaction that cannot be brought to its end is given up."""

_CHAIN = "lines"
"""All lines of a database are one chain."""

_Found = TypeVar("_Found")


class SqlLedger:
    """The ledger in `database`, with its journal below `root`. Nothing is looked at before the first call; all raise
    `LedgerError`. Reading makes and writes nothing in the database, so a role that may only SELECT can."""

    def __init__(
        self,
        database: Database,
        root: Path,
        retrying: float = _RETRYING,
        check: Check = unchecked,
        key: Key | None = None,
    ) -> None:
        self._database = database
        self._seal = Seal(key, database.ledger) if key is not None else None
        self._check = check
        self._where = f"ledger {database.name}"
        self._local = Local(root.absolute(), database.identity, check)
        self._retrying = retrying

    def read(self) -> Log:
        """One snapshot of the database, and this machine's journal."""
        with adding("nothing was sent"):
            version, items, verified = self._newest()
            events: dict[str, list[Event]] = {}
            for item in items:
                events.setdefault(item.event.announcement, []).append(item.event)
            log = Log(version, {slug: tuple(story) for slug, story in sorted(events.items())})
            if not verified:
                error = needs_key(self._where)
                raise UnverifiedError(log, error.message, error.hint)
            return log

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
            _, items, verified = self._newest()
            if not verified:
                raise needs_key(self._where)
            return items

    def survey(self) -> Survey:
        """What of the newest state was not signed with the key as it stands there."""
        with adding("nothing was signed"):
            seal = self._signer()
            last, lines, record = self._persist("read", self._snapshot)
            fault = next(seal.faults(record, {_CHAIN: lines}, self._told()), None)
            counts: dict[str, int] = {}
            for line in lines[fault.number - 1 :] if fault else ():
                slug = line.entry.event.announcement
                counts[slug] = counts.get(slug, 0) + 1
            return Survey(_version(last), counts, (fault.message,) if fault else ())

    def adopt(self, version: str) -> None:
        """Sign all of this version, in one transaction."""
        with adding("nothing was signed"):
            self._persist("written", lambda: self._sign(self._signer(), version))

    def carry(self, items: Sequence[Entry]) -> None:
        """Add those that are not there, after those of the journal, in one transaction."""
        with adding("nothing was copied"):
            self._append(items, None)

    def _newest(self) -> tuple[str, list[Entry], bool]:
        """The version, the entries, and whether they were verified, or need not be."""
        # The journal first: what another run of this machine carries in between is then seen twice, not never.
        pending = self._local.journal.pending()
        last, lines, record = self._persist("read", self._snapshot)
        if self._seal is not None:
            self._seal.verify(record, {_CHAIN: lines}, self._told())
        found = {line.entry.key: line.entry for line in lines}
        version = _version(last)
        if lines:
            self._local.see(version)
        for item in pending:
            found.setdefault(item.key, item)
        signed = last.signed or any(line.mac for line in lines)
        return version, list(found.values()), self._seal is not None or not signed

    def _snapshot(self) -> tuple[Tip, list[Line], bytes | None]:
        seen = self._local.seen()
        with self._database.reading() as connection:
            last, lines, record = Tip(0, ""), [], None
            if connection is not None and tables.exists(connection):
                last = tables.tip(connection, self._where)
                record = tables.record(connection, last, self._where)
                lines = list(tables.lines(connection, last, self._where, self._check))
        self._compare(seen, lambda number: lines[number - 1].entry.key if number <= len(lines) else None)
        return last, lines, record

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
            head = self._head(connection, last)
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
                new = self._add(connection, last, head, list(added.values()))
                carried = {item.key for item in pending}
        # What cannot be discarded is known by its keys, and is not carried again.
        with contextlib.suppress(LedgerError):
            self._local.journal.discard(carried)
        self._local.see(_version(new))
        return _version(new)

    def _head(self, connection: Connection, last: Tip) -> Head:
        """How far the ledger is signed. Raises `LedgerError` where that is not all of it, or there is no key for it."""
        if self._seal is None:
            if last.signed:
                raise needs_key(self._where)
            return START
        record = tables.record(connection, last, self._where)
        if last.number and record is None:
            self._seal.verify(None, {_CHAIN: list(tables.lines(connection, last, self._where))}, self._told())
        head = self._seal.verify(record, {}, self._told(), ()).get(_CHAIN, START)
        if head.lines != last.number:
            self._seal.verify(record, {_CHAIN: list(tables.lines(connection, last, self._where))}, self._told())
        return head

    def _add(self, connection: Connection, last: Tip, head: Head, items: Sequence[Entry]) -> Tip:
        """Add the entries after the last line, signed where there is a key."""
        rows = [tables.row(item) for item in items]
        if self._seal is not None and rows:
            signed, head = self._seal.sign(head, [row.line for row in rows])
            rows = [Row(row.entry, line) for row, line in zip(rows, signed, strict=True)]
            tables.keep(connection, last, self._seal.record({_CHAIN: head}))
        return tables.append(connection, last, rows)

    def _sign(self, seal: Seal, version: str) -> None:
        with self._database.writing() as connection:
            last = self._locked(connection)
            if _version(last) != version:
                raise LedgerMovedError("another run wrote to the ledger since it was looked at")
            lines = tables.lines(connection, last, self._where)
            signed, head = seal.sign(START, [line.content for line in lines])
            tables.rewrite(connection, signed)
            tables.keep(connection, last, seal.record({_CHAIN: head}))

    def _signer(self) -> Seal:
        if self._seal is None:
            raise no_key()
        return self._seal

    def _told(self) -> Where:
        return Where(self._where, tables.SEAL, lambda _chain, number: f"{self._where}, {tables.place(number)}")

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
