"""What is special to Bluesky: the same on the stand-in and on a real PDS."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

import pytest
import requests
from PIL import Image

from broadcast.errors import CredentialsError, LostAnswerError, RefusedError, UnprovableError
from broadcast.model import Intent, Media
from broadcast.platforms import bluesky, bluesky_records
from broadcast.rehearsal.base import Response
from broadcast.rehearsal.server import HALF, LOST, Fault
from kit import sent

if TYPE_CHECKING:
    from broadcast.platforms.base import Connection
    from platforms.conftest import Bench, Open

IMAGE = Media("errors.jpg", "Error rate since 14:00 – a steep line 📈")
THREADS = {
    "en": (
        "Elevated API errors in the EU 👩‍👩‍👧‍👦 🏳️‍🌈 🇪🇺 & <b>more</b> #outage https://status.example.com/a?b=1&c=2#d",
        'Second 👋🏽, "quotes" and it\'s\n\nA second paragraph. https://example.com/Ünïcode',
        "Third e\u0301 é, one@example.com and file.py",
        "Fourth: https://example.com/ and https://example.com #status",
        "Fifth ✅ #done",
    ),
    "fr": ("Les requêtes échouent : 5 % d'erreurs – déjà vu ? #panne", "Deux 🥖", "Trois", "Quatre", "Cinq ✅"),
    "ja": ("東京リージョンで障害が発生しています 🗼 #障害 https://status.example.com/ja", "二", "三", "四", "五 ✅"),
}


@pytest.fixture(params=["bluesky", "bluesky-pds"])
def name(request: pytest.FixtureRequest) -> str:
    given: str = request.param
    return given


@pytest.fixture
def bench(name: str, open_bench: Open) -> Bench:
    return open_bench(name)


def asked(bench: Bench) -> list[str]:
    """The methods that were called so far."""
    return [entry.path.rpartition(".")[2] for entry in bench.server.log]


def read(bench: Bench, method: str, **params: str) -> Any:
    repo = {"repo": bench.server.options()["handle"], "collection": bluesky_records.COLLECTION}
    answer = requests.get(f"{bench.server.url}/xrpc/com.atproto.repo.{method}", params=repo | params, timeout=10)
    assert answer.ok, answer.text
    return answer.json()


def equal_the_plan(bench: Bench, intents: Sequence[Intent]) -> None:
    """All that the repository holds is these records, as they were planned and under the CIDs that were foretold."""
    records = read(bench, "listRecords", reverse="true", limit="100")["records"]
    assert [record["uri"].rpartition("/")[2] for record in records] == [intent.payload["rkey"] for intent in intents]
    assert [record["value"] for record in records] == [intent.payload["record"] for intent in intents]
    assert [record["cid"] for record in records] == [intent.payload["cid"] for intent in intents]
    assert [read(bench, "getRecord", rkey=intent.payload["rkey"]) for intent in intents] == records


def test_threads_in_three_languages_are_one_write_each_and_equal_the_plan(bench: Bench) -> None:
    connection = bench.connect()
    everything = []
    for language, texts in THREADS.items():
        posts = [bench.post(texts[0], IMAGE), *(bench.post(text) for text in texts[1:])]
        before = len(asked(bench))
        intents = bench.intents(connection, posts, language=language)
        refs = sent(connection, intents)
        assert asked(bench)[before:] == ["uploadBlob", "applyWrites"]
        assert [ref.data["cid"] for ref in refs.values()] == [intent.payload["cid"] for intent in intents]
        everything += intents

    equal_the_plan(bench, everything)
    seen = bench.standing()
    assert [one.text for one in seen] == [text for texts in THREADS.values() for text in texts]
    assert [one.language for one in seen] == ["en"] * 5 + ["fr"] * 5 + ["ja"] * 5
    assert [[item.alt for item in one.media] for one in seen] == ([[IMAGE.alt]] + [[]] * 4) * 3
    for one in seen:
        for link in one.links:
            assert one.text.encode()[link.start : link.end].decode() == link.url
    assert [len(one.links) for one in seen[:5]] == [1, 1, 0, 2, 0]


def test_requests_of_a_fixed_announcement(bench: Bench) -> None:
    """Five posts, one of them with an image; then two that answer them; then all of it is taken back."""
    connection = bench.connect()
    connection.verify()
    assert asked(bench) == ["createSession"]
    texts = THREADS["en"]
    first = bench.publish(connection, [bench.post(texts[0], IMAGE), *(bench.post(text) for text in texts[1:])])
    assert asked(bench)[1:] == ["uploadBlob", "applyWrites"]
    second = bench.publish(connection, [bench.post("six"), bench.post("seven")], first[-1])
    assert asked(bench)[3:] == ["applyWrites"]
    list(connection.delete([*first, *second][::-1]))
    assert asked(bench)[4:] == ["applyWrites"]
    assert not bench.standing()


def test_chain_over_three_updates_has_one_root(bench: Bench) -> None:
    connection = bench.connect()
    intents = list[Intent]()
    parent = None
    for texts in (("one", "two"), ("three",), ("four", "five")):
        update = bench.intents(connection, [bench.post(text) for text in texts], parent)
        parent = sent(connection, update, parent)[len(texts)]
        connection = bench.connect()
        intents += update

    equal_the_plan(bench, intents)
    ids = [
        {"uri": seen.id, "cid": intent.payload["cid"]} for seen, intent in zip(bench.standing(), intents, strict=True)
    ]
    replies = [record["value"].get("reply") for record in read(bench, "listRecords", reverse="true")["records"]]
    assert replies == [None, *({"root": ids[0], "parent": one} for one in ids[:-1])]
    times = [intent.payload["record"]["createdAt"] for intent in intents]
    assert sorted(times) == times


def test_mentions_are_resolved_before_and_what_is_fixed_then_is_sent(bench: Bench) -> None:
    connection = bench.connect()
    before = len(asked(bench))
    posts = [bench.post("one @newsroom.test @nobody.test #tag", IMAGE), bench.post("two"), bench.post("three")]
    prepared = connection.prepare(posts, "en", None)
    there = sent(connection, bench.intents(connection, posts))

    assert asked(bench)[before:] == ["resolveHandle", "resolveHandle", "uploadBlob", "applyWrites"]
    record = prepared[0].payload["record"]
    kinds = [facet["features"][0]["$type"].rpartition("#")[2] for facet in record["facets"]]
    assert kinds == ["mention", "tag"]  # who cannot be found stays text
    assert record["embed"]["images"][0]["aspectRatio"] == {"width": 256, "height": 256}
    for one in prepared:
        assert one.ref is not None
        assert one.payload["cid"] == bluesky_records.record_cid(one.payload["record"]) == one.ref.data["cid"]
    root = {"uri": there[1].id, "cid": there[1].data["cid"]}
    assert [there[part].data["root"] for part in (1, 2, 3)] == [root] * 3


JSON = {"Content-Type": "application/json"}


@pytest.mark.parametrize(
    "answer",
    [
        *(Response(200, b"<html>", {"Content-Type": "text/html"}), Response(200), Response(204)),
        *(
            Response(200, body, JSON)
            for body in (b"[]", b"null", b"{}", b'{"did": 7}', b'{"did": ["did:plc:a"]}', b"{")
        ),
        Response(302, b"", {"Location": "https://elsewhere.example/"}),
    ],
    ids=lambda answer: f"{answer.status} {answer.body.decode()}",
)
def test_a_mention_whose_account_is_told_in_no_readable_way_stays_text(answer: Response, open_bench: Open) -> None:
    bench = open_bench("bluesky")
    connection = bench.connect()
    fault = Fault(effect=False, answer=answer)
    bench.server.faults = lambda request, number: fault if request.path.endswith("resolveHandle") else None
    posts = [bench.post("Thanks to @newsroom.test for the report")]
    record = connection.prepare(posts, "en", None)[0].payload["record"]
    assert record["text"] == posts[0].text
    assert not record.get("facets")


def test_key_that_is_taken_writes_nothing_and_is_found(bench: Bench) -> None:
    connection = bench.connect()
    intents = bench.intents(connection, [bench.post("one"), bench.post("two")])
    there = sent(connection, intents[:1])
    with pytest.raises(LostAnswerError, match="500"):
        list(connection.send(intents, None))
    assert connection.find(intents, None) == there
    equal_the_plan(bench, intents[:1])


def test_key_with_another_record_proves_nothing(bench: Bench) -> None:
    connection = bench.connect()
    mine, other = bench.intents(connection, [bench.post("mine"), bench.post("other")])
    list(connection.send([mine], None))
    other.payload["rkey"] = mine.payload["rkey"]  # type: ignore[index]  # a Mapping by contract, a dict in fact
    with pytest.raises(UnprovableError, match="another record"):
        connection.find([other], None)


def test_image_that_changed_since_it_was_planned(bench: Bench) -> None:
    connection = bench.connect()
    intents = bench.intents(connection, [bench.post("one", IMAGE)])
    Image.new("RGB", (8, 8)).save(bench.root / "errors.jpg")
    with pytest.raises(RefusedError, match="no longer the one"):
        list(connection.send(intents, None))
    assert not bench.standing()


def test_large_image_is_made_to_fit(bench: Bench) -> None:
    Image.effect_noise((1500, 1200), 100).save(bench.root / "noise.png")
    assert (bench.root / "noise.png").stat().st_size > 1_500_000
    connection = bench.connect()
    intents = bench.intents(connection, [bench.post("one", Media("noise.png", "noise"), IMAGE, IMAGE, IMAGE)])
    list(connection.send(intents, None))
    equal_the_plan(bench, intents)
    (seen,) = bench.standing()
    assert [item.alt for item in seen.media] == ["noise", *[IMAGE.alt] * 3]
    assert 500_000 < len(seen.media[0].data) <= 1_000_000


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("🇪🇺" * 300, "maximum 300, got 301"),
        ("e\u0301" * 300, "maximum 300, got 301"),
        ("👩‍👩‍👧‍👦" * 120, "maximum 3000, got 3001"),
        ("e" + "\u0301" * 1499 + "b", "maximum 3000, got 3001"),
    ],
    ids=["flags", "accents", "family", "one letter"],
)
def test_limits_are_taken_exactly_and_one_over_is_refused_whole(bench: Bench, text: str, words: str) -> None:
    connection = bench.connect()
    limits = bench.channel.limits
    exact, over = bench.post(text), bench.post(text + "a")
    assert exact.length == limits.length or len(text.encode()) == limits.max_bytes
    assert over.length > limits.length or len(over.text.encode()) == 3001
    intents = bench.intents(connection, [bench.post("one"), exact])
    list(connection.send(intents, None))
    with pytest.raises(RefusedError, match=rf"400.*{words}"):
        bench.publish(connection, [bench.post("one"), bench.post("two"), over])
    equal_the_plan(bench, intents)


@pytest.mark.parametrize(
    "cluster",
    [
        "👩‍👩‍👧‍👦",
        "🏴󠁧󠁢󠁥󠁮󠁧󠁿",
        "🇪🇺",
        "👋🏽",
        "क्षि",
        "नमस्ते",
        "한",
        "각",
        "กำ",
        "🫱🏻‍🫲🏿",
        "🐦‍🔥",
        "🧑‍🧑‍🧒",
        "🫪",
        "\r\n",
        "ก็",
        "ൎക",
        "☝️",
        "1️⃣",
    ],
)
def test_graphemes_are_counted_as_the_server_counts_them(bench: Bench, cluster: str) -> None:
    connection = bench.connect()
    some = cluster * 20
    pad = 300 - bench.channel.limits.measure(some)
    bench.publish(connection, [bench.post(some + "a" * pad)])
    with pytest.raises(RefusedError, match="maximum 300, got 301"):
        bench.publish(connection, [bench.post(some + "a" * (pad + 1))])


def test_retracting_what_is_partly_gone(bench: Bench) -> None:
    connection = bench.connect()
    refs = bench.publish(connection, [bench.post(text) for text in THREADS["en"]])
    list(connection.delete([refs[2]]))
    before = len(asked(bench))
    list(connection.delete(refs[::-1]))
    assert asked(bench)[before:] == ["applyWrites", *["getRecord"] * 5, "applyWrites"]
    assert not bench.standing()
    list(connection.delete(refs[::-1]))
    assert asked(bench)[before + 7 :] == ["applyWrites", *["getRecord"] * 5]


@pytest.fixture(params=[HALF, LOST], ids=["half", "lost"])
def fault(request: pytest.FixtureRequest) -> Fault:
    given: Fault = request.param
    return given


def always(bench: Bench, fault: Fault, method: str) -> None:
    bench.server.faults = lambda request, number: fault if request.path.endswith(f".{method}") else None


def test_login_whose_answer_breaks_off_is_made_again(bench: Bench, fault: Fault) -> None:
    bench.fail(fault, path="/xrpc/com.atproto.server.createSession")
    bench.connect()
    always(bench, fault, "createSession")
    with pytest.raises(RefusedError, match="broke before the answer"):
        bench.connect()


def test_upload_whose_answer_breaks_off_posted_nothing(bench: Bench, fault: Fault) -> None:
    connection = bench.connect()
    intents = bench.intents(connection, [bench.post("one", IMAGE), bench.post("two")])
    always(bench, fault, "uploadBlob")
    with pytest.raises(RefusedError, match="broke before the answer"):
        list(connection.send(intents, None))
    assert not bench.standing()
    bench.fail(fault, path="/xrpc/com.atproto.repo.uploadBlob")
    list(connection.send(intents, None))
    equal_the_plan(bench, intents)


def test_question_whose_answer_breaks_off_proves_nothing(bench: Bench, fault: Fault) -> None:
    connection = bench.connect()
    intents = bench.intents(connection, [bench.post("one"), bench.post("two")])
    there = sent(connection, intents)
    always(bench, fault, "getRecord")
    with pytest.raises(UnprovableError, match="broke before the answer"):
        connection.find(intents, None)
    bench.fail(fault, method="GET", path="/xrpc/com.atproto.repo.getRecord", skip=1)
    assert connection.find(intents, None) == there


def test_deletion_whose_answer_breaks_off_is_looked_up(bench: Bench, fault: Fault) -> None:
    connection = bench.connect()
    refs = bench.publish(connection, [bench.post("one"), bench.post("two")])[::-1]
    bench.fail(fault)
    assert list(connection.delete(refs)) == [refs]
    assert not bench.standing()


def expire(connection: Connection) -> None:
    """Let the client think that its access token is over; no server would take this one."""
    session = cast(bluesky.Connection, connection)._client._session
    head, claims, signature = session.access_jwt.split(".")
    old = json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4))) | {"exp": int(time.time()) - 1}
    session.access_jwt = f"{head}.{base64.urlsafe_b64encode(json.dumps(old).encode()).decode().rstrip('=')}.{signature}"


def test_access_token_that_is_over_is_renewed(bench: Bench) -> None:
    connection = bench.connect()
    intents = bench.intents(connection, [bench.post("one"), bench.post("two")])
    expire(connection)
    list(connection.send(intents, None))
    assert asked(bench) == ["createSession", "refreshSession", "applyWrites"]
    equal_the_plan(bench, intents)
    assert connection.verify().name == f"@{bench.server.options()['handle']}"


def test_session_that_was_ended_sends_nothing(bench: Bench) -> None:
    connection = bench.connect()
    intents = bench.intents(connection, [bench.post("one")])
    headers = {"Authorization": f"Bearer {cast(bluesky.Connection, connection)._client._session.refresh_jwt}"}
    ended = requests.post(f"{bench.server.url}/xrpc/com.atproto.server.deleteSession", headers=headers, timeout=10)
    assert ended.ok
    expire(connection)
    with pytest.raises(CredentialsError, match="ExpiredToken"):
        list(connection.send(intents, None))
    assert not bench.standing()


def test_access_token_that_is_over_for_the_server_alone_sends_nothing(bench: Bench) -> None:
    connection = bench.connect()
    intents = bench.intents(connection, [bench.post("one")])
    bench.fail(bench.answer(400, {"error": "ExpiredToken", "message": "Token has expired"}))
    with pytest.raises(CredentialsError, match="Token has expired"):
        list(connection.send(intents, None))
    assert not bench.standing()


def test_writes_beyond_the_limit_did_nothing_and_say_when_to_come_back(name: str, open_bench: Open) -> None:
    bench = open_bench(name, rate_limited=True)
    connection = bench.connect()
    intents = bench.intents(connection, [bench.post("one")])
    token = cast(bluesky.Connection, connection)._client._session.access_jwt
    # Writes that are refused count too, so that two requests are enough to use up an hour's.
    junk = {"$type": "com.atproto.repo.applyWrites#create", "collection": bluesky_records.COLLECTION, "value": {}}
    for number in (1300, 367):
        answer = requests.post(
            f"{bench.server.url}/xrpc/com.atproto.repo.applyWrites",
            json={"repo": bench.server.options()["handle"], "writes": [junk] * number},
            headers={"Authorization": f"Bearer {token}"},
            timeout=10,
        )
    assert answer.status_code == 429

    with pytest.raises(RefusedError, match="429: RateLimitExceeded") as caught:
        list(connection.send(intents, None))
    assert caught.value.retry_after is not None
    assert 3500 < caught.value.retry_after <= 3600
    assert connection.find(intents, None) == {}
    assert not bench.standing()


def test_logins_beyond_the_limit_say_when_to_come_back(name: str, open_bench: Open) -> None:
    bench = open_bench(name, rate_limited=True)
    # Longer than any password is, so that a real one need not compute its hash.
    names = {"identifier": bench.server.options()["handle"], "password": "wrong" * 1000}
    for _ in range(30):
        requests.post(f"{bench.server.url}/xrpc/com.atproto.server.createSession", json=names, timeout=10)
    with pytest.raises(RefusedError, match="429: RateLimitExceeded") as caught:
        bench.connect()
    assert caught.value.retry_after is not None
    assert 250 < caught.value.retry_after <= 300


def test_keys_sort_by_time_and_never_repeat() -> None:
    keys = [bluesky_records.tids.next() for _ in range(10_000)]
    assert sorted(set(keys)) == keys
    assert {len(key) for key in keys} == {13}
    # The example of https://atproto.com/specs/tid: 13 characters of this alphabet, the first of them at most `j`.
    assert all(key[0] in "234567abcdefghij" and set(key) <= set("234567abcdefghijklmnopqrstuvwxyz") for key in keys)


def test_handle_is_one() -> None:
    assert bluesky.Options(handle="@Status.Example.com").handle == "status.example.com"
    for handle in ("status", "a b.com", "me@example.com", ""):
        with pytest.raises(ValueError, match="handle"):
            bluesky.Options(handle=handle)
