"""What a PDS tells of an account when it logs in: what it may not do, and what its password may do too much."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from broadcast.errors import CredentialsError

INACTIVE = {"takendown": "taken down", "suspended": "suspended", "deactivated": "deactivated"}
"""States of an account in which a PDS refuses its posts (lexicon `com.atproto.server.createSession`)."""
SCOPES = {
    "com.atproto.access": "this is the account's own password, which may do everything: make an app password instead",
    "com.atproto.appPassPrivileged": "this app password may read and write direct messages, which is not needed",
}
UNCONFIRMED = "the account's email address is not confirmed: the video service refuses videos"


def notes(told: Mapping[str, Any], scope: str, *, videos: bool) -> list[str]:
    """From the answer to the login and the scope of its token. `videos`: there is a video service. Raises
    `CredentialsError` for an account that cannot post."""
    state = INACTIVE.get(str(told.get("status")))
    if told.get("active") is False and state:
        raise CredentialsError(f"the account is {state}: Bluesky takes no posts from it")
    found = [SCOPES[scope]] if scope in SCOPES else []
    if videos and told.get("emailConfirmed") is False:
        found.append(UNCONFIRMED)
    return found
