"""SIGINT and SIGTERM, from the first moment to the last: one line, exit code 130, no traceback.

While modules are loaded nothing has begun, so the process just ends. An exception would be no help there: Python runs
much of an import in places where exceptions are printed and dropped. A command, though, has files to put away, so in
its time a signal is an exception. A run that sends handles signals itself, see `cli/ending.py`.
"""

from __future__ import annotations

import os
import signal
from types import FrameType

from broadcast.errors import InterruptedRunError

SIGNALS = (signal.SIGINT, signal.SIGTERM)
LINE = "broadcast: interrupted"


class Interrupted(BaseException):
    """A signal came. No `Exception`, so that nothing between here and the end of the program takes it for a failure."""


def leave(number: int, frame: FrameType | None) -> None:
    """End the process now."""
    try:
        os.write(2, f"{LINE}\n".encode())
    finally:
        os._exit(InterruptedRunError.exit_code)


def unwind(number: int, frame: FrameType | None) -> None:
    """End the command; a second signal does not wait for what it puts away. Raises `Interrupted`."""
    at_once()
    raise Interrupted


def at_once() -> None:
    """From now on a signal ends the process. One that whoever started this process ignores stays ignored."""
    for number in SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, leave)


def after_cleaning_up() -> None:
    """From now on a signal ends the command, in a process whose signals `at_once` took over."""
    for number in SIGNALS:
        if signal.getsignal(number) is leave:
            signal.signal(number, unwind)
