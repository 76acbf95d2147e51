"""What the tables of several platforms have in common: base URLs that are safe to send a credential to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from ipaddress import ip_address
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator

from broadcast.errors import CredentialsError
from broadcast.model import Channel


def loopback(host: str) -> bool:
    """Whether this host is the machine itself, so that plain HTTP to it stays on the machine."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _base_url(value: str) -> str:
    try:
        parts = urlsplit(value)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise ValueError("is not a URL") from None
    if parts.scheme not in ("http", "https") or not host:
        raise ValueError("must be a URL like https://example.com")
    # Not quoted in the message: it would hold a password.
    if "@" in parts.netloc:
        raise ValueError("must not hold a user name or a password; they belong in the environment")
    if parts.query or parts.fragment or any(character <= " " for character in value):
        raise ValueError("must not have a query, a fragment or spaces")
    if parts.scheme == "http" and not loopback(host):
        raise ValueError("must start with https://: a credential would travel in the clear")
    return value.rstrip("/")


BaseUrl = Annotated[str, AfterValidator(_base_url)]
"""An http(s) URL without trailing slashes; plain http only to loopback."""
BaseUrlOrNothing = Annotated[str, AfterValidator(lambda value: value and _base_url(value))]
"""The same, or an empty string, which turns off what has a default."""


def require(channel: Channel, secrets: Mapping[str, str], fields: Sequence[str]) -> None:
    """Raise `CredentialsError` unless every secret is there."""
    prefix = f"BROADCAST_{channel.name.upper().replace('-', '_')}_"
    missing = [prefix + field for field in fields if not secrets.get(field)]
    if missing:
        raise CredentialsError(f"channel {channel.name!r}: set {', '.join(missing)} in the environment")
