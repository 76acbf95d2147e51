"""What tells the ledger of one repository from that of another: the repository's name, however it is reached.

A name is the last two segments of the remote's address, `owner/name`, in lower case. ssh, https, a proxy and a mirror
agree in them, whatever stands before. A repository without a remote is called by its own folder, as a remote of that
path would be: so a bare repository and its clones agree too. A clone's address is its user's own: nobody who can only
push, or only open a pull request, chooses it.
"""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

from broadcast.ledger.plumbing import Git, lines
from broadcast.paths import real

_SCP = re.compile(r"[^/:]+:(.*)", re.DOTALL)
_NAMELESS = ("", ".git", "_git")
"""Segments that are no part of a name: of a work tree's repository, and of Azure's https addresses."""


def of_remote(git: Git, remote: str) -> str:
    """The name of the repository that a remote leads to."""
    told = next(lines(git.ask("config", "--get-all", f"remote.{remote}.url").out), "")
    if "://" not in told and not told.partition(":")[0].count("@"):
        # A path, or an abbreviation of the user's own (`url.<base>.insteadOf`), which git expands.
        told = next(lines(git.ask("remote", "get-url", remote).out), told)
    return of_address(told, git.root)


def of_repository(git: Git) -> str:
    """The name of a repository that has no remote."""
    return _name(str(git.folder))


def of_address(address: str, root: Path) -> str:
    """The name of the repository at an address of git's (`git help fetch`, "GIT URLS")."""
    if "://" in address:
        parts = urlsplit(address)
        path = unquote(parts.path)
        return _name(str(real(Path(path))) if parts.scheme == "file" else path)
    if found := _SCP.fullmatch(address):
        return _name(found[1])
    return _name(str(real(Path(root, address))))


def _name(path: str) -> str:
    segments = [one for one in path.split("/") if one not in _NAMELESS]
    return "/".join(segments[-2:]).casefold().removesuffix(".git")
