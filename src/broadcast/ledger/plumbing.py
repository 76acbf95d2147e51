"""git as a program: run without questions, without hooks and with a time limit, and quoted without secrets."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from broadcast.errors import LedgerError
from broadcast.secrets import LEDGER_KEY

_SETTINGS = (
    *("-c", "core.quotePath=off"),
    # Hooks look after code. One that runs the tests before a push must not hold up, or stop, news of an outage.
    *("-c", f"core.hooksPath={os.devnull}"),
    *("-c", "gc.auto=0", "-c", "maintenance.auto=false"),
    # What the ledger says must survive a power cut: objects are synced before the reference that leads to them.
    *("-c", "core.fsync=committed,reference"),
    *("-c", "core.filesRefLockTimeout=5000"),
    *("-c", "i18n.commitEncoding=UTF-8"),
    "--no-pager",
)
_ENVIRONMENT = {
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_OPTIONAL_LOCKS": "0",
    "LC_ALL": "C",
    "GIT_AUTHOR_NAME": "broadcast",
    "GIT_AUTHOR_EMAIL": "broadcast@localhost",
    "GIT_COMMITTER_NAME": "broadcast",
    "GIT_COMMITTER_EMAIL": "broadcast@localhost",
}
_ELSEWHERE = frozenset(
    {
        *("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_COMMON_DIR", "GIT_PREFIX", "GIT_NAMESPACE"),
        *("GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_SHALLOW_FILE", "GIT_GRAFT_FILE"),
        *("GIT_AUTHOR_DATE", "GIT_COMMITTER_DATE"),
        LEDGER_KEY,
    }
)
"""What a hook, or a program that runs another git command, may have set for a repository that is not ours; and a secret
that git has no use for."""

_SECRETS = (
    (re.compile(r"://[^\s'\"]*@"), "://***@"),
    (re.compile(r"(?i)\b(authorization:\s*\S+\s+)\S+"), r"\1***"),
    (re.compile(r"(?i)([?&][^=&\s]*(?:token|password|secret|key|signature)[^=&\s]*=)[^&\s'\"]+"), r"\1***"),
)
_NOISE = ("hint:", "error: failed to push some refs to")
_CONTROLS = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]|[\x00-\x1f\x7f-\x9f]")


@dataclass(frozen=True, slots=True)
class Answer:
    """What git said. `code` is None when it did not end in time."""

    code: int | None
    out: bytes
    err: str

    @property
    def words(self) -> str:
        """git's own last words, for a message: of what it complains, and why a push was turned down."""
        refused = [line.rpartition("\t")[2] for line in lines(self.out) if line.startswith("!\t")]
        complaints = [_CONTROLS.sub("", line).strip() for line in [*self.err.splitlines(), *refused]]
        last = [line for line in complaints if line and not line.startswith(_NOISE)][-3:]
        said = "; ".join([*last, "no answer in time"] if self.code is None else last)
        return masked(said)[:600] or f"git ended with {self.code}"


def masked(text: str) -> str:
    """The text without what looks like a credential."""
    for pattern, instead in _SECRETS:
        text = pattern.sub(instead, text)
    return text


class Git:
    """git, run in the folder `root`. A command that takes longer than `timeout` seconds is stopped."""

    def __init__(self, root: Path, timeout: float) -> None:
        self.root = root
        self.timeout = timeout

    @cached_property
    def folder(self) -> Path:
        """The git directory that all work trees of the repository share. Raises `LedgerError` where there is none."""
        answer = self.ask("rev-parse", "--git-common-dir")
        if answer.code == 0:
            return Path(self.root, os.fsdecode(answer.out.removesuffix(b"\n"))).resolve()
        if "dubious ownership" in answer.err or "safe.directory" in answer.err:
            command = re.search(r"git config --global --add safe\.directory .+", answer.err)
            raise LedgerError(
                f"git does not trust the repository of {self.root}, because it belongs to another user",
                command[0] if command else "git config --global --add safe.directory THE-REPOSITORY",
            )
        if "not a git repository" in answer.err:
            raise LedgerError(f"the ledger is kept in git, and {self.root} is not in a git repository", "git init")
        if not self.root.is_dir():
            raise LedgerError(f"{self.root} is not a folder")
        raise LedgerError(f"git cannot be used in {self.root}: {answer.words}")

    def run(self, *arguments: str, data: bytes | None = None) -> bytes:
        """What git prints. Raises `LedgerError` with its last words when it fails."""
        answer = self.ask(*arguments, data=data)
        if answer.code != 0:
            raise LedgerError(f"git {arguments[0]} failed in {self.root}: {answer.words}")
        return answer.out

    def ask(self, *arguments: str, data: bytes | None = None) -> Answer:
        """What git says, whether it fails or not. Raises `LedgerError` only where git cannot be started."""
        environment = {name: value for name, value in os.environ.items() if name not in _ELSEWHERE}
        try:
            process = subprocess.Popen(
                ["git", *_SETTINGS, "-C", self.root, *arguments],
                stdin=subprocess.DEVNULL if data is None else subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=environment | _ENVIRONMENT,
                # Away from the terminal: nothing can ask there, and a Ctrl-C for us does not break off a push.
                start_new_session=True,
            )
        except OSError as error:
            raise LedgerError(f"git cannot be started: {error.strerror}", "install git") from None
        with process:
            try:
                out, err = process.communicate(data, self.timeout)
                code: int | None = process.returncode
            except subprocess.TimeoutExpired:
                code, (out, err) = None, _stop(process)
            except BaseException:
                _stop(process)
                raise
        return Answer(code, out, err.decode("utf-8", "replace"))


def lines(data: bytes, end: bytes = b"\n") -> Iterator[str]:
    """The pieces of git's output that end with `end`."""
    return (os.fsdecode(piece) for piece in data.split(end) if piece)


def _stop(process: subprocess.Popen[bytes]) -> tuple[bytes, bytes]:
    """End git and what it started: gently, so that it removes its lock files, then for good."""
    for how in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, how)
        try:
            return process.communicate(timeout=5)
        except subprocess.TimeoutExpired:
            continue
    return b"", b""
