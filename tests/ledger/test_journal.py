"""The journal: what it has taken is on disk, whatever happens next."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest

from broadcast.errors import LedgerError
from broadcast.ledger.journal import Journal
from broadcast.model import Receipt, Ref

AT = datetime(2026, 11, 22, 14, 5, tzinfo=UTC)


def event(number: int) -> Receipt:
    return Receipt("api-errors", AT, "x", 1, AT, "run", Ref(str(number)))


def numbers(journal: Journal) -> list[int]:
    return [int(item.event.ref.id) for item in journal.pending() if isinstance(item.event, Receipt)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "git" / "broadcast" / "ledger"


def test_events_are_kept_in_order_until_they_are_discarded(folder: Path) -> None:
    journal = Journal(folder)
    assert journal.pending() == []
    for number in range(3):
        journal.add(event(number))
    other = Journal(folder)
    assert other.pending() == journal.pending()
    first, second, _ = other.pending()
    other.discard({second.key})
    assert numbers(journal) == [0, 2]
    journal.add(event(3))
    other.discard({item.key for item in journal.pending()} - {first.key})
    assert numbers(journal) == [0]
    other.discard({first.key, "unknown"})
    assert numbers(journal) == []
    assert sorted(path.name for path in folder.iterdir()) == ["journal.lock"]


@pytest.mark.parametrize("cut", range(1, 60, 7))
def test_an_unfinished_last_line_never_counted(folder: Path, cut: int) -> None:
    journal = Journal(folder)
    journal.add(event(0))
    journal.add(event(1))
    file = folder / "journal.jsonl"
    file.write_bytes(file.read_bytes()[:-cut])
    assert numbers(journal) == [0]
    journal.add(event(2))
    assert numbers(journal) == [0, 2]


def test_only_the_last_line_may_be_unfinished(folder: Path) -> None:
    journal = Journal(folder)
    journal.add(event(0))
    file = folder / "journal.jsonl"
    file.write_bytes(file.read_bytes()[:-9] + b"\n" + file.read_bytes())
    with pytest.raises(LedgerError, match=r"journal .*journal\.jsonl, line 1: not JSON"):
        journal.pending()


FULL_DISK = """
import resource, signal, sys
from datetime import datetime, UTC
from pathlib import Path
from broadcast.errors import LedgerError
from broadcast.ledger.journal import Journal
from broadcast.model import Receipt, Ref
at = datetime(2026, 11, 22, 14, 5, tzinfo=UTC)
journal = Journal(Path(sys.argv[1]))
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
journal.add(Receipt("api-errors", at, "x", 1, at, "run", Ref("0")))
size = (Path(sys.argv[1]) / "journal.jsonl").stat().st_size
resource.setrlimit(resource.RLIMIT_FSIZE, (size + 40, resource.RLIM_INFINITY))
try:
    journal.add(Receipt("api-errors", at, "x", 1, at, "run", Ref("1")))
except LedgerError as error:
    print(error.message)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
journal.add(Receipt("api-errors", at, "x", 1, at, "run", Ref("2")))
"""


def test_an_event_that_does_not_fit_on_the_disk_leaves_nothing_behind(folder: Path) -> None:
    done = subprocess.run([sys.executable, "-c", FULL_DISK, folder], capture_output=True, text=True, check=True)
    assert "cannot be written" in done.stdout
    assert numbers(Journal(folder)) == [0, 2]


def test_a_folder_that_cannot_be_written_is_an_error_with_its_name(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(LedgerError, match="file/ledger"):
        Journal(tmp_path / "file" / "ledger").add(event(0))


def test_threads_and_a_discarding_reader_lose_nothing(folder: Path) -> None:
    journal = Journal(folder)
    seen: list[int] = []

    def write(start: int) -> None:
        for number in range(start, start + 25):
            journal.add(event(number))

    with ThreadPoolExecutor(4) as pool:
        writers = [pool.submit(write, start) for start in (0, 25, 50, 75)]
        while not all(writer.done() for writer in writers):
            pending = journal.pending()
            seen += [int(item.event.ref.id) for item in pending if isinstance(item.event, Receipt)]
            journal.discard({item.key for item in pending})
        for writer in writers:
            writer.result()
    assert sorted(seen + numbers(journal)) == list(range(100))
