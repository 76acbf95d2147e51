"""Serves a stand-in's world over real HTTP/1.1 on loopback, keeps a log, and can be told to fail."""

from __future__ import annotations

import socket
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from itertools import count
from socketserver import TCPServer, ThreadingMixIn
from types import TracebackType
from typing import Literal, Self
from urllib.parse import parse_qs, unquote, urlsplit

from broadcast.rehearsal.base import Request, Response, World, json_response, number

MAX_BODY = 64 * 1024 * 1024
"""Bytes of the largest body that is read; a longer one is answered with 413."""
IDLE = 60.0
"""Seconds after which a connection without a request is closed."""


@dataclass(frozen=True, slots=True)
class Fault:
    """How the exchange of one request goes wrong.

    With `effect` the world handles the request first, without it never hears of it. After `delay` seconds comes the
    `answer`: the world's own, a given one in its place, none at all (the connection is closed), or the half of the
    body and then nothing. Closing the server ends every delay.
    """

    effect: bool = True
    delay: float = 0.0
    answer: Response | Literal["own", "none", "half"] = "own"


REFUSED = Fault(effect=False, answer="none")
"""The connection breaks before the request has any effect."""
LOST = Fault(answer="none")
"""The request has its effect and the answer never arrives."""
HALF = Fault(answer="half")
"""The request has its effect and its answer breaks off in the middle."""
HUNG = Fault(effect=False, delay=3600.0, answer="none")
"""The server takes the request and says nothing, for longer than anybody waits."""

Faults = Callable[[Request, int], Fault | None]
"""Decides on each request, given how many came before it; None lets it be."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A request that was made. `status` is None when no whole answer was sent."""

    method: str
    path: str
    status: int | None


class Server:
    """A world at a free port of 127.0.0.1, for as long as the `with` block lasts."""

    def __init__(self, world: World, faults: Faults | None = None) -> None:
        self.world = world
        self.faults = faults
        self._log: list[Entry] = []
        self._number = count()
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._failures: list[BaseException] = []
        self._http = _Http(self)
        self.url = f"http://127.0.0.1:{self._http.server_address[1]}"
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.02,), name=f"rehearsal {self.url}")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.set()
        self._http.shutdown()
        self._thread.join()
        self._http.hang_up()
        self._http.server_close()
        if self._failures and error is None:
            raise self._failures[0]

    @property
    def log(self) -> tuple[Entry, ...]:
        """Every request so far, in the order of their answers."""
        with self._lock:
            return tuple(self._log)

    def options(self) -> dict[str, str]:
        """The keys of a channel's table that point the real client here."""
        return self.world.options(self.url)

    def exchange(self, request: Request) -> tuple[Response | None, bool]:
        """What is sent back, if anything, and whether all of it."""
        fault = (self.faults(request, next(self._number)) if self.faults else None) or Fault()
        response: Response | None = None
        if fault.effect:
            with self._lock:
                response = self.world.handle(request)
        if fault.delay:
            self._closing.wait(fault.delay)
        if isinstance(fault.answer, Response):
            response = fault.answer
        elif fault.answer == "none":
            response = None
        whole = fault.answer != "half"
        self.record(request, response.status if response and whole else None)
        return response, whole

    def record(self, request: Request, status: int | None) -> None:
        with self._lock:
            self._log.append(Entry(request.method, request.path, status))

    def fail(self, error: BaseException) -> None:
        """A mistake of the stand-in itself: its client sees a broken connection, and leaving the block raises it."""
        self._failures.append(error)


class _Http(ThreadingMixIn, TCPServer):
    allow_reuse_address = True
    daemon_threads = False
    request_queue_size = 128

    def __init__(self, server: Server) -> None:
        self.owner = server
        self._open: set[socket.socket] = set()
        self._guard = threading.Lock()
        super().__init__(("127.0.0.1", 0), _Handler)

    def process_request(self, request: socket.socket | tuple[bytes, socket.socket], client_address: object) -> None:
        if isinstance(request, socket.socket):
            with self._guard:
                self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: socket.socket | tuple[bytes, socket.socket]) -> None:
        if isinstance(request, socket.socket):
            with self._guard:
                self._open.discard(request)
        super().shutdown_request(request)

    def hang_up(self) -> None:
        """Wake the threads that wait for the next request of a client that keeps its connection."""
        with self._guard:
            for connection in self._open:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: object, client_address: object) -> None:
        error = sys.exception()
        if error is not None and not isinstance(error, OSError):  # a client that goes away in the middle is no news
            self.owner.fail(error)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "broadcast-rehearsal"
    sys_version = ""
    timeout = IDLE
    wbufsize = -1
    disable_nagle_algorithm = True
    server: _Http

    def __getattr__(self, name: str) -> Callable[[], None]:
        """Every method goes the same way: what is allowed, the stand-in decides."""
        if name.startswith("do_"):
            return self._answer
        raise AttributeError(name)

    def log_message(self, *args: object) -> None:
        """The log is `Server.log`."""

    def _answer(self) -> None:
        length = number(self.headers.get("Content-Length", "0"))
        if self.headers.get("Transfer-Encoding") or length is None:
            self._send(json_response({"error": "Length Required"}, 411), close=True)
            return
        if length > MAX_BODY:
            self._send(json_response({"error": "Payload Too Large"}, 413), close=True)
            return
        body = self.rfile.read(length)
        if len(body) < length:
            self.close_connection = True
            return
        response, whole = self.server.owner.exchange(self._request(body))
        if response is None:
            self.close_connection = True
        else:
            self._send(response, close=not whole, half=not whole)

    def _request(self, body: bytes) -> Request:
        target = urlsplit(self.path)
        host = self.headers.get("Host", "127.0.0.1")
        query = parse_qs(target.query, keep_blank_values=True, errors="replace")
        return Request(
            method=self.command,
            path=unquote(target.path, errors="replace"),
            url=f"http://{host}{self.path}",
            query={name: tuple(values) for name, values in query.items()},
            headers={name.lower(): value for name, value in self.headers.items()},
            body=body,
        )

    def _send(self, response: Response, *, close: bool, half: bool = False) -> None:
        body = b"" if self.command == "HEAD" else response.body
        self.send_response(response.status)
        for name, value in response.headers.items():
            self.send_header(name, value)
        if response.status >= 200 and response.status != 204:
            self.send_header("Content-Length", str(len(response.body)))
        if close:
            self.send_header("Connection", "close")
            self.close_connection = True
        self.end_headers()
        self.wfile.write(body[: len(body) // 2] if half else body)
        self.wfile.flush()
