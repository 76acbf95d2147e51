"""A ledger in an SQLite file, for the processes of one machine."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import URL, Connection, NullPool, create_engine

from broadcast.errors import LedgerError
from broadcast.ledger import address
from broadcast.ledger.database import transaction
from broadcast.paths import real

_PATIENCE = 30.0
"""Seconds to wait for other processes: each holds the file for milliseconds."""


class Sqlite:
    """The file that `sqlite:///PATH` names; a relative path is relative to `root`. The file and its folder are made by
    the first transaction that writes. Raises `ConfigError` for what is no such URL.

    The journal mode is the file's own, which for a new one is a rollback journal: WAL needs memory that processes
    share, and breaks the file where two machines have it open through a network.
    """

    def __init__(self, url: str, root: Path) -> None:
        self.name = self.identity = url
        self._file = root.absolute() / address.path(url)
        self.ledger = f"sqlite:{real(self._file)}"
        self._engine = create_engine(
            URL.create("sqlite", database=str(self._file)),
            poolclass=NullPool,
            hide_parameters=True,
            # Without a level the driver begins nothing by itself: we say BEGIN, and which.
            connect_args={"timeout": _PATIENCE, "isolation_level": None},
        )

    @contextmanager
    def reading(self) -> Iterator[Connection | None]:
        if not self._file.exists():
            yield None
            return
        with self._undamaged(), transaction(self._engine, "BEGIN") as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise LedgerError(f"the folder {self._file.parent} cannot be made: {error.strerror}") from None
        # EXTRA is FULL, and syncs the folder too: without, a power cut can bring back the rollback journal, and with it
        # the state before a commit. IMMEDIATE locks before it reads, so nobody has to be turned down half-way.
        first = ("PRAGMA synchronous = EXTRA", "BEGIN IMMEDIATE")
        with self._undamaged(), transaction(self._engine, *first) as connection:
            yield connection

    @contextmanager
    def _undamaged(self) -> Iterator[None]:
        """Python's driver stumbles over SQLite's complaints where they quote bytes of a damaged file."""
        try:
            yield
        except UnicodeDecodeError:
            raise LedgerError(f"ledger {self.name}: the file is damaged", "restore it from a backup") from None

    def masked(self, text: str) -> str:
        return text
