from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from http.client import HTTPConnection
from urllib.parse import urlsplit

import pytest
import requests

from broadcast.errors import ConfigError
from broadcast.rehearsal.base import Request, Response, Seen, json_response, load
from broadcast.rehearsal.server import HALF, HUNG, LOST, MAX_BODY, REFUSED, Entry, Fault, Server


class Counter:
    """A world that counts what it handled."""

    def __init__(self) -> None:
        self.handled: list[Request] = []

    def handle(self, request: Request) -> Response:
        self.handled.append(request)
        if request.path == "/broken":
            raise ZeroDivisionError
        return json_response({"handled": len(self.handled)})

    def options(self, url: str) -> dict[str, str]:
        return {"url": url}

    def secrets(self) -> dict[str, str]:
        return {}

    def timeline(self) -> tuple[Seen, ...]:
        return ()


def only_first(fault: Fault) -> Callable[[Request, int], Fault | None]:
    return lambda request, before: fault if before == 0 else None


def test_a_request_arrives_whole_and_is_logged() -> None:
    world = Counter()
    with Server(world) as server, requests.Session() as session:
        answer = session.post(f"{server.url}/a%20b?x=1&x=2&y=", data=b"\0body", headers={"X-Name": "v"}, timeout=5)
        session.get(f"{server.url}/c", timeout=5)
        assert answer.json() == {"handled": 1}
        assert server.options() == {"url": server.url}
        assert server.log == (Entry("POST", "/a b", 200), Entry("GET", "/c", 200))
    request = world.handled[0]
    assert (request.path, request.query, request.body) == ("/a b", {"x": ("1", "2"), "y": ("",)}, b"\0body")
    assert request.url == f"{server.url}/a%20b?x=1&x=2&y="
    assert request.headers["x-name"] == "v"
    assert (request.param("x"), request.param("z"), request.bearer()) == ("2", None, None)


def test_one_connection_serves_many_requests() -> None:
    with Server(Counter()) as server:
        client = HTTPConnection(urlsplit(server.url).netloc, timeout=5)
        client.connect()
        first = client.sock.getsockname()
        for _ in range(3):
            client.request("GET", "/")
            client.getresponse().read()
            assert client.sock.getsockname() == first
        client.close()


def test_closing_waits_for_nobody_and_leaves_no_thread() -> None:
    before = threading.active_count()
    start = time.monotonic()
    with Server(Counter()) as server, requests.Session() as session:
        for _ in range(3):
            session.get(server.url, timeout=5)
        idle = socket.create_connection(("127.0.0.1", int(server.url.rpartition(":")[2])))
    idle.close()
    assert threading.active_count() == before
    assert time.monotonic() - start < 5
    with pytest.raises(requests.ConnectionError):
        requests.get(server.url, timeout=5)


@pytest.mark.parametrize(("fault", "handled"), [(REFUSED, 0), (LOST, 1)])
def test_a_connection_that_breaks(fault: Fault, handled: int) -> None:
    world = Counter()
    with Server(world, only_first(fault)) as server:
        with pytest.raises(requests.ConnectionError):
            requests.post(server.url, timeout=5)
        assert len(world.handled) == handled
        assert requests.post(server.url, timeout=5).json() == {"handled": handled + 1}
        assert server.log == (Entry("POST", "/", None), Entry("POST", "/", 200))


def test_half_an_answer() -> None:
    world = Counter()
    with Server(world, only_first(HALF)) as server, pytest.raises(requests.exceptions.ChunkedEncodingError):
        requests.post(server.url, timeout=5)
    assert len(world.handled) == 1
    assert server.log == (Entry("POST", "/", None),)


def test_a_server_that_hangs_lets_go_when_it_is_closed() -> None:
    world = Counter()
    start = time.monotonic()
    with Server(world, only_first(HUNG)) as server, pytest.raises(requests.ReadTimeout):
        requests.post(server.url, timeout=0.2)
    assert not world.handled
    assert time.monotonic() - start < 5


@pytest.mark.parametrize("effect", [False, True])
def test_an_error_before_and_after_the_effect(effect: bool) -> None:
    world = Counter()
    with Server(world, only_first(Fault(effect=effect, answer=json_response({"error": "no"}, 503)))) as server:
        answer = requests.post(server.url, timeout=5)
        assert (answer.status_code, answer.json()) == (503, {"error": "no"})
        assert server.log == (Entry("POST", "/", 503),)
    assert len(world.handled) == effect


def test_a_slow_answer() -> None:
    with Server(Counter(), only_first(Fault(delay=0.3))) as server:
        start = time.monotonic()
        assert requests.get(server.url, timeout=5).status_code == 200
        assert time.monotonic() - start >= 0.3


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (f"Content-Length: {MAX_BODY + 1}", b" 413 "),
        ("Content-Length: -1", b" 411 "),
        ("Content-Length: many", b" 411 "),
        ("Content-Length: " + "9" * 5000, b" 411 "),
        ("Transfer-Encoding: chunked", b" 411 "),
    ],
)
def test_a_body_without_a_sane_length_is_not_read(head: str, status: bytes) -> None:
    world = Counter()
    with Server(world) as server, socket.create_connection(("127.0.0.1", int(server.url.rpartition(":")[2]))) as client:
        client.sendall(f"POST / HTTP/1.1\r\nHost: x\r\n{head}\r\n\r\n".encode())
        client.settimeout(5)
        assert status in client.recv(4096)
    assert not world.handled


def test_a_body_that_breaks_off_has_no_effect() -> None:
    world = Counter()
    with Server(world) as server, socket.create_connection(("127.0.0.1", int(server.url.rpartition(":")[2]))) as client:
        client.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhalf")
        client.shutdown(socket.SHUT_WR)
        assert client.recv(4096) == b""
    assert not world.handled


def test_a_mistake_of_a_stand_in_is_not_swallowed() -> None:
    def visit() -> None:
        with Server(Counter()) as server, pytest.raises(requests.ConnectionError):
            requests.get(f"{server.url}/broken", timeout=5)

    with pytest.raises(ZeroDivisionError):
        visit()


def test_requests_side_by_side_reach_the_world_one_at_a_time() -> None:
    world = Counter()
    with Server(world) as server:
        threads = [threading.Thread(target=requests.get, args=(server.url,), kwargs={"timeout": 5}) for _ in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(server.log) == len(world.handled) == 20


@pytest.mark.parametrize(
    ("name", "options", "secrets"),
    [
        ("x", {"api_url"}, {"API_KEY", "API_SECRET", "ACCESS_TOKEN", "ACCESS_TOKEN_SECRET"}),
        ("bluesky", {"service", "handle", "video_service"}, {"APP_PASSWORD"}),
        ("mastodon", {"api_base_url"}, {"ACCESS_TOKEN"}),
    ],
)
def test_the_stand_ins_are_registered(name: str, options: set[str], secrets: set[str]) -> None:
    world, other = load(name).create(), load(name).create()
    assert set(world.options("http://127.0.0.1:1")) == options
    assert set(world.secrets()) == secrets
    assert world.timeline() == ()
    assert not set(world.secrets().values()) & set(other.secrets().values()), "every world has secrets of its own"
    assert not any(secret in repr(world) for secret in world.secrets().values())


def test_an_unknown_stand_in_is_named() -> None:
    with pytest.raises(ConfigError, match="friendster"):
        load("friendster")
