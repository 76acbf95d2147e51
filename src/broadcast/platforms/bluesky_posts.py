"""The account's own posts in its repository: to be told by what they say, where the ledger has no keys of them.
Imported late, as the client is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from atproto import models  # type: ignore[import-untyped]  # atproto has no marker for its types

from broadcast.errors import UnprovableError
from broadcast.model import Intent, Ref
from broadcast.platforms import standing
from broadcast.platforms.base import Ours
from broadcast.platforms.bluesky_records import COLLECTION, tid_at, time_of
from broadcast.platforms.failures import GoneError, field
from broadcast.platforms.standing import Listing, Standing

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


def listing(client: Client) -> Listing[Found]:
    """The account's posts, read when they are asked for."""
    return Listing(partial(_newest, client), lambda one: time_of(one.key))


def recognized(
    client: Client, posted: Listing[Found], intents: Sequence[Intent], parent: Ref | None
) -> Mapping[int, Found]:
    """Which record of those `posted` is which part, by text, links and what it answers. Raises `UnprovableError` where
    the account has too many to read, and `SendError`."""
    since = min(intent.at for intent in intents) - standing.SLACK
    records = {one.key: one for one in posted.since(since, intents)}
    posts = [_standing(client.uri(key), one.record) for key, one in records.items()]
    found = standing.match([_linked(intent) for intent in intents], parent, posts)
    return {part: records[post.id.rpartition("/")[2]] for part, post in found.items()}


def differing(client: Client, posts: Sequence[Ours]) -> Mapping[str, str]:
    """What is wrong with those that are another account's, or that say something else than was sent."""
    wrong = {one.ref.id: standing.NOT_OURS for one in posts if not client.owns(one.ref.id)}
    own = {one.ref.id.rpartition("/")[2]: one for one in posts if one.ref.id not in wrong}
    there = _under(client, list(own))
    for key, one in own.items():
        found = there.get(key)
        changed = found is not None and one.ref.data.get("cid") not in (None, found.cid)
        if found is not None and (changed or not standing.says(str(found.record["text"]), one.posts)):
            wrong[one.ref.id] = standing.OTHER
    return wrong


def _under(client: Client, keys: Sequence[str]) -> Mapping[str, Found]:
    """The records under these keys. Those of a chain stand close together, so that one page has most of them."""
    if not keys:
        return {}
    listed = {one.key: one for one in _page(client, cursor=f"{max(keys)}2")[0]}
    return {key: one for key in keys if (one := listed.get(key) or _record(client, key))}


def _record(client: Client, key: str) -> Found | None:
    params = models.ComAtprotoRepoGetRecord.Params(repo=client.did, collection=COLLECTION, rkey=key)
    try:
        answer = client.invoke_query("com.atproto.repo.getRecord", params=params).content
    except GoneError:
        return None
    return Found(key, str(field("Bluesky", answer, "cid")), field("Bluesky", answer, "value"))


def _page(client: Client, cursor: str | None) -> tuple[list[Found], str | None]:
    """A page of the account's posts, the newest keys first, and what the next one is asked for with."""
    params = models.ComAtprotoRepoListRecords.Params(repo=client.did, collection=COLLECTION, limit=PAGE, cursor=cursor)
    answer = client.invoke_query("com.atproto.repo.listRecords", params=params).content
    listed = field("Bluesky", answer, "records")
    records = [Found(str(one["uri"]).rpartition("/")[2], str(one["cid"]), one["value"]) for one in listed]
    return records, answer.get("cursor")


def _newest(client: Client, since: datetime) -> Iterator[Found]:
    """The posts whose keys are of that time or later, newest first: a post's key is made when the post is."""
    first, cursor = tid_at(since), None
    for _ in range(PAGES):
        records, cursor = _page(client, cursor)
        for one in records:
            if one.key < first:
                return
            yield one
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
