from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from PIL import Image

import x_description
from broadcast.model import Channel, Facet, FitOptions, Intent, Media, Post, Ref
from broadcast.platforms import bluesky, http, mastodon, mastodon_api, retry, x
from broadcast.platforms.base import Connection, Workspace
from broadcast.rehearsal import bluesky as bluesky_standin
from broadcast.rehearsal import mastodon as mastodon_standin
from broadcast.rehearsal import x as x_standin
from broadcast.rehearsal.base import Request, Response, Seen, World
from broadcast.rehearsal.server import Fault, Server
from kit import sent

PLATFORMS: dict[str, ModuleType] = {"x": x, "bluesky": bluesky, "mastodon": mastodon}
STANDINS: dict[str, ModuleType] = {"x": x_standin, "bluesky": bluesky_standin, "mastodon": mastodon_standin}
POSTING = {"x": "/2/tweets", "bluesky": "/xrpc/com.atproto.repo.applyWrites", "mastodon": "/api/v1/statuses"}
"""The request that makes posts stand."""


class Recording(Server):
    """Keeps the requests that were made."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.requests: list[Request] = []

    def exchange(self, request: Request) -> tuple[Response | None, bool]:
        self.requests.append(request)
        return super().exchange(request)


@dataclass
class Bench:
    """A platform's module, connected to its stand-in."""

    name: str
    root: Path
    server: Server
    stack: ExitStack
    secrets: dict[str, str]
    options: dict[str, Any] = field(default_factory=dict)

    @property
    def platform(self) -> Any:
        return PLATFORMS[self.name]

    @property
    def channel(self) -> Channel:
        options = self.platform.OPTIONS(**{**self.server.options(), **self.options})
        return Channel("news-room", self.name, FitOptions(), self.platform.limits(options), options=options)

    def connect(self, **secrets: str) -> Connection:
        workspace = Workspace(self.root, datetime.now(UTC))
        connection: Connection = self.platform.connect(self.channel, {**self.secrets, **secrets}, workspace)
        self.stack.callback(connection.close)
        return connection

    def post(self, text: str, *media: Media) -> Post:
        return Post(text, self.channel.limits.measure(text), tuple(self._facets(text)), media)

    def _facets(self, text: str) -> Iterator[Facet]:
        """Enough of an analysis for these tests: words that begin like one."""
        offset = 0
        for word in text.split(" "):
            end = offset + len(word.encode())
            if word.startswith("https://"):
                yield Facet("link", word, offset, end)
            elif word.startswith("#"):
                yield Facet("tag", word[1:], offset, end)
            elif word.startswith("@"):
                yield Facet("mention", word[1:], offset, end)
            offset = end + 1

    def intents(
        self, connection: Connection, posts: Sequence[Post], parent: Ref | None = None, language: str = "en"
    ) -> list[Intent]:
        """What the ledger gives back of these posts: their payload has been JSON."""
        now = datetime.now(UTC)
        prepared = connection.prepare(posts, language, parent)
        return [
            Intent(
                announcement="outage",
                update=now,
                channel="news-room",
                part=part,
                parts=len(posts),
                at=now,
                run="run",
                status="investigating",
                post=post,
                language=language,
                source="digest",
                payload=json.loads(json.dumps(one.payload, sort_keys=True)),
            )
            for part, (post, one) in enumerate(zip(posts, prepared, strict=True), 1)
        ]

    def publish(
        self, connection: Connection, posts: Sequence[Post], parent: Ref | None = None, language: str = "en"
    ) -> list[Ref]:
        intents = self.intents(connection, posts, parent, language)
        return list(sent(connection, intents, parent).values())

    def standing(self) -> list[Seen]:
        return [seen for seen in self.server.world.timeline() if seen.deleted is None]

    def fail(self, fault: Fault, *, method: str = "POST", path: str | None = None, skip: int = 0) -> None:
        """Let one request to `path` (default: the one that posts) go wrong, after `skip` that go right."""
        wanted = path or POSTING[self.name]
        left = [skip]

        def decide(request: Request, number: int) -> Fault | None:
            if request.method != method or not request.path.startswith(wanted) or left[0] < 0:
                return None
            left[0] -= 1
            return fault if left[0] < 0 else None

        self.server.faults = decide

    def answer(self, status: int, body: object = None, headers: Mapping[str, str] | None = None) -> Fault:
        """An answer in place of the world's, which does not hear of the request."""
        data = json.dumps({} if body is None else body).encode()
        return Fault(
            effect=False, answer=Response(status, data, {"Content-Type": "application/json", **(headers or {})})
        )


Open = Callable[..., Bench]


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "READ_TIMEOUT", 2.0)
    monkeypatch.setattr(x, "LAG", (0.01,))
    monkeypatch.setattr(mastodon, "LAG", (0.01,))
    monkeypatch.setattr(mastodon_api, "POLL_PAUSE", 0.01)
    monkeypatch.setattr(retry, "PAUSE", 0.01)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project with an image in it."""
    image = Image.linear_gradient("L").convert("RGB")
    exif = Image.Exif()
    exif[0x010F] = "SecretCamera"
    image.save(tmp_path / "errors.jpg", exif=exif)
    return tmp_path


@pytest.fixture
def open_bench(root: Path, request: pytest.FixtureRequest) -> Iterator[Open]:
    """Opens a bench with a stand-in that has the given options, or `bluesky-pds`: with a real PDS.
    At the end, every request that was made to X must be one of X's own description."""
    recordings: list[Recording] = []
    with ExitStack() as stack:

        def open_(name: str, **options: Any) -> Bench:
            name, _, real = name.partition("-")
            module: Any = STANDINS[name]
            if real:
                world: World = request.getfixturevalue(real).world(**options)
            else:
                world = module.create(module.Options(**options))
            server = stack.enter_context(Recording(world) if name == "x" else Server(world))
            if isinstance(server, Recording):
                recordings.append(server)
            return Bench(name, root, server, stack, world.secrets())

        yield open_
    if x_description.DESCRIPTION.is_file():
        assert [one for server in recordings for one in x_description.violations(server.requests)] == []


@pytest.fixture(params=[*sorted(PLATFORMS), "bluesky-pds"])
def bench(request: pytest.FixtureRequest, open_bench: Open) -> Bench:
    return open_bench(request.param)
