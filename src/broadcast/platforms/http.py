"""The HTTP session under the SDKs that use requests. Imported late: it brings requests with it."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Collection
from datetime import datetime
from typing import Any
from urllib.parse import urljoin, urlsplit

import requests
from urllib3.exceptions import MaxRetryError, NewConnectionError

from broadcast.errors import LostAnswerError, RefusedError, SendError
from broadcast.platforms.failures import Judge, detail, judge, redactor, retry_after, server_time

CONNECT_TIMEOUT = 10.0
READ_TIMEOUT = 20.0
"""Seconds to wait for a connection, and for each piece of an answer."""


class Session(requests.Session):
    """Every request has a timeout, goes nowhere else than it was sent to, is never repeated, and fails with one of our
    errors: an answer with an error status never reaches the SDK."""

    def __init__(self, service: str, secrets: Collection[str], judged: Judge | None = None) -> None:
        super().__init__()
        self.server_time: datetime | None = None
        """What the server's clock showed in its last answer."""
        self._service = service
        self._clean: Callable[[str], str] = redactor(secrets)
        self._judge = judged or judge(service)

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        kwargs["timeout"] = (CONNECT_TIMEOUT, READ_TIMEOUT)  # whatever the SDK thinks: none, or five minutes
        try:
            response = super().send(request, **kwargs)
        except requests.RequestException as error:
            raise self._broken(error) from None
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
            return RefusedError(f"{self._service} cannot be reached (no connection in {CONNECT_TIMEOUT:.0f} s)")
        reason = error.args[0].reason if error.args and isinstance(error.args[0], MaxRetryError) else None
        if isinstance(reason, NewConnectionError) or isinstance(error, requests.exceptions.ProxyError):
            return RefusedError(f"{self._service} cannot be reached (no connection)")
        if reason is not None and any(isinstance(cause, ssl.SSLCertVerificationError) for cause in reason.args):
            return RefusedError(f"{self._service} shows a certificate that is not valid for it")
        # requests' complaints about a URL or a header are ValueErrors, and come before anything is sent.
        if isinstance(error, ValueError) and not isinstance(error, requests.exceptions.InvalidJSONError):
            return RefusedError(f"{self._service}: the request cannot be made ({type(error).__name__})")
        if isinstance(error, requests.Timeout):
            return LostAnswerError(f"{self._service} did not answer in time")
        return LostAnswerError(f"the connection to {self._service} broke before the answer")
