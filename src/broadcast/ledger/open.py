"""From the `ledger` of `broadcast.toml` to the ledger."""

from __future__ import annotations

from pathlib import Path

from broadcast.errors import ConfigError, LedgerError
from broadcast.ledger import address
from broadcast.ledger.base import Ledger
from broadcast.ledger.codec import Check, unchecked
from broadcast.ledger.git import GitLedger
from broadcast.ledger.ours import INSTEAD, in_use
from broadcast.ledger.plumbing import Git
from broadcast.ledger.seal import Key

_LOCAL = 20.0
"""Seconds for what git is asked of this clone alone."""


def open_ledger(url: str, root: Path, check: Check = unchecked, key: Key | None = None) -> Ledger:
    """The ledger that `url` names: `git:BRANCH` or `git:BRANCH@REMOTE`, of the repository that `root` is in;
    `sqlite:///FILE`; `postgresql+psycopg://USER@HOST/DATABASE`. Looks at nothing yet. Raises `ConfigError`; the message
    repeats no more of a URL than its scheme, for it may hold a password. Every line that is read passes `check`.
    With a `key`, every line is signed."""
    match address.check(url):
        case "git":
            branch, remote = address.branch(url.removeprefix("git:"))
            return GitLedger(root, branch, remote, check=check, key=key)
        case "sqlite":
            return _open_sqlite(url, root, check, key)
        case "postgresql+psycopg":
            return _open_postgres(url, root, check, key)


def misplaced(url: str, root: Path) -> str | None:
    """Why the branch of a ledger in git cannot be its own, as far as this clone knows; None for any other ledger."""
    if address.check(url) != "git":
        return None
    branch, _ = address.branch(url.removeprefix("git:"))
    try:
        why = in_use(Git(root.absolute(), _LOCAL), branch)
    except LedgerError:  # there is no git: what needs the ledger will say so
        return None
    return f"{why}, and a ledger would write its files onto it; {INSTEAD}" if why else None


# SQLAlchemy takes longer to import than all the rest, and is only there with an extra.


def _open_sqlite(url: str, root: Path, check: Check, key: Key | None) -> Ledger:
    try:
        from broadcast.ledger.sql import SqlLedger
        from broadcast.ledger.sqlite import Sqlite
    except ImportError as error:
        raise _missing(error, "sql") from None
    return SqlLedger(Sqlite(url, root), root, check=check, key=key)


def _open_postgres(url: str, root: Path, check: Check, key: Key | None) -> Ledger:
    try:
        from broadcast.ledger.postgres import Postgres
        from broadcast.ledger.sql import SqlLedger
    except ImportError as error:
        raise _missing(error, "postgres") from None
    return SqlLedger(Postgres(url), root, check=check, key=key)


def _missing(error: ImportError, extra: str) -> ConfigError:
    what = str(error).splitlines()[0]
    return ConfigError(
        f"this ledger needs what is not installed: {what}", f"pip install 'broadcast-cli[{extra}]', and try again"
    )
