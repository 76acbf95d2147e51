"""A ledger on a real PostgreSQL: addresses, rights, and every way in which a server can let us down."""

from __future__ import annotations

import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest

import postgres
from broadcast.errors import ConfigError, LedgerError, LedgerMovedError
from broadcast.ledger.base import Ledger
from broadcast.ledger.open import open_ledger
from broadcast.ledger.postgres import Postgres
from broadcast.ledger.sql import SqlLedger
from broadcast.model import Receipt, Ref

AT = datetime(2026, 11, 22, 14, 5, tzinfo=UTC)
DOCS = Path(__file__).parents[2] / "docs" / "ledger.md"


def event(number: int) -> Receipt:
    return Receipt("api-errors", AT, "x", 1, AT, "run", Ref(str(number)))


def numbers(ledger: Ledger) -> list[int]:
    return [int(one.ref.id) for one in ledger.read().events.get("api-errors", ()) if isinstance(one, Receipt)]


def refused(ledger: Ledger, message: str) -> LedgerError:
    """Both calls fail in these words, without a secret."""
    for call in (ledger.read, lambda: ledger.append([event(1)], None)):
        with pytest.raises(LedgerError, match=message) as caught:
            call()
        assert not isinstance(caught.value, LedgerMovedError)
        for secret in (postgres.PASSWORD, postgres.QUOTED, "hunter2"):
            assert secret not in caught.value.message + caught.value.hint
    return caught.value


# --- addresses --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    [
        "postgresql+psycopg:",
        "postgresql+psycopg:me:hunter2@host/db",
        "postgresql+psycopg://me:hun@ter2@host/db",
        "postgresql+psycopg:///me:hunter2@host/db",
        "postgresql+psycopg://host:hunter2/db",
    ],
)
def test_an_address_that_cannot_be_read_is_not_repeated(url: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="address cannot be read") as caught:
        open_ledger(url, tmp_path)
    for secret in ("hunter2", "hun", "ter2"):
        assert not re.search(rf"\b{secret}\b", caught.value.message + caught.value.hint)
    assert caught.value.__cause__ is None


def test_nothing_is_looked_at_before_it_is_used(tmp_path: Path) -> None:
    ledger = open_ledger("postgresql+psycopg://me:hunter2@127.0.0.1:1/db", tmp_path)
    error = refused(ledger, r"ledger postgresql\+psycopg://me@127.0.0.1:1/db cannot be .*onnection refused")
    assert error.message.endswith("(what is in this machine's journal is kept for the next run)")


def test_a_password_is_in_no_message(cluster: postgres.Cluster, tmp_path: Path) -> None:
    url = cluster.database()
    denied = refused(open_ledger(url.replace(postgres.QUOTED, "hunter2"), tmp_path), "password authentication failed")
    assert "psql must be able to connect" in denied.hint
    refused(open_ledger(cluster.url("nowhere"), tmp_path), 'database "nowhere" does not exist')
    refused(open_ledger(f"{url}?passwords=hunter2", tmp_path), "invalid connection option")
    refused(
        open_ledger(f"{url}?sslrootcert=/nowhere&sslmode=verify-full&sslpassword=hunter2", tmp_path), "not support SSL"
    )


def test_what_the_url_leaves_out_stands_in_the_environment(
    cluster: postgres.Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = cluster.database().rpartition("/")[2]
    for variable, value in {
        "PGHOST": "127.0.0.1",
        "PGPORT": str(cluster.port),
        "PGUSER": "admin",
        "PGDATABASE": name,
        "PGPASSWORD": postgres.PASSWORD,
    }.items():
        monkeypatch.setenv(variable, value)
    open_ledger("postgresql+psycopg://", tmp_path).append([event(1)], None)
    assert numbers(open_ledger(cluster.url(name), tmp_path)) == [1]


def test_a_password_file_is_read(cluster: postgres.Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    name = cluster.database().rpartition("/")[2]
    file = tmp_path / "pgpass"
    file.write_text(f"127.0.0.1:{cluster.port}:{name}:admin:{postgres.PASSWORD}\n", encoding="utf-8")
    file.chmod(0o600)
    monkeypatch.setenv("PGPASSFILE", str(file))
    ledger = open_ledger(f"postgresql+psycopg://admin@127.0.0.1:{cluster.port}/{name}", tmp_path)
    ledger.append([event(1)], None)
    assert numbers(ledger) == [1]


def test_the_journal_is_that_of_the_ledger_whatever_the_password(cluster: postgres.Cluster, tmp_path: Path) -> None:
    url = cluster.database()
    open_ledger(url.replace(postgres.QUOTED, "hunter2"), tmp_path).journal(event(1))
    assert numbers(open_ledger(url, tmp_path)) == [1]
    assert numbers(open_ledger(f"{url}?options=-csearch_path%3Dpg_temp", tmp_path)) == []


def test_two_schemas_are_two_ledgers(cluster: postgres.Cluster, tmp_path: Path) -> None:
    url = cluster.database()
    for schema in ("one", "two"):
        cluster.run(f"CREATE SCHEMA {schema}", url.rpartition("/")[2])
    one, two = (open_ledger(f"{url}?options=-csearch_path%3D{schema}", tmp_path) for schema in ("one", "two"))
    one.append([event(1)], "none")
    two.append([event(2)], "none")
    assert (numbers(one), numbers(two), numbers(open_ledger(url, tmp_path))) == ([1], [2], [])


# --- rights and settings ----------------------------------------------------------------------------------------------


def documented() -> list[str]:
    """The blocks of SQL in the documentation."""
    return re.findall(r"```sql\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)


def role(cluster: postgres.Cluster, name: str) -> str:
    with cluster.connect("postgres") as connection:
        connection.execute(f"DROP ROLE IF EXISTS {name}".encode())
        connection.execute(f"CREATE ROLE {name} LOGIN PASSWORD '{postgres.PASSWORD}'".encode())
    return name


def test_a_role_that_may_only_write_to_the_tables_of_the_documentation(
    cluster: postgres.Cluster, tmp_path: Path
) -> None:
    database = cluster.database().rpartition("/")[2]
    url = cluster.url(database, role(cluster, "runner"))
    refused_here = open_ledger(url, tmp_path)
    assert refused_here.read().events == {}
    with pytest.raises(LedgerError, match="permission denied for schema public") as caught:
        refused_here.append([event(1)], None)
    assert "docs/ledger.md" in caught.value.hint
    tables, grants = documented()
    cluster.run(tables, database)
    cluster.run(grants, database)
    ledger = open_ledger(url, tmp_path)
    ledger.journal(event(1))
    version = ledger.append([event(2)], ledger.read().version)
    assert ledger.append([event(3)], version) == ledger.read().version
    assert numbers(ledger) == [1, 2, 3]
    with cluster.connect(database) as connection:
        connection.execute(b"SET ROLE runner")
        with pytest.raises(Exception, match="permission denied"):
            connection.execute(b"DELETE FROM broadcast_lines")
        with pytest.raises(Exception, match="permission denied"):
            connection.execute(b"UPDATE broadcast_lines SET line = ''")
    cluster.run("DROP OWNED BY runner", database)


def test_the_documented_tables_are_those_that_are_made(cluster: postgres.Cluster, tmp_path: Path) -> None:
    query = b"""SELECT 'c', table_name, column_name, data_type, character_maximum_length::text, is_nullable
        FROM information_schema.columns WHERE table_schema = 'public'
        UNION ALL SELECT 'i', tablename, indexname, indexdef, '', '' FROM pg_indexes WHERE schemaname = 'public'
        UNION ALL SELECT 'k', conrelid::regclass::text, '', pg_get_constraintdef(oid), '', '' FROM pg_constraint
        WHERE connamespace = 'public'::regnamespace ORDER BY 1, 2, 3, 4"""
    made, written = cluster.database(), cluster.database()
    open_ledger(made, tmp_path).append([event(1)], None)
    cluster.run(documented()[0], written.rpartition("/")[2])
    found = []
    for url in (made, written):
        with cluster.connect(url.rpartition("/")[2]) as connection:
            found.append(connection.execute(query).fetchall())
    assert found[0] == found[1]
    assert len(found[0]) > 10


def test_a_role_that_may_only_read(cluster: postgres.Cluster, tmp_path: Path) -> None:
    url = cluster.database()
    database = url.rpartition("/")[2]
    open_ledger(url, tmp_path).append([event(1)], None)
    reader = role(cluster, "reader")
    cluster.run(f"GRANT SELECT ON broadcast_ledger, broadcast_lines TO {reader}", database)
    ledger = open_ledger(cluster.url(database, reader), tmp_path)
    assert numbers(ledger) == [1]
    with pytest.raises(LedgerError, match=r"permission denied for table broadcast_ledger \(nothing was sent\)"):
        ledger.append([event(2)], ledger.read().version)
    cluster.run(f"DROP OWNED BY {reader}", database)


@pytest.mark.parametrize(
    "setting",
    [
        "default_transaction_isolation = 'serializable'",
        "default_transaction_read_only = on",
        "synchronous_commit = off",
        "client_encoding = 'latin1'",
        "standard_conforming_strings = off",
    ],
)
def test_what_somebody_has_set_for_the_database_changes_nothing(
    cluster: postgres.Cluster, tmp_path: Path, setting: str
) -> None:
    url = cluster.database()
    cluster.run(f"ALTER DATABASE {url.rpartition('/')[2]} SET {setting}")
    ledger = open_ledger(url, tmp_path)
    odd = Receipt("störung", AT, "x", 1, AT, r"back\slash", Ref("👩🏽‍💻"))
    ledger.append([odd], None)
    with pytest.raises(LedgerMovedError):
        open_ledger(url, tmp_path / "other").append([event(1)], "none")
    assert ledger.read().events == {"störung": (odd,)}
    with Postgres(url).writing() as connection:
        assert connection.exec_driver_sql("SHOW synchronous_commit").scalar() == "on"
        assert connection.exec_driver_sql("SHOW transaction_isolation").scalar() == "read committed"
        assert connection.exec_driver_sql("SHOW lock_timeout").scalar() == "30s"


def test_a_stronger_synchronous_commit_is_kept(cluster: postgres.Cluster) -> None:
    url = cluster.database()
    cluster.run(f"ALTER DATABASE {url.rpartition('/')[2]} SET synchronous_commit = 'remote_apply'")
    with Postgres(url).writing() as connection:
        assert connection.exec_driver_sql("SHOW synchronous_commit").scalar() == "remote_apply"


# --- trouble ----------------------------------------------------------------------------------------------------------


class Wire:
    """A proxy before the server. `plan` says what it does with the COMMITs that come, one by one: `lose` drops the
    connection before it, `deliver` delivers it and drops the answer, `hang` delivers it and then says nothing.
    `meanwhile` is called after a delivery."""

    def __init__(self, port: int, plan: list[str]) -> None:
        self.plan = plan
        self.commits = 0
        self.meanwhile: Callable[[], object] = lambda: None
        self._server = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._open: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(("127.0.0.1", self._server))
                self._open += [client, server]
                silent = threading.Event()
                for one in (
                    threading.Thread(target=self._forward, args=(client, server, silent)),
                    threading.Thread(target=self._answer, args=(server, client, silent)),
                ):
                    one.start()
                    self._threads.append(one)

    def _forward(self, client: socket.socket, server: socket.socket, silent: threading.Event) -> None:
        with suppress(OSError):
            while data := client.recv(65536):
                what = ""
                if b"COMMIT\0" in data:
                    self.commits += 1
                    what = self.plan.pop(0) if self.plan else ""
                if what in ("deliver", "hang"):
                    silent.set()
                if what != "lose":
                    server.sendall(data)
                if what == "deliver":
                    time.sleep(0.1)
                    self.meanwhile()
                if what in ("lose", "deliver"):
                    break
        if not silent.is_set() or what != "hang":
            _drop(client)
        _drop(server)

    def _answer(self, server: socket.socket, client: socket.socket, silent: threading.Event) -> None:
        with suppress(OSError):
            while data := server.recv(65536):
                if not silent.is_set():
                    client.sendall(data)
        if not silent.is_set():
            _drop(client)

    def close(self) -> None:
        _drop(self._listener)
        self._threads[0].join()
        for one in self._open:
            _drop(one)
        for thread in self._threads[1:]:
            thread.join()
        for one in (*self._open, self._listener):
            one.close()


def _drop(one: socket.socket) -> None:
    with suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)


@contextmanager
def through(cluster: postgres.Cluster, url: str, *plan: str) -> Iterator[tuple[str, Wire]]:
    """The URL, through a wire that does as planned."""
    wire = Wire(cluster.port, list(plan))
    with closing(wire):
        yield cluster.url(url.rpartition("/")[2], port=wire.port) + "?sslmode=disable&gssencmode=disable", wire


@pytest.mark.parametrize("what", ["lose", "deliver"])
@pytest.mark.parametrize("first", [True, False], ids=["first-run", "later-run"])
def test_a_commit_whose_answer_is_lost_has_happened_once(
    cluster: postgres.Cluster, tmp_path: Path, what: str, first: bool
) -> None:
    url = cluster.database()
    before = [] if first else [0]
    version = "none" if first else open_ledger(url, tmp_path / "before").append([event(0)], None)
    with through(cluster, url, what, what) as (wired, wire):
        ledger = open_ledger(wired, tmp_path)
        ledger.journal(event(1))
        new = ledger.append([event(2), event(3)], version)
        assert (wire.commits, wire.plan) == (3, [])
    log = open_ledger(url, tmp_path / "other").read()
    assert log.version == new
    assert numbers(open_ledger(url, tmp_path / "other")) == [*before, 1, 2, 3]
    assert not list(tmp_path.rglob("journal.jsonl"))


def test_a_lost_answer_is_settled_even_when_others_wrote_since(cluster: postgres.Cluster, tmp_path: Path) -> None:
    url = cluster.database()
    other = open_ledger(url, tmp_path / "other")
    start = other.append([event(0)], None)
    with through(cluster, url, "deliver") as (wired, wire):
        ledger = open_ledger(wired, tmp_path)
        wire.meanwhile = lambda: other.append([event(9)], None)
        new = ledger.append([event(1)], start)
    assert numbers(other) == [0, 1, 9]
    # What we saw ends with our own line: of what came after we know nothing.
    assert new != other.read().version
    with pytest.raises(LedgerMovedError):
        open_ledger(url, tmp_path).append([event(2)], new)


def test_a_server_that_says_nothing_after_the_commit(cluster: postgres.Cluster, tmp_path: Path) -> None:
    url = cluster.database()
    with through(cluster, url, "hang") as (wired, _):
        ledger = SqlLedger(Postgres(wired, longest=1.0), tmp_path)
        started = time.monotonic()
        ledger.append([event(1)], "none")
        assert 0.9 < time.monotonic() - started < 10
    assert numbers(open_ledger(url, tmp_path)) == [1]


def test_a_server_that_stands_still(cluster: postgres.Cluster, tmp_path: Path) -> None:
    """It accepts connections, for the system does that, and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = cluster.url("db", port=server.getsockname()[1]) + "?connect_timeout=2"
        ledger = SqlLedger(Postgres(url), tmp_path)
        started = time.monotonic()
        with pytest.raises(LedgerError, match="timeout"):
            ledger.read()
        assert time.monotonic() - started < 10


def test_a_server_that_stops_in_the_middle(cluster: postgres.Cluster, tmp_path: Path) -> None:
    url = cluster.database()
    ledger = SqlLedger(Postgres(url, longest=1.0), tmp_path, retrying=0.5)
    ledger.append([event(1)], None)
    with cluster.connect(url.rpartition("/")[2]) as connection:
        connection.execute(b"BEGIN")
        connection.execute(b"LOCK TABLE broadcast_ledger IN ACCESS EXCLUSIVE MODE")
        for call in (ledger.read, lambda: ledger.append([event(2)], None)):
            started = time.monotonic()
            with pytest.raises(LedgerError, match=r"cannot be (read|written): "):
                call()
            assert time.monotonic() - started < 10
        connection.execute(b"ROLLBACK")
    assert numbers(ledger) == [1]


def test_another_run_that_never_lets_go(
    cluster: postgres.Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = cluster.database()
    ledger = open_ledger(url, tmp_path)
    ledger.append([event(1)], None)
    limits = "SELECT set_config('lock_timeout', '200ms', true)"
    monkeypatch.setattr("broadcast.ledger.postgres._LIMITS", limits)
    with cluster.connect(url.rpartition("/")[2]) as connection:
        connection.execute(b"BEGIN")
        connection.execute(b"SELECT * FROM broadcast_ledger FOR UPDATE")
        with pytest.raises(LedgerError, match="another run has held it for too long"):
            ledger.append([event(2)], None)
        assert numbers(ledger) == [1]
        connection.execute(b"ROLLBACK")


def test_a_server_that_ends_our_connection_is_asked_again(cluster: postgres.Cluster, tmp_path: Path) -> None:
    """As when it is restarted, or fails over to another."""
    url = cluster.database()
    database = url.rpartition("/")[2]
    ledger = open_ledger(url, tmp_path)
    ledger.append([event(0)], None)
    waiting = threading.Thread(target=lambda: ledger.append([event(1)], None))
    with cluster.connect(database) as connection:
        connection.execute(b"BEGIN")
        connection.execute(b"SELECT * FROM broadcast_ledger FOR UPDATE")
        waiting.start()
        ended = 0
        give_up = time.monotonic() + 10
        while not ended and time.monotonic() < give_up:
            with cluster.connect(database) as killer:
                rows = killer.execute(
                    b"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'broadcast'"
                    b" AND wait_event_type = 'Lock' AND datname = current_database()"
                )
                ended = len(rows.fetchall())
        connection.execute(b"ROLLBACK")
    waiting.join()
    assert ended == 1
    assert numbers(ledger) == [0, 1]


def test_no_connection_is_left_open(cluster: postgres.Cluster, tmp_path: Path) -> None:
    url = cluster.database()
    ledger = open_ledger(url, tmp_path)
    ledger.append([event(1)], None)
    ledger.read()
    time.sleep(0.2)
    with cluster.connect("postgres") as connection:
        query = b"SELECT count(*) FROM pg_stat_activity WHERE application_name = 'broadcast' AND datname = %s"
        assert connection.execute(query, [url.rpartition("/")[2]]).fetchone() == (0,)
    assert not [thread for thread in threading.enumerate() if isinstance(thread, threading.Timer)]
