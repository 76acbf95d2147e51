"""A ledger on a real PostgreSQL: every way in which a server, or what lies between, can let us down."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pytest

import postgres
from broadcast.errors import LedgerError, LedgerMovedError
from broadcast.ledger.open import open_ledger
from broadcast.ledger.postgres import Postgres
from broadcast.ledger.sql import SqlLedger
from ledgers import event, numbers


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
