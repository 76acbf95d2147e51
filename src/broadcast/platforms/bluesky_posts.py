"""The account's own posts in its repository: to be told by what they say, where the ledger has no keys of them.
Imported late, as the client is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from atproto import models  # type: ignore[import-untyped]  # atproto has no marker for its types

from broadcast.errors import UnprovableError
from broadcast.model import Intent, Ref
from broadcast.platforms import standing
from broadcast.platforms.bluesky_records import COLLECTION, tid_at
from broadcast.platforms.failures import field
from broadcast.platforms.standing import Standing

if TYPE_CHECKING:
    from broadcast.platforms.bluesky_api import Client

PAGE = 100
"""The most that `com.atproto.repo.listRecords` gives at once."""
PAGES = 10
"""How many pages are read before giving up."""


@dataclass(frozen=True, slots=True)
class Found:
    """A record that says what was looked for."""

    key: str
    cid: str
    record: Mapping[str, Any]


def recognized(client: Client, intents: Sequence[Intent], parent: Ref | None) -> Mapping[int, Found]:
    """Which record is which part, by text, links and what it answers. Raises `UnprovableError` where the account has
    too many to read, and `SendError`."""
    since = min(intent.at for intent in intents) - standing.SLACK
    records = {one.key: one for one in _newest(client, since)}
    posts = [_standing(client.uri(key), one.record) for key, one in records.items()]
    found = standing.match([_linked(intent) for intent in intents], parent, posts)
    return {part: records[post.id.rpartition("/")[2]] for part, post in found.items()}


def _newest(client: Client, since: datetime) -> Iterator[Found]:
    """The posts whose keys are of that time or later, newest first: a post's key is made when the post is."""
    first, cursor = tid_at(since), None
    for _ in range(PAGES):
        params = models.ComAtprotoRepoListRecords.Params(
            repo=client.did, collection=COLLECTION, limit=PAGE, cursor=cursor
        )
        answer = client.invoke_query("com.atproto.repo.listRecords", params=params).content
        records = field("Bluesky", answer, "records")
        for one in records:
            key = str(one["uri"]).rpartition("/")[2]
            if key < first:
                return
            yield Found(key, str(one["cid"]), one["value"])
        cursor = answer.get("cursor")
        if cursor is None or len(records) < PAGE:
            return
    raise UnprovableError(f"the account has more than {PAGE * PAGES} posts since the update")


def _standing(uri: str, record: Mapping[str, Any]) -> Standing:
    reply = record.get("reply")
    features = [feature for facet in record.get("facets") or () for feature in facet["features"]]
    links = [str(feature["uri"]) for feature in features if "uri" in feature]
    return Standing(uri, _said(str(record["text"]), links), str(reply["parent"]["uri"]) if reply else None)


def _linked(intent: Intent) -> Intent:
    links = [facet.value for facet in intent.post.facets if facet.kind == "link"]
    return replace(intent, post=replace(intent.post, text=_said(intent.post.text, links)))


def _said(text: str, links: Iterable[str]) -> str:
    """The text, and where its links lead, which their words need not say."""
    return "\n".join((text, *sorted(links)))
