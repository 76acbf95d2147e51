"""The one policy for requests that went wrong: which may be made again, when, and for how long.

A request that makes a post is only made again where it provably did nothing and the server says, or may be expected,
to take it soon. Any other may be made again after every failure that can pass.
"""

from __future__ import annotations

import random
import socket
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import TypeVar

from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_attempt, stop_before_delay

from broadcast.errors import LostAnswerError, RefusedError
from broadcast.platforms.failures import UnreachableError

ATTEMPTS = 4
PATIENCE = 15.0
"""Most seconds from the first attempt to the last: an outage does not wait, and the next run goes on."""
PAUSE = 0.5
"""Seconds before the second attempt, at most; doubled before each further one. Chosen at random below that, so that
many runs do not come back at the same moment."""

REQUEST = 60.0
"""Most seconds that one request may take, however busily its server drips."""
SLOWEST = 256 * 1024
"""Bytes in a second that an upload may be expected to make; a large one is given the longer for it."""

_T = TypeVar("_T")


class Retry:
    """The policy for one connection. Once `stop` is set, nothing is made again."""

    def __init__(self, stop: threading.Event) -> None:
        self._stop = stop

    def __call__(self, call: Callable[[], _T], *, repeatable: bool) -> _T:
        """Make a request, and again where that is safe. `repeatable`: to have had its effect twice does no harm."""
        failures: list[BaseException] = []

        def safe(error: BaseException) -> bool:
            failures.append(error)
            passing = isinstance(error, UnreachableError) or (repeatable and isinstance(error, LostAnswerError))
            return not self._stop.is_set() and (passing or _wait(error) is not None)

        def pause(seconds: float) -> None:
            if self._stop.wait(seconds):
                raise failures[-1]

        policy = Retrying(
            retry=retry_if_exception(safe),
            wait=_pause,
            stop=stop_after_attempt(ATTEMPTS) | stop_before_delay(PATIENCE),
            sleep=pause,
            reraise=True,
        )
        return policy(call)


def _wait(error: BaseException | None) -> float | None:
    return error.retry_after if isinstance(error, RefusedError) else None


def _pause(state: RetryCallState) -> float:
    asked = _wait(state.outcome.exception() if state.outcome else None)
    jitter = random.random() * PAUSE
    return jitter * 2 ** (state.attempt_number - 1) if asked is None else asked + jitter


def hang_up(connections: Iterable[socket.socket]) -> None:
    """End what waits on these sockets, from another thread."""
    for connection in connections:
        with suppress(OSError):
            # Not TLS's own goodbye, which waits for the other side.
            socket.socket.shutdown(connection, socket.SHUT_RDWR)


@contextmanager
def bounded(size: int, cut: Callable[[], None]) -> Iterator[threading.Event]:
    """Around one request of `size` bytes: `cut` is called when it takes too long, and must end it. Gives an event that
    says whether it was."""
    late = threading.Event()

    def end() -> None:
        late.set()
        cut()

    timer = threading.Timer(REQUEST + size / SLOWEST, end)
    timer.daemon = True
    timer.start()
    try:
        yield late
    finally:
        timer.cancel()
