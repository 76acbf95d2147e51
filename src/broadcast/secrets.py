"""Where credentials come from: the environment, a file that it names, or the system's keyring. Never a tracked file."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from broadcast.errors import ConfigError, CredentialsError

LEDGER_KEY = "BROADCAST_LEDGER_KEY"
"""The variable of the key with which the ledger is signed."""
SHORTEST_KEY = 16
MAX_BYTES = 64 * 1024
"""No secret is longer."""


def variable(channel: str, field: str) -> str:
    """The environment variable of a channel's secret: `BROADCAST_<CHANNEL>_<FIELD>`."""
    return f"BROADCAST_{channel.upper().replace('-', '_')}_{field}"


def find(channel: str, fields: Sequence[str], environ: Mapping[str, str]) -> dict[str, str]:
    """A value for each field. Raises `CredentialsError`, which names every variable that is missing, no value."""
    found = {field: _one(variable(channel, field), environ) for field in fields}
    missing = [variable(channel, field) for field, value in found.items() if not value]
    if missing:
        raise CredentialsError(f"no credentials: set {', '.join(missing)} (or the same with _FILE, or the keyring)")
    return {field: value for field, value in found.items() if value}


def ledger_key(environ: Mapping[str, str]) -> str | None:
    """What the ledger is signed with; None where it is not. Raises `ConfigError` for a key that can be guessed."""
    try:
        key = _one(LEDGER_KEY, environ)
    except CredentialsError as error:
        raise ConfigError(str(error), "nothing was sent") from None
    if key is not None and len(key) < SHORTEST_KEY:
        raise ConfigError(
            f"{LEDGER_KEY} is shorter than {SHORTEST_KEY} characters, and can be guessed; nothing was sent",
            "make one with: openssl rand -hex 32",
        )
    return key


def _one(name: str, environ: Mapping[str, str]) -> str | None:
    if value := environ.get(name, "").strip():
        return _text(name, os.fsencode(value))
    if path := environ.get(f"{name}_FILE"):
        try:
            with Path(path).open("rb") as file:
                return _text(f"{name}_FILE", file.read(MAX_BYTES))
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else "this is not the name of a file"
            raise CredentialsError(f"{name}_FILE cannot be read: {reason}") from None
    return _from_keyring(name)


def _text(name: str, data: bytes) -> str:
    try:
        return data.decode().strip()
    except UnicodeDecodeError:
        raise CredentialsError(f"{name} is not UTF-8 text") from None


def _from_keyring(name: str) -> str | None:
    try:
        import keyring
        from keyring.errors import KeyringError
    except ImportError:  # the extra `keyring` is not installed
        return None
    try:
        return keyring.get_password("broadcast", name)
    except KeyringError:  # no backend on this machine
        return None
