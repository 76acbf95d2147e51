"""The stand-in for X, driven by tweepy (and, where tweepy has no method, by signed requests)."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest
import requests
import tweepy  # type: ignore[import-untyped]  # ships no types
from requests_oauthlib import OAuth1  # type: ignore[import-untyped]  # ships no types

from broadcast.rehearsal import x
from broadcast.rehearsal.server import Server

Serve = Callable[..., Server]


class _Session(requests.Session):
    """tweepy has its host hard-coded."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self.url = url

    def request(self, method: str | bytes, url: str | bytes, *args: Any, **kwargs: Any) -> requests.Response:
        target = str(url).replace("https://api.twitter.com", self.url)
        return super().request(method, target, *args, **{**kwargs, "timeout": 5})


class Account:
    """A client and the world that it talks to."""

    def __init__(
        self, serve: Serve, options: x.Options = x.DEFAULT, clock: Callable[[], datetime] | None = None
    ) -> None:
        self.world = x.create(options, clock) if clock else x.create(options)
        self.server = serve(self.world)
        secrets = self.world.secrets()
        keys = [secrets[name] for name in ("API_KEY", "API_SECRET", "ACCESS_TOKEN", "ACCESS_TOKEN_SECRET")]
        self.client = tweepy.Client(None, *keys)
        self.client.session = _Session(self.server.url)
        self.auth = OAuth1(*keys)

    def post(self, text: str | None = None, **kwargs: Any) -> str:
        return str(self.client.create_tweet(text=text, **kwargs).data["id"])

    def send(self, method: str, path: str, **kwargs: Any) -> requests.Response:
        return requests.request(method, self.server.url + path, auth=self.auth, timeout=5, **kwargs)

    def upload(self, data: bytes, alt: str | None = None) -> str:
        answer = self.send("POST", "/2/media/upload", data={"media_category": "tweet_image"}, files={"media": data})
        assert answer.status_code == 200, answer.text
        media_id = str(answer.json()["data"]["id"])
        if alt is not None:
            body = {"id": media_id, "metadata": {"alt_text": {"text": alt}}}
            assert self.send("POST", "/2/media/metadata", json=body).status_code == 200
        return media_id

    def own_posts(self, **kwargs: Any) -> Any:
        return self.client.get_users_tweets(x.USER_ID, user_auth=True, **kwargs)


@pytest.fixture
def open_account(serve: Serve) -> Iterator[Callable[..., Account]]:
    accounts: list[Account] = []

    def start(*args: Any, **kwargs: Any) -> Account:
        accounts.append(Account(serve, *args, **kwargs))
        return accounts[-1]

    yield start
    for account in accounts:
        account.client.session.close()


@pytest.fixture
def account(open_account: Callable[..., Account]) -> Account:
    return open_account()


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


def test_a_picture_with_a_description(account: Account, png: bytes) -> None:
    media = [account.upload(png, "Error rate since 14:00"), account.upload(png)]
    post_id = account.post("See", media_ids=media)
    seen = account.world.timeline()[0]
    assert seen.text == "See"
    assert [(item.data, item.mime, item.alt) for item in seen.media] == [
        (png, "image/png", "Error rate since 14:00"),
        (png, "image/png", ""),
    ]
    read = account.client.get_tweet(
        post_id, tweet_fields=["entities", "attachments"], expansions=["attachments.media_keys"],
        media_fields=["alt_text"], user_auth=True,
    )  # fmt: skip
    assert read.data.text == f"See {read.data.entities['urls'][0]['url']}"
    assert len(read.data.entities["urls"]) == 2
    assert [item.media_key for item in read.includes["media"]] == read.data.attachments["media_keys"]
    only_picture = account.post(media_ids=[media[1]])
    assert account.client.get_tweet(only_picture, user_auth=True).data.text.startswith("https://t.co/")


def test_an_upload_as_json(account: Account, png: bytes) -> None:
    body = {"media": base64.b64encode(png).decode(), "media_category": "tweet_image"}
    answer = account.send("POST", "/2/media/upload", json=body)
    account.post("x", media_ids=[answer.json()["data"]["id"]])
    assert account.world.timeline()[0].media[0].data == png


@pytest.mark.parametrize("as_json", [False, True])
def test_an_upload_in_segments(account: Account, as_json: bool) -> None:
    video = b"\0\0\0\x18ftypmp42" + bytes(range(256)) * 40
    body = {"media_category": "tweet_video", "media_type": "video/mp4", "total_bytes": len(video)}
    media_id = account.send("POST", "/2/media/upload/initialize", json=body).json()["data"]["id"]
    for index, part in ((1, video[5000:]), (0, video[:5000])):
        path = f"/2/media/upload/{media_id}/append"
        if as_json:
            sent = account.send("POST", path, json={"segment_index": index, "media": base64.b64encode(part).decode()})
        else:
            sent = account.send("POST", path, data={"segment_index": index}, files={"media": part})
        assert sent.status_code == 200, sent.text
    done = account.send("POST", f"/2/media/upload/{media_id}/finalize").json()["data"]
    assert done["processing_info"]["state"] == "in_progress"
    with pytest.raises(tweepy.BadRequest):
        account.post("too early", media_ids=[media_id])
    status = account.send("GET", f"/2/media/upload?command=STATUS&media_id={media_id}").json()["data"]
    assert status["processing_info"]["state"] == "succeeded"
    account.post("now", media_ids=[media_id])
    assert account.world.timeline()[0].media[0].data == video


def test_uploads_that_are_refused(account: Account, png: bytes) -> None:
    def upload(data: bytes, category: str = "tweet_image", **more: str) -> int:
        form = {"media_category": category} | more
        return account.send("POST", "/2/media/upload", data=form, files={"media": data}).status_code

    assert upload(b"no picture") == 400
    assert upload(png, "tweet_gif") == 400
    assert upload(png, "banner") == 400
    assert upload(png, media_type="image/png") == 400
    assert upload(png + bytes(5 * 1024**2)) == 400
    assert account.send("POST", "/2/media/upload", json={"media_category": "tweet_image"}).status_code == 400
    begin = "/2/media/upload/initialize"
    assert account.send("POST", begin, json={"media_category": "tweet_image"}).status_code == 400
    assert account.send("POST", begin, json={"total_bytes": 6 * 1024**2}).status_code == 400
    media_id = account.send("POST", begin, json={"total_bytes": 10}).json()["data"]["id"]
    account.send("POST", f"/2/media/upload/{media_id}/append", data={"segment_index": 0}, files={"media": png})
    assert account.send("POST", f"/2/media/upload/{media_id}/finalize").status_code == 400
    assert account.send("POST", "/2/media/upload/5/append", data={"segment_index": 0}, files={"media": png}).ok is False
    assert account.send("GET", "/2/media/upload?media_id=5").status_code == 404


def test_descriptions_have_a_limit(account: Account, png: bytes) -> None:
    media_id = account.upload(png, "a" * 1000)
    for body in (
        {"id": media_id, "metadata": {"alt_text": {"text": "a" * 1001}}},
        {"id": media_id, "metadata": {}},
        {"id": "5", "metadata": {"alt_text": {"text": "a"}}},
    ):
        assert account.send("POST", "/2/media/metadata", json=body).status_code == 400


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


def test_ids_grow_with_a_clock_that_stands_still(open_account: Callable[..., Account]) -> None:
    account = open_account(clock=lambda: datetime(2026, 11, 22, 14, 5, tzinfo=UTC))
    ids = [int(account.post(f"{number}")) for number in range(3)]
    assert ids == sorted(set(ids))
    assert account.world.timeline()[0].links == ()
