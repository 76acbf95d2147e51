"""Media on the stand-in for Mastodon: uploaded at once, processed after a while, then attached to one status.

https://docs.joinmastodon.org/methods/media/
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from broadcast.rehearsal import forms
from broadcast.rehearsal.base import Refusal, Request, Response, SeenMedia, json_response
from broadcast.rehearsal.routes import Handler
from broadcast.rehearsal.sniff import mime_of

MAX_ALT = 1500
MAX_MEDIA = 4
MAX_IMAGE = 16 * 1024**2
MAX_VIDEO = 99 * 1024**2
TYPES = ("image/jpeg", "image/png", "image/gif", "image/webp", "video/mp4")


def refused(status: int, message: str) -> Refusal:
    return Refusal(json_response({"error": message}, status))


@dataclass(slots=True)
class Attachment:
    """An upload. `polls` is how often the client must still ask before it is processed."""

    id: str
    data: bytes = field(repr=False)
    mime: str
    alt: str
    polls: int


class Media:
    """The uploads of one account."""

    def __init__(self, site: str, polls: int) -> None:
        self._site = site
        self._polls = polls
        self._attachments: dict[str, Attachment] = {}
        self.routes: dict[str, Handler] = {
            "POST /api/v2/media": self._upload,
            "GET /api/v1/media/{id}": self._show,
            "PUT /api/v1/media/{id}": self._update,
        }

    def get(self, media_id: str) -> Attachment | None:
        return self._attachments.get(media_id)

    def seen(self, media_id: str) -> SeenMedia:
        found = self._attachments[media_id]
        return SeenMedia(found.data, found.mime, found.alt)

    def describe(self, media_id: str) -> dict[str, Any]:
        found = self._attachments[media_id]
        url = f"{self._site}/media/{found.id}" if not found.polls else None
        return {
            "id": found.id,
            "type": "video" if found.mime.startswith("video/") else "image",
            "url": url,
            "preview_url": url,
            "remote_url": None,
            "text_url": None,
            "meta": {},
            "description": found.alt or None,
            "blurhash": None,
        }

    def _upload(self, request: Request) -> Response:
        form = read(request)
        file = form.get("file")
        if not isinstance(file, forms.Upload):
            raise refused(422, "Validation failed: File can't be blank")
        mime = mime_of(file.data)
        if mime not in TYPES:
            raise refused(422, "Validation failed: File content type is invalid, File is invalid")
        if len(file.data) > (MAX_VIDEO if mime.startswith("video/") else MAX_IMAGE):
            raise refused(422, "Validation failed: File size is too large")
        number = str(1_000_001 + len(self._attachments))
        self._attachments[number] = Attachment(number, file.data, mime, _alt(form), self._polls)
        return json_response(self.describe(number), 202 if self._polls else 200)

    def _show(self, request: Request, media_id: str) -> Response:
        found = self._find(media_id)
        found.polls = max(0, found.polls - 1)
        return json_response(self.describe(media_id), 206 if found.polls else 200)

    def _update(self, request: Request, media_id: str) -> Response:
        self._find(media_id).alt = _alt(read(request))
        return json_response(self.describe(media_id))

    def _find(self, media_id: str) -> Attachment:
        if media_id not in self._attachments:
            raise refused(404, "Record not found")
        return self._attachments[media_id]


def read(request: Request) -> forms.Form:
    try:
        return forms.read(request)
    except forms.BodyError as error:
        raise refused(400, "Error occurred while parsing request parameters") from error


def _alt(form: forms.Form) -> str:
    alt = str(form.get("description") or "")
    if len(alt) > MAX_ALT:
        raise refused(422, f"Validation failed: Description is too long (maximum is {MAX_ALT} characters)")
    return alt
