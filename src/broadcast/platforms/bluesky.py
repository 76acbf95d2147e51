"""Bluesky, through atproto. A thread is one write under keys that were chosen before: it stands whole or not at all,
and a lost answer is settled by reading the keys."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, field_validator

from broadcast.errors import CredentialsError, LostAnswerError, RefusedError, SendError, UnprovableError
from broadcast.model import Channel, Facet, Intent, Limits, Media, Post, Ref
from broadcast.platforms.base import Account, Prepared, Workspace
from broadcast.platforms.failures import harmless, proving
from broadcast.platforms.media import Image, load
from broadcast.platforms.options import BaseUrl, require
from broadcast.text import measure

if TYPE_CHECKING:
    from broadcast.platforms.bluesky_api import Client


class Options(BaseModel):
    """A table `[channels.NAME]` with `platform = "bluesky"`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    handle: str
    service: BaseUrl = "https://bsky.social"

    @field_validator("handle")
    @classmethod
    def _bare(cls, value: str) -> str:
        value = value.strip().removeprefix("@").lower()
        if "." not in value or any(character.isspace() or character in "/@" for character in value):
            raise ValueError("must be a handle like status.example.com")
        return value


OPTIONS = Options
SECRETS = ("APP_PASSWORD",)
EDITS = False

MAX_WRITES = 200
"""How many writes `com.atproto.repo.applyWrites` takes at once."""

MAX_IMAGE = 1_000_000
"""Bytes of an image that every PDS accepts; newer ones take two million."""


def limits(options: Options) -> Limits:
    """The lexicon's: graphemes and bytes of `app.bsky.feed.post`, images of `app.bsky.embed.images`. The lexicon does
    not bound alternative texts; Bluesky's own app does."""
    return Limits(
        length=300,
        measure=measure.graphemes,
        unit="graphemes",
        max_bytes=3000,
        facets=True,
        images=4,
        alt=2000,
        cards=True,
    )


def cost(post: Post) -> None:
    return None


def connect(channel: Channel, secrets: Mapping[str, str], workspace: Workspace) -> Connection:
    require(channel, secrets, SECRETS)
    from broadcast.platforms.bluesky_api import Client
    from broadcast.platforms.retry import Retry

    client = Client(
        channel.options.service, Retry(workspace.stop), workspace.patience.answer if workspace.patience else None
    )
    try:
        with harmless():
            client.sign_in(channel.options.handle, secrets["APP_PASSWORD"])
    except BaseException:
        client.close()
        raise
    return Connection(client, workspace.root, workspace.now)


class Connection:
    """An account in its repository."""

    def __init__(self, client: Client, root: Path, now: datetime) -> None:
        self._client = client
        self._root = root
        self._now = now
        self._dids: dict[str, str | None] = {}

    def verify(self) -> Account:
        return Account(f"@{self._client.handle}", self._profile())

    def prepare(self, posts: Sequence[Post], language: str, parent: Ref | None) -> list[Prepared]:
        from broadcast.platforms import bluesky_records as records

        reply = _reply(parent)
        prepared = []
        for number, post in enumerate(posts):
            key = records.tids.next()
            record = records.post_record(
                post,
                # A millisecond apart, so that readers that sort by this time show them in order.
                at=self._now + timedelta(milliseconds=number),
                language=language,
                images=[(item, self._image(item)) for item in post.media],
                reply=reply,
                dids=self._known(post.facets),
            )
            payload = {"rkey": key, "cid": records.record_cid(record), "record": record}
            ref = self._ref(payload)
            prepared.append(Prepared(payload, ref))
            reply = _reply(ref)
        return prepared

    def send(self, intents: Sequence[Intent], parent: Ref | None) -> Iterator[Mapping[int, Ref]]:
        """All posts at once: `parent` stands in their records already."""
        from broadcast.platforms import bluesky_records as records

        with harmless():
            for intent in intents:
                self._upload(intent)
        if any(intent.post.media for intent in intents):
            yield {}
        written = self._client.write(
            [
                {
                    "$type": "com.atproto.repo.applyWrites#create",
                    "collection": records.COLLECTION,
                    "rkey": intent.payload["rkey"],
                    "value": intent.payload["record"],
                }
                for intent in intents
            ]
        )
        if written != [intent.payload["cid"] for intent in intents]:
            raise LostAnswerError("Bluesky wrote something else than it was given")
        yield {intent.part: self._ref(intent.payload) for intent in intents}

    def find(self, intents: Sequence[Intent], parent: Ref | None) -> Mapping[int, Ref]:
        found = {}
        for intent in intents:
            with proving("the account's posts on Bluesky"):
                cid = self._client.record_cid(intent.payload["rkey"])
            if cid is None:
                continue
            if cid != intent.payload["cid"]:
                raise UnprovableError(f"another record stands at {self._ref(intent.payload).url}")
            found[intent.part] = self._ref(intent.payload)
        return found

    def edit(self, ref: Ref, intent: Intent) -> Ref:
        raise RefusedError("posts on Bluesky cannot be changed")

    def delete(self, refs: Sequence[Ref]) -> Iterator[Sequence[Ref]]:
        """All at once, as far as one write takes them. Those that are gone are left out: to delete one of them would
        fail the whole write."""
        from broadcast.platforms import bluesky_records as records

        for start in range(0, len(refs), MAX_WRITES):
            some = refs[start : start + MAX_WRITES]
            deletes = [
                {"$type": "com.atproto.repo.applyWrites#delete", "collection": records.COLLECTION, "rkey": key}
                for key in self._standing(some)
            ]
            if deletes:
                try:
                    self._client.write(deletes)
                except LostAnswerError:
                    if self._standing(some):
                        raise
            yield some

    def close(self) -> None:
        self._client.close()

    def _standing(self, refs: Sequence[Ref]) -> list[str]:
        """The keys of those that are in the repository."""
        keys = [ref.id.rpartition("/")[2] for ref in refs]
        with harmless():
            return [key for key in keys if self._client.record_cid(key) is not None]

    def _profile(self) -> str:
        # The handle of an account whose domain does not lead back to it is shown as this, and leads nowhere.
        name = self._client.did if self._client.handle == "handle.invalid" else self._client.handle
        return f"https://bsky.app/profile/{name}"

    def _ref(self, payload: Mapping[str, Any]) -> Ref:
        uri = self._client.uri(payload["rkey"])
        reply = payload["record"].get("reply")
        root = reply["root"] if reply else {"uri": uri, "cid": payload["cid"]}
        return Ref(uri, f"{self._profile()}/post/{payload['rkey']}", {"cid": payload["cid"], "root": root})

    def _image(self, media: Media) -> Image:
        return load(self._root, media, MAX_IMAGE)

    def _upload(self, intent: Intent) -> None:
        """Upload the images of a post, which must be those that its record names."""
        embed = intent.payload["record"].get("embed") or {}
        for media, named in zip(intent.post.media, embed.get("images", ()), strict=True):
            if self._client.upload(self._image(media)) != named["image"]["ref"]["$link"]:
                raise RefusedError(f"{media.path}: the image is no longer the one that was planned")

    def _known(self, facets: Sequence[Facet]) -> dict[str, str]:
        """The DIDs of the handles that are mentioned. One that cannot be resolved stays text: it must not hold up an
        announcement."""
        handles = {facet.value.lower() for facet in facets if facet.kind == "mention"}
        for handle in sorted(handles - self._dids.keys()):
            try:
                self._dids[handle] = self._client.resolve(handle)
            except CredentialsError:
                raise
            except SendError:
                self._dids[handle] = None
        return {handle: did for handle in handles if (did := self._dids[handle])}


def _reply(parent: Ref | None) -> dict[str, Any] | None:
    """What a post says that answers `parent`: that one, and the first of the chain."""
    if parent is None:
        return None
    here = {"uri": parent.id, "cid": parent.data["cid"]}
    return {"root": dict(parent.data.get("root") or here), "parent": here}
