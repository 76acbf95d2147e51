"""The SQL ledger's own: its tables, what a machine remembers of it, and what somebody else does to it."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection

import postgres
from broadcast.errors import LedgerError
from broadcast.ledger import tables
from broadcast.ledger.base import NO_LEDGER, Ledger, Log
from broadcast.ledger.codec import Entry, decode
from broadcast.ledger.database import Database
from broadcast.ledger.open import open_ledger
from broadcast.ledger.postgres import Postgres
from broadcast.ledger.sqlite import Sqlite
from broadcast.model import Receipt, Ref

AT = datetime(2026, 11, 22, 14, 5, tzinfo=UTC)


def event(number: int, slug: str = "api-errors") -> Receipt:
    return Receipt(slug, AT, "x", 1, AT, "run", Ref(str(number)))


@dataclass(frozen=True, slots=True)
class Place:
    """A project of its own in `root`, and the database that its ledger is in."""

    root: Path
    url: str
    database: Database

    def ledger(self) -> Ledger:
        return open_ledger(self.url, self.root)

    def run(self, *statements: str) -> list[Any]:
        """What somebody does to the tables; gives the rows of the last statement."""
        with self.database.writing() as connection:
            results = [connection.exec_driver_sql(statement) for statement in statements]
            return [tuple(row) for row in results[-1]] if results[-1].returns_rows else []

    def seen(self) -> Path:
        return next(self.root.glob(".broadcast/ledger-*/seen"))


@pytest.fixture(params=["sqlite", "postgres"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    if request.param == "sqlite":
        return Place(tmp_path, "sqlite:///ledger.db", Sqlite("sqlite:///ledger.db", tmp_path))
    cluster: postgres.Cluster = request.getfixturevalue("cluster")
    url = cluster.database()
    return Place(tmp_path, url, Postgres(url))


def test_reading_makes_nothing(place: Place) -> None:
    assert place.ledger().read() == Log(NO_LEDGER, {})
    assert list(place.root.iterdir()) == []
    if isinstance(place.database, Postgres):
        assert place.run("SELECT count(*) FROM pg_tables WHERE tablename LIKE 'broadcast%%'") == [(0,)]


def test_the_tables_hold_the_lines(place: Place) -> None:
    ledger = place.ledger()
    ledger.append([event(1), event(2, "other")], None)
    version = ledger.append([event(3)], None)
    rows = place.run("SELECT number, key, announcement, line FROM broadcast_lines ORDER BY number")
    sent = [event(1), event(2, "other"), event(3)]
    assert [(number, slug) for number, _, slug, _ in rows] == [(1, "api-errors"), (2, "other"), (3, "api-errors")]
    assert [decode(line.encode(), "here") for *_, line in rows] == [
        Entry(row[1], one) for row, one in zip(rows, sent, strict=True)
    ]
    assert place.run("SELECT id, schema_version, lines, tip FROM broadcast_ledger") == [(1, 1, 3, rows[-1][1])]
    assert version == f"3-{rows[-1][1]}"


def test_a_batch_that_breaks_off_is_not_there(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    ledger = place.ledger()
    version = ledger.append([event(1)], None)
    real = tables.append

    def broken(connection: Connection, last: tables.Tip, items: Sequence[tables.Row]) -> tables.Tip:
        real(connection, last, items)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(tables, "append", broken)
        with pytest.raises(KeyboardInterrupt):
            ledger.append([event(2), event(3)], None)
    assert ledger.read() == Log(version, {"api-errors": (event(1),)})
    ledger.append([event(4)], version)
    assert ledger.read().events == {"api-errors": (event(1), event(4))}


def test_a_read_sees_one_state(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between its first statement and its last, another run appends (or tries to, where it has to wait)."""
    ledger = place.ledger()
    version = ledger.append([event(1)], None)
    other = threading.Thread(target=lambda: place.ledger().append([event(2)], None))
    real = tables.tip

    def slow(connection: Connection, where: str, *, lock: bool = False) -> tables.Tip:
        found = real(connection, where, lock=lock)
        if not lock:
            other.start()
            other.join(0.5)
        return found

    with monkeypatch.context() as patch:
        patch.setattr(tables, "tip", slow)
        assert ledger.read() == Log(version, {"api-errors": (event(1),)})
    other.join()
    assert ledger.read().events == {"api-errors": (event(1), event(2))}


# --- what a machine keeps ---------------------------------------------------------------------------------------------


def test_git_sees_nothing_of_what_a_machine_keeps(place: Place) -> None:
    def git(*arguments: str) -> str:
        done = subprocess.run(["git", "-C", place.root, *arguments], capture_output=True, text=True, check=True)
        return done.stdout

    git("init", "--quiet")
    (place.root / ".git" / "info" / "exclude").write_text("ledger.db\n")
    place.ledger().journal(event(1))
    place.ledger().append([event(2)], None)
    place.ledger().journal(event(3))
    assert git("status", "--porcelain", "--untracked-files=all") == ""
    assert len(list(place.root.rglob("journal.jsonl"))) == 1


def test_a_database_is_not_copied_so_nothing_can_be_recalled(place: Place) -> None:
    place.ledger().append([event(1)], None)
    with pytest.raises(LedgerError, match="keeps no copy"):
        place.ledger().recall()


def test_where_nothing_can_be_kept_it_can_still_be_read(place: Place) -> None:
    (place.root / ".broadcast").symlink_to("nowhere/at-all")
    place.ledger().append([event(1)], None)
    assert place.ledger().read().events == {"api-errors": (event(1),)}
    with pytest.raises(LedgerError, match=r"\.broadcast cannot be written"):
        place.ledger().journal(event(2))


EMPTIED = ["DELETE FROM broadcast_lines", "UPDATE broadcast_ledger SET lines = 0, tip = ''"]
DROPPED = ["DROP TABLE broadcast_lines", "DROP TABLE broadcast_ledger"]
SHORTENED = [
    "DELETE FROM broadcast_lines WHERE number = 2",
    "UPDATE broadcast_ledger SET lines = 1, tip = (SELECT key FROM broadcast_lines WHERE number = 1)",
]
REPLACED = [
    "UPDATE broadcast_lines SET line = replace(line, key, '0123456789abcdef') WHERE number = 2",
    "UPDATE broadcast_lines SET key = '0123456789abcdef' WHERE number = 2",
    "UPDATE broadcast_ledger SET tip = '0123456789abcdef'",
]


@pytest.mark.parametrize("what", [EMPTIED, DROPPED, SHORTENED, REPLACED], ids=["emptied", "dropped", "older", "other"])
def test_a_ledger_that_lost_what_it_held_is_not_believed(place: Place, what: list[str]) -> None:
    ledger = place.ledger()
    ledger.append([event(1), event(2)], None)
    place.run(*what)
    for call in (ledger.read, ledger.entries, lambda: ledger.append([event(3)], None)):
        with pytest.raises(LedgerError, match="no longer holds all that it held") as caught:
            call()
        assert caught.value.hint.endswith(f"rm '{place.seen()}'")
    subprocess.run(caught.value.hint.rpartition(": ")[2], shell=True, check=True)
    ledger.append([event(3)], ledger.read().version)
    assert ledger.read().events["api-errors"][-1] == event(3)


def test_what_a_machine_has_seen_grows_with_the_ledger(place: Place) -> None:
    ledger = place.ledger()
    version = ledger.append([event(1)], None)
    assert place.seen().read_text() == f"{version}\n"
    newer = open_ledger(place.url.replace("ledger.db", "./ledger.db"), place.root).append([event(2)], None)
    assert ledger.read().version == newer
    assert newer in {file.read_text().strip() for file in place.root.glob(".broadcast/ledger-*/seen")}


def test_a_damaged_memory_is_named(place: Place) -> None:
    place.ledger().append([event(1)], None)
    place.seen().write_bytes(b"\xff\n")
    with pytest.raises(LedgerError, match="seen cannot be read: it is damaged"):
        place.ledger().read()


# --- what somebody else does to it ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("UPDATE broadcast_ledger SET schema_version = 7", "version 7 of the tables is not known"),
        ("DELETE FROM broadcast_ledger", "broadcast_ledger has lost its row"),
        ("DELETE FROM broadcast_lines WHERE number = 2", "line 2 is missing"),
        ("DELETE FROM broadcast_lines WHERE number = 3", "there are 2 lines where there should be 3"),
        ("UPDATE broadcast_lines SET number = 9 WHERE number = 3", "line 3 is missing"),
        (
            "UPDATE broadcast_lines SET line = replace(line, '\"v\":1', '\"v\":8') WHERE number = 2",
            "line 2: version 8",
        ),
        ("UPDATE broadcast_lines SET line = 'x' WHERE number = 2", "line 2: not JSON"),
        (
            "UPDATE broadcast_lines SET announcement = 'x' WHERE number = 2",
            "line 2: is not of the key and announcement",
        ),
        ("UPDATE broadcast_lines SET key = 'x' WHERE number = 1", "line 1: is not of the key and announcement"),
        ("UPDATE broadcast_ledger SET tip = 'x'", "there are 3 lines where there should be 3"),
        ("DROP TABLE broadcast_lines", "broadcast_lines"),
    ],
)
def test_damage_is_named(place: Place, statement: str, message: str) -> None:
    ledger = place.ledger()
    ledger.append([event(number) for number in range(3)], None)
    place.run(statement)
    with pytest.raises(LedgerError, match=message) as caught:
        ledger.read()
    assert caught.value.message.endswith("(nothing was sent)")


def test_an_unknown_schema_is_not_written_to(place: Place) -> None:
    ledger = place.ledger()
    ledger.append([event(1)], None)
    place.run(
        "ALTER TABLE broadcast_ledger RENAME COLUMN tip TO head", "UPDATE broadcast_ledger SET schema_version = 3"
    )
    with pytest.raises(LedgerError, match="version 3 of the tables") as caught:
        ledger.append([event(2)], None)
    assert caught.value.hint == "upgrade broadcast"
    assert place.run("SELECT count(*) FROM broadcast_lines") == [(1,)]


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO broadcast_lines SELECT 9, key, announcement, line FROM broadcast_lines",
        "INSERT INTO broadcast_lines SELECT number, 'other', announcement, line FROM broadcast_lines",
        "INSERT INTO broadcast_ledger SELECT 2, schema_version, lines, tip FROM broadcast_ledger",
        "INSERT INTO broadcast_ledger SELECT id, schema_version, lines, tip FROM broadcast_ledger",
    ],
    ids=["key-twice", "number-twice", "second-row", "row-twice"],
)
def test_the_tables_themselves_refuse_what_must_not_be(place: Place, statement: str) -> None:
    place.ledger().append([event(1)], None)
    with pytest.raises(Exception, match=r"(?i)unique|check|duplicate"):
        place.run(statement)


def test_messages_name_the_ledger_and_hold_no_secret(place: Place) -> None:
    place.ledger().append([event(1)], None)
    place.run("DROP TABLE broadcast_lines")
    calls: list[Callable[[], object]] = [place.ledger().read, lambda: place.ledger().append([event(2)], None)]
    for call in calls:
        with pytest.raises(LedgerError) as caught:
            call()
        said = caught.value.message + caught.value.hint
        assert said.startswith(f"ledger {place.database.name} cannot be ")
        assert postgres.PASSWORD not in said
        assert postgres.QUOTED not in said
        assert caught.value.__cause__ is None
