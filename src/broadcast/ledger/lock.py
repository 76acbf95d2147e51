"""One process at a time, on one machine: a lock that the system takes back when its holder dies."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from broadcast.errors import LedgerError

_POLL = 0.01


@contextmanager
def locked(path: Path, patience: float) -> Iterator[None]:
    """Hold the lock that is the file `path`, which is made and never removed. Raises `LedgerError` when another
    process or thread still holds it after `patience` seconds, or when the file cannot be made."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    except OSError as error:
        raise LedgerError(f"{path} cannot be locked: {error.strerror}") from None
    try:
        give_up = time.monotonic() + patience
        while not _taken(file):
            if time.monotonic() > give_up:
                raise LedgerError(
                    f"another run of broadcast in this clone has held {path} for more than {patience:.0f} seconds",
                    "wait for it, or stop it, and run again",
                )
            time.sleep(_POLL)
        yield
    finally:
        os.close(file)


def _taken(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
