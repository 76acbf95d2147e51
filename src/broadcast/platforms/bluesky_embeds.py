"""What a post on Bluesky shows below its text: images, a video, or the card of the page. Imported late."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from broadcast.errors import RefusedError, SendError
from broadcast.images import is_video
from broadcast.model import Intent, Media, Post
from broadcast.platforms import bluesky_records as records
from broadcast.platforms.base import Workspace
from broadcast.platforms.bluesky_api import Client
from broadcast.platforms.bluesky_video import VideoService
from broadcast.platforms.media import Image, load, video_of
from broadcast.platforms.mp4 import dimensions

MAX_IMAGE = 1_000_000
"""Bytes of an image that every PDS accepts; newer ones take two million."""
MAX_VIDEO = 100_000_000
"""Bytes of a video that Bluesky's service takes at least (lexicon `app.bsky.embed.video`)."""


class Embeds:
    """The images and videos of one connection."""

    def __init__(self, client: Client, video_service: str | None, workspace: Workspace) -> None:
        self._client = client
        self._root = workspace.root
        wait = workspace.patience.answer if workspace.patience else None
        self._service = VideoService(video_service, client, workspace.stop, wait) if video_service else None
        self._made: dict[tuple[str, str], Mapping[str, Any] | str] = {}

    def of(self, post: Post) -> tuple[Mapping[str, Any] | None, str | None]:
        """What a post shows, and why that is not the video that it should be. A video is uploaded here: what the
        service makes of it has a CID that nobody knows before."""
        why = None
        if post.media and is_video(post.media[0].path):
            made = self._video(post.media[0])
            if not isinstance(made, str):
                return made, None
            why = made
        elif post.media:
            return records.images_embed([(item, self._image(item)) for item in post.media]), None
        return (records.card_embed(post.card) if post.card else None), why

    def upload(self, intent: Intent) -> None:
        """Upload the images of a post, which must be those that its record names."""
        named = (intent.payload["record"].get("embed") or {}).get("images", ())
        images = [media for media in intent.post.media if not is_video(media.path)]
        for media, image in zip(images, named, strict=True):
            if self._client.upload(self._image(media)) != image["image"]["ref"]["$link"]:
                raise RefusedError(f"{media.path}: the image is no longer the one that was planned")

    def refuses_videos(self) -> str | None:
        """Why the account may upload no video now; None where it may, or where there is no video service."""
        try:
            return self._service.refusal() if self._service else None
        except SendError as error:
            return str(error)

    def close(self) -> None:
        if self._service:
            self._service.close()

    def _image(self, media: Media) -> Image:
        return load(self._root, media, MAX_IMAGE)

    def _video(self, media: Media) -> Mapping[str, Any] | str:
        """A video, or why there is none. It is tried once: nothing waits for a second time."""
        if self._service is None:
            return "no video_service is configured"
        video = video_of(self._root, media, MAX_VIDEO)
        key = (sha256(video.data).hexdigest(), media.alt)
        if key not in self._made:
            try:
                self._made[key] = records.video_embed(self._service.upload(video), media.alt, dimensions(video.data))
            except SendError as error:
                self._made[key] = str(error)
        return self._made[key]
