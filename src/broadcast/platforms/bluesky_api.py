"""The client for a Bluesky PDS: atproto's, with timeouts, one host, and our errors. Imported late: it brings atproto
with it, which takes more than a second."""

from __future__ import annotations

import base64
import json
import re
import socket
import ssl
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit
from weakref import WeakSet

import httpx
from atproto import Client as SdkClient  # type: ignore[import-untyped]  # atproto has no marker for its types
from atproto import Request, Session, SessionEvent, models
from atproto.exceptions import RequestErrorBase  # type: ignore[import-untyped]

from broadcast.errors import CredentialsError, LostAnswerError, RefusedError, SendError
from broadcast.platforms.bluesky_forms import DID, HANDLE
from broadcast.platforms.bluesky_records import COLLECTION
from broadcast.platforms.failures import (
    GoneError,
    MissingBlobError,
    UnreachableError,
    detail,
    field,
    judge,
    redactor,
    retry_after,
)
from broadcast.platforms.media import Image
from broadcast.platforms.retry import Retry, bounded, hang_up

TIMEOUT = httpx.Timeout(20.0, connect=10.0)
"""Seconds; the SDK's own are five, which a PDS that writes a thread may need."""

LOGIN = "com.atproto.server.createSession"
HARMLESS = (
    LOGIN,
    "com.atproto.server.refreshSession",
    "com.atproto.repo.uploadBlob",
    "app.bsky.video.uploadVideo",
)
"""Procedures that may have their effect twice."""

CREDENTIALS = ("ExpiredToken", "InvalidToken", "AccountTakedown", "AccountDeactivated", "AuthFactorTokenRequired")


class Client(SdkClient):  # type: ignore[misc]  # atproto has no marker for its types, so this is a subclass of Any
    """One account on one service."""

    def __init__(self, service: str, retry: Retry, wait: float | None = None) -> None:
        """`wait` is in seconds, in place of `TIMEOUT`."""
        hooks = {"request": [self._watch], "response": [_no_redirect]}
        self._retry = retry
        self._sockets: WeakSet[socket.socket] = WeakSet()
        super().__init__(service, request=Request(timeout=wait or TIMEOUT, event_hooks=hooks))
        self.did = ""
        self.handle = ""
        self.login_answer: Mapping[str, Any] = {}
        self.login_headers: Mapping[str, str] = {}
        """What the server said of the account when it logged in."""
        self._secrets: list[str] = []
        self.on_session_change(self._signed_in)

    def sign_in(self, handle: str, password: str) -> None:
        self._secrets.append(password)
        # The profile is asked of an AppView, which a PDS that stands alone does not have.
        self._ours(lambda: self.login(handle, password, fetch_bsky_profile=False))
        if not re.fullmatch(DID, self.did) or not re.fullmatch(HANDLE, self.handle):
            raise RefusedError("Bluesky answered with a DID or a handle of another form than they have")

    def _signed_in(self, event: SessionEvent, session: Session) -> None:
        """At login, and when the SDK has got new tokens."""
        self.did, self.handle = session.did, session.handle
        self._secrets += [session.access_jwt, session.refresh_jwt]

    def update_base_url(self, base_url: str | None = None) -> None:
        """Stay with the service of `broadcast.toml`. At login the SDK would move to the host that the account's DID
        document names, past a proxy, or where a lone PDS cannot be reached; bsky.social passes requests on itself."""

    def invoke_query(self, nsid: str, *args: Any, **kwargs: Any) -> Any:
        return self._retry(
            lambda: self._ours(lambda: super(Client, self).invoke_query(nsid, *args, **kwargs)), repeatable=True
        )

    def invoke_procedure(self, nsid: str, *args: Any, **kwargs: Any) -> Any:
        content = kwargs.get("content")
        size = len(content) if isinstance(content, bytes) else 0
        answer = self._retry(
            lambda: self._ours(lambda: super(Client, self).invoke_procedure(nsid, *args, **kwargs), size),
            repeatable=nsid in HARMLESS,
        )
        if nsid == LOGIN and isinstance(answer.content, Mapping):
            self.login_answer, self.login_headers = answer.content, answer.headers
        return answer

    def uri(self, key: str) -> str:
        return f"at://{self.did}/{COLLECTION}/{key}"

    def owns(self, uri: str) -> bool:
        """Whether a post is one of this account."""
        return uri == self.uri(uri.rpartition("/")[2])

    def resolve(self, handle: str) -> str:
        """The DID of a handle."""
        params = models.ComAtprotoIdentityResolveHandle.Params(handle=handle)
        answer = self.invoke_query("com.atproto.identity.resolveHandle", params=params).content
        did = str(field("Bluesky", answer, "did"))
        if not re.fullmatch(DID, did):
            raise RefusedError("Bluesky answered with a DID of another form than they have")
        return did

    def scope(self) -> str:
        """What the password of this session may do, by the access token's own claim; empty where it does not tell."""
        try:
            claims = self._session.access_jwt.split(".")[1]
            told = json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))
            return str(told["scope"])
        except (ValueError, LookupError, TypeError, RecursionError):
            return ""

    def pds_did(self) -> str:
        """The DID of the account's PDS, as which it accepts tokens: of the host that the account's DID document names,
        which behind bsky.social is another than `service`; where none is told, as the service calls itself."""
        if host := _pds_host(self.login_answer.get("didDoc")):
            return f"did:web:{host}"
        answer = self.invoke_query("com.atproto.server.describeServer").content
        return str(field("Bluesky", answer, "did"))

    def service_token(self, audience: str, method: str, lifetime: int) -> str:
        """A token with which `audience` (a DID) takes a call of one method in the account's name, for so many
        seconds."""
        params = models.ComAtprotoServerGetServiceAuth.Params(aud=audience, lxm=method, exp=int(time.time()) + lifetime)
        answer = self.invoke_query("com.atproto.server.getServiceAuth", params=params).content
        self._secrets.append(token := str(field("Bluesky", answer, "token")))
        return token

    def upload(self, image: Image) -> str:
        """Upload a blob and return its CID. It is thrown away unless a record refers to it."""
        answer = self.invoke_procedure("com.atproto.repo.uploadBlob", content=image.data, input_encoding=image.mime)
        return str(field("Bluesky", answer.content, "blob", "ref", "$link"))

    def record_cid(self, key: str) -> str | None:
        """The CID of the post under this key, or None where there is none."""
        params = models.ComAtprotoRepoGetRecord.Params(repo=self.did, collection=COLLECTION, rkey=key)
        try:
            answer = self.invoke_query("com.atproto.repo.getRecord", params=params)
        except GoneError:
            return None
        return str(field("Bluesky", answer.content, "cid"))

    def write(self, writes: Sequence[Mapping[str, Any]]) -> list[str | None]:
        """All of these writes or none of them; the CIDs that the repository then has under their keys. The bytes are
        ours, so that the records are those of the intents."""
        body = json.dumps({"repo": self.did, "validate": True, "writes": list(writes)}, ensure_ascii=False)
        answer = self.invoke_procedure(
            "com.atproto.repo.applyWrites", content=body.encode(), input_encoding="application/json"
        )
        results = field("Bluesky", answer.content, "results")
        if not isinstance(results, list) or not all(isinstance(result, dict) for result in results):
            raise LostAnswerError("Bluesky answered something unreadable")
        return [result.get("cid") for result in results]

    def close(self) -> None:
        self.request.close()

    def _ours(self, call: Callable[[], Any], size: int = 0) -> Any:
        """Call the SDK; what it raises becomes one of our errors, whose message holds nothing but what we put there."""
        with bounded(size, self._cut) as late:
            try:
                return call()
            except SendError:
                raise
            except Exception as error:  # noqa: BLE001 - an SDK may stumble over an answer in any way
                if late.is_set():
                    raise LostAnswerError("Bluesky did not answer in time") from None
                raise self._meaning(error) from None

    def _watch(self, request: httpx.Request) -> None:
        """Learn the sockets of connections as they are made (httpx calls this a trace)."""

        def trace(event: str, facts: Mapping[str, Any]) -> None:
            if event in ("connection.connect_tcp.complete", "connection.start_tls.complete"):
                self._sockets.add(facts["return_value"].get_extra_info("socket"))

        request.extensions["trace"] = trace

    def _cut(self) -> None:
        hang_up(list(self._sockets))

    def _meaning(self, error: Exception) -> SendError:
        if isinstance(error, RequestErrorBase) and error.response is not None:
            return self._refusal(error.response)
        cause = error.__cause__ if isinstance(error, RequestErrorBase) and error.__cause__ else error
        if isinstance(cause, httpx.ConnectTimeout | httpx.PoolTimeout):
            return UnreachableError("Bluesky cannot be reached (no connection in time)")
        if isinstance(cause, httpx.ConnectError):
            if _certificate(cause):
                return RefusedError("Bluesky shows a certificate that is not valid for it")
            return UnreachableError("Bluesky cannot be reached (no connection)")
        if isinstance(cause, httpx.ProxyError | httpx.UnsupportedProtocol | httpx.InvalidURL):
            return RefusedError(f"Bluesky cannot be reached ({type(cause).__name__})")
        if isinstance(cause, httpx.TimeoutException):
            return LostAnswerError("Bluesky did not answer in time")
        if isinstance(cause, httpx.HTTPError):
            return LostAnswerError("the connection to Bluesky broke before the answer")
        return LostAnswerError("Bluesky answered something unreadable")

    def _refusal(self, response: Any) -> SendError:
        name, words = _words(response.content)
        said = redactor(self._secrets)(words)
        # No 404 counts as this: the record is missing only where the repository says so.
        if response.status_code == 400 and name == "RecordNotFound":
            return GoneError(f"Bluesky answered 400: {said}")
        if name == "BlobNotFound":
            return MissingBlobError(f"Bluesky answered 400: {said}")
        if name in CREDENTIALS:
            return CredentialsError(f"Bluesky does not accept the credentials ({said})")
        meaning = judge("Bluesky")(response.status_code, said, retry_after(response.headers))
        return RefusedError(str(meaning)) if isinstance(meaning, GoneError) else meaning


def _no_redirect(response: httpx.Response) -> None:
    """A redirect would carry the password or the token to another host."""
    if response.is_redirect:
        raise RefusedError("Bluesky sends requests on to another host: check `service` in broadcast.toml")


def _pds_host(document: Any) -> str | None:
    """The host of the PDS that a DID document names (atproto.com/specs/did#did-documents)."""
    services = document.get("service") if isinstance(document, Mapping) else None
    for one in services if isinstance(services, list) else ():
        if isinstance(one, Mapping) and str(one.get("id")).endswith("#atproto_pds"):
            try:
                return urlsplit(str(one.get("serviceEndpoint"))).hostname
            except ValueError:
                return None
    return None


def _certificate(error: BaseException) -> bool:
    seen: BaseException | None = error
    while seen is not None and not isinstance(seen, ssl.SSLCertVerificationError):
        seen = seen.__cause__ or seen.__context__
    return seen is not None


def _words(content: Any) -> tuple[str, str]:
    """The name of an XRPC error, and it with its message."""
    if isinstance(content, bytes):
        return "", detail(content)
    name, message = getattr(content, "error", ""), getattr(content, "message", "")
    return str(name), ": ".join(str(part) for part in (name, message) if part)
