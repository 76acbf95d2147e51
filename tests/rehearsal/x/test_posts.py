"""Posts on the stand-in for X."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import tweepy  # type: ignore[import-untyped]  # ships no types

from broadcast.rehearsal import x
from x_account import Account


def test_a_thread_is_posted_read_back_and_deleted(account: Account) -> None:
    me = account.client.get_me().data
    first = account.post("We see errors in the EU.")
    second = account.post("More details", in_reply_to_tweet_id=first)
    assert me.username == x.USERNAME
    assert [(seen.id, seen.text, seen.reply_to) for seen in account.world.timeline()] == [
        (first, "We see errors in the EU.", None),
        (second, "More details", first),
    ]
    assert account.world.timeline()[0].url == f"https://x.com/{x.USERNAME}/status/{first}"
    fields = ["conversation_id", "created_at", "referenced_tweets", "author_id"]
    read = account.client.get_tweet(second, tweet_fields=fields, user_auth=True).data
    assert (str(read.conversation_id), str(read.author_id)) == (first, x.USER_ID)
    assert [(ref.type, str(ref.id)) for ref in read.referenced_tweets] == [("replied_to", first)]
    assert abs(read.created_at - datetime.now(UTC)) < timedelta(minutes=1)
    assert account.client.delete_tweet(second).data == {"deleted": True}
    assert account.client.get_tweet(second, user_auth=True).data is None
    assert [str(post.id) for post in account.own_posts().data] == [first]
    assert [seen.deleted is None for seen in account.world.timeline()] == [True, False]
    with pytest.raises(tweepy.NotFound):
        account.client.delete_tweet(second)


def test_links_and_signs_change_when_they_are_read_back(account: Account) -> None:
    text = "Q&A <b> 👩‍👩‍👧‍👦 https://status.example.com/incidents/eu-api-errors?x=1 and example.org & <more>."
    post_id = account.post(text)
    read = account.client.get_tweet(post_id, tweet_fields=["entities"], user_auth=True).data
    urls = read.entities["urls"]
    assert "example" not in read.text
    assert read.text.endswith(" &amp; &lt;more&gt;.")
    assert read.text.startswith("Q&amp;A &lt;b&gt; 👩‍👩‍👧‍👦 https://t.co/")
    assert [read.text[url["start"] : url["end"]] for url in urls] == [url["url"] for url in urls]
    assert [url["expanded_url"] for url in urls] == [
        "https://status.example.com/incidents/eu-api-errors?x=1",
        "http://example.org",
    ]
    undone = read.text.replace(urls[0]["url"], "https://status.example.com/incidents/eu-api-errors?x=1")
    assert (
        undone.replace(urls[1]["url"], "example.org").replace("&amp;", "&").replace("&lt;", "<").replace("&gt;", ">")
        == text
    )
    seen = account.world.timeline()[0]
    assert seen.text == text
    assert [seen.text.encode()[link.start : link.end].decode() for link in seen.links] == [
        "https://status.example.com/incidents/eu-api-errors?x=1",
        "example.org",
    ]
    assert seen.links[1].url == "http://example.org"


@pytest.mark.parametrize(
    ("text", "fits"),
    [
        ("a" * 280, True),
        ("a" * 281, False),
        ("語" * 140, True),
        ("語" * 141, False),
        ("👩‍👩‍👧‍👦" * 140, True),
        ("👩‍👩‍👧‍👦" * 141, False),
        ("a" * 256 + " https://example.com/" + "b" * 300, True),
        ("a" * 257 + " https://example.com/" + "b" * 300, False),
        ("b" * 100_000, False),
    ],
)
def test_the_length_of_a_text(account: Account, text: str, fits: bool) -> None:
    if fits:
        account.post(text)
        assert account.world.timeline()[0].text == text
    else:
        with pytest.raises(tweepy.BadRequest, match="too long"):
            account.post(text)
        assert account.world.timeline() == ()


@pytest.mark.parametrize(
    "body",
    [
        {"text": ""},
        {"text": "  "},
        {},
        {"text": "x", "unknown": 1},
        {"text": "x", "reply": {}},
        {"text": "x", "reply": {"in_reply_to_tweet_id": 5}},
        {"text": "x", "media": {"media_ids": []}},
        {"text": "x", "media": {"media_ids": ["1", "2", "3", "4", "5"]}},
        {"text": "x", "media": {"media_ids": ["99"]}},
        {"text": "x\ud800"},
    ],
)
def test_bodies_that_are_refused(account: Account, body: dict[str, Any]) -> None:
    answer = account.send("POST", "/2/tweets", json=body)
    assert answer.status_code == 400
    assert answer.json()["title"] == "Invalid Request"
    assert answer.json()["errors"][0]["message"]
    assert account.world.timeline() == ()


def test_a_duplicate_is_refused(account: Account) -> None:
    first = account.post("All systems operational.")
    with pytest.raises(tweepy.Forbidden, match="duplicate content") as caught:
        account.post("All  systems OPERATIONAL.", in_reply_to_tweet_id=first)
    assert caught.value.response.json() == {
        "detail": "You are not allowed to create a Tweet with duplicate content.",
        "type": "about:blank",
        "title": "Forbidden",
        "status": 403,
    }
    account.client.delete_tweet(first)
    account.post("All systems operational.")
    assert len(account.world.timeline()) == 2


def test_duplicates_can_be_let_through(open_account: Callable[..., Account]) -> None:
    account = open_account(x.Options(refuses_duplicates=False))
    assert account.post("again") != account.post("again")


def test_parents_must_stand(account: Account, open_account: Callable[..., Account]) -> None:
    first = account.post("one")
    account.client.delete_tweet(first)
    for parent in (first, "12345"):
        with pytest.raises(tweepy.Forbidden, match="deleted or not visible"):
            account.post("two", in_reply_to_tweet_id=parent)
    silent = open_account(x.Options(replies_allowed=False))
    parent = silent.post("one")
    with pytest.raises(tweepy.Forbidden, match="Reply to this conversation is not allowed"):
        silent.post("two", in_reply_to_tweet_id=parent)


def test_ids_grow_with_a_clock_that_stands_still(open_account: Callable[..., Account]) -> None:
    account = open_account(clock=lambda: datetime(2026, 11, 22, 14, 5, tzinfo=UTC))
    ids = [int(account.post(f"{number}")) for number in range(3)]
    assert ids == sorted(set(ids))
    assert account.world.timeline()[0].links == ()
