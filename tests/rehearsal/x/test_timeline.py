"""Reading one's own posts from the stand-in for X."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import tweepy  # type: ignore[import-untyped]  # ships no types

from broadcast.rehearsal import x
from x_account import Account


def test_own_posts_come_in_pages_newest_first(account: Account) -> None:
    ids = [account.post(f"post {number}") for number in range(12)]
    reply = account.post("a reply", in_reply_to_tweet_id=ids[0])
    first = account.own_posts(max_results=5)
    assert [str(post.id) for post in first.data] == [reply, *ids[:-5:-1]]
    assert (first.meta["newest_id"], first.meta["result_count"]) == (reply, 5)
    second = account.own_posts(max_results=10, pagination_token=first.meta["next_token"])
    assert [str(post.id) for post in second.data] == ids[-5::-1]
    assert "next_token" not in second.meta
    assert [str(post.id) for post in account.own_posts(since_id=ids[10]).data] == [reply, ids[11]]
    assert [str(post.id) for post in account.own_posts(until_id=ids[1]).data] == [ids[0]]
    assert str(account.own_posts(exclude=["replies"]).data[0].id) == ids[11]
    assert account.own_posts(start_time=datetime.now(UTC) + timedelta(hours=1)).data is None
    assert len(account.own_posts(end_time=datetime.now(UTC) + timedelta(hours=1)).data) == 10
    for wrong in ({"max_results": 4}, {"max_results": 101}, {"tweet_fields": ["nonsense"]}, {"start_time": "today"}):
        with pytest.raises(tweepy.BadRequest):
            account.own_posts(**wrong)
    assert account.client.get_users_tweets("5", user_auth=True).errors[0]["title"] == "Not Found Error"


def test_the_fields_by_their_names_of_today(account: Account) -> None:
    first = account.post("one")
    second = account.post("two", in_reply_to_tweet_id=first)
    query = {"post.fields": "created_at,conversation_id", "expansions": "referenced_posts"}
    data = account.send("GET", f"/2/tweets/{second}", params=query).json()["data"]
    assert data["referenced_posts"] == [{"type": "replied_to", "id": first}]
    assert account.send("GET", f"/2/tweets/{second}", params={"post.fields": "referenced_tweets"}).status_code == 400


def test_a_timeline_that_cannot_be_read(open_account: Callable[..., Account]) -> None:
    account = open_account(x.Options(timeline_readable=False))
    account.post("one")
    with pytest.raises(tweepy.Forbidden):
        account.own_posts()
    assert len(account.world.timeline()) == 1


def test_a_timeline_that_lags_behind(open_account: Callable[..., Account]) -> None:
    now = [datetime.now(UTC)]
    account = open_account(x.Options(lag=timedelta(seconds=10)), clock=lambda: now[0])
    post_id = account.post("one")
    assert account.own_posts().data is None
    now[0] += timedelta(seconds=11)
    assert [str(post.id) for post in account.own_posts().data] == [post_id]
