"""Mastodon and the servers that speak its API, through Mastodon.py. A lost answer is settled by the account's own
posts; the idempotency key only helps where a server honors it, and for an hour."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from uuid import uuid4

from pydantic import BaseModel, ConfigDict, Field

from broadcast.errors import LostAnswerError, RefusedError, SendError, UnprovableError
from broadcast.model import Channel, Intent, Limits, Post, Ref
from broadcast.platforms import rates, standing
from broadcast.platforms.base import Account, Ours, Prepared, Workspace
from broadcast.platforms.failures import GoneError, harmless, proving
from broadcast.platforms.forms import SEGMENT, Forms, host_of
from broadcast.platforms.media import moving, read
from broadcast.platforms.options import BaseUrl, require
from broadcast.platforms.standing import Standing
from broadcast.text import measure

if TYPE_CHECKING:
    from broadcast.platforms.mastodon_api import Client, Instance

Visibility = Literal["public", "unlisted", "private"]


class Options(BaseModel):
    """A table `[channels.NAME]` with `platform = "mastodon"`. The numbers are the server's own, from its
    `/api/v2/instance`: planning does not ask it. `spoiler_text` is a content warning, above every post."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    api_base_url: BaseUrl
    visibility: Visibility = "public"
    reply_visibility: Visibility = "unlisted"
    max_characters: int = Field(default=500, ge=100, le=1_000_000)
    characters_reserved_per_url: int = Field(default=23, ge=1, le=1000)
    description_limit: int = Field(default=1500, ge=100, le=1_000_000)
    spoiler_text: str = Field(default="", max_length=80)


OPTIONS = Options
SECRETS = ("ACCESS_TOKEN",)
EDITS = True
RECOGNIZES = True

MAX_IMAGE = 16 * 1024 * 1024
MAX_VIDEO = 40 * 1024 * 1024
"""Bytes of an image and of a video where the server does not say (docs.joinmastodon.org/user/posting/#media)."""

KEY = r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
"""An idempotency key."""
LAG = (1.0, 2.0)
"""Seconds to wait before looking again for a post that may not be listed yet."""
MAX_SOURCES = 40
"""How many posts are asked for the words that were written, at most, one request each."""
EVERY = "every request of the account"
"""What a server counts in the limit that it tells (docs.joinmastodon.org/api/rate-limits)."""
STANDING = {
    "suspended": "the server has suspended the account",
    "limited": "the server limits the account: only its followers see its posts",
    "moved": "the account has moved to another one",
}
"""What an account may not do, by the fields of it that say so (docs.joinmastodon.org/entities/Account)."""
NEEDED = {
    "write:statuses": "posting, editing and deleting will be refused",
    "write:media": "images and videos will be refused",
    "read:statuses": "a lost answer cannot be settled",
}
"""Scopes, and what cannot be done without each."""
OPENNESS: tuple[Visibility, ...] = ("private", "unlisted", "public")


def forms(options: Options, url: str | None) -> Forms:
    """Ids are opaque: numbers, ULIDs, UUIDs, and others (docs.joinmastodon.org/api/guidelines/#id)."""
    return Forms(id=SEGMENT, values={"idempotency_key": KEY}, hosts=host_of(options.api_base_url))


def limits(options: Options) -> Limits:
    count = measure.mastodon(options.characters_reserved_per_url)
    room = options.max_characters - count(options.spoiler_text)  # the warning counts too
    return Limits(
        length=room,
        measure=count,
        unit="characters",
        images=4,
        alt=options.description_limit,
        videos="alone",
        gifs_move=True,
    )


def cost(post: Post) -> None:
    return None


def connect(channel: Channel, secrets: Mapping[str, str], workspace: Workspace) -> Connection:
    require(channel, secrets, SECRETS)
    from broadcast.platforms.mastodon_api import Client
    from broadcast.platforms.retry import Retry

    wait, lag = (workspace.patience.answer, workspace.patience.lag) if workspace.patience else (None, LAG)
    client = Client(channel.options.api_base_url, secrets["ACCESS_TOKEN"], Retry(workspace.stop), wait)
    try:
        with harmless():
            instance, account = client.instance(), client.account()
        _agree(channel, instance)
    except BaseException:
        client.close()
        raise
    return Connection(
        client, workspace.root, channel.options, account, instance, lag, workspace.published, workspace.inquire
    )


def _agree(channel: Channel, instance: Instance) -> None:
    """Posts were planned by the channel's numbers; they would be refused one by one where the server has others."""
    options = channel.options
    for key, planned, server, much in (
        ("max_characters", options.max_characters, instance.max_characters, "takes {} characters in a post"),
        ("description_limit", options.description_limit, instance.description_limit, "takes {} in a description"),
        ("characters_reserved_per_url", options.characters_reserved_per_url, instance.characters_reserved_per_url, ""),
    ):
        if server is None or (server >= planned if much else server <= planned):
            continue
        raise RefusedError(
            f"the server {(much or 'counts {} characters for a URL').format(server)}, and posts were planned for "
            f"{planned}: set {key} = {server} under [channels.{channel.name}] in broadcast.toml"
        )


class Connection:
    """An account on a server."""

    def __init__(
        self,
        client: Client,
        root: Path,
        options: Options,
        account: Mapping[str, Any],
        instance: Instance,
        lag: Sequence[float],
        published: frozenset[str],
        inquire: bool,
    ) -> None:
        self._client = client
        self._root = root
        self._options = options
        self._account = account
        self._lag = lag
        self._known = standing.Known(published)
        self._max_image = instance.max_image or MAX_IMAGE
        self._max_video = instance.max_video or MAX_VIDEO
        self._sources: dict[str, str] = {}
        self._listing = standing.Listing(partial(client.statuses, str(account["id"])), client.made)
        self._inquire = inquire
        self._rates = rates.told(client.session.told, "x-ratelimit", EVERY)

    def verify(self) -> Account:
        url = self._account.get("url")
        notes = [note for key, note in STANDING.items() if self._account.get(key)]
        scopes = self._client.scopes() if self._inquire else None
        if scopes is not None:
            missing = (name for name in NEEDED if not {name, name.partition(":")[0]} & scopes)
            notes += [f"the application lacks the scope {name}: {NEEDED[name]}" for name in missing]
        name = self._account.get("acct") or self._account.get("username") or self._account["id"]
        return Account(f"@{name}", str(url) if url else None, tuple(notes), self._rates)

    def prepare(
        self, posts: Sequence[Post], language: str, parent: Ref | None, earlier: Sequence[Mapping[str, Any]] = ()
    ) -> list[Prepared]:
        keys = [str(made.get("idempotency_key") or uuid4()) for made in earlier or [{}] * len(posts)]
        return [
            Prepared({"idempotency_key": key if re.fullmatch(KEY, key) else str(uuid4())} | self._digests(post))
            for key, post in zip(keys, posts, strict=True)
        ]

    def send(self, intents: Sequence[Intent], parent: Ref | None) -> Iterator[Mapping[int, Ref]]:
        answers = parent.id if parent else None
        for intent in intents:
            with harmless():
                media = self._upload(intent.post)
            if media:
                yield {}
            status = self._client.post(
                intent.post.text,
                in_reply_to_id=answers,
                media_ids=media or None,
                visibility=self._visibility(answers),
                spoiler_text=self._options.spoiler_text or None,
                language=intent.language,
                idempotency_key=intent.payload["idempotency_key"],
            )
            answers = str(status["id"])
            if self._known.other(intent, answers):
                raise LostAnswerError("Mastodon answered with another post than the one that it was given")
            self._known.note(intent, answers)
            yield {intent.part: _ref(status, intent)}

    def find(self, intents: Sequence[Intent], parent: Ref | None) -> Mapping[int, Ref]:
        since = standing.since(intents, self._client.session.server_time)
        found: Mapping[int, Ref] = {}
        for pause in standing.pauses(intents, self._lag):
            time.sleep(pause)
            with proving("the account's own posts on Mastodon"):
                found = self._matched(intents, parent, self._listing.since(since, intents))
            if len(found) == len(intents):
                break
        return found

    def differing(self, posts: Sequence[Ours]) -> Mapping[str, str]:
        """One request for each: only newer servers of the family take several ids at once."""
        wrong = {}
        for one in posts:
            with proving("the posts on Mastodon"), suppress(GoneError):
                status = self._client.status(one.ref.id)
                author = (status.get("account") or {}).get("id")
                if author is not None and str(author) != str(self._account["id"]):
                    wrong[one.ref.id] = standing.NOT_OURS
                elif not self._says(_standing(status), one.posts):
                    wrong[one.ref.id] = standing.OTHER
        return wrong

    def _says(self, post: Standing, posts: Sequence[Post]) -> bool:
        return standing.says(post.text, posts) or standing.says(self._exact(post).text, posts)

    def edit(self, ref: Ref, intent: Intent) -> Ref:
        """The text, and the images where their alternative texts or their bytes are others than those of the intent."""
        with harmless():
            there = self._client.status(ref.id).get("media_attachments") or ()
            media = [str(item["id"]) for item in there]
            described = [item.get("description") or "" for item in there] == [item.alt for item in intent.post.media]
            if not described or self._digests(intent.post).get("media") != intent.payload.get("media"):
                media = self._upload(intent.post)
        spoiler = self._options.spoiler_text or None
        return _ref(self._client.update(ref.id, intent.post.text, media_ids=media, spoiler_text=spoiler), intent)

    def delete(self, refs: Sequence[Ref]) -> Iterator[Sequence[Ref]]:
        for ref in refs:
            with suppress(GoneError):
                self._client.delete(ref.id)
            yield [ref]

    def close(self) -> None:
        self._client.close()

    def _upload(self, post: Post) -> list[str]:
        return [
            self._client.upload(moving(self._root, item, self._max_image, self._max_image, self._max_video), item.alt)
            for item in post.media
        ]

    def _digests(self, post: Post) -> dict[str, list[str]]:
        """Of the files of a post, so that an edit knows whether they are still the same."""
        digests = [sha256(read(self._root, item)).hexdigest() for item in post.media]
        return {"media": digests} if digests else {}

    def _visibility(self, answers: str | None) -> Visibility:
        """A reply is never more open than the post that it answers."""
        first, reply = self._options.visibility, self._options.reply_visibility
        return first if answers is None else min(first, reply, key=OPENNESS.index)

    def _matched(
        self, intents: Sequence[Intent], parent: Ref | None, statuses: Sequence[Mapping[str, Any]]
    ) -> Mapping[int, Ref]:
        by_id = {str(status["id"]): status for status in statuses}
        posts = self._known.without(intents, map(_standing, statuses))
        by_part = {intent.part: intent for intent in intents}
        found: Mapping[int, Standing] = {}
        with suppress(UnprovableError):  # said again below, if the words as they were written do not help
            found = standing.match(intents, parent, posts)
        if len(found) < len(intents):
            taken = {post.id for post in found.values()}
            posts = [post if post.id in taken else self._exact(post) for post in posts]
            found = standing.match(intents, parent, posts)
        return {part: _ref(by_id[post.id], by_part[part]) for part, post in found.items()}

    def _exact(self, post: Standing) -> Standing:
        """With the words that were written, in place of those that the server made of them, where it tells them."""
        if post.id not in self._sources and len(self._sources) < MAX_SOURCES:
            self._sources[post.id] = post.text
            with suppress(SendError):
                self._sources[post.id] = self._client.source(post.id)
        return replace(post, text=self._sources.get(post.id, post.text))


def _standing(status: Mapping[str, Any]) -> Standing:
    parent = status.get("in_reply_to_id")
    return Standing(str(status["id"]), standing.plain(str(status.get("content", ""))), str(parent) if parent else None)


def _ref(status: Mapping[str, Any], intent: Intent) -> Ref:
    """Where a post stands. Some servers take a post and drop its images without a word: `data` says so."""
    url, kept, sent = status.get("url"), len(status.get("media_attachments") or ()), len(intent.post.media)
    data = {"note": f"the server kept {kept} of {sent} images"} if kept < sent else {}
    return Ref(str(status["id"]), str(url) if url else None, data)
