"""The stand-in for a PDS and a real one, driven by atproto: the same tests, the same answers, in the same words."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import libipld
import pytest
import requests
from atproto import Client, models  # type: ignore[import-untyped]  # ships no types
from atproto.exceptions import (  # type: ignore[import-untyped]  # ships no types
    AtProtocolError,
    BadRequestError,
    RequestException,
    UnauthorizedError,
)
from atproto_client.exceptions import RateLimitExceededError  # type: ignore[import-untyped]  # ships no types

from broadcast.rehearsal import bluesky
from broadcast.rehearsal.base import Seen, SeenLink, SeenMedia
from broadcast.rehearsal.server import Server
from pds_server import Pds, PdsWorld

Serve = Callable[..., Server]
AnyWorld = bluesky.BlueskyWorld | PdsWorld
POST = "app.bsky.feed.post"
CREATE = "com.atproto.repo.applyWrites#create"
UPDATE = "com.atproto.repo.applyWrites#update"
DELETE = "com.atproto.repo.applyWrites#delete"
STRONG = "com.atproto.repo.strongRef"
old_way_of_httpx = pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")
"""The SDK uploads files in a way that httpx no longer likes."""
KEYS = [f"3lxq2k3c{letter}{letter}k2z" for letter in "abcdefgh"]


def cid_of(record: dict[str, Any]) -> str:
    """As a client computes it: of what the SDK sends, which puts a `$type` into every object."""
    digest = hashlib.sha256(libipld.encode_dag_cbor(record)).digest()
    return str(libipld.encode_cid(b"\x01\x71\x12\x20" + digest))


def record(text: str = "hello", **more: Any) -> dict[str, Any]:
    return {"$type": POST, "text": text, "createdAt": "2026-11-22T14:05:00.000Z", "langs": ["en"], **more}


def create(value: dict[str, Any], key: str | None = KEYS[0]) -> dict[str, Any]:
    write = {"$type": CREATE, "collection": POST, "value": value}
    return write | ({"rkey": key} if key is not None else {})


class Account:
    """A client that is logged in, and the world that it talks to."""

    def __init__(self, serve: Serve, world: AnyWorld) -> None:
        self.world = world
        self.server = serve(world)
        self.password = world.secrets()["APP_PASSWORD"]
        self.client = Client(base_url=self.server.options()["service"])
        self.client.login(self.server.options()["handle"], self.password, fetch_bsky_profile=False)

    def write(self, *writes: dict[str, Any], **more: Any) -> Any:
        return self.client.com.atproto.repo.apply_writes({"repo": self.world.did, "writes": list(writes), **more})

    def send(self, body: Any) -> Any:
        """Past the SDK's models, which mend or refuse what is wrong."""
        return self.client.request.post(f"{self.server.url}/xrpc/com.atproto.repo.applyWrites", json=body)

    def refusal(self, *writes: dict[str, Any], **more: Any) -> tuple[int, str, str]:
        """Status, name and message of a write that is refused and changes nothing."""
        before = self.world.timeline()
        with pytest.raises(AtProtocolError) as caught:
            self.send({"repo": self.world.did, "writes": list(writes), **more})
        assert self.world.timeline() == before
        return told(caught.value)

    def stands(self) -> list[Seen]:
        """What was not deleted; only the stand-in remembers the rest."""
        return [seen for seen in self.world.timeline() if seen.deleted is None]

    def uri(self, key: str) -> str:
        return f"at://{self.world.did}/{POST}/{key}"


def told(error: Any) -> tuple[int, str, str]:
    return error.response.status_code, error.response.content.error, error.response.content.message


Open = Callable[[AnyWorld], Account]


@pytest.fixture
def open_account(serve: Serve) -> Iterator[Open]:
    accounts: list[Account] = []

    def start(world: AnyWorld) -> Account:
        accounts.append(Account(serve, world))
        return accounts[-1]

    yield start
    for account in accounts:
        account.client.request.close()


@pytest.fixture(params=["stand-in", "pds"])
def world(request: pytest.FixtureRequest) -> AnyWorld:
    if request.param == "stand-in":
        return bluesky.create()
    server: Pds = request.getfixturevalue("pds")
    return server.world()


@pytest.fixture
def account(open_account: Open, world: AnyWorld) -> Account:
    return open_account(world)


def test_a_thread_is_one_write_with_keys_and_cids_known_beforehand(account: Account) -> None:
    first = record("one")
    ref = {"$type": STRONG, "uri": account.uri(KEYS[0]), "cid": cid_of(first)}
    second = record("two", reply={"$type": f"{POST}#replyRef", "root": ref, "parent": ref}, langs=["de"])
    before = len(account.server.log)
    answer = account.write(create(first), create(second, KEYS[1]))
    assert len(account.server.log) == before + 1
    results: Any = answer.results
    assert [(one.uri, one.cid) for one in results] == [
        (account.uri(KEYS[0]), cid_of(first)),
        (account.uri(KEYS[1]), cid_of(second)),
    ]
    assert [(seen.id, seen.text, seen.reply_to, seen.language) for seen in account.world.timeline()] == [
        (account.uri(KEYS[0]), "one", None, "en"),
        (account.uri(KEYS[1]), "two", account.uri(KEYS[0]), "de"),
    ]
    assert account.world.timeline()[1].url == f"https://bsky.app/profile/{bluesky.HANDLE}/post/{KEYS[1]}"
    read = account.client.com.atproto.repo.get_record({"repo": account.world.did, "collection": POST, "rkey": KEYS[1]})
    assert read.cid == cid_of(second)


@old_way_of_httpx
def test_posting_the_way_of_the_sdk(account: Account, png: bytes) -> None:
    did = account.world.did
    made = account.client.send_image("a picture", png, "Error rate", profile_identify=did, langs=["fr"])
    root = models.create_strong_ref(made)
    reply = models.AppBskyFeedPost.ReplyRef(root=root, parent=root)
    account.client.send_post("an answer", profile_identify=did, reply_to=reply)
    seen = account.world.timeline()
    assert seen[0].media == (SeenMedia(png, "image/png", "Error rate"),)
    assert (seen[0].language, seen[1].reply_to) == ("fr", made.uri)
    assert account.client.delete_post(made.uri)
    assert account.client.delete_post(made.uri), "a second deletion is no error"
    assert [one.text for one in account.stands()] == ["an answer"]


@old_way_of_httpx
def test_the_cid_of_a_record_with_links(account: Account, png: bytes) -> None:
    """A CID inside a record counts as a link, not as text: what DESIGN calls links as raw bytes."""
    blob = account.client.upload_blob(png).blob
    raw = b"\x01\x55\x12\x20" + hashlib.sha256(png).digest()
    assert blob.ref.link == libipld.encode_cid(raw)
    image = {"$type": "blob", "ref": {"$link": blob.ref.link}, "mimeType": "image/png", "size": len(png)}

    def value(image: dict[str, Any]) -> dict[str, Any]:
        pictures = {"$type": "app.bsky.embed.images", "images": [{"image": image, "alt": "a"}]}
        return record(embed=pictures)

    answer = account.send({"repo": account.world.did, "writes": [create(value(image))]})
    assert answer.content["results"][0]["cid"] == cid_of(value({**image, "ref": raw}))


def test_a_wrong_password(serve: Serve, world: AnyWorld) -> None:
    client = Client(base_url=serve(world).url)
    for handle, password in ((bluesky.HANDLE, "wrong"), ("nobody.test", world.secrets()["APP_PASSWORD"])):
        with pytest.raises(UnauthorizedError) as caught:
            client.login(handle, password)
        assert told(caught.value) == (401, "AuthenticationRequired", "Invalid identifier or password")
    client.request.close()


def test_logging_in_fails_on_the_profile_with_the_session_set(serve: Serve, world: AnyWorld) -> None:
    client = Client(base_url=serve(world).url)
    with pytest.raises(BadRequestError) as caught:
        client.login(world.did, world.secrets()["APP_PASSWORD"])
    assert told(caught.value)[2] == "No service configured for app.bsky.actor.getProfile"
    assert client.com.atproto.server.get_session().handle == bluesky.HANDLE
    client.request.close()


def test_tokens(serve: Serve, world: AnyWorld) -> None:
    server = serve(world)

    def call(method: str, name: str, token: str | None = None, **kwargs: Any) -> requests.Response:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return requests.request(method, f"{server.url}/xrpc/{name}", headers=headers, timeout=5, **kwargs)

    body = {"identifier": bluesky.HANDLE, "password": world.secrets()["APP_PASSWORD"]}
    session = call("POST", "com.atproto.server.createSession", json=body).json()
    access, refresh = session["accessJwt"], session["refreshJwt"]
    show, renew, end = (f"com.atproto.server.{name}Session" for name in ("get", "refresh", "delete"))
    cases = [
        (call("GET", show), 401, "AuthMissing"),
        (call("GET", show, "abc"), 400, "InvalidToken"),
        (call("GET", show, access[:-4] + "AAAA"), 400, "InvalidToken"),
        (call("GET", show, refresh), 400, "InvalidToken"),
        (call("POST", renew, access), 400, "InvalidToken"),
        (call("POST", end, access), 400, "InvalidToken"),
    ]
    for answer, status, name in cases:
        assert (answer.status_code, answer.json()["error"]) == (status, name)
    assert call("GET", show, access).json()["did"] == world.did
    renewed = call("POST", renew, refresh).json()
    assert call("POST", end, renewed["refreshJwt"]).status_code == 200
    assert call("POST", renew, renewed["refreshJwt"]).json()["error"] == "ExpiredToken"
    basic = requests.get(f"{server.url}/xrpc/{show}", auth=("a", "b"), timeout=5)
    assert (basic.status_code, basic.json()["error"]) == (400, "InvalidToken")


EXPIRED = (400, "ExpiredToken", "Token has expired")


def test_a_token_expires(open_account: Open) -> None:
    now = [datetime.now(UTC)]
    account = open_account(bluesky.create(clock=lambda: now[0]))
    now[0] += timedelta(hours=2)
    assert account.refusal(create(record())) == EXPIRED


def test_a_token_expires_on_a_real_pds(serve: Serve, pds: Pds) -> None:
    claims = {"scope": "com.atproto.appPass", "sub": pds.account.did, "iat": 1_700_000_000, "exp": 1_700_007_200}
    url = f"{serve(pds.world()).url}/xrpc/com.atproto.server.getSession"
    answers = [
        requests.get(url, headers={"Authorization": f"Bearer {pds.signed(claims | more)}"}, timeout=5)
        for more in ({}, {"exp": 4_000_000_000})
    ]
    assert (answers[0].status_code, *answers[0].json().values()) == EXPIRED
    assert answers[1].json()["did"] == pds.account.did


def test_a_key_that_exists_undoes_the_whole_batch(account: Account) -> None:
    account.write(create(record("one")))
    error = (500, "InternalServerError", "Internal Server Error")
    assert account.refusal(create(record("new"), KEYS[1]), create(record("one"))) == error
    assert account.refusal(create(record("a"), KEYS[2]), create(record("b"), KEYS[2])) == error
    with pytest.raises(BadRequestError) as caught:
        account.client.com.atproto.repo.get_record({"repo": account.world.did, "collection": POST, "rkey": KEYS[1]})
    assert told(caught.value) == (400, "RecordNotFound", f"Could not locate record: {account.uri(KEYS[1])}")
    with pytest.raises(RequestException):
        account.client.com.atproto.repo.create_record(
            {"repo": account.world.did, "collection": POST, "rkey": KEYS[0], "record": record("other")}
        )
    assert [seen.text for seen in account.world.timeline()] == ["one"]


def test_changing_and_deleting_in_a_batch(account: Account) -> None:
    account.write(create(record("one")), create(record("two"), KEYS[1]))
    missing = {"$type": DELETE, "collection": POST, "rkey": KEYS[5]}
    assert account.refusal({"$type": DELETE, "collection": POST, "rkey": KEYS[0]}, missing)[0] == 500
    assert account.refusal({"$type": UPDATE, "collection": POST, "rkey": KEYS[5], "value": record()})[0] == 500
    account.write({"$type": UPDATE, "collection": POST, "rkey": KEYS[0], "value": record("corrected")})
    account.write({"$type": DELETE, "collection": POST, "rkey": KEYS[1]})
    assert [seen.text for seen in account.stands()] == ["corrected"]
    account.write(create(record("two again"), KEYS[1]))
    assert [seen.text for seen in account.stands()] == ["corrected", "two again"]


def test_what_was_deleted_is_remembered_with_its_time(open_account: Open) -> None:
    account = open_account(bluesky.create())
    account.write(create(record("one")), create(record("two"), KEYS[1]))
    account.write({"$type": UPDATE, "collection": POST, "rkey": KEYS[0], "value": record("corrected")})
    account.write({"$type": DELETE, "collection": POST, "rkey": KEYS[1]})
    first, second = account.world.timeline()
    assert (first.edited is not None, first.deleted) == (True, None)
    assert (second.text, second.deleted is not None) == ("two", True)


def test_a_swap_must_match(account: Account) -> None:
    first = account.write(create(record("one")))
    assert first.commit is not None
    account.write(create(record("two"), KEYS[1]), swapCommit=first.commit.cid)
    status, name, message = account.refusal(create(record(), KEYS[2]), swapCommit=first.commit.cid)
    assert (status, name) == (400, "InvalidSwap")
    head = account.client.com.atproto.sync.get_latest_commit({"did": account.world.did})
    assert message == f"Commit was at {head.cid}"
    assert account.refusal(create(record(), KEYS[2]), swapCommit="abc")[1] == "InvalidRequest"
    data: Any = {"repo": account.world.did, "collection": POST, "rkey": KEYS[0], "swapRecord": head.cid}
    with pytest.raises(BadRequestError, match="InvalidSwap"):
        account.client.com.atproto.repo.delete_record(data)


ROOT = {"uri": f"at://did:plc:abcdefghijklmnopqrstuvwx/{POST}/{KEYS[0]}", "cid": cid_of(record())}
FACET = {"index": {"byteStart": 0, "byteEnd": 2}, "features": [{"$type": "app.bsky.richtext.facet#link"}]}
CARD = {"$type": "app.bsky.embed.external", "external": {"uri": "https://example.com", "title": "T"}}


def facet(start: int, end: int, uri: str = "https://example.com") -> dict[str, Any]:
    link = {"$type": "app.bsky.richtext.facet#link", "uri": uri}
    return {"index": {"byteStart": start, "byteEnd": end}, "features": [link]}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"text": "a" * 301}, "grapheme too big (maximum 300, got 301) at $.writes[0].record.text"),
        ({"text": "🇩🇪" * 301}, "grapheme too big (maximum 300, got 301) at $.writes[0].record.text"),
        ({"text": ("a" + "\u0301" * 30) * 50}, "string too big (maximum 3000, got 3050) at $.writes[0].record.text"),
        ({"text": None}, "Expected string value type (got null) at $.writes[0].record.text"),
        ({"createdAt": "yesterday"}, 'Invalid datetime (got "yesterday") at $.writes[0].record.createdAt'),
        ({"createdAt": "2026-11-22T14:05:00"}, "Invalid datetime"),
        ({"langs": ["en", "fr", "de", "es"]}, "array too big (maximum 3, got 4) at $.writes[0].record.langs"),
        ({"langs": ["not a lang"]}, 'Invalid language (got "not a lang") at $.writes[0].record.langs[0]'),
        ({"tags": ["a"] * 9}, "array too big (maximum 8, got 9) at $.writes[0].record.tags"),
        ({"facets": [facet(-1, 4)]}, "integer too small (minimum 0, got -1)"),
        ({"facets": [facet(0, 2, "example.com")]}, 'Invalid uri (got "example.com")'),
        ({"facets": [FACET]}, 'Missing required key "uri"'),
        ({"facets": [{"index": 5}]}, "Expected object value type (got 5) at $.writes[0].record.facets[0].index"),
        ({"reply": {"root": {"uri": "x"}}}, 'Invalid at-uri (got "x") at $.writes[0].record.reply.root.uri'),
        ({"reply": {"root": ROOT}}, 'Missing required key "parent" at $.writes[0].record.reply'),
        ({"reply": None}, "Expected object value type (got null)"),
        ({"embed": {"images": []}}, 'Expected an object which includes the "$type" property'),
        ({"embed": CARD}, 'Missing required key "description" at $.writes[0].record.embed.external'),
    ],
)
def test_records_that_are_refused(account: Account, changes: dict[str, Any], message: str) -> None:
    status, name, told = account.refusal(create(record() | changes))
    assert (status, name) == (400, "InvalidRequest")
    assert told.startswith(f"Invalid {POST} record: ")
    assert message in told


@pytest.mark.parametrize(
    "text",
    ["a" * 300, "🇩🇪" * 300, "👩‍👩‍👧‍👦" * 120, "e" + "\u0301" * 1499, ""],
    ids=["ascii", "flags", "family", "bytes", "empty"],
)
def test_texts_at_the_limit(account: Account, text: str) -> None:
    account.write(create(record(text)))
    assert account.world.timeline()[0].text == text


def test_a_missing_key_of_a_record(account: Account) -> None:
    for name in ("text", "createdAt"):
        value = {key: one for key, one in record().items() if key != name}
        assert f'Missing required key "{name}"' in account.refusal(create(value))[2]


@pytest.mark.parametrize(
    ("write", "message"),
    [
        (create(record(), "hello-world"), 'Invalid TID string (got "hello-world")'),
        (create(record(), "hello world"), "Invalid record key"),
        (create(record(), ""), "Invalid record key"),
        ({"$type": CREATE, "collection": "foo", "value": {}}, "Invalid NSID"),
        (create(record() | {"$type": "app.bsky.feed.like"}), "Invalid $type: expected app.bsky.feed.post"),
        ({"collection": POST, "value": record()}, 'includes the "$type"'),
        ({"$type": "x", "collection": POST, "value": record()}, "Expected one of"),
        ({"$type": DELETE, "collection": POST}, 'Missing required key "rkey" at $.writes[0]'),
        ({"$type": UPDATE, "collection": POST, "value": record()}, 'Missing required key "rkey"'),
        ({"$type": CREATE, "collection": POST}, 'Missing required key "value"'),
        (create(record(deep=1.5)), "got 1.5) at $.writes[0].value.deep"),
    ],
)
def test_writes_that_are_refused(account: Account, write: dict[str, Any], message: str) -> None:
    status, name, text = account.refusal(write)
    assert (status, name) == (400, "InvalidRequest")
    assert message in text


def test_what_a_pds_fails_on(account: Account) -> None:
    error = (500, "InternalServerError", "Internal Server Error")
    for number in (2**53, -(2**60)):
        assert account.refusal(create(record(more=[number]))) == error
    account.write(create(record(more=[2**53 - 1])))


def test_validation_is_a_truth_value(account: Account) -> None:
    for value in ("yes", None, 1):
        assert "Expected boolean value type" in account.refusal(create(record()), validate=value)[2]
    unknown = {"$type": CREATE, "collection": "com.example.thing", "value": {}}
    assert account.refusal(unknown, validate=True)[2] == "Unknown lexicon type: com.example.thing"


def test_nesting_without_end(open_account: Open) -> None:
    account = open_account(bluesky.create())
    body = {"repo": account.world.did, "writes": [create(record(deep="DEEP"))]}
    for deep in ("[" * 500 + "]" * 500, "[" * 70_000):
        with pytest.raises(BadRequestError):
            account.client.request.post(
                f"{account.server.url}/xrpc/com.atproto.repo.applyWrites",
                content=json.dumps(body).replace('"DEEP"', deep),
                headers={"Content-Type": "application/json"},
            )
    assert account.world.timeline() == ()


def test_the_wrong_repository_and_too_many_writes(account: Account) -> None:
    assert account.refusal(create(record()), repo="did:plc:abcdefghijklmnopqrstuvwx")[:2] == (403, "AccountNotFound")
    assert account.refusal(*[create(record(), None)] * 201)[2] == "Too many writes. Max: 200"
    account.write(*[create(record(), None)] * 200)
    assert len({seen.id for seen in account.world.timeline()}) == 200


def test_what_a_pds_lets_pass(account: Account) -> None:
    """Nothing checks that a parent exists, nor that a facet lies in the text; the app shows no such facet."""
    nowhere = {"uri": account.uri(KEYS[7]), "cid": cid_of(record("never sent"))}
    account.write(create(record("reply", reply={"root": nowhere, "parent": nowhere})))
    facets = [facet(4, 6), facet(0, 99), facet(3, 1), facet(1, 2)]
    account.write(create(record("été ok", facets=[*facets, facet(0, 1, "HTTPS://example.com")]), KEYS[1]))
    account.write(create(record(embed={"$type": "app.bsky.embed.later"}, more=1), KEYS[2]))
    reply, links, _ = account.world.timeline()
    assert reply.reply_to == account.uri(KEYS[7])
    if isinstance(account.world, bluesky.BlueskyWorld):
        assert [link for link in links.links if link.start == 0] == []


def test_links_and_cards_are_seen(account: Account) -> None:
    card = {"uri": "https://example.com/page", "title": "T", "description": "D"}
    embed = {"$type": "app.bsky.embed.external", "external": card}
    account.write(create(record("été: here", facets=[facet(7, 11)], embed=embed)))
    seen = account.world.timeline()[0]
    assert seen.links == (SeenLink("https://example.com", 7, 11),)
    assert seen.text.encode()[7:11] == b"here"
    assert seen.card == "https://example.com/page"


@old_way_of_httpx
def test_pictures_that_are_refused(account: Account, png: bytes) -> None:
    account.client.upload_blob(png)
    cid = libipld.encode_cid(b"\x01\x55\x12\x20" + hashlib.sha256(png).digest())
    blob = {"$type": "blob", "ref": {"$link": cid}, "mimeType": "image/png", "size": len(png)}

    def refusal(*images: dict[str, Any]) -> tuple[int, str, str]:
        return account.refusal(create(record(embed={"$type": "app.bsky.embed.images", "images": list(images)})))

    whole = {"image": blob, "alt": "alt"}
    assert 'Missing required key "alt"' in refusal({"image": blob})[2]
    assert "array too big (maximum 4, got 5)" in refusal(*[whole] * 5)[2]
    assert "blob too big (maximum 1000000, got 1000001)" in refusal(whole | {"image": {**blob, "size": 1_000_001}})[2]
    assert 'Expected "image/*" (got "text/plain")' in refusal(whole | {"image": {**blob, "mimeType": "text/plain"}})[2]
    assert "Expected blob value type" in refusal(whole | {"image": {"size": 5}})[2]
    assert "integer too small (minimum 1, got 0)" in refusal(whole | {"aspectRatio": {"width": 0, "height": 1}})[2]
    other = libipld.encode_cid(b"\x01\x55\x12\x20" + hashlib.sha256(b"other").digest())
    never = refusal(whole | {"image": {**blob, "ref": {"$link": other}}})
    assert never == (400, "BlobNotFound", f"Could not find blob: {other}")
    account.write(create(record(embed={"$type": "app.bsky.embed.images", "images": [whole] * 4})))
    assert len(account.world.timeline()[0].media) == 4


def test_a_later_pds_takes_larger_pictures(open_account: Open) -> None:
    account = open_account(bluesky.create(bluesky.Options(image_limit=2_000_000)))
    cid = libipld.encode_cid(b"\x01\x55\x12\x20" + hashlib.sha256(b"").digest())
    blob = {"$type": "blob", "ref": {"$link": cid}, "mimeType": "image/png", "size": 2_000_001}
    embed = {"$type": "app.bsky.embed.images", "images": [{"image": blob, "alt": "alt"}]}
    assert "blob too big (maximum 2000000, got 2000001)" in account.refusal(create(record(embed=embed)))[2]


def test_uploads(account: Account, png: bytes) -> None:
    url = f"{account.server.url}/xrpc/com.atproto.repo.uploadBlob"

    def upload(data: bytes, kind: str | None) -> requests.Response:
        assert account.client._session is not None
        headers = {"Authorization": f"Bearer {account.client._session.access_jwt}"}
        return requests.post(url, data=data, headers=headers | ({"Content-Type": kind} if kind else {}), timeout=5)

    assert upload(png, "text/plain").json()["blob"]["mimeType"] == "image/png"
    assert upload(b"text", "image/png").json()["blob"]["mimeType"] == "image/png"
    assert upload(png, None).status_code == 400
    big = upload(bytes(5 * 1024**2 + 1), "image/png")
    assert (big.status_code, big.json()["error"]) == (413, "PayloadTooLarge")
    assert requests.post(url, data=png, headers={"Content-Type": "image/png"}, timeout=5).status_code == 401


def test_listing_goes_by_key_in_pages(account: Account) -> None:
    account.write(*[create(record(key), key) for key in (KEYS[2], KEYS[0], KEYS[1])])
    repo = account.client.com.atproto.repo

    def page(**more: Any) -> Any:
        params: Any = {"repo": bluesky.HANDLE, "collection": POST, **more}
        return repo.list_records(params)

    first = page(limit=2)
    assert [one.uri for one in first.records] == [account.uri(KEYS[2]), account.uri(KEYS[1])]
    assert [one.uri for one in page(limit=2, cursor=first.cursor).records] == [account.uri(KEYS[0])]
    assert [one.value["text"] for one in page(reverse=True).records] == KEYS[:3]
    assert page(collection="app.bsky.feed.like").records == []
    with pytest.raises(BadRequestError):
        page(repo="nobody.test")
    url = f"{account.server.url}/xrpc/com.atproto.repo.listRecords?repo={bluesky.HANDLE}&collection={POST}&limit="
    assert [requests.get(f"{url}{limit}", timeout=5).ok for limit in (0, 1, 100, 101)] == [False, True, True, False]


def test_reading_by_handle_and_by_cid(account: Account) -> None:
    account.write(create(record("one")))
    get = account.client.com.atproto.repo.get_record
    key: Any = {"repo": bluesky.HANDLE, "collection": POST, "rkey": KEYS[0]}
    assert get(key | {"cid": cid_of(record("one"))}).uri == account.uri(KEYS[0])
    for wrong in ({"cid": cid_of(record("two"))}, {"repo": "nobody.test"}, {"rkey": KEYS[1]}):
        with pytest.raises(BadRequestError):
            get(key | wrong)


def test_identity_and_unknown_methods(account: Account) -> None:
    assert account.client.resolve_handle(bluesky.HANDLE).did == account.world.did
    with pytest.raises(BadRequestError, match="Unable to resolve handle"):
        account.client.resolve_handle("nobody.test")
    assert account.client.com.atproto.server.describe_server().available_user_domains == [".test"]
    answer = requests.get(f"{account.server.url}/xrpc/com.example.unknown", timeout=5)
    assert (answer.status_code, answer.json()["message"]) == (400, "No service configured for com.example.unknown")
    assert requests.get(f"{account.server.url}/elsewhere", timeout=5).status_code == 404
    assert requests.get(f"{account.server.url}/xrpc/_health", timeout=5).status_code == 200
    bad = requests.post(f"{account.server.url}/xrpc/com.atproto.server.createSession", data="{", timeout=5)
    assert bad.status_code == 400


@pytest.fixture(params=["stand-in", "pds"])
def limited(request: pytest.FixtureRequest) -> AnyWorld:
    if request.param == "stand-in":
        return bluesky.create(bluesky.Options(rate_limited=True))
    server: Pds = request.getfixturevalue("pds")
    return server.world(rate_limited=True)


def test_limits_of_logins(serve: Serve, limited: AnyWorld) -> None:
    server = serve(limited)
    # Longer than any password is, so that a real one need not compute its hash.
    names = {"identifier": server.options()["handle"], "password": "wrong" * 1000}
    before = datetime.now(UTC)
    url = f"{server.url}/xrpc/com.atproto.server.createSession"
    answers = [requests.post(url, json=names, timeout=5) for _ in range(31)]
    assert [answer.status_code for answer in answers] == [401] * 30 + [429]
    assert [answer.headers["ratelimit-remaining"] for answer in answers] == [*map(str, range(29, -1, -1)), "0"]
    assert answers[30].json() == {"error": "RateLimitExceeded", "message": "Rate Limit Exceeded"}
    assert {(one.headers["ratelimit-limit"], one.headers["ratelimit-policy"]) for one in answers} == {
        ("30", "30;w=300")
    }
    reset = datetime.fromtimestamp(int(answers[30].headers["ratelimit-reset"]), UTC)
    assert abs(reset - before - timedelta(minutes=5)) < timedelta(seconds=30)


def test_limits_of_writes(open_account: Open, limited: AnyWorld) -> None:
    account = open_account(limited)
    url = f"{account.server.url}/xrpc/com.atproto.repo.applyWrites"

    def write(number: int, value: dict[str, Any]) -> requests.Response:
        assert account.client._session is not None
        headers = {"Authorization": f"Bearer {account.client._session.access_jwt}"}
        body = {"repo": limited.did, "writes": [{"$type": CREATE, "collection": POST, "value": value}] * number}
        return requests.post(url, json=body, headers=headers, timeout=5)

    # A record is not looked at before the writes are counted, and too many of them are counted too.
    answers = [write(*what) for what in ((5, record()), (1300, {}), (350, {}), (11, record()), (1, {}), (1, record()))]
    assert [one.status_code for one in answers] == [200, 400, 400, 200, 429, 429]
    # At first, the limit of all requests is nearer.
    assert answers[0].headers["ratelimit-policy"] == "3000;w=300"
    assert [one.headers["ratelimit-remaining"] for one in answers[1:]] == ["1085", "35", "2", "0", "0"]
    assert {one.headers["ratelimit-policy"] for one in answers[1:]} == {"5000;w=3600"}
    assert len(limited.timeline()) == 16


def test_a_limit_ends(open_account: Open) -> None:
    now = [datetime.now(UTC)]
    account = open_account(bluesky.create(bluesky.Options(rate_limited=True), lambda: now[0]))
    for _ in range(29):
        account.client.login(bluesky.HANDLE, account.password, fetch_bsky_profile=False)
    with pytest.raises(RateLimitExceededError) as caught:
        account.client.login(bluesky.HANDLE, account.password, fetch_bsky_profile=False)
    assert int(caught.value.response.headers["ratelimit-reset"]) == int((now[0] + timedelta(minutes=5)).timestamp())
    now[0] += timedelta(minutes=5)
    account.client.login(bluesky.HANDLE, account.password, fetch_bsky_profile=False)


def test_a_rehearsal_is_not_held_up_by_limits(open_account: Open) -> None:
    account = open_account(bluesky.create())
    for _ in range(35):
        account.client.login(bluesky.HANDLE, account.password, fetch_bsky_profile=False)
