"""Entrances for what servers answer: the real SDKs, over a transport that answers from a case.

A case is a conversation in text: answers one below the other, each a line `%% METHOD PATH STATUS`, headers, a blank
line and a body. A request gets the next answer to the same method and path, ids apart, or else the next of any.
"""

from __future__ import annotations

import io
import re
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock
from urllib.parse import parse_qsl, unquote, urlsplit

import httpx
import requests
import urllib3
from PIL import Image

from broadcast.errors import SendError
from broadcast.ledger.codec import Entry, decode, encode
from broadcast.model import Channel, Facet, FitOptions, Intent, Media, Post, Ref
from broadcast.platforms import base as platforms
from broadcast.platforms import guard
from broadcast.platforms.base import Account, Connection, Ours, Patience, Workspace
from broadcast.rehearsal import base as rehearsal
from fuzz.documents import NOW, folder

MARK = b"%% "
LASTS = 80
MOST = 400
"""After so many requests a server does nothing but fail; and more than the others nobody may make."""
PORT = "http://127.0.0.1:9"
_ID = re.compile(r"[0-9]{6,}|did:[a-z0-9:]+")


@dataclass(slots=True)
class Answer:
    route: str
    status: int
    headers: list[tuple[str, str]]
    body: bytes


Respond = Callable[[rehearsal.Request], Answer]


@dataclass(slots=True)
class Script:
    """The answers of a case, each given as often as it is asked for; none is an empty 200."""

    answers: list[Answer]
    asked: dict[str, int] = field(default_factory=dict)
    requests: int = 0

    def __call__(self, request: rehearsal.Request) -> Answer:
        self.requests += 1
        assert self.requests <= MOST, f"request {self.requests}: does this end?"
        route = route_of(request)
        if self.requests > LASTS:
            return Answer(route, 500, [], b"")
        mine = [one for one in self.answers if one.route == route] or self.answers
        number = self.asked[route] = self.asked.get(route, -1) + 1
        return mine[number % len(mine)] if mine else Answer(route, 200, [], b"")


def route_of(request: rehearsal.Request) -> str:
    return f"{request.method} {_ID.sub('ID', request.path)}"


def read(data: bytes) -> list[Answer]:
    found = []
    for piece in (b"\n" + data).split(b"\n" + MARK)[1:]:
        head, _, body = piece.partition(b"\n\n")
        first, *lines = head.decode("latin-1").split("\n")
        route, _, status = first.rpartition(" ")
        headers = [(name.strip(), value.strip()) for name, _, value in (one.partition(":") for one in lines)]
        # What is no token of HTTP never gets past a real transport.
        headers = [(name, value) for name, value in headers if re.fullmatch(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+", name)]
        found.append(Answer(route, int(status) if re.fullmatch("[2-5][0-9]{2}", status) else 200, headers, body))
    return found


def written(answer: Answer) -> bytes:
    head = "".join(f"\n{name}: {value}" for name, value in answer.headers).encode()
    return MARK + f"{answer.route} {answer.status}".encode() + head + b"\n\n" + answer.body + b"\n"


@contextmanager
def answering(respond: Respond) -> Iterator[None]:
    """All that the SDKs send goes to `respond`, and nobody waits."""

    def through_requests(self: Any, request: requests.PreparedRequest, **_: Any) -> requests.Response:
        body = request.body if isinstance(request.body, bytes) else str(request.body or "").encode()
        answer = respond(_request(str(request.method), str(request.url), dict(request.headers), body))
        raw = urllib3.HTTPResponse(
            io.BytesIO(answer.body),
            urllib3.HTTPHeaderDict(answer.headers),
            answer.status,
            preload_content=False,
        )
        return self.build_response(request, raw)  # type: ignore[no-any-return]  # `self` is the adapter

    def through_httpx(self: Any, request: httpx.Request) -> httpx.Response:
        answer = respond(_request(request.method, str(request.url), dict(request.headers), request.read()))
        headers = [(name.encode(), value.encode("latin-1")) for name, value in answer.headers]
        return httpx.Response(answer.status, headers=headers, stream=httpx.ByteStream(answer.body), request=request)

    with (
        mock.patch("requests.adapters.HTTPAdapter.send", through_requests),
        mock.patch("httpx.HTTPTransport.handle_request", through_httpx),
        mock.patch("time.sleep", return_value=None),
        mock.patch("threading.Timer", mock.Mock()),
        mock.patch("broadcast.platforms.bluesky_video.POLL_PAUSE", 0),
    ):
        yield


def _request(method: str, url: str, headers: Mapping[str, str], body: bytes) -> rehearsal.Request:
    parts = urlsplit(url)
    query: dict[str, tuple[str, ...]] = {}
    for name, value in parse_qsl(parts.query, keep_blank_values=True):
        query[name] = (*query.get(name, ()), value)
    lower = {name.lower(): str(value) for name, value in headers.items()}
    return rehearsal.Request(method, unquote(parts.path), url, query, lower, body)


class _Hasty(threading.Event):
    """Nobody waits for it."""

    def wait(self, timeout: float | None = None) -> bool:
        return self.is_set()


def conversation(platform: str, respond: Respond, options: Mapping[str, str], secrets: Mapping[str, str]) -> None:
    """All that a connection can be asked. Nothing but errors of ours comes out, and what does is fit for the ledger."""
    module = platforms.load(platform)
    made = module.OPTIONS.model_validate(options)
    channel = Channel(platform, platform, FitOptions(), module.limits(made), options=made)
    with folder() as root, answering(respond):
        Image.new("RGB", (2, 2), "white").save(root / "a.png")
        (root / "a.mp4").write_bytes(b"\0\0\0\x18ftypisom" + b"\0" * 64)
        space = Workspace(root, NOW, stop=_Hasty(), patience=Patience(1.0, (0.0,)), inquire=True)
        with suppress(SendError):
            connection = guard.connect(channel, secrets, space)
            try:
                _ask(connection, module, root)
            finally:
                connection.close()


def _ask(connection: Connection, module: platforms.Platform, root: Path) -> None:
    with suppress(SendError):
        _account(connection.verify())
    parent = None
    stand: list[Ref] = []
    for number, posts in enumerate(POSTS):
        with suppress(SendError):
            intents = _intents(connection, posts, number, parent)
            with suppress(SendError):
                for standing in connection.send(intents, parent):
                    stand += [_ref(ref) for ref in standing.values()]
            for asked in (intents, [_unwritten(one) for one in intents]):
                with suppress(SendError):
                    stand += [_ref(ref) for ref in connection.find(asked, parent).values()]
            if stand:
                parent = stand[-1]
                with suppress(SendError):
                    said = tuple(one.post for one in intents)
                    connection.differing([Ours(ref, intents[0], said) for ref in stand])
            if module.EDITS and parent is not None:
                with suppress(SendError):
                    _ref(connection.edit(parent, intents[0]))
    with suppress(SendError):
        for gone in connection.delete(list(reversed(stand))):
            assert all(ref in stand for ref in gone)


def _account(account: Account) -> None:
    for text in (account.name, *account.notes, account.url or ""):
        assert isinstance(text, str)


def _ref(ref: Ref) -> Ref:
    assert isinstance(ref.id, str)
    assert ref.id
    assert ref.url is None or isinstance(ref.url, str)
    return ref


def _intents(connection: Connection, posts: Sequence[Post], number: int, parent: Ref | None) -> list[Intent]:
    prepared = connection.prepare(posts, "en", parent)
    made = []
    for part, (post, more) in enumerate(zip(posts, prepared, strict=True), start=1):
        time = NOW.replace(minute=number)
        intent = Intent(
            *("a", time, "channel", part, len(posts), NOW, "run", "update", post, "en", "digest"),
            more.payload,
            more.ref,
            parent,
        )
        entry = Entry("0123456789abcdef", intent)
        assert decode(encode(entry), "here") == entry
        made.append(intent)
    return made


def _unwritten(intent: Intent) -> Intent:
    return Intent(
        *(intent.announcement, intent.update, intent.channel, intent.part, intent.parts, intent.update, ""),
        *(intent.status, intent.post, intent.language, intent.source),
    )


TEXT = "Elevated errors. See https://status.example.com/a & @ada.example.com #sre <b>"
FACETS = (Facet("link", "https://status.example.com/a", 21, 49), Facet("mention", "ada.example.com", 52, 68))
POSTS = (
    (
        Post(
            TEXT,
            len(TEXT),
            (Facet("link", "https://status.example.com/a", 21, 49), Facet("mention", "ada.example.com", 52, 68)),
        ),
        Post("And more.", 9, media=(Media("a.png", "Errors"),)),
    ),
    (Post("Resolved.", 9),),
    (Post("A video.", 8, media=(Media("a.mp4", "Errors"),)),),
)
SECRETS = {
    "x": {"API_KEY": "k", "API_SECRET": "secret", "ACCESS_TOKEN": "123-token", "ACCESS_TOKEN_SECRET": "hidden"},
    "bluesky": {"APP_PASSWORD": "aaaa-bbbb-cccc-dddd"},
    "mastodon": {"ACCESS_TOKEN": "token"},
}
OPTIONS = {
    "x": {"api_url": PORT},
    "bluesky": {"service": PORT, "handle": "status.example.com", "video_service": PORT},
    "mastodon": {"api_base_url": PORT},
}


def _told(platform: str) -> Callable[[bytes], None]:
    def target(data: bytes) -> None:
        conversation(platform, Script(read(data)), OPTIONS[platform], SECRETS[platform])

    return target


x, bluesky, mastodon = _told("x"), _told("bluesky"), _told("mastodon")


def recorded(platform: str) -> bytes:
    """A conversation with the stand-in, in which everything succeeds."""
    world = rehearsal.load(platform).create()
    answers: list[Answer] = []

    def respond(request: rehearsal.Request) -> Answer:
        response = world.handle(request)
        answer = Answer(route_of(request), response.status, list(response.headers.items()), response.body)
        answers.append(answer)
        return answer

    conversation(platform, respond, world.options(PORT), world.secrets())
    return b"".join(map(written, answers))
