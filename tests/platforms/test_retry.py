"""Which requests are made again, and that none takes longer than it may."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import pytest

from broadcast.errors import LostAnswerError, RefusedError
from broadcast.model import Media
from broadcast.platforms import retry
from broadcast.platforms.failures import UnreachableError
from broadcast.platforms.retry import Retry
from broadcast.rehearsal.base import Request
from broadcast.rehearsal.server import LOST, Fault
from platforms.conftest import POSTING

if TYPE_CHECKING:
    from platforms.conftest import Bench

IMAGE = Media("errors.jpg", "Error rate since 14:00")


def attempts(bench: Bench, method: str = "POST", path: str | None = None) -> int:
    wanted = path or POSTING[bench.name]
    return sum(entry.method == method and entry.path == wanted for entry in bench.server.log)


def first(bench: Bench, fault: Fault, count: int, *, posting: bool) -> None:
    """Let the first requests go wrong: those that post, or all others."""
    left = [count]

    def decide(request: Request, number: int) -> Fault | None:
        if (request.method == "POST" and request.path == POSTING[bench.name]) != posting or not left[0]:
            return None
        left[0] -= 1
        return fault

    bench.server.faults = decide


def test_post_whose_answer_was_lost_is_not_sent_again(bench: Bench) -> None:
    for fault in (LOST, bench.answer(500), bench.answer(503, None, {"Retry-After": "0"})):
        connection = bench.connect()
        intents = bench.intents(connection, [bench.post(f"one {time.monotonic_ns()}")])
        before = attempts(bench)
        bench.fail(fault)
        with pytest.raises(LostAnswerError):
            list(connection.send(intents, None))
        assert attempts(bench) == before + 1


def test_post_that_was_limited_is_sent_again_when_that_is_soon(bench: Bench) -> None:
    connection = bench.connect()
    intents = bench.intents(connection, [bench.post("one")])
    first(bench, bench.answer(429, None, {"Retry-After": "0"}), 2, posting=True)
    list(connection.send(intents, None))
    assert len(bench.standing()) == 1
    assert attempts(bench) == 3


def test_post_that_is_limited_for_long_is_left_to_the_next_run(bench: Bench) -> None:
    connection = bench.connect()
    intents = bench.intents(connection, [bench.post("one")])
    first(bench, bench.answer(429, None, {"Retry-After": "900"}), 1, posting=True)
    with pytest.raises(RefusedError, match="run again in 15 min"):
        list(connection.send(intents, None))
    assert attempts(bench) == 1


def test_what_posts_nothing_is_asked_again(bench: Bench) -> None:
    for fault in (LOST, bench.answer(503), bench.answer(429, None, {"Retry-After": "0"})):
        first(bench, fault, 2, posting=False)
        bench.connect()
    connection = bench.connect()
    first(bench, LOST, 1, posting=False)
    intents = bench.intents(connection, [bench.post("one", IMAGE)])
    list(connection.send(intents, None))
    assert [item.alt for item in bench.standing()[0].media] == [IMAGE.alt]


def test_a_server_that_stays_broken_is_given_up(bench: Bench) -> None:
    bench.server.faults = lambda request, number: bench.answer(503)
    with pytest.raises(RefusedError, match="503"):
        bench.connect()
    assert len(bench.server.log) == retry.ATTEMPTS


def test_a_run_that_is_stopped_asks_nobody_again() -> None:
    stop = threading.Event()
    made = []

    def call() -> None:
        made.append(1)
        raise UnreachableError("no connection")

    stop.set()
    with pytest.raises(UnreachableError):
        Retry(stop)(call, repeatable=True)
    assert len(made) == 1


def test_a_stop_ends_the_wait_for_another_attempt(monkeypatch: pytest.MonkeyPatch) -> None:
    stop = threading.Event()
    made = []

    def call() -> None:
        made.append(1)
        raise RefusedError("limited", retry_after=10)

    timer = threading.Timer(0.2, stop.set)
    timer.start()
    began = time.monotonic()
    with pytest.raises(RefusedError, match="limited"):
        Retry(stop)(call, repeatable=False)
    assert time.monotonic() - began < 5
    assert len(made) == 1
    timer.join()


@contextmanager
def dripping(start: bytes) -> Iterator[str]:
    """A server that answers a byte at a time, for ever."""
    listener = socket.create_server(("127.0.0.1", 0))
    ended = threading.Event()
    threads: list[threading.Thread] = []

    def drip(connection: socket.socket) -> None:
        with connection, suppress(OSError):
            connection.recv(65536)
            connection.sendall(start)
            while not ended.wait(0.02):
                connection.sendall(b"a")

    def accept() -> None:
        with suppress(OSError):
            while True:
                connection, _ = listener.accept()
                threads.append(threading.Thread(target=drip, args=(connection,)))
                threads[-1].start()

    acceptor = threading.Thread(target=accept)
    acceptor.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        ended.set()
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        for thread in (acceptor, *threads):
            thread.join()


@pytest.mark.parametrize("part", ["headers", "body"])
def test_a_server_that_drips_cannot_stretch_a_request(bench: Bench, monkeypatch: pytest.MonkeyPatch, part: str) -> None:
    monkeypatch.setattr(retry, "REQUEST", 0.4)
    monkeypatch.setattr(retry, "ATTEMPTS", 2)
    start = b"HTTP/1.1 200 OK\r\nX-Slow: "
    if part == "body":
        start = b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1000000\r\n\r\n{"a": "'
    with dripping(start) as url:
        (name,) = {"api_url", "service", "api_base_url"} & set(bench.server.options())
        bench.options[name] = url
        began = time.monotonic()
        with pytest.raises(RefusedError, match="in time"):
            bench.connect()
        assert time.monotonic() - began < 5
