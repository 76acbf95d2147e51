"""Every kind of ledger, as the machines that share it see it, and events to put into one."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

import postgres
from broadcast.errors import LedgerError, LedgerMovedError
from broadcast.ledger.base import Ledger
from broadcast.ledger.open import open_ledger
from broadcast.ledger.seal import Key
from broadcast.model import Receipt, Ref

AT = datetime(2026, 11, 22, 14, 5, tzinfo=UTC)

Machine = Callable[[str], Ledger]
"""The ledger as the machine (or the clone) of this name sees it, opened anew; calls of one name share a journal."""


def git(folder: Path, *arguments: str) -> None:
    nobody = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    subprocess.run(["git", "-C", folder, *arguments], env=os.environ | nobody, check=True, capture_output=True)


def machines(kind: str, folder: Path, request: pytest.FixtureRequest) -> Machine:
    """A new ledger of a kind; all its machines live below `folder`, and know its key where it is signed."""
    folder.mkdir()
    kind, _, signed = kind.partition(", ")
    key = Key("what all machines of this ledger know") if signed else None
    match kind:
        case "git":
            git(folder, "init", "--quiet", "here")
            return lambda _name: open_ledger("git:broadcast/ledger", folder / "here", key=key)
        case "git-remote":
            git(folder, "init", "--quiet", "--bare", "origin.git")

            def clone(name: str) -> Ledger:
                if not (folder / name).exists():
                    git(folder, "clone", "--quiet", f"file://{folder}/origin.git", name)
                return open_ledger("git:broadcast/ledger", folder / name, key=key)

            return clone
        case "sqlite":
            url = f"sqlite:///{folder}/shared/ledger.db"
        case _:
            cluster: postgres.Cluster = request.getfixturevalue("cluster")
            url = cluster.database()

    def open_there(name: str) -> Ledger:
        (folder / name).mkdir(exist_ok=True)
        return open_ledger(url, folder / name, key=key)

    return open_there


KINDS = [f"{kind}{signed}" for kind in ("git", "git-remote", "sqlite", "postgres") for signed in ("", ", signed")]


def event(number: int) -> Receipt:
    return Receipt("api-errors", AT, "x", 1, AT, "run", Ref(str(number)))


def numbers(ledger: Ledger) -> list[int]:
    return [int(one.ref.id) for one in ledger.read().events.get("api-errors", ()) if isinstance(one, Receipt)]


def refused(ledger: Ledger, message: str) -> LedgerError:
    """Both calls fail in these words, without a secret."""
    for call in (ledger.read, lambda: ledger.append([event(1)], None)):
        with pytest.raises(LedgerError, match=message) as caught:
            call()
        assert not isinstance(caught.value, LedgerMovedError)
        for secret in (postgres.PASSWORD, postgres.QUOTED, "hunter2"):
            assert secret not in caught.value.message + caught.value.hint
    return caught.value
