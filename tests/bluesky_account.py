"""Atproto's client, logged in to the stand-in for a PDS or to a real one, and what it writes."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

import libipld
import pytest
from atproto import Client  # type: ignore[import-untyped]  # ships no types
from atproto.exceptions import AtProtocolError  # type: ignore[import-untyped]  # ships no types

from broadcast.rehearsal import bluesky
from broadcast.rehearsal.base import Seen
from broadcast.rehearsal.server import Server
from pds_server import PdsWorld

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
