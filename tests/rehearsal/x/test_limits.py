"""Rate limits and credits of the stand-in for X."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest
import tweepy  # type: ignore[import-untyped]  # ships no types

from broadcast.rehearsal import x
from x_account import Account


def test_limits(open_account: Callable[..., Account]) -> None:
    now = [datetime.now(UTC)]
    account = open_account(x.Options(rate_limited=True), clock=lambda: now[0])
    number = count()
    answer = account.send("POST", "/2/tweets", json={"text": f"{next(number)}"})
    assert answer.headers["x-rate-limit-limit"] == "100"
    assert answer.headers["x-rate-limit-remaining"] == "99"
    for _ in range(99):
        account.post(f"{next(number)}")
    with pytest.raises(tweepy.TooManyRequests) as caught:
        account.post("one too many")
    assert caught.value.reset_time == int((now[0] + timedelta(minutes=15)).timestamp())
    assert account.client.get_me().data.username == x.USERNAME
    now[0] += timedelta(minutes=15)
    account.post("in the next window")


def test_a_rehearsal_is_not_held_up_by_limits(account: Account) -> None:
    for number in range(101):
        account.post(f"{number}")
    assert len(account.world.timeline()) == 101


def test_credits_run_out(open_account: Callable[..., Account]) -> None:
    account = open_account(x.Options(credits=1))
    account.post("paid")
    answer = account.send("POST", "/2/tweets", json={"text": "not paid"})
    assert (answer.status_code, answer.json()["title"]) == (402, "CreditsDepleted")
    assert len(account.world.timeline()) == 1
