"""Whether a branch may be a ledger's: it is not where code is worked on, and it holds a ledger, or nothing yet."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Mapping

from broadcast.errors import ConfigError, LedgerError
from broadcast.ledger.objects import FOLDER, RECORD
from broadcast.ledger.plumbing import Git, lines

INSTEAD = 'give the ledger a branch of its own: ledger = "git:broadcast/ledger"'

_NOTE = re.compile(r"README(?:\.[a-z]+)?", re.IGNORECASE)


def in_use(git: Git, branch: str) -> str | None:
    """Why a branch is not free: somebody works on it, or a remote takes it for its default. Asks no remote."""
    own = f"refs/heads/{branch}"
    asked = (own, "refs/remotes/*/HEAD", "refs/remotes/*/*/HEAD")
    listed = git.ask("for-each-ref", "--format=%(refname)%00%(symref)%00%(worktreepath)", *asked)
    found = {name: (leads_to, folder) for name, leads_to, folder in (line.split("\0") for line in lines(listed.out))}
    if own in found:
        if found[own][1]:
            return f"the branch {branch} is checked out"
    elif os.fsdecode(git.ask("symbolic-ref", "--quiet", "HEAD").out.removesuffix(b"\n")) == own:
        return f"the branch {branch}, which has no commit yet, is checked out"
    for name, (leads_to, _) in found.items():
        remote = name.removeprefix("refs/remotes/").removesuffix("/HEAD")
        if leads_to == f"refs/remotes/{remote}/{branch}":
            return f"the branch {branch} is the default one of the remote {remote}"
    return None


def refuse_in_use(git: Git, branch: str) -> None:
    """Raises `ConfigError` for a branch that is not free."""
    if why := in_use(git, branch):
        raise ConfigError(f"{why}, and a ledger would write its files onto it; nothing was read or written", INSTEAD)


def refuse_code(branch: str, around: Mapping[str, str], files: Collection[str]) -> None:
    """Raises `LedgerError` for a branch that holds more than a ledger does: `around` at its top, `files` of a ledger
    below. A note to readers is no code."""
    foreign = [name for name in around if name not in (FOLDER, RECORD) and not _NOTE.fullmatch(name)]
    if not foreign and (files or RECORD in around or not around):
        return
    named = f" ({', '.join(sorted(foreign)[:3])})" if foreign else ""
    raise LedgerError(
        f"the branch {branch} holds files that are no ledger's{named}: a ledger has the folder {FOLDER} "
        "and nothing else but a README; nothing was written to it",
        INSTEAD,
    )
