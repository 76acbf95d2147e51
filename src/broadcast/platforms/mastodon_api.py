"""The client for a Mastodon server: Mastodon.py's, with our session under it. Imported late: it brings Mastodon.py
with it."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from types import MappingProxyType
from typing import Any
from urllib.parse import quote

import requests
from mastodon import Mastodon
from mastodon.errors import MastodonNetworkError

from broadcast.errors import LostAnswerError, RefusedError, SendError, UnprovableError
from broadcast.platforms.failures import GoneError, field, formed
from broadcast.platforms.forms import SEGMENT
from broadcast.platforms.http import Session
from broadcast.platforms.media import Image, Video
from broadcast.platforms.retry import Retry

PAGE = 40
PAGES = 20
"""Posts on a page, and how many pages are read before giving up."""
POLLS = 60
POLL_PAUSE = 1.0
"""How often the server is asked whether it is done with a file, at most, and the seconds between."""


STUMBLES = ("x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset", "deprecation")
"""Headers in which Mastodon.py fails on a value that it cannot read, or of which it warns on the terminal: no answer
must be lost for that."""


class _Session(Session):
    """Keeps those headers to itself."""

    told: Mapping[str, str] = MappingProxyType({})
    """The headers of the last answer."""
    last: requests.Response
    """The last answer, without those headers."""

    def request(self, method: str | bytes, url: str | bytes, *args: Any, **kwargs: Any) -> requests.Response:
        # Mastodon.py asks for `/api/v2/instance/`. The API has no slash there, and not every server overlooks it.
        return super().request(method, str(url).rstrip("/"), *args, **kwargs)

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        self.last = response = super().send(request, **kwargs)
        self.told = response.headers.copy()
        for name in STUMBLES:
            response.headers.pop(name, None)
        return response


@dataclass(frozen=True, slots=True)
class Instance:
    """What a server takes, as far as it says so. `max_image` and `max_video` are in bytes."""

    max_characters: int | None
    characters_reserved_per_url: int | None
    description_limit: int | None
    max_image: int | None
    max_video: int | None


class Client:
    """One account on one server. Errors are ours (see `Session`)."""

    def __init__(self, api_base_url: str, token: str, retry: Retry, wait: float | None = None) -> None:
        self._retry = retry
        self.session = _Session("Mastodon", [token], wait=wait)
        self._sdk = Mastodon(
            access_token=token,
            api_base_url=api_base_url,
            session=self.session,
            ratelimit_method="throw",
            user_agent="broadcast",
            # Not asked of the server, which would cost two requests before the first image: all that is used here is
            # in 4.0, and a server that lacks some of it answers 404.
            mastodon_version="4.0.0",
            version_check_mode="created",
        )

    def instance(self) -> Instance:
        """The limits from `/api/v2/instance`, or from v1 where a server knows only that, or none."""
        answer: Any = {}
        for ask in (self._sdk.instance_v2, self._sdk.instance_v1):
            with suppress(GoneError):
                answer = self._ours(ask)
                break
        told = _mapping(answer)
        configuration = _mapping(told.get("configuration"))
        statuses, media = _mapping(configuration.get("statuses")), _mapping(configuration.get("media_attachments"))
        # Pleroma and Akkoma have names of their own, on the top of v1's answer.
        upload = _number(told.get("upload_limit"))
        return Instance(
            _number(statuses.get("max_characters")) or _number(told.get("max_toot_chars")),
            _number(statuses.get("characters_reserved_per_url")),
            _number(media.get("description_limit")) or _number(told.get("description_limit")),
            _number(media.get("image_size_limit")) or upload,
            _number(media.get("video_size_limit")) or upload,
        )

    def account(self) -> Mapping[str, Any]:
        answer = self._ours(self._sdk.account_verify_credentials)
        formed("Mastodon", answer, SEGMENT, "id")
        return _mapping(answer)

    def scopes(self) -> frozenset[str] | None:
        """What the application may be allowed that the token was made for; None where the server does not say (before
        Mastodon 4.3). A token cannot be asked for its own."""
        with suppress(RefusedError, LostAnswerError):
            listed = _mapping(self._ours(self._sdk.app_verify_credentials)).get("scopes") or ()
            known = {str(scope) for scope in listed if re.match(r"(read|write|profile)\b", str(scope))}
            return frozenset(known) or None
        return None

    def upload(self, file: Image | Video, alt: str) -> str:
        """Upload an image or a video with its alternative text, wait until the server is done with it, and return its
        id."""
        name = "file." + file.mime.rpartition("/")[2]
        media: Any = self._ours(
            lambda: self._sdk.media_post(file.data, mime_type=file.mime, description=alt, file_name=name)
        )
        key = formed("Mastodon", media, SEGMENT, "id")
        for _ in range(POLLS):
            if media.get("url") or self._says_done():
                return key
            time.sleep(POLL_PAUSE)
            media = self._ours(lambda: self._sdk.media(key))
            field("Mastodon", media, "id")
        raise RefusedError("Mastodon takes too long to process the file")

    def _says_done(self) -> bool:
        """Whether the last answer is that of a server which tells no addresses of files: 202 and 206 mean that it is
        not done, and so does an address that is null (docs.joinmastodon.org/methods/media/#v2)."""
        return self.session.last.status_code == 200 and "url" not in self.session.last.json()

    def post(self, text: str, **options: Any) -> Mapping[str, Any]:
        # The one request that must not be made twice: not every server honors its idempotency key.
        return self._status(lambda: self._sdk.status_post(text, **options), repeatable=False)

    def status(self, key: str) -> Mapping[str, Any]:
        return self._status(lambda: self._sdk.status(_quoted(key)))

    def update(self, key: str, text: str, **options: Any) -> Mapping[str, Any]:
        return self._status(lambda: self._sdk.status_update(_quoted(key), text, **options))

    def source(self, key: str) -> str:
        """What was written, word for word."""
        return str(field("Mastodon", self._ours(lambda: self._sdk.status_source(_quoted(key))), "text"))

    def delete(self, key: str) -> None:
        self._ours(lambda: self._sdk.status_delete(_quoted(key)))

    def statuses(self, account: str, since: datetime) -> Iterator[Mapping[str, Any]]:
        """The account's own posts, newest first. Raises `UnprovableError` where there are too many."""
        oldest: str | None = None
        seen: set[str] = set()
        for _ in range(PAGES):
            page: Any = self._ours(
                partial(self._sdk.account_statuses, account, limit=PAGE, max_id=oldest, exclude_reblogs=True)
            )
            for status in page:
                if str(status["id"]) in seen:
                    continue
                created = self.made(status)
                if created is not None and created < since:
                    return
                yield status
            ids = {str(status["id"]) for status in page}
            if ids <= seen and len(page) < PAGE:  # nothing, or all there is again: not every server turns pages
                return
            seen |= ids
            oldest = str(page[-1]["id"])
        raise UnprovableError(f"the account has more than {PAGE * PAGES} posts since the intent")

    @staticmethod
    def made(status: Mapping[str, Any]) -> datetime | None:
        """When a post was made, where the server tells it."""
        value = status.get("created_at")
        return value if value is None or value.tzinfo else value.replace(tzinfo=UTC)

    def close(self) -> None:
        self.session.close()

    def _status(self, call: Callable[[], Any], *, repeatable: bool = True) -> Mapping[str, Any]:
        answer = self._ours(call, repeatable=repeatable)
        formed("Mastodon", answer, SEGMENT, "id")
        return _mapping(answer)

    def _ours(self, call: Callable[[], Any], *, repeatable: bool = True) -> Any:
        return self._retry(lambda: self._once(call), repeatable=repeatable)

    def _once(self, call: Callable[[], Any]) -> Any:
        """Call the SDK. It wraps whatever its session raises, which here is one of our errors already."""
        try:
            return call()
        except MastodonNetworkError as error:
            if isinstance(error.__context__, SendError):
                raise error.__context__ from None
            raise LostAnswerError("Mastodon answered something unreadable") from None
        except SendError:
            raise
        except Exception:  # noqa: BLE001 - an SDK may stumble over an answer in any way
            # After an answer without an error status: the SDK could not make of it what it should be.
            raise LostAnswerError("Mastodon answered something unreadable") from None


def _quoted(key: str) -> str:
    """An id as a segment of a path, which Mastodon.py puts it into as it is."""
    return quote(key, safe="")


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _number(value: Any) -> int | None:
    return value if isinstance(value, int) and value > 0 else None
