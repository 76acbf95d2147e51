"""Events on local disk, synced one by one, until the ledger has them.

A journal is one file of the ledger's own lines (`codec`). A line counts once its line feed is on disk: the write is
one append, so what a kill or a full disk leaves behind is at most an unfinished last line, and that one never counted.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from broadcast.errors import LedgerError
from broadcast.ledger.codec import Check, Entry, decode_lines, encode, entry, unchecked
from broadcast.ledger.lock import locked
from broadcast.model import Event

_PATIENCE = 30.0


class Journal:
    """The journal in `folder`, which is made when it is needed; shared by all processes and threads of a clone."""

    def __init__(self, folder: Path, check: Check = unchecked) -> None:
        self._check = check
        self._folder = folder
        self._file = folder / "journal.jsonl"
        self._lock = folder / "journal.lock"

    def add(self, event: Event) -> None:
        """Write an event down; when this returns, it survives a power cut. Raises `LedgerError`, and then it does
        not count."""
        line = encode(entry(event))
        with self._writing():
            file = os.open(self._file, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o666)
            try:
                size = self._finished(file)
                os.ftruncate(file, size)
                try:
                    _write_whole(file, line)
                    os.fsync(file)
                except OSError:
                    os.ftruncate(file, size)
                    raise
            finally:
                os.close(file)
            if not size:
                self._sync_folders()

    def pending(self) -> list[Entry]:
        """What was written down and not yet discarded, in order. Raises `LedgerError` where a line is damaged."""
        try:
            data = self._read()
        except OSError as error:
            raise self._error("read", error) from None
        return decode_lines(data, f"journal {self._file}", self._check)

    def discard(self, keys: Collection[str]) -> None:
        """Forget these entries: the ledger has them. Others, of runs that go on, stay."""
        if not keys:
            return
        with self._writing():
            kept = [item for item in self.pending() if item.key not in keys]
            if kept:
                self._replace(b"".join(map(encode, kept)))
            else:
                self._file.unlink(missing_ok=True)
            self._sync_folders()

    def _read(self) -> bytes:
        """The finished lines."""
        try:
            data = self._file.read_bytes()
        except FileNotFoundError:
            return b""
        return data[: data.rfind(b"\n") + 1]

    def _finished(self, file: int) -> int:
        """The length of the finished lines. What a killed writer left after them has to go before the next line is
        written, or that would become a part of it."""
        size = os.fstat(file).st_size
        return size if not size or os.pread(file, 1, size - 1) == b"\n" else len(self._read())

    def _replace(self, data: bytes) -> None:
        new = self._file.with_suffix(".new")
        with new.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        new.replace(self._file)

    def _sync_folders(self) -> None:
        """A file is only as safe as the entries of the folders that lead to it; two of them may be new."""
        for folder in (self._folder, self._folder.parent, self._folder.parent.parent):
            file = os.open(folder, os.O_RDONLY)
            try:
                os.fsync(file)
            finally:
                os.close(file)

    @contextmanager
    def _writing(self) -> Iterator[None]:
        with locked(self._lock, _PATIENCE):
            try:
                yield
            except OSError as error:
                raise self._error("written", error) from None

    def _error(self, what: str, error: OSError) -> LedgerError:
        return LedgerError(f"the journal {self._file} cannot be {what}: {error.strerror}")


def _write_whole(file: int, data: bytes) -> None:
    if os.write(file, data) < len(data):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
