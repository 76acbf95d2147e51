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
_STEPS: dict[str, Action] = {f"{APPLY}#create": "create", f"{APPLY}#update": "update", f"{APPLY}#delete": "delete"}
_STEP = lexicon.union(
    dict.fromkeys(_STEPS, lexicon.record({"collection": lexicon.string("NSID")})),
    closed=True,
)


@dataclass(frozen=True, slots=True)
class Rules:
    """What a repository takes: posts after `post`, keys from `next_key` where none is given, and blobs that were
    uploaded."""

    post: lexicon.Check
    next_key: Callable[[], str]
    uploaded: Collection[str]

    def steps(self, body: dict[str, Any]) -> list[Write]:
        """The writes of `applyWrites`. Raises `Refusal`."""
        steps = body["writes"]
        try:
            lexicon.array(lexicon.anything)(steps, "$.writes")
            if len(steps) > MAX_WRITES:
                raise xrpc.invalid(f"Too many writes. Max: {MAX_WRITES}")
            lexicon.array(_STEP)(steps, "$.writes")
        except lexicon.InvalidError as error:
            raise xrpc.invalid(str(error)) from error
        return [
            self.step(_STEPS[step["$type"]], step, f"$.writes[{index}]", body.get("validate") is True)
            for index, step in enumerate(steps)
        ]

    def step(self, action: Action, step: dict[str, Any], where: str, known_only: bool = False) -> Write:
        """One write. `known_only` refuses collections without a schema. Raises `Refusal`."""
        try:
            lexicon.string("NSID")(step["collection"], f"{where}.collection")
            key = self.next_key() if action == "create" and step.get("rkey") is None else step.get("rkey")
            lexicon.string("record key")(key, f"{where}.rkey")
        except lexicon.InvalidError as error:
            raise xrpc.invalid(str(error)) from error
        if action == "delete":
            return Write(action, step["collection"], str(key))
        value = self._record(step["collection"], str(key), step.get("value"), where, known_only)
        return Write(action, step["collection"], str(key), value)

    def _record(self, collection: str, key: str, value: Any, where: str, known_only: bool) -> dict[str, Any]:
        try:
            lexicon.record({})(value, f"{where}.value")
            lexicon.data_model(value, f"{where}.value")
        except lexicon.InvalidError as error:
            raise xrpc.invalid(str(error)) from error
        if value.get("$type", collection) != collection:
            raise xrpc.invalid(f"Invalid $type: expected {collection}, got {value['$type']}")
        if collection == POST:
            self._post(key, value, f"{where}.record")
        elif known_only:
            raise xrpc.invalid(f"Unknown lexicon type: {collection}")
        for cid in _blobs(value):
            if cid not in self.uploaded:
                raise xrpc.refused(400, "BlobNotFound", f"Could not find blob: {cid}")
        return {"$type": collection, **value}

    def _post(self, key: str, value: dict[str, Any], where: str) -> None:
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
