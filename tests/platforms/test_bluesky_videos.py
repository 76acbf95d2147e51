"""Videos on Bluesky: by its video service, or not at all, and then the page's card stands in their place. The same on
the stand-in and on a real PDS, where the service's stand-in puts what it made into the real PDS."""

from __future__ import annotations

import json
import threading
import time
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast

import pytest
import requests

from broadcast.errors import LostAnswerError, RefusedError
from broadcast.model import Card, Intent, Media, Post, Ref
from broadcast.platforms import bluesky, bluesky_records, bluesky_video
from broadcast.platforms.base import Connection, Workspace
from broadcast.rehearsal.base import Response
from broadcast.rehearsal.bluesky_video import MADE
from broadcast.rehearsal.server import HALF, HUNG, LOST, REFUSED, Fault
from kit import sent
from platforms.test_mp4 import movie, track

if TYPE_CHECKING:
    from platforms.conftest import Bench, Open

VIDEO = Media("outage.mp4", "The dashboard, from green to red")
CONTENT = movie(track(1280, 720))
CARD = Card("https://status.example.com/a.html", "Slow search", "Searches are slow.")


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bluesky_video, "POLL_PAUSE", 0.01)


@pytest.fixture(params=["bluesky", "bluesky-pds"])
def bench(request: pytest.FixtureRequest, open_bench: Open) -> Bench:
    return with_video(open_bench(request.param))


def with_video(bench: Bench) -> Bench:
    (bench.root / VIDEO.path).write_bytes(CONTENT)
    return bench


def asked(bench: Bench) -> list[str]:
    return [entry.path.rpartition(".")[2] for entry in bench.server.log]


def post(bench: Bench, text: str = "one") -> Post:
    return replace(bench.post(text, VIDEO), card=CARD)


def records(bench: Bench) -> list[dict[str, Any]]:
    params = {"repo": bench.server.options()["handle"], "collection": bluesky_records.COLLECTION, "reverse": "true"}
    answer = requests.get(f"{bench.server.url}/xrpc/com.atproto.repo.listRecords", params=params, timeout=10).json()
    return list(answer["records"])


def note(ref: Ref) -> str:
    return str(ref.data["note"])


def left_out(bench: Bench, connection: Connection, words: str) -> Ref:
    """A post is published all the same, with the card, and says why."""
    (ref,) = bench.publish(connection, [post(bench)])
    (seen,) = bench.standing()
    assert (seen.media, seen.card) == ((), CARD.url)
    assert note(ref).startswith("it stands without its video")
    assert words in note(ref), note(ref)
    return ref


def test_a_video_stands_as_the_service_made_it_and_as_it_was_planned(bench: Bench) -> None:
    connection = bench.connect()
    before = len(asked(bench))
    intents = bench.intents(connection, [post(bench), bench.post("two"), bench.post("three")])
    made = asked(bench)[before:]
    assert [name for name in made if name != "describeServer"] == [
        "getServiceAuth",
        "uploadVideo",
        "getJobStatus",
        "getJobStatus",
    ]
    refs = sent(connection, intents)
    assert asked(bench)[before + len(made) :] == ["applyWrites"]
    there = records(bench)
    assert [one["cid"] for one in there] == [intent.payload["cid"] for intent in intents]
    assert [one["value"] for one in there] == [intent.payload["record"] for intent in intents]
    embed = there[0]["value"]["embed"]
    assert embed["$type"] == "app.bsky.embed.video"
    assert embed["aspectRatio"] == {"width": 1280, "height": 720}
    first = bench.standing()[0]
    assert [(item.mime, item.alt, item.data) for item in first.media] == [("video/mp4", VIDEO.alt, CONTENT + MADE)]
    assert "note" not in refs[1].data
    assert connection.find(intents, None) == refs


def test_the_same_video_again_is_known_to_the_service(bench: Bench) -> None:
    bench.publish(bench.connect(), [post(bench)])
    connection = bench.connect()
    bench.publish(connection, [post(bench, "again"), post(bench, "and again")])
    assert [len(seen.media) for seen in bench.standing()] == [1, 1, 1]
    assert asked(bench).count("uploadVideo") == 2, "once for each connection"


def test_a_video_without_a_size_or_a_card_is_one_too(bench: Bench) -> None:
    (bench.root / VIDEO.path).write_bytes(b"\0\0\0\x18ftypmp42" + bytes(500))
    bench.publish(bench.connect(), [bench.post("one", VIDEO)])
    assert "aspectRatio" not in records(bench)[0]["value"]["embed"]
    assert len(bench.standing()[0].media) == 1


@pytest.mark.parametrize(
    ("video", "words"),
    [
        ("unconfirmed", "unconfirmed_email"),
        ("limited", "daily limit"),
        ("fails", "Failed to process"),
        ("stuck", "too long"),
    ],
)
def test_what_the_service_refuses_stands_with_the_card(
    open_bench: Open, video: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bluesky_video, "PATIENCE", 1.0)
    bench = with_video(open_bench("bluesky", video=video))
    ref = left_out(bench, bench.connect(), words)
    assert "video" not in records(bench)[0]["value"].get("embed", {})
    assert ref.data["cid"] == records(bench)[0]["cid"]


FAULTS = {
    "broken": REFUSED,
    "lost": LOST,
    "half": HALF,
    "hung": HUNG,
    "500": Fault(effect=False, answer=Response(500, b"{}")),
    "429": Fault(effect=False, answer=Response(429, b"{}", {"Retry-After": "900"})),
    "404": Fault(effect=False, answer=Response(404, b"<html>")),
    "401": Fault(effect=False, answer=Response(401, b'{"error":"BadJwt"}')),
    "redirect": Fault(effect=False, answer=Response(307, b"", {"Location": "http://localhost:1/"})),
    "html": Fault(effect=False, answer=Response(200, b"<html>")),
    "null": Fault(effect=False, answer=Response(200, b"null", {"Content-Type": "application/json"})),
    "list": Fault(effect=False, answer=Response(200, b"[1]", {"Content-Type": "application/json"})),
    "empty": Fault(effect=False, answer=Response(200, b"{}", {"Content-Type": "application/json"})),
}


@pytest.mark.parametrize("method", ["uploadVideo", "getJobStatus", "getServiceAuth"])
@pytest.mark.parametrize("kind", FAULTS)
def test_an_outage_does_not_wait_for_a_service_that_is_out(
    open_bench: Open, kind: str, method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bluesky_video, "PATIENCE", 0.7)
    monkeypatch.setattr("broadcast.platforms.bluesky_api.TIMEOUT", 0.3)
    bench = with_video(open_bench("bluesky"))
    connection = bench.connect()
    bench.server.faults = lambda request, number: FAULTS[kind] if request.path.endswith(method) else None
    start = time.monotonic()
    left_out(bench, connection, "")
    assert time.monotonic() - start < 5


CID = "bafkreib4qakkveenjkaezvwd7jamrqq7ec4dhzap5wnfdrydw6ec4vfhkq"
BLOBS: list[Any] = [
    {},
    [],
    "x",
    {"ref": {"$link": "x"}, "mimeType": "video/mp4", "size": 5},
    {"ref": {"$link": 5}, "mimeType": "video/mp4", "size": 5},
    {
        "ref": {"$link": CID},
        "mimeType": "text/html",
        "size": 5,
    },
    {
        "ref": {"$link": CID},
        "mimeType": "video/mp4",
        "size": 9**12,
    },
    {
        "ref": {"$link": CID},
        "mimeType": "video/mp4",
        "size": True,
    },
]


@pytest.mark.parametrize("blob", BLOBS)
def test_a_service_that_talks_nonsense_is_not_believed(
    open_bench: Open, blob: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bluesky_video, "PATIENCE", 0.5)
    bench = with_video(open_bench("bluesky"))
    connection = bench.connect()
    answer = {"jobStatus": {"jobId": "1", "did": "x", "state": "JOB_STATE_COMPLETED", "blob": blob}}
    bench.server.faults = lambda request, number: (
        bench.answer(200, answer) if request.path.endswith("getJobStatus") else None
    )
    left_out(bench, connection, "")


def test_words_of_the_service_are_made_harmless_and_tell_no_token(open_bench: Open) -> None:
    bench = with_video(open_bench("bluesky"))
    connection = bench.connect()
    heard: list[str] = []

    def decide(request: Any, number: int) -> Fault | None:
        if not request.path.endswith("uploadVideo"):
            return None
        heard.append(request.bearer())
        return bench.answer(400, {"error": "no", "message": f"\x1b[31m{request.bearer()} {'x' * 1000}"})

    bench.server.faults = decide
    ref = left_out(bench, connection, "***")
    assert heard[0] not in note(ref)
    assert "\x1b" not in note(ref)
    assert len(note(ref)) < 400


def test_the_token_is_good_for_the_upload_alone(bench: Bench) -> None:
    """Neither server would take it for a write."""
    heard: list[Any] = []
    bench.server.faults = lambda request, number: heard.append(request) if "uploadVideo" in request.path else None
    bench.publish(bench.connect(), [post(bench)])
    (upload,) = heard
    answer = requests.post(
        f"{bench.server.url}/xrpc/com.atproto.repo.applyWrites",
        json={"repo": bench.server.options()["handle"], "writes": []},
        headers={"Authorization": upload.headers["authorization"]},
        timeout=10,
    )
    assert (answer.status_code, answer.json()["error"]) == (400, "InvalidToken")


@pytest.fixture(params=["bluesky", "bluesky-pds"])
def lying(request: pytest.FixtureRequest, open_bench: Open) -> Bench:
    """A service that says that the PDS has the video, and it has not: nor has one that was uploaded long ago."""
    bench = with_video(open_bench(request.param))
    cast(Any, bench.server.world).videos.mood = "lies"
    return bench


def chain(bench: Bench, connection: Connection) -> tuple[list[Intent], list[Intent]]:
    """Two updates that are claimed at once: the second answers what the first is expected to be."""
    first = bench.intents(connection, [bench.post("one"), post(bench, "two"), bench.post("three")])
    prepared = connection.prepare([bench.post("unused")], "en", None)
    assert prepared[0].ref is not None
    expected = cast(bluesky.Connection, connection)._ref(first[-1].payload)
    return first, bench.intents(connection, [bench.post("four"), bench.post("five")], expected)


def test_a_video_that_is_gone_is_replaced_by_the_card_in_one_piece(lying: Bench) -> None:
    connection = lying.connect()
    first, second = chain(lying, connection)
    refs = sent(connection, first)
    assert "BlobNotFound" in note(refs[2])
    assert [("note" in refs[part].data) for part in (1, 2, 3)] == [False, True, False]
    more = sent(connection, second, refs[3])
    there = records(lying)
    assert [one["value"]["text"] for one in there] == ["one", "two", "three", "four", "five"]
    ids = [{"uri": one["uri"], "cid": one["cid"]} for one in there]
    assert [one["value"].get("reply") for one in there] == [
        None,
        *({"root": ids[0], "parent": ids[index]} for index in range(4)),
    ]
    assert [ref.data["cid"] for ref in (*refs.values(), *more.values())] == [one["cid"] for one in there]
    assert there[1]["value"]["embed"]["external"]["uri"] == CARD.url

    found = connection.find(first, None)
    assert {part: (ref.id, ref.data["cid"]) for part, ref in found.items()} == {
        part: (ref.id, ref.data["cid"]) for part, ref in refs.items()
    }
    assert connection.find(second, found[3]) == more


def test_a_lost_answer_after_the_card_took_its_place_is_settled(lying: Bench) -> None:
    connection = lying.connect()
    intents = lying.intents(connection, [post(lying), lying.post("two")])
    lying.fail(LOST, skip=1)
    with pytest.raises(LostAnswerError):
        list(connection.send(intents, None))
    found = lying.connect().find(intents, None)
    assert list(found) == [1, 2]
    assert [ref.data["cid"] for ref in found.values()] == [one["cid"] for one in records(lying)]
    assert "without its video" in note(found[1])


def test_what_the_file_is_not_is_refused_as_elsewhere(open_bench: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    bench = open_bench("bluesky")
    (bench.root / VIDEO.path).write_bytes(b"not a video")
    connection = bench.connect()
    with pytest.raises(RefusedError, match=r"outage.mp4: is not an MP4"):
        bench.publish(connection, [post(bench)])
    (bench.root / VIDEO.path).write_bytes(CONTENT)
    monkeypatch.setattr("broadcast.platforms.bluesky_embeds.MAX_VIDEO", 100)
    with pytest.raises(RefusedError, match="of at most 100"):
        bench.publish(connection, [post(bench)])
    assert asked(bench).count("uploadVideo") == 0


def test_without_a_service_nobody_is_asked(open_bench: Open) -> None:
    bench = with_video(open_bench("bluesky"))
    bench.options["video_service"] = ""
    left_out(bench, bench.connect(), "no video_service is configured")
    assert asked(bench) == ["createSession", "applyWrites", *asked(bench)[2:]]


def test_a_run_that_is_stopped_waits_no_longer(open_bench: Open) -> None:
    bench = with_video(open_bench("bluesky", video="stuck"))
    stop = threading.Event()
    workspace = Workspace(bench.root, datetime.now(UTC), stop=stop)
    connection = bluesky.connect(bench.channel, bench.secrets, workspace)
    bench.stack.callback(connection.close)
    threading.Timer(0.3, stop.set).start()
    start = time.monotonic()
    (prepared,) = connection.prepare([post(bench)], "en", None)
    assert time.monotonic() - start < 3
    assert "note" in prepared.payload


DOCUMENTS: list[tuple[Any, str | None]] = [
    ({"service": [{"id": "#atproto_pds", "serviceEndpoint": "https://morel.us-east.host.bsky.network"}]}, "morel"),
    ({"service": [{"id": "#other", "serviceEndpoint": "https://x.example"}]}, None),
    ({"service": [{"id": "did:plc:a#atproto_pds", "serviceEndpoint": "https://morel.example:8443/x"}]}, "morel"),
    ({"service": [{"id": "#atproto_pds", "serviceEndpoint": "https://[x"}]}, None),
    ({"service": [{"id": "#atproto_pds"}, 5]}, None),
    ({"service": "x"}, None),
    ({}, None),
    ([], None),
    (None, None),
]


@pytest.mark.parametrize(("document", "host"), DOCUMENTS)
def test_the_token_is_for_the_server_that_holds_the_account(open_bench: Open, document: Any, host: str | None) -> None:
    """Behind bsky.social, that is another one than the one that is logged in to."""
    client = cast(bluesky.Connection, open_bench("bluesky").connect())._client
    client.login_answer = {"didDoc": document}
    did = client.pds_did()
    assert did.startswith(f"did:web:{host}.") if host else did == "did:web:localhost"
    assert ":" not in did.removeprefix("did:web:")


@pytest.mark.parametrize(
    ("service", "video", "used"),
    [
        ("https://bsky.social", None, "https://video.bsky.app"),
        ("https://bsky.social/", None, "https://video.bsky.app"),
        ("https://morel.us-east.host.bsky.network", None, "https://video.bsky.app"),
        ("https://bsky.social", "", None),
        ("https://pds.example.com", None, None),
        ("https://evilhost.bsky.network", None, None),
        ("https://host.bsky.network.example.com", None, None),
        ("https://pds.example.com", "https://video.example.com/", "https://video.example.com"),
    ],
)
def test_which_service_is_used(service: str, video: str | None, used: str | None) -> None:
    assert bluesky.Options(handle="a.example.com", service=service, video_service=video).video == used


def test_the_service_must_be_safe_to_send_a_token_to() -> None:
    for url in ("http://video.example.com", "https://u:p@video.example.com", "video"):
        with pytest.raises(ValueError, match=r"https://|must not"):
            bluesky.Options(handle="a.example.com", video_service=url)


def test_records_of_a_ledger_are_plain_json(bench: Bench) -> None:
    (intent,) = bench.intents(bench.connect(), [post(bench)])
    assert json.loads(json.dumps(intent.payload)) == intent.payload
