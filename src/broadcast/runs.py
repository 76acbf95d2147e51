"""The name of a run, and whether the run of a name is still alive: what makes a claim in the ledger live or stale."""

from __future__ import annotations

import hashlib
import os
import platform
import secrets
from datetime import datetime, timedelta
from pathlib import Path

LEASE = timedelta(minutes=10)
"""How long a claim of a run on another machine counts as live. A run sends nothing after `SENDING` of it."""
SENDING = timedelta(minutes=8)


def name() -> str:
    """A name for this run: which machine, which process, and a nonce so that no two claims are ever the same."""
    return f"{_machine()}-{os.getpid()}-{secrets.token_hex(8)}"


def alive(run: str, claimed: datetime, now: datetime) -> bool:
    """Whether a run may still be sending what it claimed. On this machine its process answers; elsewhere its lease."""
    if now - claimed > LEASE:
        return False
    machine, _, rest = run.partition("-")
    process = rest.partition("-")[0]
    if machine != _machine() or not process.isdigit():
        return True
    if int(process) == os.getpid():
        return False
    try:
        os.kill(int(process), 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _machine() -> str:
    """This machine, boot and process namespace, hashed: a process id only means something inside of these."""
    facts = [platform.node()]
    for fact in ("/proc/sys/kernel/random/boot_id", "/proc/self/ns/pid"):
        path = Path(fact)
        try:
            facts.append(str(path.readlink()) if path.is_symlink() else path.read_text(encoding="ascii"))
        except OSError:
            facts.append("")
    return hashlib.sha256("\n".join(facts).encode()).hexdigest()[:12]
