"""Bluesky's video service: it makes a file playable and puts what it made into the account's PDS.

What it makes has another CID than the file, so it is asked before the record is made. Everything here has one bound in
time, and may fail: an announcement does not wait for its video.

docs.bsky.app/docs/tutorials/video; the service answers in other shapes than its lexicon (bluesky-social/atproto#3097).
Imported late: it brings atproto with it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from hashlib import sha256
from typing import Any
from urllib.parse import urlsplit

import libipld
from atproto import models  # type: ignore[import-untyped]  # atproto has no marker for its types
from atproto_client.models.dot_dict import DotDict  # type: ignore[import-untyped]  # neither has this

from broadcast.errors import LostAnswerError, RefusedError, SendError
from broadcast.platforms.bluesky_api import Client
from broadcast.platforms.failures import field, redactor
from broadcast.platforms.media import Video
from broadcast.platforms.retry import Retry

PATIENCE = 60.0
"""Most seconds that all videos of a connection may take together, from the first byte of the first to the last."""
POLL_PAUSE = 1.0
"""Seconds before the service is asked again whether it is done."""
LIFETIME = 30 * 60
"""Seconds for which the service may write to the PDS."""
MAX_BLOB = 100_000_000
"""Bytes of a video in a record (lexicon `app.bsky.embed.video`; newer ones take more)."""

TOO_LONG = "it took too long"
UPLOAD = "com.atproto.repo.uploadBlob"
LIMITS = "app.bsky.video.getUploadLimits"


class _KnownError(RefusedError):
    """The service has this video already: it refuses, and says under which job."""

    def __init__(self, job: Mapping[str, Any]) -> None:
        super().__init__("the video is there already")
        self.job = job


class _Http(Client):
    """Requests to the service, none of them after `over` is set."""

    def __init__(self, url: str, retry: Retry, wait: float | None) -> None:
        super().__init__(url, retry, wait)
        self.over = threading.Event()

    def end(self) -> None:
        self.over.set()
        self._cut()

    def show(self, words: object) -> str:
        """A stranger's words, fit to be shown."""
        return redactor(self._secrets)(str(words))

    def know(self, token: str) -> dict[str, str]:
        """The header that carries a token, which is never to be shown."""
        self._secrets.append(token)
        return {"Authorization": f"Bearer {token}"}

    def _ours(self, call: Callable[[], Any], size: int = 0) -> Any:
        try:
            if not self.over.is_set():
                return super()._ours(call, size)
        except SendError:
            if not self.over.is_set():
                raise
        raise RefusedError(TOO_LONG)

    def _refusal(self, response: Any) -> SendError:
        job = _job(response.content)
        if job.get("jobId") or job.get("blob"):
            return _KnownError(job)
        if job.get("error"):
            return RefusedError(self.show(job.get("message") or job["error"]))
        return super()._refusal(response)


class VideoService:
    """The service at `url`, for the account that `client` is logged in to."""

    def __init__(self, url: str, client: Client, stop: threading.Event, wait: float | None = None) -> None:
        self._client = client
        self._http = _Http(url, Retry(stop), wait)
        self._did = f"did:web:{urlsplit(url).hostname}"
        self._stop = stop
        self._left = PATIENCE

    def upload(self, video: Video) -> dict[str, Any]:
        """Have a video made playable; gives the blob that a record names it by, which the PDS then has. Raises
        `SendError` where the service does not take it, or not in time."""
        with self._bounded():
            token = self._client.service_token(self._client.pds_did(), UPLOAD, LIFETIME)
            try:
                answer = self._http.invoke_procedure(
                    "app.bsky.video.uploadVideo",
                    params=DotDict({"did": self._client.did, "name": f"{sha256(video.data).hexdigest()[:16]}.mp4"}),
                    content=video.data,
                    input_encoding=video.mime,
                    headers=self._http.know(token),
                )
                job = _job(answer.content)
            except _KnownError as known:
                job = known.job
            return self._done(job)

    def refusal(self) -> str | None:
        """Why the service would take no video of this account now, in its own words; None where it would."""
        with self._bounded():
            token = self._client.service_token(self._did, LIMITS, 60)
            answer = self._http.invoke_query(LIMITS, headers=self._http.know(token)).content
        if not isinstance(answer, Mapping) or answer.get("canUpload") is not False:
            return None
        return self._http.show(answer.get("message") or answer.get("error") or "it does not say why")

    def close(self) -> None:
        self._http.close()

    def _done(self, job: Mapping[str, Any]) -> dict[str, Any]:
        """What the service made, once it is done. A blob counts, whatever the state: of a video that it knows already
        the service may tell both an error and the blob."""
        key = str(job.get("jobId") or "")
        while not job.get("blob"):
            if job.get("state") == "JOB_STATE_FAILED" or (job.get("error") and not key):
                raise RefusedError(self._http.show(job.get("message") or job.get("error") or "it failed"))
            if not key:
                raise LostAnswerError("it answered something unreadable")
            if self._http.over.is_set() or self._stop.is_set():
                raise RefusedError(TOO_LONG)
            try:
                params = models.AppBskyVideoGetJobStatus.Params(job_id=key)
                job = _job(self._http.invoke_query("app.bsky.video.getJobStatus", params=params).content)
            except _KnownError as known:
                job = known.job
            if not job.get("blob"):
                self._http.over.wait(POLL_PAUSE)
        return _blob(job["blob"])

    @contextmanager
    def _bounded(self) -> Iterator[None]:
        """Ends every request in here when the patience with the service is at its end."""
        start = time.monotonic()
        timer = threading.Timer(max(self._left, 0.0), self._http.end)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
            self._left -= time.monotonic() - start


def _job(content: Any) -> Mapping[str, Any]:
    """A job, which some answers wrap and others do not."""
    if isinstance(content, DotDict):
        content = content.to_dict()
    inner = content.get("jobStatus", content) if isinstance(content, Mapping) else {}
    return inner if isinstance(inner, Mapping) else {}


def _blob(value: Any) -> dict[str, Any]:
    """A blob with its four fields and no others. Raises `LostAnswerError` where it is none."""
    size, mime, cid = (
        field("the video service", value, "size"),
        field("the video service", value, "mimeType"),
        field("the video service", value, "ref", "$link"),
    )
    try:
        libipld.decode_cid(cid)
    except (ValueError, TypeError):
        raise LostAnswerError("it answered something unreadable") from None
    if mime != "video/mp4" or type(size) is not int or not 0 < size <= MAX_BLOB:
        raise RefusedError("what it made of the video is too large, or no MP4")
    return {"$type": "blob", "ref": {"$link": cid}, "mimeType": mime, "size": size}
