"""The addresses that a ledger may have, by their form alone: nothing is looked at, and nothing heavy is imported.

Messages repeat no more of an address than its scheme and its branch: the rest may hold a password.
"""

from __future__ import annotations

import re
from importlib.util import find_spec
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from broadcast.errors import ConfigError

Scheme = Literal["git", "sqlite", "postgresql+psycopg"]

_BRANCH = re.compile(
    r"(?!-)(?!.*(?:\.\.|//|/\.|\.lock(?:/|$)|[./]$))[^./\x00-\x20\x7f~^:?*\[\\@][^\x00-\x20\x7f~^:?*\[\\@]*"
)
"""What `git check-ref-format` takes for a branch, without `@`, which leads to the remote's name here."""
_SYMBOLIC = re.compile(r"(?:[A-Z]+_)*HEAD|(?:refs|heads|tags|remotes)(?:/.*)?", re.DOTALL)
"""Names by which git means something else than the branch of that name (gitrevisions)."""
_GIT = 'ledger = "git:broadcast/ledger", or "git:broadcast/ledger@origin" to name the remote'
_HINT = f'{_GIT}; or "sqlite:///FILE", or "postgresql+psycopg://USER@HOST/DATABASE"'
_EXTRAS: dict[Scheme, tuple[str, tuple[str, ...]]] = {
    "git": ("", ()),
    "sqlite": ("sql", ("sqlalchemy",)),
    "postgresql+psycopg": ("postgres", ("sqlalchemy", "psycopg")),
}


def check(url: str) -> Scheme:
    """The scheme of an address that can be one. Raises `ConfigError`."""
    scheme, colon, rest = url.partition(":")
    match scheme if colon else "":
        case "git":
            branch(rest)
            return "git"
        case "sqlite":
            path(url)
            return "sqlite"
        case "postgresql+psycopg":
            _server(url)
            return "postgresql+psycopg"
    shown = f"a ledger of the kind {scheme[:40]!r}" if colon else "the ledger's address, which has no scheme,"
    raise ConfigError(f"{shown} is not known to broadcast", _HINT)


def branch(rest: str) -> tuple[str, str | None]:
    """The branch and the remote of what follows `git:`. Raises `ConfigError`."""
    name, at, remote = rest.partition("@")
    if not _BRANCH.fullmatch(name) or _SYMBOLIC.fullmatch(name):
        raise ConfigError(f"{name[:80]!r} cannot be the name of a branch for the ledger", _GIT)
    if at and not remote:
        raise ConfigError(f"no remote is named after the @ of {('git:' + rest)[:80]!r}", _GIT)
    return name, remote or None


def path(url: str) -> str:
    """The file of `sqlite:///FILE`, as it is written. Raises `ConfigError`."""
    file = url.removeprefix("sqlite:///")
    if file == url or not file.isprintable() or "?" in file or Path(file).name in ("", ":memory:"):
        raise ConfigError(
            "the ledger's address is not that of a file",
            'ledger = "sqlite:///broadcast.db" (beside broadcast.toml), or "sqlite:////srv/broadcast.db"',
        )
    return file


def missing(scheme: Scheme) -> str | None:
    """The extra of broadcast that a ledger of this kind needs, and that is not installed."""
    extra, libraries = _EXTRAS[scheme]
    return extra if any(find_spec(library) is None for library in libraries) else None


def _server(url: str) -> None:
    try:
        valid = url.startswith("postgresql+psycopg://") and urlsplit(url).port is not False
    except ValueError:  # what `port` raises for one that is none
        valid = False
    if not valid:
        raise ConfigError(
            "the ledger's address is not that of a database", 'ledger = "postgresql+psycopg://USER@HOST:PORT/DATABASE"'
        )
