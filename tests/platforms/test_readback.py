"""Before a post is deleted or edited it is read back; and what an earlier run prepared gives keys, never words."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from broadcast.errors import LostAnswerError, SendError
from broadcast.model import Intent, Post, Ref
from broadcast.platforms import standing
from broadcast.platforms.base import Connection, Ours
from broadcast.rehearsal.base import Request
from broadcast.rehearsal.server import Fault
from kit import sent

if TYPE_CHECKING:
    from platforms.conftest import Bench, Open

WORDS = "Buy our coins, says nobody of us."


def published(bench: Bench, connection: Connection, *texts: str) -> list[Ours]:
    intents = bench.intents(connection, [bench.post(text) for text in texts])
    refs = sent(connection, intents)
    return [Ours(refs[intent.part], intent, (intent.post,)) for intent in intents]


def saying(ours: Ours, *texts: str) -> Ours:
    return replace(ours, posts=tuple(Post(text, len(text)) for text in texts))


def test_what_says_what_was_sent_is_ours_and_nothing_else_is(bench: Bench) -> None:
    connection = bench.connect()
    one, two, three, four = published(
        bench, connection, "One <b> & https://status.example.com/a?b=1&copy=2", "Two", "Three", "Four #outage"
    )
    list(connection.delete([three.ref]))
    asked = [one, saying(two, WORDS), three, saying(four, WORDS, "Four #outage")]
    assert connection.differing(asked) == {two.ref.id: standing.OTHER}
    assert connection.differing([]) == {}
    assert len(bench.standing()) == 3


def test_many_are_read_in_few_requests(open_bench: Open) -> None:
    for name, most in (("x", 2), ("bluesky", 1)):
        bench = open_bench(name)
        connection = bench.connect()
        (ours,) = published(bench, connection, "One")
        before = len(bench.server.log)
        gone = [replace(ours, ref=Ref(f"{10**18 + number}")) for number in range(120)] if name == "x" else []
        assert connection.differing([ours, *gone]) == {}
        assert len(bench.server.log) - before == most


def test_a_post_that_cannot_be_read_is_not_taken_for_one_that_is_gone(bench: Bench) -> None:
    connection = bench.connect()
    (ours,) = published(bench, connection, "One")
    refused = bench.answer(403, {"error": "Forbidden", "message": "no", "detail": "no"})
    bench.server.faults = lambda request, number: refused if request.method == "GET" else None
    with pytest.raises(SendError):
        connection.differing([ours])


def test_on_bluesky_a_record_that_was_changed_since_is_not_the_one_that_was_sent(open_bench: Open) -> None:
    bench = open_bench("bluesky")
    connection = bench.connect()
    (ours,) = published(bench, connection, "One")
    other = replace(ours, ref=replace(ours.ref, data={"cid": "bafyrei" + "a" * 52}))
    assert connection.differing([other]) == {ours.ref.id: standing.OTHER}
    nameless = replace(ours, ref=replace(ours.ref, data={}))
    assert connection.differing([nameless]) == {}
    foreign = replace(ours, ref=Ref(ours.ref.id.replace("did:plc:", "did:plc:x")))
    assert connection.differing([foreign]) == {foreign.ref.id: standing.NOT_OURS}


def test_a_post_of_somebody_else_is_not_ours_whatever_it_says(open_bench: Open) -> None:
    """An account that may delete for others, such as one with two users behind it, must not."""
    for name, answer in (
        ("x", {"data": [{"id": "5", "text": "One", "author_id": "7"}]}),
        ("mastodon", {"id": "5", "content": "<p>One</p>", "account": {"id": "7"}}),
    ):
        bench = open_bench(name)
        connection = bench.connect()
        (ours,) = published(bench, connection, "One")
        bench.fail(bench.answer(200, answer), method="GET", path="/2/tweets" if name == "x" else "/api/v1/statuses")
        assert connection.differing([replace(ours, ref=Ref("5"))]) == {"5": standing.NOT_OURS}


# --- what an earlier run prepared


def again(connection: Connection, post: Post, payload: dict[str, Any], parent: Ref | None = None) -> dict[str, Any]:
    (made,) = connection.prepare([post], "en", parent, [payload])
    return dict(made.payload)


@pytest.mark.parametrize("name", ["bluesky", "bluesky-pds"])
def test_a_record_is_made_of_the_post_and_keeps_its_key(open_bench: Open, name: str) -> None:
    bench = open_bench(name)
    connection = bench.connect()
    post = bench.post("One https://status.example.com/a")
    (first,) = bench.intents(connection, [post])
    payload = dict(first.payload)
    assert again(connection, post, payload) == payload  # the same record: a replay is harmless
    forged = payload["record"] | {
        "text": WORDS,
        "facets": [{"index": {"byteStart": 0, "byteEnd": 3}, "features": [{"uri": "https://evil.example"}]}],
        "embed": {"$type": "app.bsky.embed.external", "external": {"uri": "https://evil.example"}},
        "langs": ["xx"],
        "reply": {"root": {"uri": "at://did:plc:x/app.bsky.feed.post/1", "cid": "x"}},
    }
    assert again(connection, post, payload | {"record": forged, "cid": "bafyrei" + "a" * 52}) == payload


@pytest.mark.parametrize(
    "changed",
    [
        {"rkey": "../../x"},
        {"rkey": "self"},
        {"rkey": 5},
        {"record": None},
        {"record": {"createdAt": "2026-99-22T14:05:00.000Z"}},
        {"record": {"createdAt": "yesterday"}},
    ],
)
def test_a_key_of_another_form_is_not_used_again(open_bench: Open, changed: dict[str, Any]) -> None:
    bench = open_bench("bluesky")
    connection = bench.connect()
    (first,) = bench.intents(connection, [bench.post("One")])
    made = again(connection, bench.post("One"), dict(first.payload) | changed)
    assert made["rkey"] not in (first.payload["rkey"], changed.get("rkey"))
    assert made["record"]["text"] == "One"


@pytest.mark.parametrize("name", ["bluesky", "bluesky-pds"])
def test_a_key_that_was_used_stands_against_a_second_write(open_bench: Open, name: str) -> None:
    bench = open_bench(name)
    connection = bench.connect()
    first = bench.intents(connection, [bench.post("One")])
    sent(connection, first)
    second = [replace(first[0], payload=again(connection, bench.post("One"), dict(first[0].payload)))]
    with pytest.raises(SendError):
        sent(connection, second)
    assert set(connection.find(second, None)) == {1}
    assert [seen.text for seen in bench.standing()] == ["One"]


def test_an_idempotency_key_is_kept_and_one_of_another_form_is_not(open_bench: Open) -> None:
    bench = open_bench("mastodon")
    connection = bench.connect()
    key = "0193c6a8-7f1e-4c3d-9a55-3c2f6c1d9e10"
    assert again(connection, bench.post("One"), {"idempotency_key": key, "media": ["x"]}) == {"idempotency_key": key}
    for wrong in (f"{key}\r\nX: y", "1", 5, None, ""):
        made = again(connection, bench.post("One"), {"idempotency_key": wrong})
        assert made["idempotency_key"] != wrong
        assert len(made["idempotency_key"]) == len(key)


def test_an_idempotency_key_of_another_post_does_not_make_that_one_ours(open_bench: Open) -> None:
    bench = open_bench("mastodon")
    connection = bench.connect()
    (first,) = bench.intents(connection, [bench.post("One")])
    sent(connection, [first])
    other: Intent = replace(first, announcement="other", post=bench.post("Other"))
    with pytest.raises(LostAnswerError, match="another post"):
        sent(connection, [other])
    assert [seen.text for seen in bench.standing()] == ["One"]


# --- what a post answers


@pytest.mark.parametrize("name", ["bluesky", "bluesky-pds"])
def test_on_bluesky_no_post_of_another_account_is_answered(open_bench: Open, name: str) -> None:
    bench = open_bench(name)
    connection = bench.connect()
    (ours,) = published(bench, connection, "One")
    stranger = {"uri": "at://did:plc:stranger/app.bsky.feed.post/3kabcdefghi2c", "cid": "bafyrei" + "a" * 52}
    alone = again(connection, bench.post("Two"), {}, Ref(stranger["uri"], data={"cid": stranger["cid"]}))
    assert "reply" not in alone["record"]
    assert "not a post of this account" in alone["note"]
    below = again(connection, bench.post("Two"), {}, replace(ours.ref, data={**ours.ref.data, "root": stranger}))
    here = {"uri": ours.ref.id, "cid": ours.ref.data["cid"]}
    assert below["record"]["reply"] == {"root": here, "parent": here}
    settled = again(connection, bench.post("Two"), {}, Ref(ours.ref.id))  # a human knew no more than its id
    assert settled["record"]["reply"]["parent"] == here


def test_the_stand_in_for_x_looks_up_as_x_does(open_bench: Open) -> None:
    bench = open_bench("x")
    connection = bench.connect()
    (ours,) = published(bench, connection, "One")
    calls: list[Request] = []

    def note(request: Request, number: int) -> Fault | None:
        calls.append(request)
        return None

    bench.server.faults = note
    connection.differing([ours, replace(ours, ref=Ref("5"))])
    (call,) = calls
    assert (call.method, call.path, call.param("ids")) == ("GET", "/2/tweets", f"{ours.ref.id},5")
