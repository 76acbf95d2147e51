"""The HTTP session under the SDKs that use requests. Imported late: it brings requests with it."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Collection
from datetime import datetime
from typing import Any
from urllib.parse import urljoin, urlsplit
from weakref import WeakSet

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import MaxRetryError, NewConnectionError

from broadcast.errors import LostAnswerError, RefusedError, SendError
from broadcast.platforms.failures import (
    Judge,
    UnreachableError,
    detail,
    judge,
    redactor,
    retry_after,
    server_time,
)
from broadcast.platforms.retry import bounded, hang_up

CONNECT_TIMEOUT = 10.0
READ_TIMEOUT = 20.0
"""Seconds to wait for a connection, and for each piece of an answer."""


class _Adapter(HTTPAdapter):
    """Knows the sockets of its connections, so that a request that takes too long can be cut off."""

    def __init__(self) -> None:
        self._sockets: WeakSet[socket.socket] = WeakSet()
        super().__init__()

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self._watch(self.poolmanager)

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        known = proxy in self.proxy_manager
        manager = super().proxy_manager_for(proxy, **kwargs)
        if not known:
            self._watch(manager)
        return manager

    def cut(self) -> None:
        hang_up(list(self._sockets))

    def _watch(self, manager: Any) -> None:
        pools = manager.pool_classes_by_scheme
        manager.pool_classes_by_scheme = {scheme: _watched(pool, self._sockets) for scheme, pool in pools.items()}


def _watched(pool: Any, sockets: WeakSet[socket.socket]) -> type:
    """A pool of urllib3's, whose connections tell their sockets."""

    def connect(self: Any) -> None:
        pool.ConnectionCls.connect(self)
        sockets.add(self.sock)

    connection = type(pool.ConnectionCls.__name__, (pool.ConnectionCls,), {"connect": connect})
    return type(pool.__name__, (pool,), {"ConnectionCls": connection})


class Session(requests.Session):
    """Every request has a timeout, goes nowhere else than it was sent to, and fails with one of our errors: an answer
    with an error status never reaches the SDK."""

    def __init__(
        self, service: str, secrets: Collection[str], judged: Judge | None = None, wait: float | None = None
    ) -> None:
        """`wait` is in seconds, in place of `READ_TIMEOUT`."""
        super().__init__()
        self.server_time: datetime | None = None
        """What the server's clock showed in its last answer."""
        self._service = service
        self._clean: Callable[[str], str] = redactor(secrets)
        self._judge = judged or judge(service)
        self._wait = wait
        self._adapter = _Adapter()
        self.mount("https://", self._adapter)
        self.mount("http://", self._adapter)

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        # Whatever the SDK thinks: none, or five minutes.
        kwargs["timeout"] = (CONNECT_TIMEOUT, self._wait or READ_TIMEOUT)
        size = len(request.body) if isinstance(request.body, str | bytes) else 0
        with bounded(size, self._adapter.cut) as late:
            failure: SendError | None = None
            try:
                response = super().send(request, **kwargs)
            except requests.RequestException as error:
                failure = self._broken(error)
            except UnicodeError:  # a header or an address that HTTP cannot hold, before anything is sent
                failure = RefusedError(f"{self._service}: the request cannot be made (UnicodeError)")
        if late.is_set():  # even where there is an answer: headers that are cut off look like the end of them
            raise LostAnswerError(f"{self._service} did not answer in time")
        if failure is not None:
            raise failure
        self.server_time = server_time(response.headers) or self.server_time
        if response.status_code >= 300:
            words = self._clean(detail(response.content))
            raise self._judge(response.status_code, words, retry_after(response.headers))
        return response

    def get_redirect_target(self, resp: requests.Response) -> str | None:
        """Only a read may be sent on, and only within its own host: a redirect would carry the credential, or turn a
        POST into a GET."""
        target = super().get_redirect_target(resp)
        if target is None:
            return None
        here, there = urlsplit(str(resp.url)), urlsplit(urljoin(str(resp.url), target))
        if resp.request.method == "GET" and (here.scheme, here.netloc) == (there.scheme, there.netloc):
            return target
        resp.close()
        raise RefusedError(f"{self._service} sends requests on to {there.hostname}: check the URL in broadcast.toml")

    def _broken(self, error: requests.RequestException) -> SendError:
        """What a failure without an answer means. The error's own words are not shown: they hold the URL."""
        if isinstance(error, requests.ConnectTimeout):
            return UnreachableError(f"{self._service} cannot be reached (no connection in {CONNECT_TIMEOUT:.0f} s)")
        reason = error.args[0].reason if error.args and isinstance(error.args[0], MaxRetryError) else None
        if isinstance(reason, NewConnectionError) or isinstance(error, requests.exceptions.ProxyError):
            return UnreachableError(f"{self._service} cannot be reached (no connection)")
        if reason is not None and any(isinstance(cause, ssl.SSLCertVerificationError) for cause in reason.args):
            return RefusedError(f"{self._service} shows a certificate that is not valid for it")
        # requests' complaints about a URL or a header are ValueErrors, and come before anything is sent.
        if isinstance(error, ValueError) and not isinstance(error, requests.exceptions.InvalidJSONError):
            return RefusedError(f"{self._service}: the request cannot be made ({type(error).__name__})")
        if isinstance(error, requests.Timeout):
            return LostAnswerError(f"{self._service} did not answer in time")
        return LostAnswerError(f"the connection to {self._service} broke before the answer")
