"""A stand-in for Mastodon: the parts of the API that publishing needs, for one account.

https://docs.joinmastodon.org/methods/statuses/, with refusals in the words of Mastodon 4.4's English locale.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Literal

from broadcast.rehearsal import forms, mastodon_text, mastodon_views
from broadcast.rehearsal.base import Clock, Refusal, Request, Response, Seen, json_response, number, wall_clock
from broadcast.rehearsal.limits import Standing, Window
from broadcast.rehearsal.mastodon_media import MAX_MEDIA, Media, read, refused
from broadcast.rehearsal.mastodon_views import ACCOUNT_ID, SITE, Status
from broadcast.rehearsal.routes import Handler, Routes

REMEMBERS = timedelta(hours=1)
"""How long an idempotency key is remembered."""
VISIBILITIES = ("public", "unlisted", "private", "direct")
PUBLIC = ("/api/v1/instance", "/api/v2/instance")


@dataclass(frozen=True, slots=True)
class Options:
    """What this server is like. `idempotency` is what it makes of a key that it knows: `replay` answers with the first
    status, `error` with 500 as some releases do, `none` posts again as GoToSocial and snac2 do. `media_polls` is how
    often the client must ask before an upload is processed; `drops_media` posts without it, silently."""

    max_characters: int = 500
    idempotency: Literal["replay", "error", "none"] = "replay"
    media_polls: int = 0
    drops_media: bool = False
    has_instance_v2: bool = True
    rate_limited: bool = False


DEFAULT = Options()


@dataclass(slots=True)
class MastodonWorld:
    """See `World`."""

    settings: Options
    clock: Clock
    token: str = field(default_factory=lambda: secrets.token_urlsafe(32), repr=False)
    statuses: dict[str, Status] = field(default_factory=dict)
    _keys: dict[str, tuple[str, datetime]] = field(default_factory=dict)
    _window: Window = field(init=False)
    _media: Media = field(init=False)
    _routes: Routes = field(init=False)

    def __post_init__(self) -> None:
        self._window = Window(300, timedelta(minutes=5), enforced=self.settings.rate_limited)
        self._media = Media(SITE, self.settings.media_polls)
        table: dict[str, Handler] = {
            "GET /api/v1/instance": self._instance_v1,
            "GET /api/v1/apps/verify_credentials": self._app,
            "GET /api/v1/accounts/verify_credentials": self._account,
            "GET /api/v1/accounts/{id}/statuses": self._list,
            "POST /api/v1/statuses": self._create,
            "GET /api/v1/statuses/{id}": self._show,
            "PUT /api/v1/statuses/{id}": self._edit,
            "DELETE /api/v1/statuses/{id}": self._delete,
            "GET /api/v1/statuses/{id}/source": self._source,
            "GET /api/v1/statuses/{id}/context": self._context,
        }
        if self.settings.has_instance_v2:
            table["GET /api/v2/instance"] = self._instance_v2
        self._routes = Routes(table | self._media.routes)

    def options(self, url: str) -> dict[str, str]:
        return {"api_base_url": url}

    def secrets(self) -> dict[str, str]:
        return {"ACCESS_TOKEN": self.token}

    def timeline(self) -> tuple[Seen, ...]:
        return tuple(
            Seen(
                id=status.id,
                url=status.url,
                text=status.text,
                links=mastodon_text.links(status.text),
                media=tuple(self._media.seen(media_id) for media_id in status.media),
                language=status.language,
                reply_to=status.reply_to,
                created=status.created,
                edited=status.edited,
                deleted=status.deleted,
            )
            for status in self.statuses.values()
        )

    def handle(self, request: Request) -> Response:
        standing = self._window.take(self.clock())
        try:
            if not standing.allowed:
                raise refused(429, "Too many requests")
            answer = self._routes.find(request)
            if answer is None:
                raise refused(404, "Not Found")
            if request.path.rstrip("/") not in PUBLIC and not self._knows(request.bearer()):
                raise refused(401, "The access token is invalid")
            response = answer()
        except Refusal as refusal:
            response = refusal.response
        return replace(response, headers={**_limit_headers(standing), **response.headers})

    def _knows(self, token: str | None) -> bool:
        return token is not None and secrets.compare_digest(token.encode(), self.token.encode())

    def _instance_v1(self, request: Request) -> Response:
        return json_response(mastodon_views.instance_v1(self.settings.max_characters))

    def _instance_v2(self, request: Request) -> Response:
        return json_response(mastodon_views.instance_v2(self.settings.max_characters))

    def _app(self, request: Request) -> Response:
        return json_response({"id": "1", "name": "broadcast", "website": None, "scopes": ["read", "write"]})

    def _account(self, request: Request) -> Response:
        own = {"privacy": "public", "sensitive": False, "language": "en"}
        return json_response(mastodon_views.account() | {"source": own})

    def _create(self, request: Request) -> Response:
        key = request.headers.get("idempotency-key")
        if key and self.settings.idempotency != "none" and key in self._keys:
            known, until = self._keys[key]
            if self.clock() < until:
                if self.settings.idempotency == "error":
                    raise refused(500, "We're sorry, but something went wrong on our end.")
                return json_response(self._as_read(self._find(known)))
        form = read(request)
        parent = str(form.get("in_reply_to_id") or "") or None
        if parent is not None and (parent not in self.statuses or self.statuses[parent].deleted):
            raise refused(404, "The post you are trying to reply to does not appear to exist.")
        now = self.clock()
        newest = int(next(reversed(self.statuses), "0"))
        status_id = str(max(newest + 1, int(now.timestamp() * 1000) << 16))
        status = self._written(Status(status_id, "", now, "en", "public", "", False, parent, ()), form)
        self.statuses[status_id] = status
        if key:
            self._keys[key] = (status_id, now + REMEMBERS)
        return json_response(self._as_read(status))

    def _edit(self, request: Request, status_id: str) -> Response:
        status = self._find(status_id)
        self.statuses[status_id] = replace(self._written(status, read(request)), edited=self.clock())
        return json_response(self._as_read(self.statuses[status_id]))

    def _written(self, status: Status, form: forms.Form) -> Status:
        """The status with what the form says of it. Raises `Refusal`."""
        text, spoiler = str(form.get("status") or "").strip(), str(form.get("spoiler_text") or "").strip()
        listed = form.get("media_ids")
        media = tuple(str(one) for one in listed) if isinstance(listed, list) else ()
        if not text and not media:
            raise refused(422, "Validation failed: Text can't be blank")
        most = self.settings.max_characters
        if mastodon_text.length(text) + mastodon_text.length(spoiler) > most:
            raise refused(422, f"Validation failed: Text character limit of {most} exceeded")
        visibility = str(form.get("visibility") or status.visibility)
        if visibility not in VISIBILITIES:
            raise refused(422, "Validation failed: Visibility is not included in the list")
        self._check_media(status, media)
        language = str(form.get("language") or status.language or "")
        return replace(
            status,
            text=text,
            spoiler=spoiler,
            language=language if re.fullmatch(r"[a-z]{2,3}(-[A-Za-z]{2,4})?", language) else None,
            visibility=visibility,
            sensitive=str(form.get("sensitive", "")).lower() in ("1", "true") or bool(spoiler),
            media=() if self.settings.drops_media else media,
        )

    def _check_media(self, status: Status, media: tuple[str, ...]) -> None:
        taken = {one for other in self._standing() if other.id != status.id for one in other.media}
        found = [self._media.get(media_id) for media_id in media]
        kinds = {one.mime.partition("/")[0] for one in found if one}
        lost = [media_id for media_id, one in zip(media, found, strict=True) if one is None or media_id in taken]
        if len(media) > MAX_MEDIA:
            raise refused(422, f"Validation failed: Cannot attach more than {MAX_MEDIA} files")
        if lost:
            raise refused(
                422, f"Validation failed: Media {', '.join(lost)} not found or already attached to another post"
            )
        if "video" in kinds and len(media) > 1:
            raise refused(422, "Validation failed: Cannot attach a video to a post that already contains images")
        if any(one.polls for one in found if one):
            raise refused(
                422, "Validation failed: Cannot attach files that have not finished processing. Try again in a moment!"
            )

    def _show(self, request: Request, status_id: str) -> Response:
        return json_response(self._as_read(self._find(status_id)))

    def _delete(self, request: Request, status_id: str) -> Response:
        status = self._find(status_id)
        self.statuses[status_id] = replace(status, deleted=self.clock())
        return json_response(self._as_read(status) | {"text": status.text})

    def _source(self, request: Request, status_id: str) -> Response:
        status = self._find(status_id)
        return json_response({"id": status.id, "text": status.text, "spoiler_text": status.spoiler})

    def _context(self, request: Request, status_id: str) -> Response:
        above: list[Status] = []
        parent = self._find(status_id).reply_to
        while parent is not None and not self.statuses[parent].deleted:
            above.insert(0, self.statuses[parent])
            parent = self.statuses[parent].reply_to
        family, below = {status_id}, []
        for status in self._standing():
            if status.reply_to in family:
                family.add(status.id)
                below.append(status)
        answer = {"ancestors": above, "descendants": below}
        return json_response({name: [self._as_read(one) for one in found] for name, found in answer.items()})

    def _list(self, request: Request, account_id: str) -> Response:
        if account_id != ACCOUNT_ID:
            raise refused(404, "Record not found")
        most = min(number(request.param("limit")) or 20, 40)
        older, newer = number(request.param("max_id")), number(request.param("since_id"))
        oldest = number(request.param("min_id"))
        asked = [
            status
            for status in self._standing()
            if (older is None or int(status.id) < older)
            and (newer is None or int(status.id) > newer)
            and (oldest is None or int(status.id) > oldest)
            and not (status.reply_to and request.param("exclude_replies") in ("1", "true"))
        ]
        page = (asked[:most] if oldest is not None else asked[-most:])[::-1]
        base = f"{request.url.partition('?')[0]}?limit={most}"
        links = (
            [f'<{base}&max_id={page[-1].id}>; rel="next"', f'<{base}&min_id={page[0].id}>; rel="prev"'] if page else []
        )
        return json_response([self._as_read(one) for one in page], headers={"Link": ", ".join(links)} if links else {})

    def _standing(self) -> list[Status]:
        return [status for status in self.statuses.values() if status.deleted is None]

    def _find(self, status_id: str) -> Status:
        status = self.statuses.get(status_id)
        if status is None or status.deleted:
            raise refused(404, "Record not found")
        return status

    def _as_read(self, status: Status) -> dict[str, Any]:
        replies = sum(one.reply_to == status.id for one in self._standing())
        media = [self._media.describe(media_id) for media_id in status.media]
        return mastodon_views.as_read(status, media, replies)


def create(options: Options = DEFAULT, clock: Clock = wall_clock) -> MastodonWorld:
    return MastodonWorld(options, clock)


def _limit_headers(standing: Standing) -> dict[str, str]:
    return {
        "X-RateLimit-Limit": str(standing.limit),
        "X-RateLimit-Remaining": str(standing.remaining),
        "X-RateLimit-Reset": mastodon_views.time(standing.reset),
    }
