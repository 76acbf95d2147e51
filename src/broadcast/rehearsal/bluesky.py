"""A stand-in for a PDS with one account and no AppView, held to what `@atproto/pds` 0.4.217 answers, and for the video
service beside it.

What a real one lets pass, passes: a reply to a post that does not exist (nothing checks parents), a facet outside the
text, an empty text. It differs in this: no other account exists, signatures and Merkle trees are left out (a commit's
CID is only ever new), deep nesting is refused, posts are always held to their schema (`validate: false` is not
believed), and limits are only kept with `Options.rate_limited`, where what is refused for its form counts too.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from broadcast.rehearsal import lexicon, xrpc
from broadcast.rehearsal.base import (
    Clock,
    Refusal,
    Request,
    Response,
    Seen,
    SeenLink,
    SeenMedia,
    json_response,
    number,
    wall_clock,
)
from broadcast.rehearsal.batch import APPLY, APPLY_WRITES, CREATE_RECORD, DELETE_RECORD, POST, Rules
from broadcast.rehearsal.bluesky_video import Mood, VideoService
from broadcast.rehearsal.limits import Window
from broadcast.rehearsal.repo import Commit, ConflictError, Record, Repo, SwapError, Write, blob_cid
from broadcast.rehearsal.routes import Handler, Routes
from broadcast.rehearsal.sessions import Sessions
from broadcast.rehearsal.sniff import mime_of

HANDLE = "newsroom.test"
MAX_BLOB = 5 * 1024**2
MAX_VIDEO = 100 * 1024**2
"""Bytes of an upload: a PDS takes as much as it is told to, and one for videos is told more."""
POINTS = {"create": 3, "update": 2, "delete": 1}
"""What a write counts for, of 5,000 in an hour (https://docs.bsky.app/docs/advanced-guides/rate-limits)."""


@dataclass(frozen=True, slots=True)
class Options:
    """What this PDS is like, and the video service with it. `image_limit` is in bytes; later releases take 2,000,000.
    `status` is the state of an account that is not active: `deactivated`, `suspended`, `takendown`. `video` and
    `video_polls` say how videos fare."""

    rate_limited: bool = False
    image_limit: int = 1_000_000
    email_confirmed: bool = True
    status: str | None = None
    video: Mood = "works"
    video_polls: int = 1


DEFAULT = Options()


@dataclass(slots=True)
class BlueskyWorld:
    """See `World`."""

    settings: Options
    clock: Clock
    did: str = field(default_factory=lambda: "did:plc:" + "".join(secrets.choice("abcdefgh234567") for _ in range(24)))
    password: str = field(default_factory=lambda: "-".join(secrets.token_hex(2) for _ in range(4)), repr=False)
    repo: Repo = field(init=False)
    _blobs: dict[str, tuple[bytes, str]] = field(default_factory=dict, repr=False)
    _sessions: Sessions = field(init=False)
    videos: VideoService = field(init=False)
    _rules: Rules = field(init=False)
    _windows: dict[str, Window] = field(init=False)
    _routes: Routes = field(init=False)
    _told: dict[str, str] = field(default_factory=dict)
    """What the answer to the request in hand says of the limits."""

    def __post_init__(self) -> None:
        self.repo = Repo(self.did, self.clock)
        account = {"email": f"{HANDLE}@example.com", "emailConfirmed": self.settings.email_confirmed}
        account |= {"active": False, "status": self.settings.status} if self.settings.status else {"active": True}
        self._sessions = Sessions(self.did, HANDLE, self.password, self.clock, lambda: self._take("login", 1), account)
        self.videos = VideoService(self.did, self._upload, self.settings.video, self.settings.video_polls)
        self._rules = Rules(lexicon.post(self.settings.image_limit), self.repo.next_key, self._blobs)
        limited = self.settings.rate_limited
        self._windows = {
            "global": Window(3000, timedelta(minutes=5), enforced=limited),
            "login": Window(30, timedelta(minutes=5), enforced=limited),
            "writes": Window(5000, timedelta(hours=1), enforced=limited),
        }
        table: dict[str, Handler] = {
            "GET /xrpc/_health": lambda _: json_response({"version": "rehearsal"}),
            "GET /xrpc/com.atproto.identity.resolveHandle": self._resolve,
            "POST /xrpc/com.atproto.repo.applyWrites": self._apply,
            "POST /xrpc/com.atproto.repo.createRecord": self._create,
            "POST /xrpc/com.atproto.repo.deleteRecord": self._delete,
            "GET /xrpc/com.atproto.repo.getRecord": self._get,
            "GET /xrpc/com.atproto.repo.listRecords": self._list,
            "POST /xrpc/com.atproto.repo.uploadBlob": self._upload,
            "GET /xrpc/com.atproto.sync.getLatestCommit": self._latest,
        }
        self._routes = Routes(table | self._sessions.routes)

    def options(self, url: str) -> dict[str, str]:
        return {"service": url, "handle": HANDLE, "video_service": url}

    def secrets(self) -> dict[str, str]:
        return {"APP_PASSWORD": self.password}

    def timeline(self) -> tuple[Seen, ...]:
        return tuple(self._seen(record) for record in self.repo.history(POST))

    def handle(self, request: Request) -> Response:
        self._told = {}
        try:
            if not request.path.startswith("/xrpc/"):
                body = f"<pre>Cannot {request.method} {request.path}</pre>".encode()
                return Response(404, body, {"Content-Type": "text/html; charset=utf-8"})
            answer = self.videos.find(request)
            if answer is None:
                self._take("global", 1)
                answer = self._routes.find(request)
            if answer is None:
                raise xrpc.invalid(f"No service configured for {request.path.removeprefix('/xrpc/')}")
            response = answer()
        except Refusal as refusal:
            response = refusal.response
        except (ConflictError, lexicon.UnsafeError):
            response = xrpc.refused(500, "InternalServerError", "Internal Server Error").response
        return replace(response, headers={**self._told, **response.headers})

    def _take(self, name: str, points: int) -> None:
        """The answer tells of the limit that is nearest. Raises `Refusal`."""
        standing = self._windows[name].take(self.clock(), points)
        if self.settings.rate_limited:
            told = xrpc.limit_headers(standing)
            self._told = min((self._told or told, told), key=lambda one: int(one["RateLimit-Remaining"]))
        if not standing.allowed:
            raise xrpc.too_many()

    def _is_ours(self, name: str | None) -> bool:
        return name in {self.did, HANDLE}

    def _resolve(self, request: Request) -> Response:
        if request.param("handle") != HANDLE:
            raise xrpc.invalid("Unable to resolve handle")
        return json_response({"did": self.did})

    def _body(self, request: Request, schema: lexicon.Check) -> dict[str, Any]:
        """The body of a write by the owner of the repository."""
        self._sessions.authorize(request)
        if self.settings.status:
            raise xrpc.refused(401, "AccountDeactivated", "Account is deactivated")
        body = xrpc.body(request, schema)
        if not self._is_ours(body["repo"]):
            raise xrpc.refused(403, "AccountNotFound", "Account not found")
        return body

    def _apply(self, request: Request) -> Response:
        body = self._body(request, APPLY_WRITES)
        self._take("writes", sum(POINTS[step["$type"].rpartition("#")[2]] for step in body["writes"]))
        writes = self._rules.steps(body)
        commit = self._write(body, writes)
        results = [{"$type": f"{APPLY}#{write.action}Result"} | self._result(write) for write in writes]
        return json_response({"commit": _commit(commit), "results": results})

    def _create(self, request: Request) -> Response:
        body = self._body(request, CREATE_RECORD)
        step = body | {"value": body["record"]}
        self._take("writes", POINTS["create"])
        write = self._rules.step("create", step, "$.record", body.get("validate") is True)
        commit = self._write(body, [write])
        return json_response(self._result(write) | {"commit": _commit(commit)})

    def _delete(self, request: Request) -> Response:
        body = self._body(request, DELETE_RECORD)
        self._take("writes", POINTS["delete"])
        before = self.repo.get(body["collection"], body["rkey"])
        if "swapRecord" in body and (before is None or body["swapRecord"] != before.cid):
            raise xrpc.refused(400, "InvalidSwap", f"Record was at {before.cid if before else 'null'}")
        if before is None:
            return json_response({})
        return json_response({"commit": _commit(self._write(body, [Write("delete", before.collection, before.key)]))})

    def _write(self, body: dict[str, Any], writes: list[Write]) -> Commit:
        try:
            return self.repo.write(writes, body.get("swapCommit"))
        except SwapError as error:
            raise xrpc.refused(400, "InvalidSwap", f"Commit was at {error.found}") from error

    def _result(self, write: Write) -> dict[str, Any]:
        record = self.repo.get(write.collection, write.key)
        if record is None:
            return {}
        status = "valid" if write.collection == POST else "unknown"
        return {"uri": self._uri(record), "cid": record.cid, "validationStatus": status}

    def _upload(self, request: Request) -> Response:
        self._sessions.authorize_upload(request)
        kind = xrpc.encoding(request)
        if len(request.body) > (MAX_VIDEO if kind == "video/mp4" else MAX_BLOB):
            raise xrpc.too_large("PayloadTooLarge")
        sniffed = mime_of(request.body)
        mime = kind if sniffed == "application/octet-stream" else sniffed
        cid = blob_cid(request.body)
        self._blobs[cid] = (request.body, mime)
        blob = {"$type": "blob", "ref": {"$link": cid}, "mimeType": mime, "size": len(request.body)}
        return json_response({"blob": blob})

    def _get(self, request: Request) -> Response:
        collection, key = request.param("collection") or "", request.param("rkey") or ""
        if not self._is_ours(request.param("repo")):
            raise xrpc.invalid("Could not locate record")
        record = self.repo.get(collection, key)
        if record is None or request.param("cid") not in (None, record.cid):
            raise xrpc.refused(400, "RecordNotFound", f"Could not locate record: at://{self.did}/{collection}/{key}")
        return json_response(self._shown(record))

    def _list(self, request: Request) -> Response:
        repo, collection, size = (
            request.param("repo") or "",
            request.param("collection"),
            number(request.param("limit") or "50"),
        )
        if not self._is_ours(repo):
            raise xrpc.invalid(f"Could not find repo: {repo}")
        if not collection or size is None or not 1 <= size <= 100:
            raise xrpc.invalid("Invalid parameters: collection is required, limit is 1 to 100")
        forward = request.param("reverse") == "true"
        records = self.repo.all(collection) if forward else self.repo.all(collection)[::-1]
        cursor = request.param("cursor")
        if cursor is not None:
            records = [one for one in records if (one.key > cursor if forward else one.key < cursor)]
        page = records[:size]
        more = {"cursor": page[-1].key} if page else {}
        return json_response({"records": [self._shown(record) for record in page]} | more)

    def _latest(self, request: Request) -> Response:
        if request.param("did") != self.did:
            raise xrpc.refused(400, "RepoNotFound", f"Could not find repo for DID: {request.param('did')}")
        return json_response(_commit(self.repo.head))

    def _uri(self, record: Record) -> str:
        return f"at://{self.did}/{record.collection}/{record.key}"

    def _shown(self, record: Record) -> dict[str, Any]:
        return {"uri": self._uri(record), "cid": record.cid, "value": record.value}

    def _seen(self, record: Record) -> Seen:
        value = record.value
        embed = value.get("embed", {})
        shown: list[tuple[dict[str, Any], str]] = []
        if embed.get("$type") == "app.bsky.embed.images":
            shown = [(image["image"], image["alt"]) for image in embed["images"]]
        elif embed.get("$type") == "app.bsky.embed.video":
            shown = [(embed["video"], embed.get("alt", ""))]
        return Seen(
            id=self._uri(record),
            url=f"https://bsky.app/profile/{HANDLE}/post/{record.key}",
            text=value["text"],
            links=tuple(_links(value)),
            media=tuple(SeenMedia(*self._blobs[blob["ref"]["$link"]], alt) for blob, alt in shown),
            language=next(iter(value.get("langs", [])), None),
            reply_to=value["reply"]["parent"]["uri"] if "reply" in value else None,
            created=record.created,
            edited=record.edited,
            deleted=record.deleted,
            card=embed["external"]["uri"] if embed.get("$type") == "app.bsky.embed.external" else None,
        )


def create(options: Options = DEFAULT, clock: Clock = wall_clock) -> BlueskyWorld:
    return BlueskyWorld(options, clock)


def _commit(commit: Commit) -> dict[str, str]:
    return {"cid": commit.cid, "rev": commit.rev}


def _links(value: dict[str, Any]) -> Iterator[SeenLink]:
    """The links that an app shows: one whose range is not in the text, or cuts a character, is not shown."""
    text = value["text"].encode()
    for facet in value.get("facets", []):
        start, end = facet["index"]["byteStart"], facet["index"]["byteEnd"]
        shown = text[start:end].decode("utf-8", "replace")
        if start < end <= len(text) and "\ufffd" not in shown:
            for feature in facet["features"]:
                if feature["$type"] == "app.bsky.richtext.facet#link":
                    yield SeenLink(feature["uri"], start, end)
