"""A ledger in a PostgreSQL database, for any number of machines."""

from __future__ import annotations

import contextlib
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import quote, quote_plus

import psycopg
from sqlalchemy import URL, Connection, NullPool, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.pool import ConnectionPoolEntry

from broadcast.errors import ConfigError
from broadcast.ledger.database import transaction
from broadcast.ledger.plumbing import masked

PREFIX = "postgresql+psycopg://"

_LONGEST = 60.0
"""Seconds that a connection lives. The server's own limits are shorter; this one holds where it does not answer."""
_DEFAULTS = {
    "connect_timeout": "10",
    "fallback_application_name": "broadcast",
    # Where the network swallows everything, an unanswered message ends the connection after 30 seconds.
    "tcp_user_timeout": "30000",
    "keepalives_idle": "10",
    "keepalives_interval": "5",
    "keepalives_count": "4",
}
"""Of libpq; the URL's own are stronger."""
_LIMITS = """SELECT
    set_config('lock_timeout', '30s', true),
    set_config('statement_timeout', '45s', true),
    set_config('idle_in_transaction_session_timeout', '45s', true)"""
"""For one transaction: what is set for a session gets lost, or leaks, behind a pooler such as PgBouncer."""
_SYNCED = """SELECT set_config('synchronous_commit', 'on', true)
    WHERE current_setting('synchronous_commit') = 'off'"""
"""An intent that a crash of the server takes back would be a post that is sent twice."""
_READ = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"
_WRITE = "SET TRANSACTION ISOLATION LEVEL READ COMMITTED, READ WRITE"
"""The lock on the ledger's row orders the writers; after it, each statement sees what the one before has committed."""


class Postgres:
    """The database that `postgresql+psycopg://USER@HOST:PORT/DATABASE` names. What the URL leaves out, libpq finds: in
    the environment (`PGHOST`, `PGPASSWORD`, ...), `~/.pgpass` and its service file. Raises `ConfigError` for what is no
    such URL."""

    def __init__(self, url: str, longest: float = _LONGEST) -> None:
        parsed = _parse(url)
        plain = {key: value for key, value in parsed.query.items() if "password" not in key.lower()}
        bare = URL.create(parsed.drivername, parsed.username, None, parsed.host, parsed.port, parsed.database)
        self.name = bare.render_as_string()
        self.identity = bare.set(query=plain).render_as_string()
        host = f"{parsed.host or ''}:{parsed.port}" if parsed.port else parsed.host or ""
        schema = parsed.query.get("options", "")
        self.ledger = f"postgresql:{host}/{parsed.database or ''}{f' {schema}' if schema else ''}"
        self._secrets = _spellings(parsed, url)
        self._longest = longest
        self._engine = create_engine(
            parsed,
            poolclass=NullPool,
            hide_parameters=True,
            use_native_hstore=False,
            connect_args={
                **{key: value for key, value in _DEFAULTS.items() if key not in parsed.query},
                "client_encoding": "utf8",
                # Prepared statements do not survive a pooler that hands out another connection.
                "prepare_threshold": None,
            },
        )
        # Before SQLAlchemy's own listener, which already talks to the server.
        event.listen(self._engine.pool, "connect", self._watch, insert=True)
        event.listen(self._engine.pool, "close", _unwatch)

    @contextmanager
    def reading(self) -> Iterator[Connection | None]:
        with transaction(self._engine, _READ, _LIMITS) as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        with transaction(self._engine, _WRITE, _LIMITS, _SYNCED) as connection:
            yield connection

    def masked(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return masked(text)

    def _watch(self, connection: psycopg.Connection, entry: ConnectionPoolEntry) -> None:
        timer = threading.Timer(self._longest, _cut, [connection])
        timer.daemon = True
        entry.info["timer"] = timer
        timer.start()


def _unwatch(connection: psycopg.Connection, entry: ConnectionPoolEntry) -> None:
    timer = entry.info.pop("timer")
    timer.cancel()
    # Else it might cut what has the same number next.
    timer.join()


def _cut(connection: psycopg.Connection) -> None:
    """Break the connection under the thread that waits for it, for which it is as if the server had gone."""
    with contextlib.suppress(OSError, psycopg.Error), socket.socket(fileno=os.dup(connection.fileno())) as line:
        line.shutdown(socket.SHUT_RDWR)


def _parse(url: str) -> URL:
    """Says nothing of the URL: what is wrong with it may be a password in the wrong place."""
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        parsed = None
    if parsed is None or not url.startswith(PREFIX) or "@" in f"{parsed.host}{parsed.database}":
        raise ConfigError(
            "the ledger's address cannot be read",
            'ledger = "postgresql+psycopg://USER@HOST/DATABASE"; in a password, write @ as %40, / as %2F, % as %25',
        )
    return parsed


def _spellings(parsed: URL, url: str) -> tuple[str, ...]:
    """The secrets of the URL, in all the ways that a message could quote them, the longest first."""
    values = [str(parsed.password or "")]
    values += [str(value) for key, value in parsed.query.items() if "password" in key.lower()]
    spelled = {
        form
        for value in values
        if value
        for form in (value, quote(value, safe=""), quote_plus(value), repr(value)[1:-1])
    }
    return tuple(sorted({*spelled, url}, key=len, reverse=True))
