"""Logging in to the stand-in for a PDS and to a real one: the same answers, in the same words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests
from atproto import Client  # type: ignore[import-untyped]  # ships no types
from atproto.exceptions import (  # type: ignore[import-untyped]  # ships no types
    BadRequestError,
    UnauthorizedError,
)

from bluesky_account import AnyWorld, Open, Serve, create, record, told
from broadcast.rehearsal import bluesky
from pds_server import Pds


def test_a_wrong_password(serve: Serve, world: AnyWorld) -> None:
    client = Client(base_url=serve(world).url)
    for handle, password in ((bluesky.HANDLE, "wrong"), ("nobody.test", world.secrets()["APP_PASSWORD"])):
        with pytest.raises(UnauthorizedError) as caught:
            client.login(handle, password)
        assert told(caught.value) == (401, "AuthenticationRequired", "Invalid identifier or password")
    client.request.close()


def test_logging_in_fails_on_the_profile_with_the_session_set(serve: Serve, world: AnyWorld) -> None:
    client = Client(base_url=serve(world).url)
    with pytest.raises(BadRequestError) as caught:
        client.login(world.did, world.secrets()["APP_PASSWORD"])
    assert told(caught.value)[2] == "No service configured for app.bsky.actor.getProfile"
    assert client.com.atproto.server.get_session().handle == bluesky.HANDLE
    client.request.close()


def test_tokens(serve: Serve, world: AnyWorld) -> None:
    server = serve(world)

    def call(method: str, name: str, token: str | None = None, **kwargs: Any) -> requests.Response:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return requests.request(method, f"{server.url}/xrpc/{name}", headers=headers, timeout=5, **kwargs)

    body = {"identifier": bluesky.HANDLE, "password": world.secrets()["APP_PASSWORD"]}
    session = call("POST", "com.atproto.server.createSession", json=body).json()
    access, refresh = session["accessJwt"], session["refreshJwt"]
    show, renew, end = (f"com.atproto.server.{name}Session" for name in ("get", "refresh", "delete"))
    cases = [
        (call("GET", show), 401, "AuthMissing"),
        (call("GET", show, "abc"), 400, "InvalidToken"),
        (call("GET", show, access[:-4] + "AAAA"), 400, "InvalidToken"),
        (call("GET", show, refresh), 400, "InvalidToken"),
        (call("POST", renew, access), 400, "InvalidToken"),
        (call("POST", end, access), 400, "InvalidToken"),
    ]
    for answer, status, name in cases:
        assert (answer.status_code, answer.json()["error"]) == (status, name)
    assert call("GET", show, access).json()["did"] == world.did
    renewed = call("POST", renew, refresh).json()
    assert call("POST", end, renewed["refreshJwt"]).status_code == 200
    assert call("POST", renew, renewed["refreshJwt"]).json()["error"] == "ExpiredToken"
    basic = requests.get(f"{server.url}/xrpc/{show}", auth=("a", "b"), timeout=5)
    assert (basic.status_code, basic.json()["error"]) == (400, "InvalidToken")


EXPIRED = (400, "ExpiredToken", "Token has expired")


def test_a_token_expires(open_account: Open) -> None:
    now = [datetime.now(UTC)]
    account = open_account(bluesky.create(clock=lambda: now[0]))
    now[0] += timedelta(hours=2)
    assert account.refusal(create(record())) == EXPIRED


def test_a_token_expires_on_a_real_pds(serve: Serve, pds: Pds) -> None:
    claims = {"scope": "com.atproto.appPass", "sub": pds.account.did, "iat": 1_700_000_000, "exp": 1_700_007_200}
    url = f"{serve(pds.world()).url}/xrpc/com.atproto.server.getSession"
    answers = [
        requests.get(url, headers={"Authorization": f"Bearer {pds.signed(claims | more)}"}, timeout=5)
        for more in ({}, {"exp": 4_000_000_000})
    ]
    assert (answers[0].status_code, *answers[0].json().values()) == EXPIRED
    assert answers[1].json()["did"] == pds.account.did
