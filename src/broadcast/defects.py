"""What nobody foresaw: a defect of broadcast ends the work on one file, or one request, and leaves the others alone.

Nothing is told of an unexpected error but its kind: its words may hold a secret. Where it came from is logged, which
`BROADCAST_DEBUG` shows.
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Mapping

from broadcast.errors import BroadcastError, DoesNotFitError, SendError

_LOG = logging.getLogger("broadcast")
DEBUG = "BROADCAST_DEBUG"
"""The variable of the environment with which a command shows where a defect is."""
OURS = (BroadcastError, SendError, DoesNotFitError)
"""Errors that say what they mean."""


def show(environ: Mapping[str, str]) -> None:
    """From now on, tell on stderr where unexpected errors come from, if the environment asks for it."""
    if environ.get(DEBUG):
        _LOG.setLevel(logging.DEBUG)
        _LOG.addHandler(logging.StreamHandler())


def told(error: Exception) -> str:
    """What users are told of an unexpected error, and what they can do. The system's own (a full disk) speak for
    themselves."""
    _LOG.debug("%s", _origin(error))
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    return f"unexpected {type(error).__name__}, a defect of broadcast; with {DEBUG}=1 it shows where, for a bug report"


def _origin(error: BaseException) -> str:
    """The lines of code that an error, and what caused it, came through, without any words of theirs."""
    lines: list[str] = []
    seen: set[int] = set()
    cause: BaseException | None = error
    while cause is not None and id(cause) not in seen:
        seen.add(id(cause))
        lines += [f"{type(cause).__name__} at\n", *traceback.extract_tb(cause.__traceback__).format()]
        cause = cause.__cause__ or cause.__context__
    return "".join(lines).rstrip()
