"""Who may ask the stand-in for X, and for what."""

from __future__ import annotations

from typing import Any

import pytest
import requests
import tweepy  # type: ignore[import-untyped]  # ships no types

from x_account import Account


@pytest.mark.parametrize("wrong", range(4))
def test_a_signature_must_be_right(account: Account, wrong: int) -> None:
    secrets = list(account.world.secrets().values())
    secrets[wrong] = secrets[wrong][::-1]
    client = tweepy.Client(None, *secrets)
    client.session = account.client.session
    with pytest.raises(tweepy.Unauthorized) as caught:
        client.create_tweet(text="mine")
    assert caught.value.response.json()["title"] == "Unauthorized"
    assert account.world.timeline() == ()


@pytest.mark.parametrize("wrong", range(4))
def test_credentials_may_have_any_letters_and_are_then_wrong(account: Account, wrong: int) -> None:
    secrets = list(account.world.secrets().values())
    secrets[wrong] = "schlüssel \u6771"
    client = tweepy.Client(None, *secrets)
    client.session = account.client.session
    with pytest.raises(tweepy.Unauthorized):
        client.create_tweet(text="mine")
    assert account.world.timeline() == ()


def test_no_signature_no_bearer_and_no_replay(account: Account) -> None:
    url = f"{account.server.url}/2/users/me"
    assert requests.get(url, timeout=5).status_code == 401
    assert requests.get(url, headers={"Authorization": "Bearer abc"}, timeout=5).status_code == 401
    assert requests.get(url, headers={"Authorization": "OAuth nonsense"}, timeout=5).status_code == 401
    answer = requests.get(url, auth=account.auth, timeout=5)
    assert answer.status_code == 200
    signed: Any = answer.request.headers["Authorization"]  # bytes, whatever requests' types say
    assert requests.get(url, headers={"Authorization": signed.decode()}, timeout=5).status_code == 401


def test_unknown_routes(account: Account) -> None:
    assert account.send("GET", "/2/nothing").status_code == 404
    assert account.send("PUT", "/2/tweets").status_code == 404
    assert account.send("GET", "/2/tweets/abc").status_code == 400
