"""What a record may hold, by the stand-in for a PDS and by a real one: the same answers, in the same words."""

from __future__ import annotations

import hashlib
from typing import Any

import libipld
import pytest
import requests

from bluesky_account import KEYS, POST, Account, Open, cid_of, create, old_way_of_httpx, record
from broadcast.rehearsal import bluesky
from broadcast.rehearsal.base import SeenLink

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
