"""The JSON that the stand-in for Mastodon answers with (https://docs.joinmastodon.org/entities/)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from broadcast.rehearsal import mastodon_text
from broadcast.rehearsal.mastodon_media import MAX_ALT, MAX_IMAGE, MAX_MEDIA, MAX_VIDEO, TYPES

DOMAIN = "mastodon.localhost"
SITE = f"https://{DOMAIN}"
USERNAME = "broadcast_rehearsal"
ACCOUNT_ID = "109000000000000001"
VERSION = "4.4.3"


@dataclass(frozen=True, slots=True)
class Status:
    """A post, with its history. `media` are ids."""

    id: str
    text: str
    created: datetime
    language: str | None
    visibility: str
    spoiler: str
    sensitive: bool
    reply_to: str | None
    media: tuple[str, ...]
    edited: datetime | None = None
    deleted: datetime | None = None

    @property
    def url(self) -> str:
        return f"{SITE}/@{USERNAME}/{self.id}"


def time(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03}Z"


def account() -> dict[str, Any]:
    return {
        "id": ACCOUNT_ID,
        "username": USERNAME,
        "acct": USERNAME,
        "display_name": "Rehearsal",
        "locked": False,
        "bot": True,
        "created_at": "2026-01-01T00:00:00.000Z",
        "note": "",
        "url": f"{SITE}/@{USERNAME}",
        "uri": f"{SITE}/users/{USERNAME}",
        "fields": [],
        "emojis": [],
    }


def instance_v1(max_characters: int) -> dict[str, Any]:
    about = {"uri": DOMAIN, "title": "Rehearsal", "version": VERSION, "languages": ["en"], "urls": {}, "stats": {}}
    return about | {"configuration": _configuration(max_characters)}


def instance_v2(max_characters: int) -> dict[str, Any]:
    about = {"domain": DOMAIN, "title": "Rehearsal", "version": VERSION, "languages": ["en"]}
    return about | {"configuration": _configuration(max_characters), "api_versions": {"mastodon": 6}}


def _configuration(max_characters: int) -> dict[str, Any]:
    return {
        "statuses": {
            "max_characters": max_characters,
            "max_media_attachments": MAX_MEDIA,
            "characters_reserved_per_url": mastodon_text.URL_LENGTH,
        },
        "media_attachments": {
            "description_limit": MAX_ALT,
            "image_matrix_limit": 33_177_600,
            "image_size_limit": MAX_IMAGE,
            "supported_mime_types": list(TYPES),
            "video_frame_rate_limit": 120,
            "video_matrix_limit": 8_294_400,
            "video_size_limit": MAX_VIDEO,
        },
    }


def as_read(status: Status, media: list[dict[str, Any]], replies: int) -> dict[str, Any]:
    return {
        "id": status.id,
        "created_at": time(status.created),
        "in_reply_to_id": status.reply_to,
        "in_reply_to_account_id": ACCOUNT_ID if status.reply_to else None,
        "sensitive": status.sensitive,
        "spoiler_text": status.spoiler,
        "visibility": status.visibility,
        "language": status.language,
        "uri": f"{SITE}/users/{USERNAME}/statuses/{status.id}",
        "url": status.url,
        "replies_count": replies,
        "reblogs_count": 0,
        "favourites_count": 0,
        "edited_at": time(status.edited) if status.edited else None,
        "content": mastodon_text.as_html(status.text, SITE),
        "reblog": None,
        "application": {"name": "broadcast", "website": None},
        "account": account(),
        "media_attachments": media,
        "mentions": [],
        "tags": [{"name": tag, "url": f"{SITE}/tags/{tag}"} for tag in mastodon_text.tags(status.text)],
        "emojis": [],
        "card": None,
        "poll": None,
    }
