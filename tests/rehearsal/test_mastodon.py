"""The stand-in for Mastodon, driven by Mastodon.py."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests
from mastodon import (
    Mastodon,
    MastodonAPIError,
    MastodonInternalServerError,
    MastodonNotFoundError,
    MastodonRatelimitError,
    MastodonUnauthorizedError,
)

from broadcast.rehearsal import mastodon
from broadcast.rehearsal.base import SeenLink, SeenMedia
from broadcast.rehearsal.server import Server

Serve = Callable[..., Server]


class Account:
    """A client and the world that it talks to."""

    def __init__(self, serve: Serve, options: mastodon.Options = mastodon.DEFAULT, clock: Any = None) -> None:
        self.world = mastodon.create(options, clock) if clock else mastodon.create(options)
        self.server = serve(self.world)
        self.client = self.log_in(self.world.secrets()["ACCESS_TOKEN"])

    def log_in(self, token: str) -> Mastodon:
        url = self.server.options()["api_base_url"]
        return Mastodon(access_token=token, api_base_url=url, ratelimit_method="throw", request_timeout=5)

    def standing(self) -> list[str]:
        return [seen.text for seen in self.world.timeline() if seen.deleted is None]

    def refusal(self, *args: Any, **kwargs: Any) -> tuple[int, str]:
        """Status and message of a post that is refused and leaves nothing behind."""
        before = self.world.timeline()
        with pytest.raises(MastodonAPIError) as caught:
            self.client.status_post(*args, **kwargs)
        assert self.world.timeline() == before
        return caught.value.args[1], caught.value.args[3]


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


def test_a_thread_is_posted_read_back_changed_and_deleted(account: Account) -> None:
    first = account.client.status_post("We see errors.", language="en", visibility="public")
    second = account.client.status_post("Plus de détails", in_reply_to_id=first, language="fr", visibility="unlisted")
    assert [(seen.id, seen.url, seen.text, seen.language, seen.reply_to) for seen in account.world.timeline()] == [
        (str(first.id), first.url, "We see errors.", "en", None),
        (str(second.id), second.url, "Plus de détails", "fr", str(first.id)),
    ]
    assert (second.in_reply_to_id, second.visibility, second.language) == (first.id, "unlisted", "fr")
    assert account.client.status_source(first).text == "We see errors."
    context = account.client.status_context(second)
    assert [one.id for one in context.ancestors] == [first.id]
    assert [one.id for one in account.client.status_context(first).descendants] == [second.id]
    changed = account.client.status_update(first, status="We saw errors.")
    assert changed.edited_at is not None
    assert account.client.status(first).content == "<p>We saw errors.</p>"
    assert account.world.timeline()[0].edited is not None
    assert account.client.status_delete(second).text == "Plus de détails"
    assert account.standing() == ["We saw errors."]
    for gone in (account.client.status, account.client.status_delete, account.client.status_source):
        with pytest.raises(MastodonNotFoundError, match="Record not found"):
            gone(second)


@pytest.mark.parametrize(
    ("text", "fits"),
    [
        ("a" * 500, True),
        ("a" * 501, False),
        ("👩‍👩‍👧‍👦" * 500, True),
        ("👩‍👩‍👧‍👦" * 501, False),
        ("a" * 476 + " https://example.com/" + "b" * 300, True),
        ("a" * 477 + " https://example.com/" + "b" * 300, False),
        ("a" * 488 + " example.com", True),
        ("a" * 489 + " example.com", False),
        ("a" * 494 + " @news@" + "example.social", True),
        ("a" * 495 + " @news@" + "example.social", False),
        ("b" * 200_000, False),
    ],
)
def test_the_length_of_a_text(account: Account, text: str, fits: bool) -> None:
    if fits:
        account.client.status_post(text)
        assert account.standing() == [text]
    else:
        assert account.refusal(text) == (422, "Validation failed: Text character limit of 500 exceeded")


def test_the_limit_is_what_the_instance_says(open_account: Callable[..., Account]) -> None:
    account = open_account(mastodon.Options(max_characters=5000))
    limits = account.client.instance_v2().configuration
    assert limits.statuses.max_characters == 5000
    assert limits.statuses.characters_reserved_per_url == 23
    assert limits.media_attachments.description_limit == 1500
    assert account.client.instance_v1().configuration.statuses.max_characters == 5000
    account.client.status_post("a" * 5000)
    assert account.refusal("a" * 5001)[0] == 422
    assert account.refusal("a" * 4999, spoiler_text="bb")[0] == 422


def test_an_instance_of_the_old_kind(open_account: Callable[..., Account]) -> None:
    account = open_account(mastodon.Options(has_instance_v2=False))
    with pytest.raises(MastodonNotFoundError):
        account.client.instance_v2()
    assert account.client.instance_v1().configuration.statuses.max_characters == 500


def test_statuses_that_are_refused(account: Account) -> None:
    assert account.refusal("") == (422, "Validation failed: Text can't be blank")
    assert account.refusal(" \n ") == (422, "Validation failed: Text can't be blank")
    parent = account.client.status_post("one")
    account.client.status_delete(parent)
    for missing in (parent, 12345):
        assert account.refusal("two", in_reply_to_id=missing) == (
            404,
            "The post you are trying to reply to does not appear to exist.",
        )
    url = f"{account.server.url}/api/v1/statuses"
    header = {"Authorization": f"Bearer {account.world.token}"}
    wrong = requests.post(url, json={"status": "x", "visibility": "loud"}, headers=header, timeout=5)
    assert wrong.status_code == 422
    assert (
        requests.post(url, data=b"{", headers={**header, "Content-Type": "application/json"}, timeout=5).status_code
        == 400
    )
    assert requests.post(url, data=b"x", headers={**header, "Content-Type": "text/plain"}, timeout=5).status_code == 400
    assert account.standing() == []


def test_a_token_must_be_right(account: Account) -> None:
    account.client.app_verify_credentials()
    assert account.client.account_verify_credentials().acct == "broadcast_rehearsal"
    stranger = account.log_in("wrong")
    for call in (
        lambda: stranger.status_post("mine"),
        stranger.account_verify_credentials,
        stranger.app_verify_credentials,
    ):
        with pytest.raises(MastodonUnauthorizedError, match="The access token is invalid"):
            call()
    stranger.instance_v2()
    stranger.session.close()
    assert requests.get(f"{account.server.url}/api/v1/apps/verify_credentials", timeout=5).status_code == 401
    assert account.standing() == []


def test_unknown_routes(account: Account) -> None:
    with pytest.raises(MastodonNotFoundError):
        account.client.instance_peers()
    with pytest.raises(MastodonNotFoundError):
        account.client.account_statuses(5)


def test_a_repeated_key_posts_once_for_an_hour(open_account: Callable[..., Account]) -> None:
    now = [datetime.now(UTC)]
    account = open_account(clock=lambda: now[0])
    first = account.client.status_post("once", idempotency_key="k")
    now[0] += timedelta(minutes=59)
    assert account.client.status_post("once", idempotency_key="k").id == first.id
    assert account.client.status_post("once", idempotency_key="other").id != first.id
    assert len(account.standing()) == 2
    now[0] += timedelta(minutes=2)
    assert account.client.status_post("once", idempotency_key="k").id != first.id
    assert len(account.standing()) == 3


def test_a_refused_status_does_not_use_up_its_key(account: Account) -> None:
    assert account.refusal("a" * 501, idempotency_key="k")[0] == 422
    account.client.status_post("short enough", idempotency_key="k")
    assert account.standing() == ["short enough"]


def test_servers_that_do_not_replay(open_account: Callable[..., Account]) -> None:
    forgetful = open_account(mastodon.Options(idempotency="none"))
    failing = open_account(mastodon.Options(idempotency="error"))
    for account in (forgetful, failing):
        account.client.status_post("twice", idempotency_key="k")
    forgetful.client.status_post("twice", idempotency_key="k")
    with pytest.raises(MastodonInternalServerError):
        failing.client.status_post("twice", idempotency_key="k")
    assert (len(forgetful.standing()), len(failing.standing())) == (2, 1)


def test_the_html_of_a_status(account: Account) -> None:
    text = (
        "First & <second>\nline\n\nhttps://www.example.com/incidents/eu-api-errors?a=1&b=2 #Outage example.org\n\n"
        "#1 no tag, https://a.com/#part no tag"
    )
    status = account.client.status_post(text)
    assert status.content == (
        "<p>First &amp; &lt;second&gt;<br />line</p>"
        '<p><a href="https://www.example.com/incidents/eu-api-errors?a=1&amp;b=2" target="_blank" '
        'rel="nofollow noopener" translate="no"><span class="invisible">https://www.</span>'
        '<span class="ellipsis">example.com/incidents/eu-api-e</span>'
        '<span class="invisible">rrors?a=1&amp;b=2</span></a> '
        '<a href="https://mastodon.localhost/tags/outage" class="mention hashtag" rel="tag">#<span>Outage</span></a> '
        "example.org</p>"
        '<p>#1 no tag, <a href="https://a.com/#part" target="_blank" rel="nofollow noopener" translate="no">'
        '<span class="invisible">https://</span><span class="">a.com/#part</span>'
        '<span class="invisible"></span></a> no tag</p>'
    )
    assert [tag.name for tag in status.tags] == ["outage"]
    seen = account.world.timeline()[0]
    assert seen.text == text
    assert [seen.text.encode()[link.start : link.end].decode() for link in seen.links] == [
        "https://www.example.com/incidents/eu-api-errors?a=1&b=2",
        "https://a.com/#part",
    ]
    assert all(isinstance(link, SeenLink) for link in seen.links)


def test_a_picture_with_a_description(account: Account, png: bytes) -> None:
    media = account.client.media_post(io.BytesIO(png), "image/png", description="Error rate – since 14:00")
    assert media.url is not None
    status = account.client.status_post("See", media_ids=[media])
    assert account.world.timeline()[0].media == (SeenMedia(png, "image/png", "Error rate – since 14:00"),)
    assert status.media_attachments[0].description == "Error rate – since 14:00"
    assert "not found or already attached" in account.refusal("again", media_ids=[media])[1]
    account.client.status_update(status, "See this", media_ids=[media])
    assert len(account.world.timeline()[0].media) == 1
    only = account.client.media_post(png, "image/png")
    account.client.media_update(only, description="later")
    account.client.status_post("", media_ids=[only])
    assert account.world.timeline()[1].media[0].alt == "later"


def test_media_that_take_a_while(open_account: Callable[..., Account], png: bytes) -> None:
    account = open_account(mastodon.Options(media_polls=2))
    media = account.client.media_post(png, "image/png")
    assert media.url is None
    assert "have not finished processing" in account.refusal("early", media_ids=[media])[1]
    assert account.client.media(media).url is None
    assert account.client.media(media).url is not None
    account.client.status_post("now", media_ids=[media])
    assert [entry.status for entry in account.server.log if "media" in entry.path] == [202, 206, 200]


def test_media_that_are_refused(account: Account, png: bytes) -> None:
    for data, alt in ((b"no picture", "a"), (png, "a" * 1501), (png + bytes(16 * 1024**2), "a")):
        with pytest.raises(MastodonAPIError) as caught:
            account.client.media_post(data, "image/png", description=alt)
        assert caught.value.args[1] == 422
    account.client.media_post(png, "image/png", description="a" * 1500)
    video = b"\0\0\0\x18ftypmp42"
    pictures = [account.client.media_post(png, "image/png") for _ in range(5)]
    assert account.refusal("five", media_ids=pictures)[1] == "Validation failed: Cannot attach more than 4 files"
    mixed = [pictures[0], account.client.media_post(video, "video/mp4")]
    assert "Cannot attach a video" in account.refusal("mixed", media_ids=mixed)[1]
    assert "not found" in account.refusal("missing", media_ids=["99"])[1]
    with pytest.raises(MastodonNotFoundError):
        account.client.media("99")


def test_a_server_that_drops_media(open_account: Callable[..., Account], png: bytes) -> None:
    account = open_account(mastodon.Options(drops_media=True))
    status = account.client.status_post("See", media_ids=[account.client.media_post(png, "image/png")])
    assert status.media_attachments == []
    assert account.world.timeline()[0].media == ()


def test_own_statuses_come_in_pages_newest_first(account: Account) -> None:
    posted = [account.client.status_post(f"post {number}") for number in range(7)]
    reply = account.client.status_post("reply", in_reply_to_id=posted[0])
    me = account.client.account_verify_credentials()
    ids = [status.id for status in [*posted, reply]][::-1]
    first = account.client.account_statuses(me, limit=3)
    second: Any = account.client.fetch_next(first)
    assert [one.id for one in first] == ids[:3]
    assert [one.id for one in second] == ids[3:6]
    assert [one.id for one in account.client.fetch_remaining(first)] == ids
    assert [one.id for one in account.client.account_statuses(me, since_id=posted[5])] == ids[:2]
    assert [one.id for one in account.client.account_statuses(me, min_id=posted[0], limit=2)] == [
        posted[2].id,
        posted[1].id,
    ]
    assert reply.id not in [one.id for one in account.client.account_statuses(me, exclude_replies=True)]
    newer: Any = account.client.fetch_previous(second)
    assert [one.id for one in newer] == ids[:3]


def test_limits(open_account: Callable[..., Account]) -> None:
    now = [datetime.now(UTC)]
    account = open_account(mastodon.Options(rate_limited=True), clock=lambda: now[0])
    for _ in range(300):
        account.client.status_post("again")
    assert account.client.ratelimit_remaining == 0
    with pytest.raises(MastodonRatelimitError):
        account.client.status_post("one too many")
    now[0] += timedelta(minutes=5)
    account.client.status_post("in the next window")
    assert len(account.standing()) == 301


def test_ids_grow_with_a_clock_that_stands_still(open_account: Callable[..., Account]) -> None:
    account = open_account(clock=lambda: datetime(2026, 11, 22, 14, 5, tzinfo=UTC))
    ids = [int(account.client.status_post("same").id) for _ in range(3)]
    assert ids == sorted(set(ids))
    assert account.client.status(ids[0]).created_at == datetime(2026, 11, 22, 14, 5, tzinfo=UTC)
