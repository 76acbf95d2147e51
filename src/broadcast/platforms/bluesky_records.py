"""What is written to a repository: record keys, records and their CIDs, all known before anything is sent.

A record is kept as JSON, in the ledger too; its CID is that of the same data in DAG-CBOR
(atproto.com/specs/data-model).
Imported late: it brings libipld with it.
"""

from __future__ import annotations

import re
import secrets
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import libipld

from broadcast.model import Card, Facet, Media, Post
from broadcast.platforms.bluesky_forms import CREATED, TID
from broadcast.platforms.media import Image

COLLECTION = "app.bsky.feed.post"

_ALPHABET = "234567abcdefghijklmnopqrstuvwxyz"
_RAW, _DAG_CBOR = 0x55, 0x71


class Tids:
    """Record keys that sort by time (atproto.com/specs/tid): 53 bits of microseconds, 10 bits that tell clocks apart.
    No two of a process are the same; two processes would have to choose the same clock in the same microsecond."""

    def __init__(self) -> None:
        self._clock = secrets.randbelow(1 << 10)
        self._last = 0
        self._lock = threading.Lock()

    def next(self) -> str:
        with self._lock:
            self._last = max(time.time_ns() // 1000, self._last + 1)
            number = self._last << 10 | self._clock
        return _tid(number)


def again(payload: Mapping[str, Any]) -> tuple[str, datetime] | None:
    """The key of a record that was prepared before, and when it was made; None where they are of another form."""
    key, record = payload.get("rkey"), payload.get("record")
    created = record.get("createdAt") if isinstance(record, Mapping) else None
    if not (
        isinstance(key, str) and re.fullmatch(TID, key) and isinstance(created, str) and re.fullmatch(CREATED, created)
    ):
        return None
    try:
        return key, datetime.fromisoformat(created)
    except ValueError:
        return None


def tid_at(time: datetime) -> str:
    """The first key of a moment: no key that was made later sorts before it."""
    return _tid(int(time.timestamp() * 1_000_000) << 10)


def time_of(tid: str) -> datetime | None:
    """When a key was made; None for one that is none of a time."""
    if len(tid) != 13 or set(tid) - set(_ALPHABET):
        return None
    number = sum(_ALPHABET.index(sign) << 5 * place for place, sign in enumerate(reversed(tid)))
    try:
        return datetime.fromtimestamp((number >> 10) / 1_000_000, UTC)
    except (OverflowError, OSError, ValueError):
        return None


def _tid(number: int) -> str:
    return "".join(_ALPHABET[number >> 5 * place & 31] for place in reversed(range(13)))


tids = Tids()
"""The one clock of this process."""


def record_cid(record: Mapping[str, Any]) -> str:
    """The CID under which a repository will know this record."""
    return _cid(_DAG_CBOR, libipld.encode_dag_cbor(_linked(record)))


def blob_cid(data: bytes) -> str:
    return _cid(_RAW, data)


def _cid(codec: int, data: bytes) -> str:
    """CIDv1 with a sha-256 of 32 bytes, in base 32."""
    return libipld.encode_cid(bytes((1, codec, 0x12, 0x20)) + sha256(data).digest())


def _linked(value: Any) -> Any:
    """JSON as libipld takes it: a link as the bytes of its CID."""
    if isinstance(value, Mapping):
        if set(value) == {"$link"}:
            return _cid_bytes(value["$link"])
        return {key: _linked(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_linked(item) for item in value]
    return value


def _cid_bytes(cid: str) -> bytes:
    return libipld.decode_multibase(cid)[1]


def post_record(
    post: Post,
    *,
    at: datetime,
    language: str,
    embed: Mapping[str, Any] | None,
    reply: Mapping[str, Any] | None,
    dids: Mapping[str, str],
) -> dict[str, Any]:
    """An `app.bsky.feed.post`. A mention of a handle that is not in `dids` stays text."""
    record: dict[str, Any] = {
        "$type": COLLECTION,
        "text": post.text,
        "createdAt": at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "langs": [language],
    }
    facets = list(_facets(post.facets, dids))
    if facets:
        record["facets"] = facets
    if reply:
        record["reply"] = dict(reply)
    if embed:
        record["embed"] = dict(embed)
    return record


IMAGES, VIDEO, EXTERNAL = "app.bsky.embed.images", "app.bsky.embed.video", "app.bsky.embed.external"


def images_embed(images: Sequence[tuple[Media, Image]]) -> dict[str, Any]:
    return {"$type": IMAGES, "images": [_image(*pair) for pair in images]}


def video_embed(blob: Mapping[str, Any], alt: str, size: tuple[int, int] | None) -> dict[str, Any]:
    """`size` is width and height in pixels, where they are known."""
    shape = {"aspectRatio": {"width": size[0], "height": size[1]}} if size else {}
    return {"$type": VIDEO, "video": dict(blob), "alt": alt, **shape}


def card_embed(card: Card) -> dict[str, Any]:
    return {"$type": EXTERNAL, "external": {"uri": card.url, "title": card.title, "description": card.description}}


def shows_video(record: Mapping[str, Any]) -> bool:
    return (record.get("embed") or {}).get("$type") == VIDEO


def without_video(record: Mapping[str, Any], card: Card | None) -> dict[str, Any]:
    """The record with a card in place of its video, if it has one."""
    if not shows_video(record):
        return dict(record)
    rest = {key: value for key, value in record.items() if key != "embed"}
    return rest | {"embed": card_embed(card)} if card else rest


def answering(record: Mapping[str, Any], cids: Mapping[str, str]) -> dict[str, Any]:
    """The record with the CIDs (by URI) that the posts which it answers turned out to have."""
    reply = record.get("reply")
    if not reply:
        return dict(record)
    known = {role: {"uri": to["uri"], "cid": cids.get(to["uri"], to["cid"])} for role, to in reply.items()}
    return {**record, "reply": known}


def _facets(facets: Sequence[Facet], dids: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    for facet in facets:
        feature = {"$type": f"app.bsky.richtext.facet#{facet.kind}"}
        if facet.kind == "link":
            feature["uri"] = facet.value
        elif facet.kind == "tag":
            feature["tag"] = facet.value
        elif facet.value.lower() in dids:
            feature["did"] = dids[facet.value.lower()]
        else:
            continue
        yield {
            "$type": "app.bsky.richtext.facet",
            "index": {"byteStart": facet.start, "byteEnd": facet.end},
            "features": [feature],
        }


def _image(media: Media, image: Image) -> dict[str, Any]:
    return {
        "alt": media.alt,
        "image": {
            "$type": "blob",
            "ref": {"$link": blob_cid(image.data)},
            "mimeType": image.mime,
            "size": len(image.data),
        },
        "aspectRatio": {"width": image.width, "height": image.height},
    }
