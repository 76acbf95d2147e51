"""The standard streams: readers may go away, as in `broadcast plan | head`, any may be closed from the start, and no
locale has to know every character."""

from __future__ import annotations

import errno
import io
import os
import sys
from typing import Any, TextIO


class Output(io.FileIO):
    """An end of a pipe, a file or a terminal. What can no longer be written is dropped, for a command that sends must
    not stop halfway because nobody reads what it says. `failure` is why, unless it is just that the reader left."""

    failure: OSError | None = None
    _gone = False

    def write(self, data: Any, /) -> int:
        if not self._gone:
            try:
                return super().write(data)
            except OSError as error:
                self._gone = True
                self.failure = None if error.errno == errno.EPIPE else error
        return memoryview(data).nbytes


def take_over() -> Output:
    """Put such streams in the place of `sys.stdout`, `sys.stderr` and a closed `sys.stdin`; gives what is below
    `sys.stdout`."""
    # Of a process that was started with a closed one (`>&-`), the next file to be opened would get its number.
    while (null := os.open(os.devnull, os.O_RDWR)) <= 2:
        pass
    os.close(null)
    out, err = Output(1, "w", closefd=False), Output(2, "w", closefd=False)
    sys.stdout, sys.stderr = _text(sys.stdout, out), _text(sys.stderr, err)
    if sys.stdin is None:
        sys.stdin = io.TextIOWrapper(io.BufferedReader(io.FileIO(0, closefd=False)), encoding="utf-8")
    return out


def _text(before: TextIO | None, raw: Output) -> io.TextIOWrapper:
    like: Any = before if isinstance(before, io.TextIOWrapper) else None
    return io.TextIOWrapper(
        io.BufferedWriter(raw),
        encoding=like.encoding if like else "utf-8",
        errors="backslashreplace",
        # PYTHONUNBUFFERED made it `write_through`, which would end at the buffer here.
        line_buffering=like is None or like.line_buffering or like.write_through,
    )
