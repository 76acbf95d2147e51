"""Checks OAuth 1.0a signatures (RFC 5849) as a server does."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field

from oauthlib.oauth1 import RequestValidator, ResourceEndpoint  # type: ignore[import-untyped]  # ships no types

from broadcast.rehearsal.base import Request


@dataclass(frozen=True, slots=True)
class Credentials:
    """What an application and one account's consent to it are known by."""

    key: str = field(default_factory=lambda: secrets.token_hex(12), repr=False)
    secret: str = field(default_factory=lambda: secrets.token_hex(25), repr=False)
    token: str = field(default_factory=lambda: secrets.token_hex(15), repr=False)
    token_secret: str = field(default_factory=lambda: secrets.token_hex(22), repr=False)


class Gate:
    """Lets in what is signed with the credentials, each signature once."""

    def __init__(self, credentials: Credentials) -> None:
        self._endpoint = ResourceEndpoint(_Validator(credentials))

    def lets_in(self, request: Request) -> bool:
        headers = {name.title(): value for name, value in request.headers.items()}
        form = "x-www-form-urlencoded" in request.headers.get("content-type", "")
        body = request.body.decode("utf-8", "replace") if form else None
        try:
            valid, _ = self._endpoint.validate_protected_resource_request(
                request.url, http_method=request.method, body=body, headers=headers, realms=[]
            )
        except ValueError:  # an `Authorization` header or a URL that oauthlib cannot take apart
            return False
        return bool(valid)


class _Validator(RequestValidator):  # type: ignore[misc]  # its base class has no types
    enforce_ssl = False
    dummy_client = "nobody"
    dummy_access_token = "nobody"  # noqa: S105 - oauthlib's name for "no such token"

    def __init__(self, credentials: Credentials) -> None:
        super().__init__()
        self._credentials = credentials
        self._used: set[tuple[str, str]] = set()

    def check_client_key(self, client_key: str) -> bool:
        return bool(client_key)

    def check_access_token(self, request_token: str) -> bool:
        return bool(request_token)

    def check_nonce(self, nonce: str) -> bool:
        return bool(nonce)

    def validate_client_key(self, client_key: str, request: object) -> bool:
        return _same(client_key, self._credentials.key)

    def validate_access_token(self, client_key: str, token: str, request: object) -> bool:
        return _same(token, self._credentials.token)

    def validate_timestamp_and_nonce(
        self,
        client_key: str,
        timestamp: str,
        nonce: str,
        request: object,
        request_token: str | None = None,
        access_token: str | None = None,
    ) -> bool:
        new = (timestamp, nonce) not in self._used
        self._used.add((timestamp, nonce))
        return new

    def validate_realms(
        self, client_key: str, token: str, request: object, uri: str | None = None, realms: object = None
    ) -> bool:
        return True

    def get_client_secret(self, client_key: str, request: object) -> str:
        return self._credentials.secret

    def get_access_token_secret(self, client_key: str, token: str, request: object) -> str:
        return self._credentials.token_secret


def _same(given: str, known: str) -> bool:
    """Compared as bytes: of texts, the standard library only compares those in ASCII."""
    return secrets.compare_digest(given.encode("utf-8", "replace"), known.encode())
