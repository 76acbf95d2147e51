"""Media on the stand-in for X: uploaded whole or in pieces, described, then attached to posts.

https://docs.x.com/x-api/media/quickstart/media-upload-chunked and X's OpenAPI description, 2.167.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from broadcast.rehearsal import forms
from broadcast.rehearsal.base import Clock, Request, Response, SeenMedia, json_response, number
from broadcast.rehearsal.routes import Handler
from broadcast.rehearsal.sniff import mime_of
from broadcast.rehearsal.x_errors import invalid, not_found

LIFETIME = timedelta(days=1)
MAX_ALT = 1000
SIZES = {"tweet_image": 5 * 1024**2, "tweet_gif": 15 * 1024**2, "tweet_video": 512 * 1024**2}
KINDS = {"tweet_image": "3", "tweet_gif": "16", "tweet_video": "7"}
"""The number that a media key begins with."""


@dataclass(slots=True)
class Upload:
    """One upload session. `data` is None until the upload is complete; `checks` counts how often the client must ask
    before it is processed."""

    id: str
    category: str
    total: int | None
    expires: datetime
    segments: dict[int, bytes] = field(default_factory=dict, repr=False)
    data: bytes | None = field(default=None, repr=False)
    mime: str = ""
    alt: str = ""
    checks: int = 0

    @property
    def key(self) -> str:
        return f"{KINDS[self.category]}_{self.id}"

    @property
    def kind(self) -> str:
        return {"tweet_image": "photo", "tweet_gif": "animated_gif", "tweet_video": "video"}[self.category]


class Media:
    """The uploads of one account."""

    def __init__(self, clock: Clock, checks: int) -> None:
        self._clock = clock
        self._checks = checks
        self._uploads: dict[str, Upload] = {}
        self.routes: dict[str, Handler] = {
            "POST /2/media/upload": self._whole,
            "GET /2/media/upload": self._status,
            "POST /2/media/upload/initialize": self._initialize,
            "POST /2/media/upload/{id}/append": self._append,
            "POST /2/media/upload/{id}/finalize": self._finalize,
            "POST /2/media/metadata": self._metadata,
        }

    def ready(self, media_id: str) -> bool:
        """Whether a post can carry it."""
        upload = self._uploads.get(media_id)
        return upload is not None and upload.data is not None and not upload.checks and self._clock() < upload.expires

    def get(self, media_id: str) -> Upload:
        return self._uploads[media_id]

    def seen(self, media_id: str) -> SeenMedia:
        upload = self._uploads[media_id]
        return SeenMedia(upload.data or b"", upload.mime, upload.alt)

    def _whole(self, request: Request) -> Response:
        form = _read(request, {"media", "media_category", "additional_owners"})
        category = _category(form)
        if category == "tweet_video":
            raise invalid("media_category", "tweet_video", "must be uploaded in segments")
        upload = self._begin(category, None)
        self._complete(upload, _blob(request, form))
        return json_response({"data": self._describe(upload)})

    def _initialize(self, request: Request) -> Response:
        form = _read(request, {"media_category", "media_type", "total_bytes", "shared", "additional_owners"})
        total = form.get("total_bytes")
        category = _category({"media_category": "tweet_image"} | form)
        if not isinstance(total, int) or isinstance(total, bool) or total < 0:
            raise invalid("total_bytes", str(total), "is not a number of bytes")
        if total > SIZES[category]:
            raise invalid("total_bytes", str(total), "is more than a file of this category may have")
        upload = self._begin(category, total)
        data = {"id": upload.id, "media_key": upload.key, "expires_after_secs": int(LIFETIME.total_seconds())}
        return json_response({"data": data})

    def _append(self, request: Request, media_id: str) -> Response:
        form = _read(request, {"media", "segment_index"})
        upload = self._open(media_id)
        index = number(str(form.get("segment_index")))
        if index is None or index > 999:
            raise invalid("segment_index", str(form.get("segment_index")), "is not a number between 0 and 999")
        upload.segments[index] = _blob(request, form)
        return json_response({"data": {"expires_at": int(upload.expires.timestamp())}})

    def _finalize(self, request: Request, media_id: str) -> Response:
        upload = self._open(media_id)
        if sorted(upload.segments) != list(range(len(upload.segments))):
            raise invalid("id", media_id, "misses a segment")
        self._complete(upload, b"".join(upload.segments[index] for index in sorted(upload.segments)))
        return json_response({"data": self._describe(upload)})

    def _status(self, request: Request) -> Response:
        upload = self._uploads.get(request.param("media_id") or "")
        if upload is None or upload.data is None:
            raise not_found("media", "media_id", request.param("media_id") or "")
        upload.checks = max(0, upload.checks - 1)
        return json_response({"data": self._describe(upload)})

    def _metadata(self, request: Request) -> Response:
        form = _read(request, {"id", "metadata"})
        media_id, metadata = str(form.get("id", "")), form.get("metadata", {})
        alt = metadata.get("alt_text") if isinstance(metadata, dict) else None
        text = alt.get("text") if isinstance(alt, dict) else None
        if media_id not in self._uploads:
            raise invalid("id", media_id, "is no media of this account")
        if not isinstance(text, str) or len(text) > MAX_ALT:
            raise invalid("metadata.alt_text.text", str(text)[:40], f"must be a text of at most {MAX_ALT} characters")
        self._uploads[media_id].alt = text
        return json_response({"data": {"id": media_id, "associated_metadata": {"alt_text": {"text": text}}}})

    def _begin(self, category: str, total: int | None) -> Upload:
        now = self._clock()
        number = max(int(now.timestamp() * 1000) << 22, *(int(known) + 1 for known in self._uploads), 0)
        upload = Upload(str(number), category, total, now + LIFETIME)
        self._uploads[upload.id] = upload
        return upload

    def _open(self, media_id: str) -> Upload:
        upload = self._uploads.get(media_id)
        if upload is None or upload.data is not None or self._clock() >= upload.expires:
            raise invalid("id", media_id, "is no upload that is under way")
        return upload

    def _complete(self, upload: Upload, data: bytes) -> None:
        if upload.total is not None and upload.total != len(data):
            raise invalid("total_bytes", str(upload.total), f"but {len(data)} bytes were sent")
        if len(data) > SIZES[upload.category]:
            raise invalid("media", f"{len(data)} bytes", "is more than a file of this category may have")
        mime = mime_of(data)
        wanted = {"tweet_gif": "image/gif", "tweet_video": "video/"}.get(upload.category, "image/")
        if not mime.startswith(wanted):
            raise invalid("media", mime, f"is not of the category {upload.category}")
        upload.data, upload.mime, upload.segments = data, mime, {}
        upload.checks = 0 if upload.category == "tweet_image" else self._checks

    def _describe(self, upload: Upload) -> dict[str, Any]:
        data: dict[str, Any] = {
            "id": upload.id,
            "media_key": upload.key,
            "size": len(upload.data or b""),
            "expires_after_secs": int((upload.expires - self._clock()).total_seconds()),
        }
        if upload.category == "tweet_image":
            return data | {"image": {"image_type": upload.mime}}
        if upload.checks:
            return data | {"processing_info": {"state": "in_progress", "check_after_secs": 1, "progress_percent": 50}}
        return data | {"processing_info": {"state": "succeeded", "progress_percent": 100}}


def _read(request: Request, known: set[str]) -> forms.Form:
    try:
        form = forms.read(request)
    except forms.BodyError as error:
        raise invalid("body", "", str(error)) from error
    unknown = sorted(set(form) - known)
    if unknown:
        raise invalid(unknown[0], "", "is not a parameter of this request")
    return form


def _category(form: forms.Form) -> str:
    category = str(form.get("media_category"))
    if category not in SIZES:
        raise invalid("media_category", category, "is not one of the categories for posts")
    return category


def _blob(request: Request, form: forms.Form) -> bytes:
    """Raw bytes in a multipart body, base64 in a JSON one."""
    media = form.get("media")
    if isinstance(media, forms.Upload):
        return media.data
    if isinstance(media, str) and forms.content_type(request) == "application/json":
        try:
            return base64.b64decode(media, validate=True)
        except binascii.Error as error:
            raise invalid("media", "", "is not base64") from error
    raise invalid("media", "", "is missing")
