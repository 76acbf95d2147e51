"""Tokens with which another server acts for an account: the stand-in for a PDS answers as a real one does."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
import requests

from broadcast.rehearsal import bluesky
from broadcast.rehearsal.repo import blob_cid
from broadcast.rehearsal.server import Server
from pds_server import Pds, PdsWorld

UPLOAD = "com.atproto.repo.uploadBlob"
PDS = "did:web:localhost"
VIDEO = b"\0\0\0\x18ftypmp42" + bytes(100)


class Account:
    """A session of an account."""

    def __init__(self, server: Server) -> None:
        self.server = server
        names = {"identifier": server.options()["handle"], "password": server.world.secrets()["APP_PASSWORD"]}
        self.session = self.post("com.atproto.server.createSession", json=names).json()

    def post(self, method: str, token: str | None = None, **content: Any) -> requests.Response:
        headers = content.pop("headers", {}) | ({"Authorization": f"Bearer {token}"} if token else {})
        return requests.post(f"{self.server.url}/xrpc/{method}", headers=headers, timeout=10, **content)

    def ask(self, **params: str) -> requests.Response:
        headers = {"Authorization": f"Bearer {self.session['accessJwt']}"}
        url = f"{self.server.url}/xrpc/com.atproto.server.getServiceAuth"
        return requests.get(url, params=params, headers=headers, timeout=10)

    def upload(self, token: str) -> requests.Response:
        return self.post(UPLOAD, token, data=VIDEO, headers={"Content-Type": "video/mp4"})


@pytest.fixture(params=["stand-in", "pds"])
def account(request: pytest.FixtureRequest, serve: Callable[..., Server]) -> Account:
    if request.param == "stand-in":
        return Account(serve(bluesky.create()))
    server: Pds = request.getfixturevalue("pds")
    world: PdsWorld = server.world()
    return Account(serve(world))


def told(answer: requests.Response) -> tuple[int, str]:
    return answer.status_code, answer.json().get("error", "")


def test_a_session_tells_of_the_account(account: Account) -> None:
    assert account.session["active"] is True
    assert account.session["emailConfirmed"] is True
    assert "@" in account.session["email"]
    assert "status" not in account.session


def test_a_token_uploads_and_does_nothing_else(account: Account) -> None:
    token = account.ask(aud=PDS, lxm=UPLOAD, exp=str(int(time.time()) + 1800)).json()["token"]
    blob = account.upload(token).json()["blob"]
    assert blob == {"$type": "blob", "ref": {"$link": blob_cid(VIDEO)}, "mimeType": "video/mp4", "size": len(VIDEO)}
    body = {"repo": account.session["did"], "writes": []}
    assert told(account.post("com.atproto.repo.applyWrites", token, json=body)) == (400, "InvalidToken")


def test_a_token_for_another_server_or_method_uploads_nothing(account: Account) -> None:
    elsewhere = account.ask(aud="did:web:elsewhere.example", lxm=UPLOAD).json()["token"]
    assert told(account.upload(elsewhere)) == (401, "BadJwtAudience")
    other = account.ask(aud=PDS, lxm="com.atproto.repo.getRecord").json()["token"]
    assert told(account.upload(other)) == (401, "BadJwtLexiconMethod")


def test_a_token_lives_for_an_hour_at_most(account: Account) -> None:
    for expires in (1, int(time.time()) + 3700):
        assert told(account.ask(aud=PDS, lxm=UPLOAD, exp=str(expires))) == (400, "BadExpiration")


def test_only_the_account_gets_one(account: Account) -> None:
    url = f"{account.server.url}/xrpc/com.atproto.server.getServiceAuth"
    answer = requests.get(url, params={"aud": PDS, "lxm": UPLOAD}, timeout=10)
    assert told(answer) == (401, "AuthMissing")
