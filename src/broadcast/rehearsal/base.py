"""What a stand-in is: a plain module that fits `StandIn`, registered under `broadcast.standins`.

A stand-in is one account on one server of a platform. It holds its world in memory, answers requests as the real one
does, and says what followers would see. It never opens a socket: `broadcast.rehearsal.server` does.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import entry_points
from typing import Any, Protocol, cast

from broadcast.errors import ConfigError

GROUP = "broadcast.standins"

Clock = Callable[[], datetime]
"""Says the time, in UTC."""


def wall_clock() -> datetime:
    return datetime.now(UTC)


def number(text: str | None) -> int | None:
    """A whole number of at most 19 digits, as all ids and sizes are; None for anything else."""
    return int(text) if text is not None and re.fullmatch(r"[0-9]{1,19}", text) else None


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request. `path` is decoded and without the query; `url` is whole, as the client wrote it (a signature
    covers it); the names of `headers` are lower case; `query` keeps repeated names."""

    method: str
    path: str
    url: str
    query: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = field(default=b"", repr=False)

    def param(self, name: str) -> str | None:
        """The last value of a query parameter."""
        values = self.query.get(name)
        return values[-1] if values else None

    def bearer(self) -> str | None:
        """The token of an `Authorization: Bearer` header."""
        scheme, _, token = self.headers.get("authorization", "").partition(" ")
        return token.strip() if scheme.lower() == "bearer" and token else None


@dataclass(frozen=True, slots=True)
class Response:
    """One HTTP answer."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


def json_response(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    body = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    return Response(status, body, {"Content-Type": "application/json; charset=utf-8", **(headers or {})})


class Refusal(Exception):  # noqa: N818 - it is an answer, not a failure of the stand-in
    """Raised inside a stand-in to answer a request with an error, from however deep."""

    def __init__(self, response: Response) -> None:
        super().__init__(response.status)
        self.response = response


@dataclass(frozen=True, slots=True)
class SeenLink:
    """A stretch of a text that leads somewhere. `start` and `end` are UTF-8 byte offsets."""

    url: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class SeenMedia:
    """An image or a video as it was uploaded."""

    data: bytes = field(repr=False)
    mime: str
    alt: str


@dataclass(frozen=True, slots=True)
class Seen:
    """A post as followers see it. `text` is what the server stored, `id` and `reply_to` are the platform's own.

    A deleted post stays in the timeline with the time of its deletion: some followers saw it. What stands is what has
    `deleted is None`.
    """

    id: str
    url: str
    text: str
    links: tuple[SeenLink, ...]
    media: tuple[SeenMedia, ...]
    language: str | None
    reply_to: str | None
    created: datetime
    edited: datetime | None = None
    deleted: datetime | None = None
    card: str | None = None
    """The URL of a link card (Bluesky), which is not in the text."""


class World(Protocol):
    """An account and its server, from empty. Called from one thread at a time."""

    def handle(self, request: Request) -> Response:
        """Answer as the real server does. Never raises."""
        ...

    def options(self, url: str) -> dict[str, str]:
        """The keys of a channel's table that point the real client to a server at `url`."""
        ...

    def secrets(self) -> dict[str, str]:
        """The credentials that this world takes, by the fields of `BROADCAST_<CHANNEL>_<FIELD>`; random."""
        ...

    def timeline(self) -> tuple[Seen, ...]:
        """Every post of the account, oldest first."""
        ...


class StandIn(Protocol):
    """A module."""

    def create(self) -> World: ...


@cache
def load(name: str) -> StandIn:
    """The stand-in for the platform of this name. Raises `ConfigError` where none is installed."""
    found = {entry.name: entry for entry in entry_points(group=GROUP)}
    if name not in found:
        raise ConfigError(f"platform {name!r} has no stand-in", f"there are stand-ins for {', '.join(sorted(found))}")
    return cast(StandIn, found[name].load())
