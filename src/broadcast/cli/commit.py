"""What was sent belongs into git, too: CI and the next clone know nothing of a file that is only on one machine."""

from __future__ import annotations

import shlex
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from broadcast.cli.desk import Desk
from broadcast.errors import ChannelFailedError, LedgerError
from broadcast.ledger.plumbing import Git, lines

_REBASES = ("rebase-merge", "rebase-apply")
PATIENCE = 60
"""Seconds that a command of git may take: it may ask a server."""


def keep(here: Desk, root: Path, paths: Sequence[str], subject: str, *, commit: bool, push: bool) -> None:
    """Commit (and push) these files of the project at `root`, if that is asked for or a person on a terminal says so;
    else say what to type. Raises `ChannelFailedError`: what was sent stays sent."""
    changed = _uncommitted(root, paths)
    if not changed:
        return
    names = " ".join(shlex.quote(here.shown(root / path)) for path in changed)
    typed = f"git add {names} && git commit -m {shlex.quote(subject)} -- {names} && git push"
    if not commit and not push:
        here.say(f"note: not in git yet, so CI and everybody else know nothing of it: {names}")
        if not _on_a_terminal() or not here.confirm("Commit and push it now?"):
            here.say(f"next: `{typed}`")
            return
        commit = push = True
    _run(root, ["add", "--", *changed], typed)
    _run(root, ["commit", "--quiet", "-m", subject, "--", *changed], typed)
    here.say(f"committed: {names}")
    if push:
        _push(here, root)


def _push(here: Desk, root: Path) -> None:
    """Push the branch; once more after others' commits where the remote has some."""
    again = "git pull --rebase && git push"
    target = [] if _git(root, ["rev-parse", "--abbrev-ref", "@{upstream}"])[0] else ["--set-upstream", "origin", "HEAD"]
    done, said = _git(root, ["push", "--quiet", *target])
    if not done and not target and not _rebasing(root):
        if _git(root, ["pull", "--quiet", "--rebase", "--autostash"])[0]:
            done, said = _git(root, ["push", "--quiet"])
        elif _rebasing(root):
            _git(root, ["rebase", "--abort"])
    if not done:
        why = f"what was sent and committed stays, but git could not push: {said}"
        raise ChannelFailedError(why, f"type `{again}`")
    here.say("pushed")


def _rebasing(root: Path) -> bool:
    return any((root / _git(root, ["rev-parse", "--git-path", name])[1]).exists() for name in _REBASES)


def _uncommitted(root: Path, paths: Sequence[str]) -> list[str]:
    """Those of the files that are not in the last commit as they are; none where there is no repository. Only looks:
    what `git status` would start (monitors, filters, a hook when it writes its index) is for who commits."""
    looking = Git(root, PATIENCE)
    try:
        if looking.ask("rev-parse", "--is-inside-work-tree").out.strip() != b"true":
            return []
    except LedgerError:  # no git on this machine
        return []
    return [path for path in paths if _committed(looking, path) != _unix((root / path).read_bytes())]


def committed(root: Path, folder: str) -> set[str]:
    """The files below a folder of the project that are in the last commit, as paths from `root`."""
    try:
        answer = Git(root, PATIENCE).ask("ls-tree", "-r", "-z", "--name-only", "HEAD", "--", f"{folder}/")
    except LedgerError:  # no git on this machine
        return set()
    return set(lines(answer.out, b"\0")) if answer.code == 0 else set()


def _committed(looking: Git, path: str) -> bytes | None:
    answer = looking.ask("cat-file", "blob", f"HEAD:./{path}")
    return _unix(answer.out) if answer.code == 0 else None


def _unix(data: bytes) -> bytes:
    """Without the ends of lines that git may have changed on the way."""
    return data.replace(b"\r\n", b"\n")


def _on_a_terminal() -> bool:
    return sys.stdin.isatty() and sys.stderr.isatty()


def _run(root: Path, arguments: Sequence[str], typed: str) -> None:
    done, said = _git(root, arguments)
    if not done:
        raise ChannelFailedError(f"what was sent stays, but git could not keep the file: {said}", f"type `{typed}`")


def _git(root: Path, arguments: Sequence[str]) -> tuple[bool, str]:
    """Whether git did it, and the last line of what it said."""
    try:
        command = ["git", *arguments]
        done = subprocess.run(
            command, cwd=root, capture_output=True, text=True, check=False, timeout=PATIENCE, errors="replace"
        )
    except (OSError, subprocess.SubprocessError) as error:
        return False, str(error)
    said = (done.stdout if done.returncode == 0 else done.stderr).strip().splitlines()
    return done.returncode == 0, said[-1] if said else ""
