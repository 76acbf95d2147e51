"""A stand-in for X: the parts of API v2 that publishing needs, for one account.

https://docs.x.com/x-api/posts/create-post and X's OpenAPI description, 2.167. X's own handling of what is written here
as 403 and 404 is taken from answers that others have published.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from broadcast.rehearsal import x_text
from broadcast.rehearsal.base import (
    Clock,
    Refusal,
    Request,
    Response,
    Seen,
    json_response,
    wall_clock,
)
from broadcast.rehearsal.limits import Standing, Window
from broadcast.rehearsal.oauth import Credentials, Gate
from broadcast.rehearsal.routes import Handler, Routes
from broadcast.rehearsal.x_errors import invalid, missing, no_credits, not_found, refused
from broadcast.rehearsal.x_media import Media
from broadcast.rehearsal.x_params import NewPost, Query, check_id, fields, ids_of

USERNAME = "broadcast_rehearsal"
USER_ID = "1700000000000000000"
WINDOW = timedelta(minutes=15)
LIMITS = {"POST /2/tweets": 100, "DELETE": 50, "GET /2/users/me": 75, "GET": 900, "POST": 500}
"""Requests for each user in 15 minutes (https://docs.x.com/x-api/fundamentals/rate-limits)."""
EPOCH = 1288834974657
"""Milliseconds of the Unix time from which ids count."""
MAX_TEXT = 25_000
"""No text that is longer is even measured."""
DELETED_PARENT = "You attempted to reply to a Tweet that is deleted or not visible to you."
REPLY_REFUSED = (
    "Reply to this conversation is not allowed because you have not been mentioned or otherwise engaged by the author "
    "of the post you are replying to."
)
DUPLICATE = "You are not allowed to create a Tweet with duplicate content."


@dataclass(frozen=True, slots=True)
class Options:
    """What this X is like. `lag` is how long a new post is missing from the timeline that the API shows, `credits` is
    how many posts are paid for, `checks` is how often a video's state must be asked before it is processed."""

    timeline_readable: bool = True
    replies_allowed: bool = True
    refuses_duplicates: bool = True
    rate_limited: bool = False
    lag: timedelta = timedelta(0)
    credits: int | None = None
    checks: int = 1


DEFAULT = Options()


@dataclass(frozen=True, slots=True)
class _Post:
    id: str
    text: str
    created: datetime
    conversation: str
    reply_to: str | None = None
    media: tuple[str, ...] = ()
    deleted: datetime | None = None

    @property
    def url(self) -> str:
        return f"https://x.com/{USERNAME}/status/{self.id}"


@dataclass(slots=True)
class XWorld:
    """See `World`."""

    settings: Options
    clock: Clock
    credentials: Credentials = field(default_factory=Credentials)
    posts: dict[str, _Post] = field(default_factory=dict)
    _windows: dict[str, Window] = field(default_factory=dict)
    _gate: Gate = field(init=False)
    _media: Media = field(init=False)
    _routes: Routes = field(init=False)

    def __post_init__(self) -> None:
        self._gate = Gate(self.credentials)
        self._media = Media(self.clock, self.settings.checks)
        table: dict[str, Handler] = {
            "POST /2/tweets": self._create,
            "GET /2/tweets": self._lookup_many,
            "GET /2/tweets/{id}": self._lookup,
            "DELETE /2/tweets/{id}": self._delete,
            "GET /2/users/me": self._me,
            "GET /2/users/{id}/tweets": self._timeline,
        }
        self._routes = Routes(table | self._media.routes)

    def options(self, url: str) -> dict[str, str]:
        return {"api_url": url}

    def secrets(self) -> dict[str, str]:
        return {
            "API_KEY": self.credentials.key,
            "API_SECRET": self.credentials.secret,
            "ACCESS_TOKEN": self.credentials.token,
            "ACCESS_TOKEN_SECRET": self.credentials.token_secret,
        }

    def timeline(self) -> tuple[Seen, ...]:
        return tuple(
            Seen(
                id=post.id,
                url=post.url,
                text=post.text,
                links=x_text.links(post.text),
                media=tuple(self._media.seen(media_id) for media_id in post.media),
                language=None,
                reply_to=post.reply_to,
                created=post.created,
                deleted=post.deleted,
            )
            for post in self.posts.values()
        )

    def handle(self, request: Request) -> Response:
        headers: dict[str, str] = {}
        try:
            answer = self._routes.find(request)
            if answer is None:
                raise refused(404)
            if not self._gate.lets_in(request):
                raise refused(401)
            standing = self._count(request)
            headers = _limit_headers(standing)
            if not standing.allowed:
                raise refused(429)
            response = answer()
        except Refusal as refusal:
            response = refusal.response
        return replace(response, headers={**response.headers, **headers})

    def _count(self, request: Request) -> Standing:
        route = f"{request.method} {request.path}"
        name = route if route in LIMITS else request.method
        window = self._windows.setdefault(
            name, Window(LIMITS.get(name, 500), WINDOW, enforced=self.settings.rate_limited)
        )
        return window.take(self.clock())

    def _me(self, request: Request) -> Response:
        return json_response({"data": {"id": USER_ID, "name": "Rehearsal", "username": USERNAME}})

    def _create(self, request: Request) -> Response:
        new = NewPost.read(request)
        if len(new.text) > MAX_TEXT or x_text.too_long(new.text):
            raise invalid("text", new.text[:40], "is too long. See https://github.com/twitter/twitter-text.")
        if not all(self._media.ready(media_id) for media_id in new.media):
            raise invalid("media.media_ids", ",".join(new.media), "are invalid: your media IDs are invalid")
        if new.parent is not None:
            self._check_parent(new.parent)
        if self.settings.refuses_duplicates and new.text.strip() and self._is_duplicate(new.text):
            raise refused(403, DUPLICATE)
        if self.settings.credits is not None and len(self.posts) >= self.settings.credits:
            raise no_credits()
        post = self._add(new)
        read, _ = x_text.as_read(post.text, self._pictures(post))
        return json_response({"data": {"id": post.id, "text": read, "edit_history_tweet_ids": [post.id]}}, 201)

    def _check_parent(self, parent: str) -> None:
        if not self.settings.replies_allowed:
            raise refused(403, REPLY_REFUSED)
        if parent not in self.posts or self.posts[parent].deleted:
            raise refused(403, DELETED_PARENT)

    def _is_duplicate(self, text: str) -> bool:
        wanted = x_text.same(text)
        return any(x_text.same(post.text) == wanted for post in self._standing())

    def _add(self, new: NewPost) -> _Post:
        now = self.clock()
        newest = int(next(reversed(self.posts), "0"))
        post_id = str(max(newest + 1, (int(now.timestamp() * 1000) - EPOCH) << 22))
        root = self.posts[new.parent].conversation if new.parent else post_id
        self.posts[post_id] = _Post(post_id, new.text, now, root, new.parent, new.media)
        return self.posts[post_id]

    def _standing(self) -> list[_Post]:
        return [post for post in self.posts.values() if post.deleted is None]

    def _lookup(self, request: Request, post_id: str) -> Response:
        check_id("id", post_id)
        asked = fields(request)
        post = self.posts.get(post_id)
        if post is None or post.deleted:
            return json_response({"errors": [missing("tweet", "id", post_id)]})
        return json_response({"data": self._as_read(post, asked)} | self._includes([post], asked))

    def _lookup_many(self, request: Request) -> Response:
        asked, ids = fields(request), ids_of(request)
        found = {post_id: post for post_id in ids if (post := self.posts.get(post_id)) and not post.deleted}
        data = [self._as_read(found[post_id], asked) for post_id in ids if post_id in found]
        errors = [missing("tweet", "ids", post_id) for post_id in ids if post_id not in found]
        answer: dict[str, Any] = ({"data": data} if data else {}) | ({"errors": errors} if errors else {})
        return json_response(answer | self._includes(list(found.values()), asked))

    def _delete(self, request: Request, post_id: str) -> Response:
        check_id("id", post_id)
        post = self.posts.get(post_id)
        if post is None or post.deleted:
            raise not_found("tweet", "id", post_id)
        self.posts[post_id] = replace(post, deleted=self.clock())
        return json_response({"data": {"deleted": True}})

    def _timeline(self, request: Request, user_id: str) -> Response:
        if not self.settings.timeline_readable:
            raise refused(403, "You are not permitted to use this endpoint with your current access level.")
        if user_id != USER_ID:
            return json_response({"errors": [missing("user", "id", user_id)]})
        query, asked = Query.read(request), fields(request)
        newest = [post for post in reversed(self._standing()) if self._is_listed(post, query)]
        page = newest[query.start : query.start + query.size]
        if not page:
            return json_response({"meta": {"result_count": 0}})
        meta = {"result_count": len(page), "newest_id": page[0].id, "oldest_id": page[-1].id}
        end = query.start + query.size
        data = [self._as_read(post, asked) for post in page]
        more = {"next_token": str(end)} if len(newest) > end else {}
        return json_response({"data": data, "meta": meta | more} | self._includes(page, asked))

    def _is_listed(self, post: _Post, query: Query) -> bool:
        late = post.created + self.settings.lag > self.clock()
        return not late and query.asks_for(int(post.id), post.created, is_reply=post.reply_to is not None)

    def _pictures(self, post: _Post) -> list[tuple[str, str]]:
        return [
            (self._media.get(media_id).key, f"{post.url}/{self._media.get(media_id).kind}/{number}")
            for number, media_id in enumerate(post.media, 1)
        ]

    def _as_read(self, post: _Post, asked: set[str]) -> dict[str, Any]:
        text, urls = x_text.as_read(post.text, self._pictures(post))
        keys = [self._media.get(media_id).key for media_id in post.media]
        answer: dict[str, Any] = {"id": post.id, "text": text, "edit_history_tweet_ids": [post.id]}
        parents = [{"type": "replied_to", "id": post.reply_to}] if post.reply_to else None
        known: dict[str, Any] = {
            "attachments": {"media_keys": keys} if keys else None,
            "author_id": USER_ID,
            "conversation_id": post.conversation,
            "created_at": f"{post.created:%Y-%m-%dT%H:%M:%S}.{post.created.microsecond // 1000:03}Z",
            "entities": {"urls": urls} if urls else None,
            "in_reply_to_user_id": USER_ID if post.reply_to else None,
            "lang": "und",
            "referenced_tweets": parents,
            "referenced_posts": parents,
        }
        return answer | {name: known[name] for name in asked if known.get(name) is not None}

    def _includes(self, posts: list[_Post], asked: set[str]) -> dict[str, Any]:
        uploads = [self._media.get(media_id) for post in posts for media_id in post.media]
        if "attachments.media_keys" not in asked or not uploads:
            return {}
        media = [{"media_key": item.key, "type": item.kind, "alt_text": item.alt} for item in uploads]
        return {"includes": {"media": media}}


def create(options: Options = DEFAULT, clock: Clock = wall_clock) -> XWorld:
    return XWorld(options, clock)


def _limit_headers(standing: Standing) -> dict[str, str]:
    return {
        "x-rate-limit-limit": str(standing.limit),
        "x-rate-limit-remaining": str(standing.remaining),
        "x-rate-limit-reset": str(int(standing.reset.timestamp())),
    }
