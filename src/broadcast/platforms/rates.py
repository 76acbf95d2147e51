"""What a server's answer says of the requests that it still takes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime

from broadcast.platforms.base import RateLimit
from broadcast.platforms.failures import moment

EARLIEST = datetime(2020, 1, 1, tzinfo=UTC)
"""A reset before this is no time (some servers tell the seconds that are left), so it is not shown."""


def told(headers: Mapping[str, str], prefix: str, requests: str) -> tuple[RateLimit, ...]:
    """The limit in the headers (lower case, or of a mapping that does not care) `PREFIX-remaining`, `-limit` and
    `-reset`, for the requests that are named; nothing where they are absent or no numbers.

    X: docs.x.com/x-api/fundamentals/rate-limits. Mastodon: docs.joinmastodon.org/api/rate-limits. Bluesky:
    docs.bsky.app/docs/advanced-guides/rate-limits.
    """
    remaining, limit = _number(headers.get(f"{prefix}-remaining")), _number(headers.get(f"{prefix}-limit"))
    reset = moment(headers.get(f"{prefix}-reset"))
    if remaining is None:
        return ()
    return (RateLimit(requests, remaining, limit, reset if reset and reset >= EARLIEST else None),)


def _number(value: str | None) -> int | None:
    return int(value) if value is not None and re.fullmatch(r"[0-9]{1,9}", value) else None
