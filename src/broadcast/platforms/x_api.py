"""The client for X: tweepy's, with a timeout and a host of our choice, and with the media endpoints of API v2, which it
does not have. Imported late: it brings tweepy with it."""

from __future__ import annotations

import base64
import re
import time
from collections.abc import Mapping
from typing import Any

import requests
import tweepy  # type: ignore[import-untyped]  # tweepy has no types

from broadcast.errors import DuplicateError, LostAnswerError, RefusedError, RepliesRefusedError, SendError
from broadcast.platforms.failures import field, formed, judge
from broadcast.platforms.http import Session
from broadcast.platforms.media import Image, Video
from broadcast.platforms.retry import Retry

MEDIA = "/2/media/"
"""Where uploads go: what arrives twice there is thrown away."""
MEDIA_ID = r"[0-9]{1,19}"
CHUNK = 3 * 1024 * 1024
"""Bytes that are uploaded in one request; larger files go in pieces, each of less than 5 MB when it is encoded."""
POLLS = 30
"""How often X is asked whether it is done with an upload, at most."""
LONGEST_POLL = 5.0
"""Most seconds between two of these questions."""


class Client(tweepy.Client):  # type: ignore[misc]  # tweepy has no types, so this is a subclass of Any
    """OAuth 1.0a in the user's context. Every method answers with parsed JSON; errors are ours (see `Session`)."""

    def __init__(self, api_url: str, secrets: Mapping[str, str], retry: Retry, wait: float | None = None) -> None:
        super().__init__(
            consumer_key=secrets["API_KEY"],
            consumer_secret=secrets["API_SECRET"],
            access_token=secrets["ACCESS_TOKEN"],
            access_token_secret=secrets["ACCESS_TOKEN_SECRET"],
            return_type=dict,
            wait_on_rate_limit=False,
        )
        self._api_url = api_url
        self._retry = retry
        self.session = Session("X", tuple(secrets.values()), _judge, wait)

    def request(
        self,
        method: str,
        route: str,
        params: Any = None,
        json: Any = None,
        user_auth: bool = False,
        data: Mapping[str, str] | None = None,
        files: Mapping[str, tuple[str, bytes, str]] | None = None,
    ) -> requests.Response:
        """What every method of tweepy's client ends in. `user_auth` is ignored: there is no other authentication."""
        return self._retry(
            # Each attempt is signed anew: X takes a nonce only once.
            lambda: self._signed(method, route, params=params, json=json, data=data, files=files),
            repeatable=method != "POST" or route.startswith(MEDIA),
        )

    def _signed(self, method: str, route: str, **content: Any) -> requests.Response:
        handler = tweepy.OAuth1UserHandler(
            self.consumer_key, self.consumer_secret, self.access_token, self.access_token_secret
        )
        response: requests.Response = self.session.request(
            method,
            self._api_url + route,
            **content,
            headers={"User-Agent": self.user_agent},
            auth=handler.apply_auth(),
        )
        if response.content or route != f"{MEDIA}metadata":  # which needs to say nothing
            try:
                response.json()
            except (ValueError, RecursionError):
                raise LostAnswerError("X answered something that is not JSON") from None
        return response

    def upload(self, file: Image | Video, alt: str) -> str:
        """Upload an image or a video with its alternative text, wait until X is done with it, and return its id."""
        whole = isinstance(file, Image) and len(file.data) <= CHUNK
        media = self._upload_whole(file) if whole else self._upload_pieces(file)
        if alt:
            metadata = {"id": media, "metadata": {"alt_text": {"text": alt}}}
            self.request("POST", "/2/media/metadata", json=metadata)
        return media

    def _upload_whole(self, file: Image | Video) -> str:
        answer = self.request(
            "POST",
            "/2/media/upload",
            data={"media_category": _category(file)},
            files={"media": ("media", file.data, file.mime)},
        ).json()
        return self._processed(answer)

    def _upload_pieces(self, file: Image | Video) -> str:
        start = {"media_category": _category(file), "media_type": file.mime, "total_bytes": len(file.data)}
        media = formed(
            "X", self.request("POST", "/2/media/upload/initialize", json=start).json(), MEDIA_ID, "data", "id"
        )
        for index, offset in enumerate(range(0, len(file.data), CHUNK)):
            # As JSON: the description has `segment_index` as a number, which a form cannot hold.
            piece = base64.b64encode(file.data[offset : offset + CHUNK]).decode("ascii")
            self.request("POST", f"/2/media/upload/{media}/append", json={"segment_index": index, "media": piece})
        return self._processed(self.request("POST", f"/2/media/upload/{media}/finalize").json())

    def _processed(self, answer: Any) -> str:
        """The id of an upload, once it can be used in a post."""
        media = formed("X", answer, MEDIA_ID, "data", "id")
        for _ in range(POLLS):
            work = answer["data"].get("processing_info") or {}
            state = work.get("state", "succeeded")
            if state == "succeeded":
                return media
            if state == "failed":
                raise RefusedError("X cannot process the file")
            time.sleep(min(max(float(work.get("check_after_secs") or 1), 0.0), LONGEST_POLL))
            answer = self.request("GET", "/2/media/upload", params={"command": "STATUS", "media_id": media}).json()
            field("X", answer, "data", "id")
        raise RefusedError("X takes too long to process the file")


def _category(file: Image | Video) -> str:
    return {"image/gif": "tweet_gif", "video/mp4": "tweet_video"}.get(file.mime, "tweet_image")


# X says "Reply to this conversation is not allowed because ...", "You can only reply to or quote posts where ...", or,
# as for much else, that it is not permitted. A parent that is gone is another matter.
_NO_REPLIES = re.compile(
    r"(?s)(?!.*\b(?:deleted|not visible)\b).*(?:\brepl(?:y|ies|ying)\b|\bnot permitted to perform this action\b)",
    re.IGNORECASE,
)


def _judge(status: int, detail: str, wait: float | None) -> SendError:
    if status == 402:
        return RefusedError("X: the account has no credits left (402); add some at https://console.x.com")
    if status == 403 and "duplicate" in detail.lower():
        # X refuses to say the same twice: most likely it stands already, and its answer was lost.
        return DuplicateError("X says that this post stands already (403 duplicate content)")
    if status == 403 and _NO_REPLIES.match(detail):
        return RepliesRefusedError(f"X refuses replies from this account (403): {detail}")
    return judge("X")(status, detail, wait)
