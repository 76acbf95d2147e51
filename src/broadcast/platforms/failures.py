"""From what went wrong with a request to what it means for a post: did nothing, or may have had its effect."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import quote

from broadcast.defects import OURS
from broadcast.errors import CredentialsError, LostAnswerError, RefusedError, SendError, UnprovableError

SHORTEST_BASE64 = 6
"""Letters of base64; fewer may stand in any word."""
LONGEST_DETAIL = 300
"""Most characters of a server's own words in a message."""

LONGEST_WAIT = 24 * 3600.0
"""Most seconds that a server's idea of when to come back is believed."""


class GoneError(RefusedError):
    """There is no such thing on the server (404, 410)."""


class MissingBlobError(RefusedError):
    """A record names a file that the server does not have."""


class UnreachableError(RefusedError):
    """There was no connection, so the request was never delivered."""


Judge = Callable[[int, str, float | None], SendError]
"""From an answer's status, the server's own words and the seconds to wait, what it means."""


def judge(service: str) -> Judge:
    """What an answer with an error status means, where a platform has no special case for it.

    A 4xx is a refusal. A 5xx, or a 408, says nothing of whether the request had its effect (RFC 9110, 15.6).
    """

    def of(status: int, detail: str, wait: float | None) -> SendError:
        said = f"{service} answered {status}" + (f": {detail}" if detail else "")
        if status == 401:
            return CredentialsError(f"{service} does not accept the credentials ({said})")
        if status == 408 or status >= 500:
            return LostAnswerError(said)
        if status in (404, 410):
            return GoneError(said)
        if status == 429:
            return RefusedError(f"{said}; too many requests: run again {_later(wait)}", retry_after=wait)
        return RefusedError(said)

    return of


def _later(wait: float | None) -> str:
    if wait is None:
        return "later"
    return f"in {wait:.0f} s" if wait < 120 else f"in {-(-wait // 60):.0f} min"


def redactor(secrets: Collection[str]) -> Callable[[str], str]:
    """A function that makes a stranger's words fit to be shown: one short line, without control characters, and
    without any of the secrets, as they are, percent-encoded, or in base64 (RFC 4648), also in the middle of more."""
    forms = {form for secret in secrets if secret for form in (secret, quote(secret, safe=""), *_in_base64(secret))}
    pattern = re.compile("|".join(re.escape(form) for form in sorted(forms, key=len, reverse=True)) or r"(?!)")

    def clean(text: str) -> str:
        line = " ".join(pattern.sub("***", text).split())
        line = "".join(character for character in line if character.isprintable())
        return line if len(line) <= LONGEST_DETAIL else line[: LONGEST_DETAIL - 1] + "…"

    return clean


def _in_base64(secret: str) -> Iterator[str]:
    """What is the same of a secret's base64 whatever stands around it: for each of the three places in which its first
    byte may stand in a group, in both alphabets."""
    for before in range(3):
        encoded = b64encode(bytes(before) + secret.encode()).decode().rstrip("=")
        certain = encoded[(before * 4 + 2) // 3 : -1]  # the letters around it hold bits of its neighbors too
        if len(certain) >= SHORTEST_BASE64:
            yield from (certain, certain.replace("+", "-").replace("/", "_"))


def detail(body: bytes) -> str:
    """The server's own words in the JSON of an error answer: X's `detail` or `errors`, Mastodon's `error`, XRPC's
    `error` and `message`. Empty for anything else: an HTML page is nothing to show."""
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    if not isinstance(answer, dict):
        return ""
    errors = answer.get("errors")
    messages = [error.get("message") for error in errors if isinstance(error, dict)] if isinstance(errors, list) else []
    parts = [answer.get("error"), answer.get("message"), answer.get("detail") or answer.get("title"), *messages]
    return ": ".join(dict.fromkeys(part for part in parts if isinstance(part, str) and part))


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds to wait, by the server's own clock: `Retry-After` (RFC 9110, 10.2.3), or the reset time of the rate
    limit (X and Bluesky: an epoch; Mastodon: ISO 8601) less the answer's `Date`."""
    now = server_time(headers)
    value = headers.get("retry-after")
    if value is not None and re.fullmatch(r"\d{1,9}", value.strip()):
        return min(float(value), LONGEST_WAIT)
    until = _http_date(value)
    for name in ("x-rate-limit-reset", "ratelimit-reset", "x-ratelimit-reset"):
        if until is None:
            until = moment(headers.get(name))
    if until is None or now is None:
        return None
    return min(max((until - now).total_seconds(), 0.0), LONGEST_WAIT)


def server_time(headers: Mapping[str, str]) -> datetime | None:
    """What the answering server's clock showed."""
    return _http_date(headers.get("date"))


def _http_date(value: str | None) -> datetime | None:
    try:
        moment = parsedate_to_datetime(value or "")
    except (ValueError, TypeError, OverflowError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def moment(value: str | None) -> datetime | None:
    """A time in a header, as an epoch or in ISO 8601; None for anything else."""
    try:
        if value and re.fullmatch(r"\d{1,11}", value):
            return datetime.fromtimestamp(int(value), UTC)
        found = datetime.fromisoformat(value or "")
        return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except (ValueError, OverflowError, OSError):
        return None


@contextmanager
def harmless() -> Iterator[None]:
    """Around requests that post nothing (logging in, uploading): to lose their answer is no worse than a refusal."""
    try:
        yield
    except LostAnswerError as error:
        raise RefusedError(str(error)) from None
    except OURS:
        raise
    except Exception as error:
        raise RefusedError(f"an answer of an unknown shape ({type(error).__name__})") from error


@contextmanager
def proving(what: str) -> Iterator[None]:
    """Around the requests of `find`: without their answer, or with one of another shape than it should have, nothing is
    proved."""
    try:
        yield
    except UnprovableError:
        raise
    except SendError as error:
        raise UnprovableError(f"{what} could not be read: {error}") from None
    except Exception as error:
        raise UnprovableError(f"{what} could not be read: the answer has an unknown shape") from error


def field(service: str, answer: Any, *names: str) -> Any:
    """A value deep in an answer. Raises `LostAnswerError` where it is not there: the request was taken, and what came
    of it cannot be told."""
    for name in names:
        if not isinstance(answer, Mapping) or answer.get(name) is None:
            raise LostAnswerError(f"{service} answered something unreadable (no {'.'.join(names)})")
        answer = answer[name]
    return answer


def formed(service: str, answer: Any, form: str, *names: str) -> str:
    """The same, of a form (a regular expression that matches the whole): what is of another one must go nowhere."""
    value = str(field(service, answer, *names))
    if not re.fullmatch(form, value):
        raise LostAnswerError(f"{service} answered something unreadable ({'.'.join(names)} has another form)")
    return value
