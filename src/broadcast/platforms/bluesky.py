"""Bluesky, through atproto. A thread is one write under keys that were chosen before: it stands whole or not at all,
and a lost answer is settled by reading the keys."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, field_validator

from broadcast.errors import CredentialsError, LostAnswerError, RefusedError, SendError, UnprovableError
from broadcast.model import Channel, Facet, Intent, Limits, Post, Ref
from broadcast.platforms import bluesky_account, bluesky_replies, rates, standing
from broadcast.platforms.base import Account, Ours, Prepared, Workspace
from broadcast.platforms.bluesky_forms import FORMS
from broadcast.platforms.failures import MissingBlobError, harmless, proving
from broadcast.platforms.forms import Forms
from broadcast.platforms.options import BaseUrl, BaseUrlOrNothing, require
from broadcast.text import measure

if TYPE_CHECKING:
    from broadcast.platforms import bluesky_posts
    from broadcast.platforms.bluesky_api import Client

BLUESKY = "https://bsky.social"
VIDEO_SERVICE = "https://video.bsky.app"


class Options(BaseModel):
    """A table `[channels.NAME]` with `platform = "bluesky"`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    handle: str
    service: BaseUrl = BLUESKY
    video_service: BaseUrlOrNothing | None = None

    @property
    def video(self) -> str | None:
        """The video service: the one of the table, else Bluesky's own for accounts on Bluesky's own servers."""
        host = urlsplit(self.service).hostname or ""
        ours = self.service == BLUESKY or host.endswith(".host.bsky.network")
        return (VIDEO_SERVICE if ours else None) if self.video_service is None else self.video_service or None

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
RECOGNIZES = True


MAX_WRITES = 200
"""How many writes `com.atproto.repo.applyWrites` takes at once."""

GONE = "the server no longer has it"
LEFT_OUT = "it stands without its video, and leads to the page: "


def forms(options: Options, url: str | None) -> Forms:
    return FORMS


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
        videos="alone" if options.video else "none",
        video_alt=1000,
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
    return Connection(client, channel.options.video, workspace)


class Connection:
    """An account in its repository."""

    def __init__(self, client: Client, video_service: str | None, workspace: Workspace) -> None:
        from broadcast.platforms.bluesky_embeds import Embeds

        self._client = client
        self._workspace = workspace
        self._posted: standing.Listing[bluesky_posts.Found] | None = None
        self._dids: dict[str, str | None] = {}
        self._rates = rates.told(client.login_headers, "ratelimit", "com.atproto.server.createSession")
        self._takes_videos = video_service is not None
        self._embeds = Embeds(client, video_service, workspace)

    def verify(self) -> Account:
        told, scope = self._client.login_answer, self._client.scope()
        notes = bluesky_account.notes(told, scope, videos=self._takes_videos)
        if self._workspace.inquire and bluesky_account.UNCONFIRMED not in notes:
            why = self._embeds.refuses_videos()
            notes += [f"the video service refuses videos: {why}"] if why else []
        return Account(f"@{self._client.handle}", self._profile(), tuple(notes), self._rates)

    def prepare(
        self, posts: Sequence[Post], language: str, parent: Ref | None, earlier: Sequence[Mapping[str, Any]] = ()
    ) -> list[Prepared]:
        """Videos are uploaded here: what the service makes of one has a CID that nobody knows before."""
        from broadcast.platforms import bluesky_records as records

        reply = bluesky_replies.reply(self._client, parent)
        foreign = parent is not None and reply is None
        prepared = []
        for number, (post, made) in enumerate(zip(posts, earlier or [{}] * len(posts), strict=True)):
            # A key that was used before makes a second write fail, and the time makes it the same record.
            key, created = records.again(made) or (records.tids.next(), None)
            embed, note = self._embeds.of(post)
            record = records.post_record(
                post,
                # A millisecond apart, so that readers that sort by this time show them in order.
                at=created or self._workspace.now + timedelta(milliseconds=number),
                language=language,
                embed=embed,
                reply=reply,
                dids=self._known(post.facets),
            )
            payload = {"rkey": key, "cid": records.record_cid(record), "record": record}
            notes = [bluesky_replies.FOREIGN] * (foreign and number == 0) + ([LEFT_OUT + note] if note else [])
            payload |= {"note": "; ".join(notes)} if notes else {}
            ref = self._ref(payload)
            prepared.append(Prepared(payload, ref))
            reply = bluesky_replies.reply(self._client, ref)
        return prepared

    def send(self, intents: Sequence[Intent], parent: Ref | None) -> Iterator[Mapping[int, Ref]]:
        """All posts at once: what they answer stands in their records already."""
        with harmless():
            for intent in intents:
                self._embeds.upload(intent)
        if any(intent.post.media for intent in intents):
            yield {}
        payloads = self._payloads(intents, parent)
        try:
            self._write(payloads)
        except MissingBlobError as error:  # every image is there since just now
            payloads = self._payloads(intents, parent, why=str(error))
            self._write(payloads)
        yield {intent.part: self._ref(payload) for intent, payload in zip(intents, payloads, strict=True)}

    def _write(self, payloads: Sequence[Mapping[str, Any]]) -> None:
        from broadcast.platforms import bluesky_records as records

        written = self._client.write(
            [
                {
                    "$type": "com.atproto.repo.applyWrites#create",
                    "collection": records.COLLECTION,
                    "rkey": payload["rkey"],
                    "value": payload["record"],
                }
                for payload in payloads
            ]
        )
        if written != [payload["cid"] for payload in payloads]:
            raise LostAnswerError("Bluesky wrote something else than it was given")

    def _payloads(
        self, intents: Sequence[Intent], parent: Ref | None, why: str | None = None
    ) -> list[Mapping[str, Any]]:
        """What is written for these: what was prepared, unless a video was gone (`why`) when it, or what it answers,
        was written. Then cards stand in place of the videos, and the CIDs are others."""
        from broadcast.platforms import bluesky_records as records

        cids = {to["uri"]: to["cid"] for to in (bluesky_replies.reply(self._client, parent) or {}).values()}
        payloads: list[Mapping[str, Any]] = []
        for intent in intents:
            record, note = intent.payload["record"], {}
            if why is not None and records.shows_video(record):
                record, note = records.without_video(record, intent.post.card), {"note": LEFT_OUT + why}
            record = records.answering(record, cids)
            if record == intent.payload["record"]:
                payloads.append(intent.payload)
                continue
            payload = {**intent.payload, "cid": records.record_cid(record), "record": record, **note}
            cids[self._client.uri(payload["rkey"])] = payload["cid"]
            payloads.append(payload)
        return payloads

    def find(self, intents: Sequence[Intent], parent: Ref | None) -> Mapping[int, Ref]:
        if not all("rkey" in intent.payload for intent in intents):
            return self._recognized(intents, parent)
        found = {}
        with proving("what was prepared"):
            planned, without_videos = self._payloads(intents, parent), self._payloads(intents, parent, why=GONE)
        for intent, first, second in zip(intents, planned, without_videos, strict=True):
            with proving("the account's posts on Bluesky"):
                cid = self._client.record_cid(intent.payload["rkey"])
            if cid is None:
                continue
            payload = next((one for one in (first, second) if one["cid"] == cid), None)
            if payload is None:
                raise UnprovableError(f"another record stands at {self._ref(intent.payload).url}")
            with proving("what was prepared"):
                found[intent.part] = self._ref(payload)
        return found

    def _recognized(self, intents: Sequence[Intent], parent: Ref | None) -> Mapping[int, Ref]:
        """Without keys, posts are told by what they say."""
        from broadcast.platforms import bluesky_posts

        with proving("the account's posts on Bluesky"):
            self._posted = self._posted or bluesky_posts.listing(self._client)
            found = bluesky_posts.recognized(self._client, self._posted, intents, parent)
        return {part: self._ref({"rkey": one.key, "cid": one.cid, "record": one.record}) for part, one in found.items()}

    def differing(self, posts: Sequence[Ours]) -> Mapping[str, str]:
        from broadcast.platforms import bluesky_posts

        with proving("the posts on Bluesky"):
            return bluesky_posts.differing(self._client, posts)

    def edit(self, ref: Ref, intent: Intent) -> Ref:
        raise RefusedError("posts on Bluesky cannot be changed")

    def delete(self, refs: Sequence[Ref]) -> Iterator[Sequence[Ref]]:
        """All at once, as far as one write takes them. One that is gone already fails the whole write: only then is it
        asked which ones are there."""
        for start in range(0, len(refs), MAX_WRITES):
            some = refs[start : start + MAX_WRITES]
            try:
                self._delete([_key(ref) for ref in some])
            except CredentialsError:
                raise
            except (RefusedError, LostAnswerError):
                there = self._standing(some)
                if len(there) == len(some):
                    raise
                self._delete(there)
            yield some

    def _delete(self, keys: Sequence[str]) -> None:
        from broadcast.platforms.bluesky_records import COLLECTION

        kind = "com.atproto.repo.applyWrites#delete"
        deletes = [{"$type": kind, "collection": COLLECTION, "rkey": key} for key in keys]
        if deletes:
            self._client.write(deletes)

    def close(self) -> None:
        self._client.close()
        self._embeds.close()

    def _standing(self, refs: Sequence[Ref]) -> list[str]:
        """The keys of those that are in the repository."""
        with harmless():
            return [key for key in map(_key, refs) if self._client.record_cid(key) is not None]

    def _profile(self) -> str:
        # The handle of an account whose domain does not lead back to it is shown as this, and leads nowhere.
        name = self._client.did if self._client.handle == "handle.invalid" else self._client.handle
        return f"https://bsky.app/profile/{name}"

    def _ref(self, payload: Mapping[str, Any]) -> Ref:
        uri = self._client.uri(payload["rkey"])
        reply = payload["record"].get("reply")
        root = reply["root"] if reply else {"uri": uri, "cid": payload["cid"]}
        data = {"cid": payload["cid"], "root": root} | ({"note": payload["note"]} if "note" in payload else {})
        return Ref(uri, f"{self._profile()}/post/{payload['rkey']}", data)

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


def _key(ref: Ref) -> str:
    return ref.id.rpartition("/")[2]
