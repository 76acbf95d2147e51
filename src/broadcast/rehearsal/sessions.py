"""Logging in to the stand-in for a PDS, and staying logged in: `com.atproto.server.*`."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any

from broadcast.rehearsal import lexicon, xrpc
from broadcast.rehearsal.base import Clock, Request, Response, json_response
from broadcast.rehearsal.routes import Handler
from broadcast.rehearsal.tokens import ACCESS, REFRESH, TokenError, Tokens

_LOGIN = lexicon.record({"identifier": lexicon.string(), "password": lexicon.string()})


class Sessions:
    """The sessions of one account, which logs in with its handle or its DID."""

    def __init__(self, did: str, handle: str, password: str, clock: Clock, count: Callable[[], None]) -> None:
        """`count` hears of every login, and raises `Refusal` when there were too many."""
        self._count = count
        self._names = {did, handle}
        self._password = password
        self._account: dict[str, Any] = {"did": did, "handle": handle, "active": True}
        self._tokens = Tokens(did, clock)
        self.routes: dict[str, Handler] = {
            "GET /xrpc/com.atproto.server.describeServer": self._describe,
            "POST /xrpc/com.atproto.server.createSession": self._login,
            "GET /xrpc/com.atproto.server.getSession": self._show,
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

    def _describe(self, request: Request) -> Response:
        empty = {"links": {}, "contact": {}, "inviteCodeRequired": False}
        return json_response({"did": "did:web:localhost", "availableUserDomains": [".test"]} | empty)

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
