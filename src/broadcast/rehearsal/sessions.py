"""Logging in to the stand-in for a PDS, and staying logged in: `com.atproto.server.*`."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from typing import Any

from broadcast.rehearsal import lexicon, xrpc
from broadcast.rehearsal.base import Clock, Request, Response, json_response, number
from broadcast.rehearsal.routes import Handler
from broadcast.rehearsal.tokens import ACCESS, REFRESH, TokenError, Tokens

DID = "did:web:localhost"
UPLOAD = "com.atproto.repo.uploadBlob"
_LOGIN = lexicon.record({"identifier": lexicon.string(), "password": lexicon.string()})


class Sessions:
    """The sessions of one account, which logs in with its handle or its DID."""

    def __init__(
        self,
        did: str,
        handle: str,
        password: str,
        clock: Clock,
        count: Callable[[], None],
        account: Mapping[str, Any],
    ) -> None:
        """`count` hears of every login, and raises `Refusal` when there were too many. `account` is what a session
        tells of the account besides its names."""
        self._clock = clock
        self._count = count
        self._names = {did, handle}
        self._password = password
        self._account: dict[str, Any] = {"did": did, "handle": handle, **account}
        self._tokens = Tokens(did, clock)
        self.routes: dict[str, Handler] = {
            "GET /xrpc/com.atproto.server.describeServer": self._describe,
            "POST /xrpc/com.atproto.server.createSession": self._login,
            "GET /xrpc/com.atproto.server.getSession": self._show,
            "GET /xrpc/com.atproto.server.getServiceAuth": self._service,
            "POST /xrpc/com.atproto.server.refreshSession": self._refresh,
            "POST /xrpc/com.atproto.server.deleteSession": self._logout,
        }

    def authorize(self, request: Request, scope: str = ACCESS) -> str:
        """The token of a request. Raises `Refusal` when there is none, or one that is not good for this."""
        if not request.headers.get("authorization"):
            raise xrpc.refused(401, "AuthMissing", "Authentication Required")
        token = request.bearer()
        if token is None:
            raise xrpc.refused(400, "InvalidToken", "Unexpected authorization type")
        try:
            self._tokens.check(token, scope)
        except TokenError as error:
            raise xrpc.refused(400, error.name, str(error)) from error
        return token

    def authorize_upload(self, request: Request) -> None:
        """The same for an upload, which another server may make in the account's name. Raises `Refusal`."""
        token = request.bearer()
        if token is None or not self._tokens.is_service(token):
            self.authorize(request)
            return
        try:
            self._tokens.check_service(token, DID, UPLOAD)
        except TokenError as error:
            raise xrpc.refused(401, error.name, str(error)) from error

    def _describe(self, request: Request) -> Response:
        empty = {"links": {}, "contact": {}, "inviteCodeRequired": False}
        return json_response({"did": DID, "availableUserDomains": [".test"]} | empty)

    def _service(self, request: Request) -> Response:
        """A token for a call of another server, good for a minute unless it is for one method."""
        self.authorize(request)
        audience, method = request.param("aud") or "", request.param("lxm")
        now, expires = self._clock().timestamp(), number(request.param("exp"))
        if expires is not None and expires < now:
            raise xrpc.refused(400, "BadExpiration", "expiration is in past")
        if expires is not None and expires > now + 3600:
            message = "cannot request a token with an expiration more than an hour in the future"
            raise xrpc.refused(400, "BadExpiration", message)
        return json_response({"token": self._tokens.service(audience, method, expires or int(now) + 60)})

    def _login(self, request: Request) -> Response:
        body = xrpc.body(request, _LOGIN)
        known = body["identifier"].lower() in self._names
        if known:
            self._count()
        if not (known and secrets.compare_digest(body["password"].encode(), self._password.encode())):
            raise xrpc.refused(401, "AuthenticationRequired", "Invalid identifier or password")
        return json_response(self._tokens.pair() | self._account)

    def _show(self, request: Request) -> Response:
        self.authorize(request)
        return json_response(self._account)

    def _refresh(self, request: Request) -> Response:
        self.authorize(request, REFRESH)
        return json_response(self._tokens.pair() | self._account)

    def _logout(self, request: Request) -> Response:
        self._tokens.end(self.authorize(request, REFRESH))
        return Response(200)
