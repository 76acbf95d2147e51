"""Batches of writes, on the stand-in for a PDS and on a real one: the same answers, in the same words."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import libipld
import pytest
from atproto import models  # type: ignore[import-untyped]  # ships no types
from atproto.exceptions import (  # type: ignore[import-untyped]  # ships no types
    BadRequestError,
    RequestException,
)

from bluesky_account import (
    CREATE,
    DELETE,
    KEYS,
    POST,
    STRONG,
    UPDATE,
    Account,
    Open,
    cid_of,
    create,
    old_way_of_httpx,
    record,
    told,
)
from broadcast.rehearsal import bluesky
from broadcast.rehearsal.base import SeenMedia


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
