"""The standard streams: readers may go away, as in `broadcast plan | head`, any may be closed from the start, no locale
has to know every character, and nothing that is written acts on who shows it.

Whatever a command, or a library of it, writes goes through `Shown`: text from a file, a server, a ledger or an
exception is neither obeyed by a terminal nor taken for a command by a host of CI that reads the log.
"""

from __future__ import annotations

import errno
import io
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TextIO, cast

from broadcast.visible import HIDDEN, visible

MARKERS = (*("::", "section_start:", "section_end:", "travis_fold:"), *("--- ", "+++ ", "~~~ ", "^^^ +++"))
"""How a line begins that a host obeys: GitHub (docs.github.com, "Workflow commands"), GitLab ("Custom collapsible
sections"), Travis, and Buildkite ("Managing log output")."""
INSIDE = re.compile(r"(##(?:vso|teamcity)?)\[")
"""What a host obeys wherever it stands in a line: GitHub's older commands (actions/runner, `ActionCommand.TryParse`),
Azure Pipelines ("Logging commands"), and TeamCity ("Service messages"). Broken before its bracket."""
_LONGEST = len("##teamcity")
_STYLE = re.compile(r"\x1b\[[0-9;]*m|\x1b\]8;[^\x00-\x1f\x7f-\x9f]*\x1b\\")
"""What rich writes: colors, and links (ECMA-48, SGR; OSC 8)."""
_BEFORE = re.compile(r"(?:[\s\u200b\u2060\ufeff]|\x1b\[[0-9;]*m)*")
"""What may stand before a marker: hosts trim a line."""


class Shown(io.TextIOBase):
    """A text stream, in front of another, that shows what it is given and lets nothing of it act. The beginning of a
    line is held back until it is known to be no marker; a marker gets a backslash before it, which Markdown does not
    show."""

    def __init__(self, below: TextIO) -> None:
        self._below = below
        self._tail = ""  # the last that was written, which may be the first half of what a host obeys
        self._held: str | None = ""  # what the line begins with, as far as that may become a marker; None: it has begun

    def write(self, text: str, /) -> int:
        *whole, last = self._broken(self._plain(text)).split("\n")
        out = [self._line(piece, end="\n") for piece in whole]
        out.append(self._line(last, end=""))
        self._below.write("".join(out))
        return len(text)

    def own(self, text: str) -> None:
        """Write lines that are commands to a host of CI on purpose, and that have been escaped for it."""
        self.flush()
        self._below.write(text)

    def flush(self) -> None:
        if self._held:  # a prompt, most likely: what comes next may not make a marker of it
            begins, self._held = self._held, None
            before, word = _parted(begins)
            self._below.write(before + ("\\" if word else "") + word)
        self._below.flush()

    def isatty(self) -> bool:
        return self._below.isatty()

    def fileno(self) -> int:
        return self._below.fileno()

    def writable(self) -> bool:
        return True

    @property
    def encoding(self) -> str:  # type: ignore[override]  # the base class has an attribute, which is read-only here
        return self._below.encoding

    @property
    def errors(self) -> str | None:  # type: ignore[override]
        return self._below.errors

    def _plain(self, text: str) -> str:
        """The text without what a terminal obeys, but for styles, which only rich writes to one."""
        if not HIDDEN.search(text):
            return text
        if not (self.isatty() or "FORCE_COLOR" in os.environ):
            return visible(text)
        pieces, at = [], 0
        for style in _STYLE.finditer(text):
            pieces += [visible(text[at : style.start()]), style[0]]
            at = style.end()
        return "".join([*pieces, visible(text[at:])])

    def _broken(self, text: str) -> str:
        """The text without what is obeyed inside of a line, also where its first half was written before."""
        before = self._tail  # with what was broken in it: nothing in it matches any more
        broken = INSIDE.sub(r"\1\\[", before + text)
        self._tail = broken[-_LONGEST:]
        return broken[len(before) :]

    def _line(self, piece: str, end: str) -> str:
        """A piece of a line as it is passed on, with the line's `end` where that has come."""
        if self._held is None:
            self._held = "" if end else None
            return piece + end
        begins = self._held + piece
        before, word = _parted(begins)
        if not end and any(marker.startswith(word) for marker in MARKERS):
            self._held = begins
            return ""
        self._held = "" if end else None
        return f"{before}\\{word}{end}" if word.startswith(MARKERS) else begins + end


def _parted(begins: str) -> tuple[str, str]:
    """What stands before the first word of a line, and the rest."""
    found = _BEFORE.match(begins)
    at = found.end() if found else 0
    return begins[:at], begins[at:]


@contextmanager
def shown() -> Iterator[None]:
    """Whatever is written to the standard streams in here goes through `Shown`."""
    before = sys.stdout, sys.stderr
    out, err = (Shown(stream) for stream in before)
    sys.stdout, sys.stderr = cast(TextIO, out), cast(TextIO, err)
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before
        for stream in (out, err):
            stream.flush()


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
