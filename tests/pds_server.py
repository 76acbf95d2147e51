"""A real PDS for the tests (`tests/pds`), and its account as a world: the same tests meet it and the stand-in."""

from __future__ import annotations

import base64
import hmac
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx

from broadcast.rehearsal.base import Refusal, Request, Response, Seen, SeenLink, SeenMedia
from broadcast.rehearsal.bluesky_video import VideoService

FOLDER = Path(__file__).parent / "pds"
POST = "app.bsky.feed.post"
HOP = {"connection", "keep-alive", "transfer-encoding", "content-encoding", "content-length", "host", "accept-encoding"}
"""Headers that speak of one connection, or of the bytes on it."""


@dataclass(frozen=True, slots=True)
class Account:
    """An account of a PDS. `password` is an app password."""

    handle: str
    did: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Pds:
    """A PDS that is running, with rate limits; what goes through `http` does not count for them."""

    url: str
    account: Account
    http: httpx.Client
    jwt_secret: str = field(repr=False)
    _numbers: Iterator[int] = field(default_factory=lambda: count(1), repr=False)

    def world(self, *, rate_limited: bool = False) -> PdsWorld:
        """The account without its posts, free of limits; or a new one that is held to them."""
        if rate_limited:
            return PdsWorld(self, self._new(), rate_limited)
        world = PdsWorld(self, self.account)
        world.clear()
        return world

    def _new(self) -> Account:
        handle, password = f"limited-{next(self._numbers)}.test", "not-a-secret"
        body = {"handle": handle, "email": f"{handle}@example.com", "password": password}
        made = self.call("com.atproto.server.createAccount", body)
        return Account(handle, made["did"], password)

    def call(self, method: str, body: object, token: str | None = None) -> Any:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        answer = self.http.post(f"/xrpc/{method}", json=body, headers=headers)
        assert answer.is_success, answer.text
        return answer.json()

    def query(self, method: str, **params: str) -> httpx.Response:
        answer = self.http.get(f"/xrpc/{method}", params=params)
        assert answer.is_success, answer.text
        return answer

    def signed(self, claims: dict[str, Any]) -> str:
        """An access token with these claims, as this PDS signs them."""
        parts = [{"typ": "at+jwt", "alg": "HS256"}, {"aud": "did:web:localhost", **claims}]
        told = ".".join(_base64(json.dumps(part).encode()) for part in parts)
        return f"{told}.{_base64(hmac.digest(self.jwt_secret.encode(), told.encode(), 'sha256'))}"


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


@dataclass(frozen=True, slots=True)
class PdsWorld:
    """An account of a real PDS. Behind `broadcast.rehearsal.server.Server` it is a proxy that counts requests and loses
    answers. Only what stands is in its timeline: a PDS forgets what was deleted."""

    pds: Pds
    account: Account
    rate_limited: bool = False
    videos: VideoService = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "videos", VideoService(self.account.did, self._to_pds))

    @property
    def did(self) -> str:
        return self.account.did

    def handle(self, request: Request) -> Response:
        """The video service is a stand-in; where it puts videos is the real PDS."""
        answer = self.videos.find(request) or (lambda: self._to_pds(request))
        try:
            return answer()
        except Refusal as refusal:
            return refusal.response

    def _to_pds(self, request: Request) -> Response:
        target = urlsplit(request.url)
        headers = {name: value for name, value in request.headers.items() if name not in HOP}
        if self.rate_limited:
            headers["x-ratelimit-bypass"] = ""
        answer = self.pds.http.request(
            request.method, target._replace(scheme="", netloc="").geturl(), content=request.body, headers=headers
        )
        kept = {name: value for name, value in answer.headers.items() if name not in HOP | {"date"}}
        return Response(answer.status_code, answer.content, kept)

    def options(self, url: str) -> dict[str, str]:
        return {"service": url, "handle": self.account.handle, "video_service": url}

    def secrets(self) -> dict[str, str]:
        return {"APP_PASSWORD": self.account.password}

    def timeline(self) -> tuple[Seen, ...]:
        return tuple(self._seen(record) for record in self.records())

    def records(self) -> list[dict[str, Any]]:
        """What `listRecords` says of the posts, in the order of their keys."""
        found: list[dict[str, Any]] = []
        params = {"repo": self.did, "collection": POST, "limit": "100", "reverse": "true"}
        while True:
            page = self.pds.query("com.atproto.repo.listRecords", **params).json()
            found += page["records"]
            if "cursor" not in page:
                return found
            params["cursor"] = page["cursor"]

    def clear(self) -> None:
        token = self.pds.signed({"scope": "com.atproto.access", "sub": self.did, "iat": 0, "exp": 2**32})
        keys = [record["uri"].rpartition("/")[2] for record in self.records()]
        deletes = [{"$type": "com.atproto.repo.applyWrites#delete", "collection": POST, "rkey": key} for key in keys]
        for start in range(0, len(deletes), 200):
            body = {"repo": self.did, "writes": deletes[start : start + 200]}
            self.pds.call("com.atproto.repo.applyWrites", body, token)

    def _seen(self, record: dict[str, Any]) -> Seen:
        value = record["value"]
        embed = value.get("embed", {})
        return Seen(
            id=record["uri"],
            url=f"https://bsky.app/profile/{self.account.handle}/post/{record['uri'].rpartition('/')[2]}",
            text=value["text"],
            links=tuple(_links(value)),
            media=tuple(self._media(*one) for one in _files(embed)),
            language=next(iter(value.get("langs", [])), None),
            reply_to=value["reply"]["parent"]["uri"] if "reply" in value else None,
            created=datetime.fromisoformat(value["createdAt"]),
            card=embed.get("external", {}).get("uri"),
        )

    def _media(self, named: dict[str, Any], alt: str) -> SeenMedia:
        blob = self.pds.query("com.atproto.sync.getBlob", did=self.did, cid=named["ref"]["$link"])
        return SeenMedia(blob.content, blob.headers["content-type"], alt)


def _files(embed: dict[str, Any]) -> list[tuple[dict[str, Any], str]]:
    """The blobs that a post shows, each with its alternative text."""
    if embed.get("$type") == "app.bsky.embed.video":
        return [(embed["video"], embed.get("alt", ""))]
    return [(image["image"], image["alt"]) for image in embed.get("images", [])]


def _links(value: dict[str, Any]) -> Iterator[SeenLink]:
    for facet in value.get("facets", []):
        for feature in facet["features"]:
            if feature["$type"] == "app.bsky.richtext.facet#link":
                yield SeenLink(feature["uri"], facet["index"]["byteStart"], facet["index"]["byteEnd"])


def missing() -> str | None:
    """Why there is no PDS here."""
    stamp, lock = FOLDER / "node_modules" / ".stamp", FOLDER / "package-lock.json"
    if not shutil.which("node"):
        return "a real PDS needs Node 20 or later, npm and a C++ compiler"
    if not stamp.is_file() or stamp.stat().st_mtime < lock.stat().st_mtime:
        return "no real PDS is installed: `make test` does it"
    return None


def required() -> bool:
    """Whether its absence is a failure: CI must not be green without it."""
    return os.environ.get("CI") == "true"


@contextmanager
def running(folder: Path) -> Iterator[Pds]:
    """A PDS with its data in this folder, for as long as the `with` block lasts."""
    with (
        (folder / "errors.txt").open("w+", encoding="utf-8") as errors,
        # It ends when its stdin does, which leaving this block closes, and so does every other end of this process.
        subprocess.Popen(
            ["node", "start.js", str(folder)],
            cwd=FOLDER,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        ) as process,
    ):
        assert process.stdout
        ready = process.stdout.readline()
        errors.seek(0)
        assert ready, errors.read()
        told = json.loads(ready)
        account = Account(told["handle"], told["did"], told["password"])
        bypass = {"x-ratelimit-bypass": told["bypass"]}
        with httpx.Client(base_url=told["url"], headers=bypass, timeout=30, trust_env=False) as http:
            yield Pds(told["url"], account, http, told["jwtSecret"])
