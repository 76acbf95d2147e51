"""X, through tweepy. There is no idempotency: a lost answer is settled by reading the account's own posts."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict

from broadcast.errors import CredentialsError, RefusedError, RepliesRefusedError, UnprovableError
from broadcast.model import Channel, Intent, Limits, Post, Ref
from broadcast.platforms import rates, standing, x_posts
from broadcast.platforms.base import Account, Ours, Prepared, RateLimit, Workspace
from broadcast.platforms.failures import GoneError, field, formed, harmless, proving
from broadcast.platforms.forms import Forms
from broadcast.platforms.media import moving
from broadcast.platforms.options import BaseUrl, require
from broadcast.platforms.standing import Standing
from broadcast.text import measure
from broadcast.text.characters import composed

if TYPE_CHECKING:
    from broadcast.platforms.x_api import Client


class Options(BaseModel):
    """A table `[channels.NAME]` with `platform = "x"`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    api_url: BaseUrl = "https://api.x.com"
    replies: Literal["auto", "always", "never"] = "auto"


OPTIONS = Options
SECRETS = ("API_KEY", "API_SECRET", "ACCESS_TOKEN", "ACCESS_TOKEN_SECRET")
EDITS = False
RECOGNIZES = True

USD_WITH_LINK = 0.20
USD = 0.015
"""What one post costs with a link in it, and without (docs.x.com/x-api/getting-started/pricing)."""

MAX_IMAGE = 5 * 1024 * 1024
MAX_GIF = 15 * 1024 * 1024
MAX_VIDEO = 512 * 1024 * 1024
"""Bytes of an image, of an animated GIF, and of a video (docs.x.com/x-api/media/quickstart/best-practices)."""

ANYBODY = "i"
"""Stands for the account's name in an address, and leads to the post all the same."""
REFUSES_REPLIES = "X refuses replies from this account: from here on, posts stand on their own"
READ_ONLY = "the access token may only read; make one with write permission"
ME = "GET /2/users/me"

ID = r"[0-9]{1,19}"
USERNAME = r"[A-Za-z0-9_]{1,50}"
LOOKUP = 100
"""Posts that are asked for at once."""

LAG = (1.0, 2.0, 4.0)
"""Seconds to wait before looking again for a post that may not be listed yet."""
PAGE = 100
PAGES = 10
"""Posts on a page, and how many pages are read before giving up."""


def forms(options: Options, url: str | None) -> Forms:
    return Forms(id=ID, hosts=("x.com", "twitter.com"))


def limits(options: Options) -> Limits:
    return Limits(
        length=280,
        measure=measure.weighted,
        unit="weighted characters",
        images=4,
        alt=1000,
        replies=options.replies,
        videos="alone",
        gifs_move=True,
        repeats=False,
    )


def cost(post: Post) -> float:
    return USD_WITH_LINK if measure.x_links(composed(post.text)) else USD


def connect(channel: Channel, secrets: Mapping[str, str], workspace: Workspace) -> Connection:
    require(channel, secrets, SECRETS)
    from broadcast.platforms.retry import Retry
    from broadcast.platforms.x_api import Client

    wait, lag = (workspace.patience.answer, workspace.patience.lag) if workspace.patience else (None, LAG)
    client = Client(channel.options.api_url, secrets, Retry(workspace.stop), wait)
    # An access token begins with the id of its account (docs.x.com/fundamentals/authentication/oauth-1-0a).
    prefix = secrets["ACCESS_TOKEN"].partition("-")[0]
    user_id, username = (prefix if re.fullmatch(ID, prefix) else None), ANYBODY
    notes: tuple[str, ...] = ()
    limits_told: tuple[RateLimit, ...] = ()
    try:
        with harmless():
            response = client.request("GET", "/2/users/me")
            notes = (READ_ONLY,) if response.headers.get("x-access-level") == "read" else ()
            user = field("X", response.json(), "data")
            user_id, username = formed("X", user, ID, "id"), formed("X", user, USERNAME, "username")
            limits_told = _rates(response.headers)
    except BaseException as error:
        # Small plans may ask who they are only a few times a day. An outage must not wait for that.
        limited = isinstance(error, RefusedError) and error.retry_after is not None
        if not (limited or (isinstance(error, GoneError) and not workspace.inquire)):
            client.session.close()
            raise
        notes = (f"X does not say who this is: {error}",)
    account = Account(*_named(user_id, username), notes, limits_told)
    return Connection(
        client, workspace.root, user_id, username, account, channel.limits.replies, lag, workspace.published
    )


def _named(user_id: str | None, username: str) -> tuple[str, str | None]:
    """What the account is called, and where it is."""
    if username == ANYBODY:
        return user_id or "an account on X", None
    return f"@{username}", f"https://x.com/{username}"


def _rates(headers: Mapping[str, str]) -> tuple[RateLimit, ...]:
    """X counts each kind of request on its own, and tells of the one that was made."""
    return (
        *rates.told(headers, "x-rate-limit", ME),
        *rates.told(headers, "x-user-limit-24hour", f"{ME} of this user in 24 hours"),
        *rates.told(headers, "x-app-limit-24hour", f"{ME} of the app in 24 hours"),
    )


class Connection:
    """An account on X."""

    def __init__(
        self,
        client: Client,
        root: Path,
        user_id: str | None,
        username: str,
        account: Account,
        replies: Literal["auto", "always", "never"],
        lag: Sequence[float],
        published: frozenset[str],
    ) -> None:
        self._client = client
        self._root = root
        self._user_id = user_id
        self._username = username
        self._account = account
        self._lag = lag
        self._known = standing.Known(published)
        self._replies = replies
        self._alone = replies == "never"
        self._note: str | None = None
        self._listing = standing.Listing(self._own_posts, x_posts.created)

    def verify(self) -> Account:
        if READ_ONLY in self._account.notes:
            raise CredentialsError(READ_ONLY)
        return self._account

    def prepare(
        self, posts: Sequence[Post], language: str, parent: Ref | None, earlier: Sequence[Mapping[str, Any]] = ()
    ) -> list[Prepared]:
        return [Prepared() for _ in posts]

    def send(self, intents: Sequence[Intent], parent: Ref | None) -> Iterator[Mapping[int, Ref]]:
        answers = parent.id if parent else None
        for intent in intents:
            with harmless():
                media = [
                    self._client.upload(moving(self._root, item, MAX_IMAGE, MAX_GIF, MAX_VIDEO), item.alt)
                    for item in intent.post.media
                ]
            if media:
                yield {}
            if self._alone:
                answers = None
            try:
                answers = self._post(intent.post.text, media, answers)
            except RepliesRefusedError as error:
                if self._replies != "auto" or answers is None:
                    raise RefusedError(str(error)) from None
                self._alone, self._note = True, REFUSES_REPLIES
                raise
            self._known.note(intent, answers)
            note, self._note = self._note, None
            yield {intent.part: self._ref(answers, note)}

    def _post(self, text: str, media: Sequence[str], answers: str | None) -> str:
        answer = self._client.create_tweet(text=text, media_ids=media or None, in_reply_to_tweet_id=answers)
        return formed("X", answer, ID, "data", "id")

    def find(self, intents: Sequence[Intent], parent: Ref | None) -> Mapping[int, Ref]:
        since = standing.since(intents, self._client.session.server_time)
        found: Mapping[int, Standing] = {}
        for pause in standing.pauses(intents, self._lag):
            time.sleep(pause)
            with proving("the account's own posts on X"):
                listed = self._listing.since(since, intents)
                posts = self._known.without(intents, map(x_posts.standing_of, listed))
                found = standing.match_alone(intents, posts) if self._alone else standing.match(intents, parent, posts)
            if len(found) == len(intents):
                break
        return {part: self._ref(post.id) for part, post in found.items()}

    def differing(self, posts: Sequence[Ours]) -> Mapping[str, str]:
        wrong: dict[str, str] = {}
        for start in range(0, len(posts), LOOKUP):
            wrong |= self._differing(posts[start : start + LOOKUP])
        return wrong

    def _differing(self, posts: Sequence[Ours]) -> Mapping[str, str]:
        with proving("the posts on X"):
            answer = self._client.get_tweets([one.ref.id for one in posts], tweet_fields=x_posts.FIELDS)
            return x_posts.differing(answer, posts, self._user_id)

    def edit(self, ref: Ref, intent: Intent) -> Ref:
        raise RefusedError("posts on X cannot be changed")

    def delete(self, refs: Sequence[Ref]) -> Iterator[Sequence[Ref]]:
        for ref in refs:
            with suppress(GoneError):
                answer = self._client.delete_tweet(quote(ref.id, safe=""))
                if field("X", answer, "data", "deleted") is not True:
                    raise RefusedError(f"X did not delete {ref.url or ref.id}")
            yield [ref]

    def close(self) -> None:
        self._client.session.close()

    def _ref(self, id_: str, note: str | None = None) -> Ref:
        data = ({"standalone": True} if self._alone else {}) | ({"note": note} if note else {})
        return Ref(id_, f"https://x.com/{self._username}/status/{id_}", data)

    def _own_posts(self, since: datetime) -> Iterator[Mapping[str, Any]]:
        if self._user_id is None:
            raise UnprovableError("X does not say which account this is, so its posts cannot be read")
        token = None
        for _ in range(PAGES):
            page = self._client.get_users_tweets(
                self._user_id,
                max_results=PAGE,
                start_time=since.astimezone(UTC),
                pagination_token=token,
                tweet_fields=x_posts.FIELDS,
            )
            yield from page.get("data") or ()
            if page.get("errors"):
                raise UnprovableError("X listed only some of the account's posts")
            token = (page.get("meta") or {}).get("next_token")
            if token is None:
                return
        raise UnprovableError(f"the account has more than {PAGE * PAGES} posts since the intent")
