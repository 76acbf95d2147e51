"""The sessions of a PDS: access and refresh tokens as signed JWTs, which the SDK reads (https://atproto.com/specs/xrpc)."""

from __future__ import annotations

import base64
import hmac
import json
import secrets
from datetime import timedelta
from typing import Any

from broadcast.rehearsal.base import Clock

ACCESS = "com.atproto.appPass"
REFRESH = "com.atproto.refresh"
LIVES = {ACCESS: timedelta(hours=2), REFRESH: timedelta(days=90)}


class TokenError(ValueError):
    """A token that is not taken. `name` is the `error` of the answer."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(message)
        self.name = name


class Tokens:
    """Makes and checks the tokens of one account."""

    def __init__(self, subject: str, clock: Clock) -> None:
        self._subject = subject
        self._clock = clock
        self._key = secrets.token_bytes(32)
        self._sessions: set[str] = set()

    def pair(self) -> dict[str, str]:
        """A new session."""
        session = secrets.token_urlsafe(24)
        self._sessions.add(session)
        access, refresh = self._make(ACCESS), self._make(REFRESH, session)
        return {"accessJwt": access, "refreshJwt": refresh}

    def service(self, audience: str, method: str | None, expires: int) -> str:
        """A token with which another server may call one method here in the account's name. A real PDS signs it with
        the account's own key."""
        claims = {"iss": self._subject, "aud": audience, "exp": expires, "lxm": method}
        return self._signed({"typ": "JWT", "alg": "HS256"}, claims)

    def is_service(self, token: str) -> bool:
        """Whether it is one of these, still good or not."""
        try:
            return "lxm" in self._claims(token)
        except TokenError:
            return False

    def check_service(self, token: str, audience: str, method: str) -> None:
        """Raises `TokenError`."""
        claims = self._claims(token)
        if claims["aud"] != audience:
            raise TokenError("BadJwtAudience", "jwt audience does not match service did")
        if claims["lxm"] != method:
            raise TokenError("BadJwtLexiconMethod", f'bad jwt lexicon method ("lxm"). must match: {method}')
        if claims["exp"] <= self._clock().timestamp():
            raise TokenError("JwtExpired", "jwt expired")

    def end(self, refresh: str) -> None:
        """Revoke the session of a refresh token. Its access token stays good until it expires."""
        self._sessions.discard(self.check(refresh, REFRESH)["jti"])

    def check(self, token: str, scope: str) -> dict[str, Any]:
        """The claims of a token. Raises `TokenError`."""
        claims = self._claims(token)
        if "scope" not in claims:
            raise TokenError("InvalidToken", "Token could not be verified")
        if claims["scope"] != scope:
            raise TokenError("InvalidToken", "Invalid token type")
        if claims["exp"] <= self._clock().timestamp():
            raise TokenError("ExpiredToken", "Token has expired")
        if "jti" in claims and claims["jti"] not in self._sessions:
            raise TokenError("ExpiredToken", "Token has been revoked")
        return claims

    def _claims(self, token: str) -> dict[str, Any]:
        signed, _, signature = token.rpartition(".")
        if not hmac.compare_digest(self._sign(signed).encode(), signature.encode()):
            raise TokenError("InvalidToken", "Token could not be verified")
        claims: dict[str, Any] = json.loads(_decode(signed.partition(".")[2]))
        return claims

    def _make(self, scope: str, session: str | None = None) -> str:
        now = self._clock()
        claims = {"scope": scope, "sub": self._subject, "iat": int(now.timestamp())}
        claims["exp"] = int((now + LIVES[scope]).timestamp())
        header = {"typ": "at+jwt", "alg": "HS256"}
        return self._signed(header, claims | ({"jti": session} if session else {}))

    def _signed(self, *parts: dict[str, Any]) -> str:
        signed = ".".join(_encode(json.dumps(part).encode()) for part in parts)
        return f"{signed}.{self._sign(signed)}"

    def _sign(self, signed: str) -> str:
        return _encode(hmac.digest(self._key, signed.encode(), "sha256"))


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
