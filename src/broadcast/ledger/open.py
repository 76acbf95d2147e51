"""From the `ledger` of `broadcast.toml` to the ledger."""

from __future__ import annotations

import re
from pathlib import Path

from broadcast.errors import ConfigError
from broadcast.ledger.base import Ledger
from broadcast.ledger.git import GitLedger

_BRANCH = re.compile(
    r"(?!-)(?!.*(?:\.\.|//|/\.|\.lock(?:/|$)|[./]$))[^./\x00-\x20\x7f~^:?*\[\\@][^\x00-\x20\x7f~^:?*\[\\@]*"
)
"""What `git check-ref-format` takes for a branch, without `@`, which leads to the remote's name here."""
_GIT = 'ledger = "git:broadcast/ledger", or "git:broadcast/ledger@origin" to name the remote'
_HINT = f'{_GIT}; or "sqlite:///FILE", or "postgresql+psycopg://USER@HOST/DATABASE"'


def open_ledger(url: str, root: Path) -> Ledger:
    """The ledger that `url` names: `git:BRANCH` or `git:BRANCH@REMOTE`, of the repository that `root` is in;
    `sqlite:///FILE`; `postgresql+psycopg://USER@HOST/DATABASE`. Looks at nothing yet. Raises `ConfigError`; the message
    repeats no more of a URL than its scheme, for it may hold a password."""
    scheme, colon, rest = url.partition(":")
    match scheme if colon else "":
        case "git":
            return _open_git(rest, root)
        case "sqlite":
            return _open_sqlite(url, root)
        case "postgresql+psycopg":
            return _open_postgres(url, root)
    shown = f"a ledger of the kind {scheme[:40]!r}" if colon else "the ledger's address, which has no scheme,"
    raise ConfigError(f"{shown} is not known to broadcast", _HINT)


def _open_git(rest: str, root: Path) -> Ledger:
    branch, at, remote = rest.partition("@")
    if not _BRANCH.fullmatch(branch):
        raise ConfigError(f"{branch[:80]!r} cannot be the name of a branch for the ledger", _GIT)
    if at and not remote:
        raise ConfigError(f"no remote is named after the @ of {('git:' + rest)[:80]!r}", _GIT)
    return GitLedger(root, branch, remote or None)


# SQLAlchemy takes longer to import than all the rest, and is only there with an extra.


def _open_sqlite(url: str, root: Path) -> Ledger:
    try:
        from broadcast.ledger.sql import SqlLedger
        from broadcast.ledger.sqlite import Sqlite
    except ImportError as error:
        raise _missing(error, "sql") from None
    return SqlLedger(Sqlite(url, root), root)


def _open_postgres(url: str, root: Path) -> Ledger:
    try:
        from broadcast.ledger.postgres import Postgres
        from broadcast.ledger.sql import SqlLedger
    except ImportError as error:
        raise _missing(error, "postgres") from None
    return SqlLedger(Postgres(url), root)


def _missing(error: ImportError, extra: str) -> ConfigError:
    what = str(error).splitlines()[0]
    return ConfigError(
        f"this ledger needs what is not installed: {what}", f"pip install 'broadcast-cli[{extra}]', and try again"
    )
