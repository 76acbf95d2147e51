"""What a request to X asks for, read and checked before anything happens."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from broadcast.rehearsal import forms
from broadcast.rehearsal.base import Request, number
from broadcast.rehearsal.x_errors import invalid

FIELDS = {"attachments", "author_id", "conversation_id", "created_at", "entities", "in_reply_to_user_id", "lang"}
UNANSWERED = {"edit_controls", "public_metrics", "possibly_sensitive", "reply_settings", "source", "note_tweet"}
"""Fields that X knows and that the stand-in has no value for."""
EXPANSIONS = {"author_id", "attachments.media_keys", "referenced_posts", "referenced_tweets.id", "in_reply_to_user_id"}
_POST_KEYS = {"text", "reply", "media", "reply_settings", "made_with_ai", "paid_partnership"}


@dataclass(frozen=True, slots=True)
class NewPost:
    """The body of `POST /2/tweets`."""

    text: str
    media: tuple[str, ...]
    parent: str | None

    @classmethod
    def read(cls, request: Request) -> Self:
        """Raises `Refusal`."""
        body = _body(request)
        post = cls(str(body.get("text", "")), _media_ids(body), _parent_id(body))
        if not post.text.strip() and not post.media:
            raise invalid("text", post.text, "must not be empty when there is no media")
        return post


@dataclass(frozen=True, slots=True)
class Query:
    """The parameters of `GET /2/users/:id/tweets`. Ids and times bound what is asked for; `start` is the number of
    posts on the pages before."""

    size: int
    start: int
    since: int
    until: int
    earliest: datetime | None
    latest: datetime | None
    replies: bool

    @classmethod
    def read(cls, request: Request) -> Self:
        """Raises `Refusal`."""
        size, start = number(request.param("max_results") or "10"), number(request.param("pagination_token") or "0")
        if size is None or not 5 <= size <= 100:
            raise invalid("max_results", str(request.param("max_results")), "is not between 5 and 100")
        if start is None:
            raise invalid("pagination_token", str(request.param("pagination_token")), "is none that was given out")
        since, until = request.param("since_id") or "0", request.param("until_id") or "9" * 19
        check_id("since_id", since)
        check_id("until_id", until)
        return cls(
            size=size,
            start=start,
            since=int(since),
            until=int(until),
            earliest=_time(request, "start_time"),
            latest=_time(request, "end_time"),
            replies="replies" not in (request.param("exclude") or "").split(","),
        )

    def asks_for(self, number: int, created: datetime, *, is_reply: bool) -> bool:
        return (
            self.since < number < self.until
            and (self.earliest is None or created >= self.earliest)
            and (self.latest is None or created < self.latest)
            and (self.replies or not is_reply)
        )


def check_id(parameter: str, value: object) -> None:
    if not isinstance(value, str) or number(value) is None:
        raise invalid(parameter, str(value), "must be an id: 1 to 19 digits, as a string")


def ids_of(request: Request) -> list[str]:
    """The ids that `GET /2/tweets` asks for."""
    ids = (request.param("ids") or "").split(",")
    if len(ids) > 100:
        raise invalid("ids", str(len(ids)), "must be one to a hundred ids")
    for one in ids:
        check_id("ids", one)
    return list(dict.fromkeys(ids))


def fields(request: Request) -> set[str]:
    """The fields and expansions that are asked for, by their names of today (`post.fields`) or the ones that the SDKs
    still use (`tweet.fields`)."""
    names: set[str] = set()
    for parameter, known in (
        ("post.fields", FIELDS | UNANSWERED | {"id", "text"}),
        ("tweet.fields", FIELDS | UNANSWERED | {"id", "text", "referenced_tweets"}),
        ("expansions", EXPANSIONS),
    ):
        asked = {name for name in (request.param(parameter) or "").split(",") if name}
        if asked - known:
            raise invalid(parameter, ",".join(sorted(asked - known)), "is not one of the names that exist")
        names |= asked
    return names


def _body(request: Request) -> dict[str, Any]:
    if forms.content_type(request) != "application/json":
        raise invalid("body", "", "must be JSON")
    try:
        body = forms.read(request)
    except forms.BodyError as error:
        raise invalid("body", "", str(error)) from error
    unknown = sorted(set(body) - _POST_KEYS)
    if unknown:
        raise invalid(unknown[0], "", "is not a parameter of this request")
    return body


def _media_ids(body: dict[str, Any]) -> tuple[str, ...]:
    if "media" not in body:
        return ()
    ids = body["media"].get("media_ids") if isinstance(body["media"], dict) else None
    if not isinstance(ids, list) or not 1 <= len(ids) <= 4:
        raise invalid("media.media_ids", str(ids), "must be one to four ids")
    for media_id in ids:
        check_id("media.media_ids", media_id)
    return tuple(ids)


def _parent_id(body: dict[str, Any]) -> str | None:
    if "reply" not in body:
        return None
    parent = body["reply"].get("in_reply_to_tweet_id") if isinstance(body["reply"], dict) else None
    check_id("reply.in_reply_to_tweet_id", parent)
    return str(parent)


def _time(request: Request, name: str) -> datetime | None:
    value = request.param(name)
    if value is None:
        return None
    if not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z", value):
        raise invalid(name, value, "is not a time such as 2026-11-22T14:05:00Z")
    return datetime.fromisoformat(value)
