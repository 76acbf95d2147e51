"""The rate limits of the stand-in for a PDS and of a real one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests
from atproto_client.exceptions import RateLimitExceededError  # type: ignore[import-untyped]  # ships no types

from bluesky_account import CREATE, POST, AnyWorld, Open, Serve, record
from broadcast.rehearsal import bluesky
from pds_server import Pds


@pytest.fixture(params=["stand-in", "pds"])
def limited(request: pytest.FixtureRequest) -> AnyWorld:
    if request.param == "stand-in":
        return bluesky.create(bluesky.Options(rate_limited=True))
    server: Pds = request.getfixturevalue("pds")
    return server.world(rate_limited=True)


def test_limits_of_logins(serve: Serve, limited: AnyWorld) -> None:
    server = serve(limited)
    # Longer than any password is, so that a real one need not compute its hash.
    names = {"identifier": server.options()["handle"], "password": "wrong" * 1000}
    before = datetime.now(UTC)
    url = f"{server.url}/xrpc/com.atproto.server.createSession"
    answers = [requests.post(url, json=names, timeout=5) for _ in range(31)]
    assert [answer.status_code for answer in answers] == [401] * 30 + [429]
    assert [answer.headers["ratelimit-remaining"] for answer in answers] == [*map(str, range(29, -1, -1)), "0"]
    assert answers[30].json() == {"error": "RateLimitExceeded", "message": "Rate Limit Exceeded"}
    assert {(one.headers["ratelimit-limit"], one.headers["ratelimit-policy"]) for one in answers} == {
        ("30", "30;w=300")
    }
    reset = datetime.fromtimestamp(int(answers[30].headers["ratelimit-reset"]), UTC)
    assert abs(reset - before - timedelta(minutes=5)) < timedelta(seconds=30)


def test_limits_of_writes(open_account: Open, limited: AnyWorld) -> None:
    account = open_account(limited)
    url = f"{account.server.url}/xrpc/com.atproto.repo.applyWrites"

    def write(number: int, value: dict[str, Any]) -> requests.Response:
        assert account.client._session is not None
        headers = {"Authorization": f"Bearer {account.client._session.access_jwt}"}
        body = {"repo": limited.did, "writes": [{"$type": CREATE, "collection": POST, "value": value}] * number}
        return requests.post(url, json=body, headers=headers, timeout=5)

    # A record is not looked at before the writes are counted, and too many of them are counted too.
    answers = [write(*what) for what in ((5, record()), (1300, {}), (350, {}), (11, record()), (1, {}), (1, record()))]
    assert [one.status_code for one in answers] == [200, 400, 400, 200, 429, 429]
    # At first, the limit of all requests is nearer.
    assert answers[0].headers["ratelimit-policy"] == "3000;w=300"
    assert [one.headers["ratelimit-remaining"] for one in answers[1:]] == ["1085", "35", "2", "0", "0"]
    assert {one.headers["ratelimit-policy"] for one in answers[1:]} == {"5000;w=3600"}
    assert len(limited.timeline()) == 16


def test_a_limit_ends(open_account: Open) -> None:
    now = [datetime.now(UTC)]
    account = open_account(bluesky.create(bluesky.Options(rate_limited=True), lambda: now[0]))
    for _ in range(29):
        account.client.login(bluesky.HANDLE, account.password, fetch_bsky_profile=False)
    with pytest.raises(RateLimitExceededError) as caught:
        account.client.login(bluesky.HANDLE, account.password, fetch_bsky_profile=False)
    assert int(caught.value.response.headers["ratelimit-reset"]) == int((now[0] + timedelta(minutes=5)).timestamp())
    now[0] += timedelta(minutes=5)
    account.client.login(bluesky.HANDLE, account.password, fetch_bsky_profile=False)


def test_a_rehearsal_is_not_held_up_by_limits(open_account: Open) -> None:
    account = open_account(bluesky.create())
    for _ in range(35):
        account.client.login(bluesky.HANDLE, account.password, fetch_bsky_profile=False)
