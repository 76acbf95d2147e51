"""A ledger in a file: where it is, and all that can be wrong with a file."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from broadcast.errors import ConfigError, LedgerError
from broadcast.ledger.base import Ledger
from broadcast.ledger.open import open_ledger
from broadcast.ledger.sqlite import Sqlite
from broadcast.model import Receipt, Ref

AT = datetime(2026, 11, 22, 14, 5, tzinfo=UTC)


def event(number: int) -> Receipt:
    return Receipt("api-errors", AT, "x", 1, AT, "run", Ref(str(number)))


def both(ledger: Ledger) -> list[Callable[[], object]]:
    return [ledger.read, lambda: ledger.append([event(1)], None)]


@pytest.mark.parametrize("path", ["ledger.db", "state/of things/ä%20#b@c:d.db", "../beside.db"])
def test_a_relative_path_begins_at_the_project_s_root(
    path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "project"
    root.mkdir()
    monkeypatch.chdir(tmp_path)
    open_ledger(f"sqlite:///{path}", root).append([event(1)], None)
    assert (root / path).is_file()
    assert open_ledger(f"sqlite:///{(root / path).resolve()}", tmp_path).read().events == {"api-errors": (event(1),)}


@pytest.mark.parametrize(
    "url",
    [
        *("sqlite:", "sqlite://", "sqlite:///", "sqlite://host/a.db", "sqlite:ledger.db", "sqlite:/ledger.db"),
        *("sqlite:///:memory:", "sqlite:///a.db?mode=memory", "sqlite:///a\0b", "sqlite:///a\nb"),
    ],
)
def test_what_names_no_file_is_a_configuration_error(url: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="is not that of a file") as caught:
        open_ledger(url, tmp_path)
    assert "sqlite:///broadcast.db" in caught.value.hint
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "notes.db").write_text("These are notes.\n" * 100)
    for call in both(open_ledger("sqlite:///notes.db", tmp_path)):
        with pytest.raises(LedgerError, match=r"ledger sqlite:///notes\.db cannot be .*file is not a database"):
            call()
    assert (tmp_path / "notes.db").read_text() == "These are notes.\n" * 100


def test_a_folder_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    for call in both(open_ledger("sqlite:///folder", tmp_path)):
        with pytest.raises(LedgerError, match="unable to open database file"):
            call()


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    ledger = open_ledger("sqlite:///file/ledger.db", tmp_path)
    with pytest.raises(LedgerError, match=r"file cannot be made: File exists|Not a directory"):
        ledger.append([event(1)], None)


def test_an_application_s_own_tables_stay(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "app.db")) as connection, connection:
        connection.execute("CREATE TABLE ledger (id INTEGER)")
        connection.execute("INSERT INTO ledger VALUES (7)")
    ledger = open_ledger("sqlite:///app.db", tmp_path)
    assert ledger.read().events == {}
    ledger.append([event(1)], None)
    with closing(sqlite3.connect(tmp_path / "app.db")) as connection:
        assert connection.execute("SELECT id FROM ledger").fetchall() == [(7,)]
        tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        assert sorted(tables) == ["broadcast_ledger", "broadcast_lines", "ledger"]


@contextmanager
def held(file: Path, how: str) -> Iterator[None]:
    """Somebody else has the file, as a shell that was left open in a transaction."""
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        connection.execute(f"BEGIN {how}")
        yield


def test_a_file_that_another_process_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    open_ledger("sqlite:///ledger.db", tmp_path).append([event(1)], None)
    monkeypatch.setattr("broadcast.ledger.sqlite._PATIENCE", 0.2)
    ledger = open_ledger("sqlite:///ledger.db", tmp_path)
    with held(tmp_path / "ledger.db", "IMMEDIATE"):
        assert ledger.read().events == {"api-errors": (event(1),)}
        with pytest.raises(LedgerError, match="cannot be written: another run has held it for too long") as caught:
            ledger.append([event(2)], None)
        assert "wait for that run" in caught.value.hint
    with held(tmp_path / "ledger.db", "EXCLUSIVE"):
        for call in both(ledger):
            with pytest.raises(LedgerError, match="another run has held it"):
                call()
    ledger.append([event(3)], None)
    assert ledger.read().events == {"api-errors": (event(1), event(3))}


def test_a_file_in_wal_mode(tmp_path: Path) -> None:
    """Somebody's choice, which is kept."""
    with closing(sqlite3.connect(tmp_path / "ledger.db")) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
    ledger = open_ledger("sqlite:///ledger.db", tmp_path)
    first = ledger.append([event(1)], None)
    with held(tmp_path / "ledger.db", "DEFERRED"):
        ledger.append([event(2)], first)
    assert ledger.read().events == {"api-errors": (event(1), event(2))}
    with closing(sqlite3.connect(tmp_path / "ledger.db")) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_a_new_file_does_not_depend_on_shared_memory(tmp_path: Path) -> None:
    ledger = open_ledger("sqlite:///ledger.db", tmp_path)
    ledger.append([event(1)], None)
    with closing(sqlite3.connect(tmp_path / "ledger.db")) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("delete",)
    assert sorted(path.name for path in tmp_path.iterdir()) == [".broadcast", "ledger.db"]


def test_what_is_committed_is_synced(tmp_path: Path) -> None:
    with Sqlite("sqlite:///ledger.db", tmp_path).writing() as connection:
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 3


FULL = """
import resource, sys
from pathlib import Path
from datetime import UTC, datetime
from broadcast.errors import LedgerError
from broadcast.ledger.open import open_ledger
from broadcast.model import Receipt, Ref

at = datetime(2026, 11, 22, 14, 5, tzinfo=UTC)
ledger = open_ledger("sqlite:///ledger.db", Path(sys.argv[1]))
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), int(sys.argv[2])))
try:
    ledger.append([Receipt("big", at, "x", 1, at, "run", Ref(str(n) * 40)) for n in range(3000)], None)
except LedgerError as error:
    print(error.message)
"""


@pytest.mark.parametrize("room", [1, 4096, 30_000, 200_000])
def test_a_full_disk_takes_a_batch_whole_or_not_at_all(tmp_path: Path, room: int) -> None:
    ledger = open_ledger("sqlite:///ledger.db", tmp_path)
    version = ledger.append([event(1)], None)
    done = subprocess.run([sys.executable, "-c", FULL, tmp_path, str(room)], capture_output=True, text=True, check=True)
    assert "ledger sqlite:///ledger.db cannot be written: " in done.stdout
    assert ledger.read().version == version
    ledger.append([event(2)], version)
    with closing(sqlite3.connect(tmp_path / "ledger.db")) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_file_that_may_only_be_read(tmp_path: Path) -> None:
    ledger = open_ledger("sqlite:///ledger.db", tmp_path)
    ledger.append([event(1)], None)
    (tmp_path / "ledger.db").chmod(0o444)
    assert ledger.read().events == {"api-errors": (event(1),)}
    with pytest.raises(LedgerError, match="readonly database"):
        ledger.append([event(2)], None)


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE broadcast_lines SET line = x'80'",
        "UPDATE broadcast_lines SET line = CAST(x'80' AS TEXT)",
        "UPDATE broadcast_lines SET key = x'80'",
        "UPDATE broadcast_lines SET number = 'one'",
        "UPDATE broadcast_ledger SET lines = ''",
        "UPDATE broadcast_ledger SET lines = 1e400",
        "UPDATE broadcast_ledger SET tip = x'80'",
        "UPDATE broadcast_ledger SET schema_version = x'80'",
        "DROP TABLE broadcast_ledger; CREATE TABLE broadcast_ledger (id); INSERT INTO broadcast_ledger VALUES (1)",
    ],
)
def test_a_value_of_a_type_that_its_column_does_not_have(damage: str, tmp_path: Path) -> None:
    """SQLite keeps whatever it is given."""
    ledger = open_ledger("sqlite:///ledger.db", tmp_path)
    ledger.append([event(1)], None)
    with closing(sqlite3.connect(tmp_path / "ledger.db")) as connection, connection:
        connection.executescript(damage)
    for call in both(ledger) if "broadcast_ledger" in damage else [ledger.read]:
        with pytest.raises(LedgerError, match=r"ledger sqlite:///ledger\.db"):
            call()


def test_a_damaged_file_whose_own_words_are_no_text(tmp_path: Path) -> None:
    ledger = open_ledger("sqlite:///ledger.db", tmp_path)
    ledger.append([event(1)], None)
    file = tmp_path / "ledger.db"
    file.write_bytes(file.read_bytes().replace(b"CREATE TABLE", b"CREATE \x80ABLE"))
    for call in both(ledger):
        with pytest.raises(LedgerError, match=r"ledger sqlite:///ledger\.db"):
            call()
