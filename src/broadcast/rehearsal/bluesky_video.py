"""A stand-in for Bluesky's video service: it takes a file, works on it for a while, and puts what it made into the
account's PDS, with the token that came with the file.

https://docs.bsky.app/docs/tutorials/video, with the shapes that the service answers in
(https://github.com/bluesky-social/atproto/issues/3097). It does not look into the file.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from broadcast.rehearsal import forms, xrpc
from broadcast.rehearsal.base import Refusal, Request, Response, json_response
from broadcast.rehearsal.repo import blob_cid
from broadcast.rehearsal.routes import Handler, Routes
from broadcast.rehearsal.sniff import mime_of

PREFIX = "/xrpc/app.bsky.video."
MADE = b"\0\0\0\x08free"
"""What the service adds to a file (an empty box), so that what it made is another one."""

Mood = Literal["works", "unconfirmed", "limited", "fails", "lies", "stuck"]
"""How it goes: as it should; the account's email address is not confirmed; it had too many videos today; the file
cannot be processed; the service says that the PDS has the video, and it has not; it never ends."""
Store = Callable[[Request], Response]
"""Answers an upload to the PDS, or raises `Refusal`."""


@dataclass(slots=True)
class _Job:
    id: str
    data: bytes = field(repr=False)
    token: str = field(repr=False)
    polls: int
    blob: dict[str, Any] | None = None
    error: str | None = None


class VideoService:
    """The videos of one account. `polls` is how often the client must ask before one is ready."""

    def __init__(self, did: str, store: Store, mood: Mood = "works", polls: int = 1) -> None:
        self._did = did
        self._store = store
        self.mood = mood
        self._polls = polls
        self._jobs: dict[str, _Job] = {}
        table: dict[str, Handler] = {
            f"POST {PREFIX}uploadVideo": self._upload,
            f"GET {PREFIX}getJobStatus": self._status,
            f"GET {PREFIX}getUploadLimits": self._limits,
        }
        self._routes = Routes(table)

    def find(self, request: Request) -> Callable[[], Response] | None:
        """What answers a request to the service. Raises `Refusal` when called."""
        return self._routes.find(request)

    def _limits(self, request: Request) -> Response:
        _token(request)
        can: dict[str, Any] = {"canUpload": True, "remainingDailyVideos": 25, "remainingDailyBytes": 500_000_000}
        if self.mood == "unconfirmed":
            can = {"canUpload": False, "error": "unconfirmed_email", "message": "Account email is unconfirmed"}
        elif self.mood == "limited":
            can = {"canUpload": False, "message": "User is over daily limit"}
        return json_response(can)

    def _upload(self, request: Request) -> Response:
        token = _token(request)
        if self.mood == "unconfirmed":
            wrong = {"did": "", "error": "unconfirmed_email", "jobId": "", "state": ""}
            return json_response({"jobStatus": wrong}, 401)
        if self.mood == "limited":
            return json_response({"error": "limit", "message": "User is over daily limit"}, 429)
        if request.param("did") != self._did or not request.param("name"):
            raise xrpc.invalid("Invalid did or name")
        if forms.content_type(request) != "video/mp4" or mime_of(request.body) != "video/mp4":
            raise xrpc.invalid("Invalid content type")
        key = blob_cid(request.body)
        if key in self._jobs:
            known = {"error": "already_exists", "message": "Video already processed", "state": "JOB_STATE_COMPLETED"}
            return json_response({"did": self._did, "jobId": key, **known}, 409)
        self._jobs[key] = _Job(key, request.body + MADE, token, self._polls)
        return json_response({"did": self._did, "jobId": key, "state": "JOB_STATE_CREATED"})

    def _status(self, request: Request) -> Response:
        job = self._jobs.get(request.param("jobId") or "")
        if job is None:
            raise xrpc.invalid("Job not found")
        if job.polls > 0 or self.mood == "stuck":
            job.polls -= 1
            return self._told(job, "JOB_STATE_ENCODING", progress=50)
        if self.mood == "fails":
            job.error = "Failed to process video"
        elif job.blob is None:
            self._put(job)
        if job.error:
            return self._told(job, "JOB_STATE_FAILED", error="video processing error", message=job.error)
        return self._told(job, "JOB_STATE_COMPLETED", blob=job.blob)

    def _put(self, job: _Job) -> None:
        """The blob, put into the PDS as the service's client, the account, has allowed it."""
        if self.mood == "lies":
            ref = {"$link": blob_cid(job.data)}
            job.blob = {"$type": "blob", "ref": ref, "mimeType": "video/mp4", "size": len(job.data)}
            return
        path = "/xrpc/com.atproto.repo.uploadBlob"
        headers = {"authorization": f"Bearer {job.token}", "content-type": "video/mp4"}
        try:
            answer = self._store(Request("POST", path, path, {}, headers, job.data))
        except Refusal as refusal:
            answer = refusal.response
        if answer.status == 200:
            job.blob = json.loads(answer.body)["blob"]
        else:
            job.error = f"the PDS refused the video: {answer.body[:200].decode('utf-8', 'replace')}"

    def _told(self, job: _Job, state: str, **more: Any) -> Response:
        return json_response({"jobStatus": {"did": self._did, "jobId": job.id, "state": state, **more}})


def _token(request: Request) -> str:
    token = request.bearer()
    if token is None:
        raise xrpc.refused(401, "AuthMissing", "Authentication Required")
    return token
