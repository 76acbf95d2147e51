"""A process and what it started, to kill both at once."""

from __future__ import annotations

import contextlib
import os
import signal
from pathlib import Path

PROCESSES = Path("/proc")


def missing() -> str | None:
    """Why families cannot be found here."""
    return None if (PROCESSES / "self" / "stat").exists() else "finds what a process started by Linux's /proc"


def family(process: int) -> list[int]:
    """A process and all that it started, but for the remote's side of a git connection."""
    children: dict[int, list[int]] = {}
    for status in PROCESSES.glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            parent = int(status.read_text().rpartition(")")[2].split()[1])
            command = status.with_name("cmdline").read_bytes()
            if b"receive-pack" not in command and b"upload-pack" not in command:
                children.setdefault(parent, []).append(int(status.parent.name))
    members = [process]
    for member in members:
        members += children.get(member, [])
    return members


def kill(process: int, *, whole_family: bool) -> None:
    """SIGKILL. Without its family, what it started goes on and gets in the way of the next."""
    for member in family(process) if whole_family else [process]:
        with contextlib.suppress(ProcessLookupError):
            os.kill(member, signal.SIGKILL)
