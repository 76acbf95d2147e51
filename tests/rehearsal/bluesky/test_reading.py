"""Reading from the stand-in for a PDS and from a real one: the same answers, in the same words."""

from __future__ import annotations

from typing import Any

import pytest
import requests
from atproto.exceptions import BadRequestError  # type: ignore[import-untyped]  # ships no types

from bluesky_account import KEYS, POST, Account, cid_of, create, record
from broadcast.rehearsal import bluesky


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
