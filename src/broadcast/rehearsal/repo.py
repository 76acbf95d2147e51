"""A repository of records with commits, as a PDS keeps it (https://atproto.com/specs/repository)."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

import libipld

from broadcast.rehearsal import lexicon
from broadcast.rehearsal.base import Clock

Action = Literal["create", "update", "delete"]
_TID_ALPHABET = "234567abcdefghijklmnopqrstuvwxyz"


class ConflictError(Exception):
    """A key that exists is created, or one that does not is changed or deleted. Nothing was written."""


class SwapError(Exception):
    """The repository or the record is not what the client thinks. `found` is the CID it is at."""

    def __init__(self, found: str) -> None:
        super().__init__(found)
        self.found = found


@dataclass(frozen=True, slots=True)
class Write:
    """One step of a batch. `value` is the record as JSON, None for a deletion."""

    action: Action
    collection: str
    key: str
    value: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Record:
    """A record as JSON, with its history. `number` counts the records that were ever created."""

    number: int
    collection: str
    key: str
    value: dict[str, Any]
    cid: str
    created: datetime
    edited: datetime | None = None
    deleted: datetime | None = None


@dataclass(frozen=True, slots=True)
class Commit:
    cid: str
    rev: str


class Repo:
    """All writes of a batch or none."""

    def __init__(self, did: str, clock: Clock) -> None:
        self.did = did
        self._clock = clock
        self._records: dict[tuple[str, str], Record] = {}
        self._gone: list[Record] = []
        self._last_tid = 0
        self.head = self._next_commit()

    def get(self, collection: str, key: str) -> Record | None:
        return self._records.get((collection, key))

    def all(self, collection: str) -> list[Record]:
        """What stands, in the order of the keys."""
        return sorted((one for one in self._records.values() if one.collection == collection), key=lambda one: one.key)

    def history(self, collection: str) -> Iterator[Record]:
        """What stands and what stood, in the order in which it was written."""
        both = [*self._gone, *self._records.values()]
        return iter(sorted((one for one in both if one.collection == collection), key=lambda one: one.number))

    def next_key(self) -> str:
        """A timestamp identifier that is later than every one before (https://atproto.com/specs/tid)."""
        self._last_tid = max(self._last_tid + 1, int(self._clock().timestamp() * 1_000_000))
        number = self._last_tid << 10
        return "".join(_TID_ALPHABET[number >> shift & 31] for shift in range(60, -1, -5))

    def write(self, writes: Sequence[Write], swap: str | None = None) -> Commit:
        """Raises `SwapError` unless the repository is at the commit `swap`, and `ConflictError`."""
        if swap is not None and swap != self.head.cid:
            raise SwapError(self.head.cid)
        records, gone = dict(self._records), list(self._gone)
        now = self._clock()
        for write in writes:
            place = (write.collection, write.key)
            before = records.get(place)
            if (before is None) != (write.action == "create"):
                raise ConflictError
            if before is None:
                records[place] = Record(len(records) + len(gone), *place, write.value or {}, cid_of(write.value), now)
            elif write.action == "update":
                records[place] = replace(before, value=write.value or {}, cid=cid_of(write.value), edited=now)
            else:
                gone.append(replace(records.pop(place), deleted=now))
        self._records, self._gone = records, gone
        self.head = self._next_commit()
        return self.head

    def _next_commit(self) -> Commit:
        rev = self.next_key()
        content = {"did": self.did, "rev": rev, "records": sorted(record.cid for record in self._records.values())}
        return Commit(cid_of(content), rev)


def cid_of(value: Any) -> str:
    """The CIDv1 (dag-cbor, sha-256) of a record that is given as JSON."""
    return _encode(0x71, libipld.encode_dag_cbor(_native(value)))


def blob_cid(data: bytes) -> str:
    """The CIDv1 (raw, sha-256) of a file."""
    return _encode(0x55, data)


def _encode(codec: int, data: bytes) -> str:
    return str(libipld.encode_cid(bytes([1, codec, 0x12, 0x20]) + hashlib.sha256(data).digest()))


def _native(value: Any) -> Any:
    """JSON with `$link` and `$bytes` in it as the data model that they stand for."""
    if isinstance(value, list):
        return [_native(one) for one in value]
    if not isinstance(value, dict):
        return value
    if set(value) == {"$link"} and isinstance(value["$link"], str) and lexicon.is_cid(value["$link"]):
        return _base32(value["$link"].removeprefix("b"))
    if set(value) == {"$bytes"} and isinstance(value["$bytes"], str):
        return base64.b64decode(value["$bytes"] + "=" * (-len(value["$bytes"]) % 4))
    return {name: _native(one) for name, one in value.items()}


def _base32(text: str) -> bytes:
    return base64.b32decode(text.upper() + "=" * (-len(text) % 8))
