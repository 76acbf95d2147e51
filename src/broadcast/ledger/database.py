"""A database that holds a ledger, as transactions, whichever it is; and its errors in words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError, OperationalError, SQLAlchemyError

_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f]+")
_LOCKED = ("55P03", "SQLITE_BUSY", "SQLITE_LOCKED")
_FORBIDDEN = "42501"
_AGAIN = frozenset(
    {
        *("40001", "40P01"),  # serialization failure, deadlock: neither is expected, both are harmless
        *("23505", "42P07", "42710"),  # somebody else is making the tables at the same moment
        *("57P01", "57P02", "57P03"),  # the server is shutting down, has crashed, is starting
    }
)


class Database(Protocol):
    """`name` is for messages; `identity` tells one database from another on this machine, and `ledger` everywhere, with
    no user's name or option in it. None has a password in it."""

    @property
    def name(self) -> str: ...

    @property
    def identity(self) -> str: ...

    @property
    def ledger(self) -> str: ...

    def reading(self) -> AbstractContextManager[Connection | None]:
        """A transaction that sees one state of everything; None where there is no database yet."""
        ...

    def writing(self) -> AbstractContextManager[Connection]:
        """A transaction that may write; its end is the commit, and an exception takes all of it back. When the commit
        itself raises, it may have worked."""
        ...

    def masked(self, text: str) -> str:
        """The text without what is secret of this database."""
        ...


@contextmanager
def transaction(engine: Engine, *first: str) -> Iterator[Connection]:
    """A transaction on a connection of its own, begun with these statements."""
    with engine.connect() as connection, connection.begin():
        for statement in first:
            connection.exec_driver_sql(statement)
        yield connection


def lost(error: SQLAlchemyError) -> bool:
    """Whether the connection broke, so that nobody said what became of the transaction."""
    return isinstance(error, DBAPIError) and error.connection_invalidated


def passing(error: SQLAlchemyError) -> bool:
    """Whether the transaction certainly did nothing and may be tried again."""
    return _code(error) in _AGAIN


def words(error: SQLAlchemyError) -> tuple[str, str]:
    """What the database complains of, and what to do about it, without statements and parameters."""
    code = _code(error)
    if code.startswith(_LOCKED):
        return "another run has held it for too long", "wait for that run, or stop it, and run again"
    orig = error.orig if isinstance(error, DBAPIError) else None
    primary = getattr(getattr(orig, "diag", None), "message_primary", None)
    lines = [_CONTROLS.sub(" ", line).strip() for line in str(primary or orig or type(error).__name__).splitlines()]
    said = "; ".join([line for line in lines if line][:3])[:600] or type(orig or error).__name__
    if code == _FORBIDDEN:
        return said, "docs/ledger.md has the SQL and the rights that it needs"
    if isinstance(error, OperationalError) and not code:
        return said, "with the same address, user and password (PGPASSWORD, ~/.pgpass), psql must be able to connect"
    return said, ""


def _code(error: SQLAlchemyError) -> str:
    """PostgreSQL's SQLSTATE, or SQLite's name of the error."""
    orig = error.orig if isinstance(error, DBAPIError) else None
    return getattr(orig, "sqlstate", None) or getattr(orig, "sqlite_errorname", None) or ""
