"""The writes of a request to a PDS: what they must be like before anything is written."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import Any

from broadcast.rehearsal import lexicon, xrpc
from broadcast.rehearsal.repo import Action, Write

POST = "app.bsky.feed.post"
APPLY = "com.atproto.repo.applyWrites"
MAX_WRITES = 200
_COLLECTION = {"collection": lexicon.string("NSID")}
_KEY = {"rkey": lexicon.string("record key")}
_VALUE = {"value": lexicon.unknown}
_SWAP = {"swapCommit": lexicon.string("CID string"), "swapRecord": lexicon.string("CID string")}
_REPO = {"repo": lexicon.string()}
_VALIDATE = {"validate": lexicon.boolean}
_ACTIONS: dict[str, Action] = {f"{APPLY}#create": "create", f"{APPLY}#update": "update", f"{APPLY}#delete": "delete"}
_STEP = lexicon.union(
    {
        f"{APPLY}#create": lexicon.record(_COLLECTION | _VALUE, _KEY),
        f"{APPLY}#update": lexicon.record(_COLLECTION | _KEY | _VALUE),
        f"{APPLY}#delete": lexicon.record(_COLLECTION | _KEY),
    },
    closed=True,
)
APPLY_WRITES = lexicon.record(_REPO | {"writes": lexicon.array(_STEP)}, _VALIDATE | _SWAP)
CREATE_RECORD = lexicon.record(_REPO | _COLLECTION | {"record": lexicon.unknown}, _KEY | _VALIDATE | _SWAP)
DELETE_RECORD = lexicon.record(_REPO | _COLLECTION | _KEY, _SWAP)


@dataclass(frozen=True, slots=True)
class Rules:
    """What a repository takes: posts after `post`, keys from `next_key` where none is given, and blobs that were
    uploaded."""

    post: lexicon.Check
    next_key: Callable[[], str]
    uploaded: Collection[str]

    def steps(self, body: dict[str, Any]) -> list[Write]:
        """The writes of `applyWrites`. Raises `Refusal`."""
        if len(body["writes"]) > MAX_WRITES:
            raise xrpc.invalid(f"Too many writes. Max: {MAX_WRITES}")
        known_only = body.get("validate") is True
        return [
            self.step(_ACTIONS[step["$type"]], step, f"$.writes[{index}].record", known_only)
            for index, step in enumerate(body["writes"])
        ]

    def step(self, action: Action, step: dict[str, Any], where: str, known_only: bool) -> Write:
        """One write. `known_only` refuses collections without a schema. Raises `Refusal`."""
        collection, key = step["collection"], step.get("rkey") or self.next_key()
        if action == "delete":
            return Write(action, collection, key)
        value = step["value"]
        if value.get("$type", collection) != collection:
            raise xrpc.invalid(f"Invalid $type: expected {collection}, got {value['$type']}")
        if collection == POST:
            self._check_post(key, value, where)
        elif known_only:
            raise xrpc.invalid(f"Unknown lexicon type: {collection}")
        for cid in _blobs(value):
            if cid not in self.uploaded:
                raise xrpc.refused(400, "BlobNotFound", f"Could not find blob: {cid}")
        return Write(action, collection, key, {"$type": collection, **value})

    def _check_post(self, key: str, value: dict[str, Any], where: str) -> None:
        try:
            lexicon.string("TID string")(key, "$")
        except lexicon.InvalidError as error:
            raise xrpc.invalid(f"Invalid record key for {POST}: {error}") from error
        try:
            self.post(value, where)
        except lexicon.InvalidError as error:
            raise xrpc.invalid(f"Invalid {POST} record: {error}") from error


def _blobs(value: Any) -> Iterator[str]:
    """The CIDs of all files that a record points to."""
    if lexicon.is_blob(value):
        yield value["ref"]["$link"]
    elif isinstance(value, dict | list):
        for one in value.values() if isinstance(value, dict) else value:
            yield from _blobs(one)
