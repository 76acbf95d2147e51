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
_HINT = 'ledger = "git:broadcast/ledger", or "git:broadcast/ledger@origin" to name the remote'


def open_ledger(url: str, root: Path) -> Ledger:
    """The ledger that `url` names: `git:BRANCH` or `git:BRANCH@REMOTE`, of the repository that `root` is in. Looks at
    nothing yet. Raises `ConfigError`; the message repeats no more of a URL than its scheme, for it may hold a password.
    """
    scheme, colon, rest = url.partition(":")
    if not colon or scheme != "git":
        shown = f"a ledger of the kind {scheme[:40]!r}" if colon else "the ledger's address, which has no scheme,"
        raise ConfigError(f"{shown} is not known to broadcast", _HINT)
    branch, at, remote = rest.partition("@")
    if not _BRANCH.fullmatch(branch):
        raise ConfigError(f"{branch[:80]!r} cannot be the name of a branch for the ledger", _HINT)
    if at and not remote:
        raise ConfigError(f"no remote is named after the @ of {url[:80]!r}", _HINT)
    return GitLedger(root, branch, remote or None)
