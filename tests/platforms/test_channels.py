"""What is special to one platform, against its stand-in."""

from __future__ import annotations

import io
import json
import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from broadcast.errors import (
    CredentialsError,
    DuplicateError,
    LostAnswerError,
    RefusedError,
    RepliesRefusedError,
    UnprovableError,
)
from broadcast.model import Media
from broadcast.platforms import x, x_api
from broadcast.rehearsal.base import Response
from broadcast.rehearsal.server import LOST, Fault
from kit import sent

if TYPE_CHECKING:
    from platforms.conftest import Bench, Open

IMAGE = Media("errors.jpg", "Error rate since 14:00")


def _list(*statuses: object) -> Response:
    return Response(200, json.dumps(statuses).encode(), {"Content-Type": "application/json"})


def requests(bench: Bench) -> list[str]:
    return [f"{entry.method} {entry.path}" for entry in bench.server.log]


# --- X ---------------------------------------------------------------------------------------------------------------


def test_x_says_what_a_post_costs(open_bench: Open) -> None:
    bench = open_bench("x")
    assert x.cost(bench.post("See https://example.com")) == 0.20
    assert x.cost(bench.post("See example.com")) == 0.20
    assert x.cost(bench.post("See below")) == 0.015


def test_x_refusing_to_repeat_itself_is_settled_by_looking(open_bench: Open) -> None:
    bench = open_bench("x")
    connection = bench.connect()
    intents = bench.intents(connection, [bench.post("one")])
    there = sent(connection, intents)
    with pytest.raises(DuplicateError, match="duplicate"):
        list(connection.send(intents, None))
    assert connection.find(intents, None) == there


def test_x_refusing_replies_is_said_in_plain_words(open_bench: Open) -> None:
    bench = open_bench("x", replies_allowed=False)
    connection = bench.connect()
    sending = connection.send(bench.intents(connection, [bench.post("one"), bench.post("planned as a reply")]), None)
    first = next(sending)[1]
    assert not first.data
    with pytest.raises(RepliesRefusedError, match="not allowed"):
        next(sending)
    texts = ["two", "three"]
    rest = bench.intents(connection, [bench.post(text) for text in texts])
    refs = sent(connection, rest)
    assert [refs[part].data.get("standalone") for part in (1, 2)] == [True, True]
    assert "refuses replies" in refs[1].data["note"]
    assert "note" not in refs[2].data
    assert [(seen.text, seen.reply_to) for seen in bench.standing()] == [(text, None) for text in ("one", *texts)]
    found = connection.find(rest, None)
    assert [found[part].id for part in (1, 2)] == [refs[part].id for part in (1, 2)]

    bench.options["replies"] = "always"
    sending = bench.connect().send(bench.intents(connection, [bench.post("four"), bench.post("five")]), None)
    next(sending)
    with pytest.raises(RefusedError, match="refuses replies from this account"):
        next(sending)


@pytest.mark.parametrize(
    "words",
    [
        "You can only reply to or quote posts where you are mentioned or are the author.",
        "Programmatic replies require an Enterprise plan.",
        "You are not permitted to perform this action.",
        "Can't reply to this conversation.",
    ],
)
def test_x_refusing_replies_in_other_words(open_bench: Open, words: str) -> None:
    bench = open_bench("x")
    connection = bench.connect()
    first = bench.publish(connection, [bench.post("one")])[0]
    refusal = {"title": "Forbidden", "detail": words, "type": "about:blank", "status": 403}
    bench.fail(bench.answer(403, refusal))
    with pytest.raises(RepliesRefusedError, match="refuses replies"):
        bench.publish(connection, [bench.post("two")], first)
    connection = bench.connect()
    bench.fail(bench.answer(403, refusal))
    with pytest.raises(RefusedError, match="403") as found:  # of a post that is no reply
        bench.publish(connection, [bench.post("three")])
    assert not isinstance(found.value, RepliesRefusedError)


def test_x_parent_that_is_gone(open_bench: Open) -> None:
    bench = open_bench("x")
    connection = bench.connect()
    parent = bench.publish(connection, [bench.post("one")])[0]
    list(connection.delete([parent]))
    with pytest.raises(RefusedError, match=r"^X answered 403: .*deleted or not visible"):
        bench.publish(connection, [bench.post("two")], parent)


def test_x_without_credits(open_bench: Open) -> None:
    bench = open_bench("x", credits=1)
    with pytest.raises(RefusedError, match="no credits left"):
        bench.publish(bench.connect(), [bench.post("one"), bench.post("two")])


def test_x_that_hides_the_timeline_proves_nothing(open_bench: Open) -> None:
    bench = open_bench("x", timeline_readable=False)
    connection = bench.connect()
    intents = bench.intents(connection, [bench.post("one")])
    with pytest.raises(UnprovableError, match="could not be read"):
        connection.find(intents, None)


def test_x_that_lists_late_is_asked_again(open_bench: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(x, "LAG", (0.3, 0.6))
    bench = open_bench("x", lag=timedelta(seconds=0.5))
    connection = bench.connect()
    intents = bench.intents(connection, [bench.post("one")])
    assert connection.find(intents, None) == {}
    there = sent(connection, intents)
    assert connection.find(intents, None) == there


def test_x_timeline_is_read_to_its_end(open_bench: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    bench = open_bench("x")
    connection = bench.connect()
    intents = bench.intents(connection, [bench.post("the one")])
    there = sent(connection, intents)
    bench.publish(connection, [bench.post(f"later {number}") for number in range(12)])
    monkeypatch.setattr(x, "PAGE", 5)
    assert connection.find(intents, None) == there
    monkeypatch.setattr(x, "PAGES", 2)
    with pytest.raises(UnprovableError, match="more than 10 posts"):
        connection.find(intents, None)


def test_x_takes_large_images_in_pieces(open_bench: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(x_api, "CHUNK", 10_000)
    bench = open_bench("x")
    size = (120, 90)
    moving = [Image.frombytes("RGB", size, random.Random(number).randbytes(120 * 90 * 3)) for number in range(3)]
    moving[0].save(bench.root / "moving.gif", save_all=True, append_images=moving[1:])
    bench.publish(bench.connect(), [bench.post("one", Media("moving.gif", "noise"))])
    (seen,) = bench.standing()
    assert (seen.media[0].mime, seen.media[0].alt) == ("image/gif", "noise")
    assert getattr(Image.open(io.BytesIO(seen.media[0].data)), "n_frames", 1) == 3
    assert sum(request.endswith("/append") for request in requests(bench)) > 1


def test_x_uploads_lost_do_no_harm(open_bench: Open) -> None:
    bench = open_bench("x")
    connection = bench.connect()
    intents = bench.intents(connection, [bench.post("one", IMAGE)])
    for path in ("/2/media/upload", "/2/media/metadata"):
        bench.server.faults = lambda request, number, path=path: LOST if request.path == path else None
        with pytest.raises(RefusedError):
            list(connection.send(intents, None))
    assert not bench.standing()
    bench.fail(LOST, path="/2/media/upload")
    list(connection.send(intents, None))
    assert [item.alt for item in bench.standing()[0].media] == [IMAGE.alt]


def test_x_token_that_may_only_read(open_bench: Open) -> None:
    bench = open_bench("x")
    user = {"data": {"id": "1", "username": "news"}}
    bench.fail(bench.answer(200, user, {"x-access-level": "read"}), method="GET", path="/2/users/me")
    with pytest.raises(CredentialsError, match="may only read"):
        bench.connect().verify()


@pytest.mark.parametrize(
    ("status", "headers"), [(429, {"retry-after": "900"}), (404, {})], ids=["rate limited", "not offered"]
)
def test_x_posts_even_when_it_does_not_say_who_the_account_is(
    open_bench: Open, status: int, headers: dict[str, str]
) -> None:
    bench = open_bench("x")
    bench.fail(Fault(effect=False, answer=Response(status, b"{}", headers)), method="GET", path="/2/users/me")
    connection = bench.connect()
    assert "does not say who" in connection.verify().notes[0]
    (ref,) = bench.publish(connection, [bench.post("one")])
    assert ref.url == f"https://x.com/i/status/{ref.id}"
    assert [seen.id for seen in bench.standing()] == [ref.id]


# --- Mastodon --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("v2", [True, False])
def test_mastodon_that_takes_less_than_was_planned(open_bench: Open, v2: bool) -> None:
    bench = open_bench("mastodon", max_characters=400, has_instance_v2=v2)
    with pytest.raises(RefusedError, match=r"set max_characters = 400 under \[channels.news-room\] in broadcast.toml"):
        bench.connect()
    bench.options["max_characters"] = 400
    bench.connect()


def test_mastodon_read_is_sent_on_within_the_server(open_bench: Open) -> None:
    bench = open_bench("mastodon")
    moved = bench.answer(301, None, {"Location": "/api/v2/instance"})
    bench.fail(moved, method="GET", path="/api/v2/instance")
    bench.connect()


def test_mastodon_that_counts_more_for_a_url(open_bench: Open) -> None:
    bench = open_bench("mastodon")
    bench.options["characters_reserved_per_url"] = 20
    with pytest.raises(RefusedError, match="set characters_reserved_per_url = 23"):
        bench.connect()


@pytest.mark.parametrize(
    ("first", "reply", "seen"),
    [
        ("public", "unlisted", ["public", "unlisted"]),
        ("public", "public", ["public", "public"]),
        ("private", "unlisted", ["private", "private"]),
    ],
)
def test_mastodon_replies_are_no_more_open_than_the_first(
    open_bench: Open, first: str, reply: str, seen: list[str]
) -> None:
    bench = open_bench("mastodon")
    bench.options |= {"visibility": first, "reply_visibility": reply}
    bench.publish(bench.connect(), [bench.post("one"), bench.post("two")])
    world = bench.server.world
    assert [status.visibility for status in world.statuses.values()] == seen  # type: ignore[attr-defined]  # of this stand-in


@pytest.mark.parametrize("idempotency", ["replay", "error", "none"])
def test_mastodon_sent_again_after_looking_stands_once(open_bench: Open, idempotency: str) -> None:
    bench = open_bench("mastodon", idempotency=idempotency)
    connection = bench.connect()
    intents = bench.intents(connection, [bench.post("one"), bench.post("two")])
    bench.fail(LOST)
    with pytest.raises(LostAnswerError):
        list(connection.send(intents, None))
    found = connection.find(intents, None)
    list(connection.send(intents[1:], found[1]))
    assert [seen.text for seen in bench.standing()] == ["one", "two"]


def test_mastodon_key_makes_a_repeated_post_the_same(open_bench: Open) -> None:
    bench = open_bench("mastodon")
    connection = bench.connect()
    intents = bench.intents(connection, [bench.post("one")])
    assert list(connection.send(intents, None)) == list(connection.send(intents, None))
    assert len(bench.standing()) == 1


def test_mastodon_waits_until_an_image_is_processed(open_bench: Open) -> None:
    bench = open_bench("mastodon", media_polls=3)
    (ref,) = bench.publish(bench.connect(), [bench.post("one", IMAGE)])
    assert [item.alt for item in bench.standing()[0].media] == [IMAGE.alt]
    assert "note" not in ref.data


def test_mastodon_that_drops_images_is_told_on(open_bench: Open) -> None:
    bench = open_bench("mastodon", drops_media=True)
    (ref,) = bench.publish(bench.connect(), [bench.post("one", IMAGE)])
    assert ref.data["note"] == "the server kept 0 of 1 images"


def test_mastodon_edit_brings_other_images(open_bench: Open) -> None:
    bench = open_bench("mastodon")
    connection = bench.connect()
    (ref,) = bench.publish(connection, [bench.post("one")])
    connection.edit(ref, bench.intents(connection, [bench.post("two", IMAGE)])[0])
    (seen,) = bench.standing()
    assert (seen.text, [item.alt for item in seen.media]) == ("two", [IMAGE.alt])


def test_mastodon_source_settles_what_html_does_not(open_bench: Open) -> None:
    bench = open_bench("mastodon")
    connection = bench.connect()
    intents = bench.intents(connection, [bench.post("what was written")])
    (sent,) = connection.send(intents, None)
    strange: dict[str, object] = {
        "id": sent[1].id,
        "content": "<p>something else</p>",
        "created_at": datetime.now(UTC).isoformat(),
        "in_reply_to_id": None,
        "url": sent[1].url,
        "media_attachments": [],
    }
    account = connection.find(intents, None)
    bench.fail(Fault(effect=False, answer=_list(strange)), method="GET", path="/api/v1/accounts/")
    assert connection.find(intents, None) == account == {1: sent[1]}


def test_clock_far_ahead_proves_nothing(open_bench: Open) -> None:
    for name in ("x", "mastodon"):
        bench = open_bench(name)
        connection = bench.connect()
        (intent,) = bench.intents(connection, [bench.post("one")])
        with pytest.raises(UnprovableError, match="clock"):
            connection.find([replace(intent, at=intent.at + timedelta(hours=3))], None)
