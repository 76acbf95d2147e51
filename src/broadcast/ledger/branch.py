"""The branch that is the truth of a ledger: on a remote, or in this clone where there is no remote.

What was fetched last from a remote is kept in `refs/broadcast/<branch>/<remote>`: out of the way of the user's own
fetches, and there too where a clone does not fetch every branch (`git clone --depth 1` and CI checkouts do not).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol
from urllib.parse import quote

from broadcast.errors import LedgerError
from broadcast.ledger.plumbing import Answer, Git, lines


def copies(branch: str) -> str:
    """The folder of references in which the newest known state of the branch is kept, for each remote. Branch and
    remote may both have slashes: those of the branch are escaped, so that no two of them share a reference."""
    return f"refs/broadcast/{quote(branch, safe='')}/"


class Branch(Protocol):
    """A ledger's branch, where it is the truth."""

    @property
    def reference(self) -> str:
        """The local reference to its newest known commit. Only `refresh` and `move` change it."""
        ...

    def refresh(self) -> None:
        """Bring the reference up to date; it stays missing as long as there is no branch. Raises `LedgerError`."""
        ...

    def move(self, old: str | None, new: str) -> Answer:
        """Try to make the branch `new`, a child of `old`, which it has to be now. It may have worked even where the
        answer is none or an error: refresh, and look."""
        ...

    def refused(self, answer: Answer) -> bool:
        """Whether a move reached the branch and was turned down, as the slower of two that meet are."""
        ...

    def error(self, what: str, answer: Answer) -> LedgerError:
        """The error for a branch that cannot be `what` (read, written)."""
        ...


@dataclass(frozen=True, slots=True)
class LocalBranch:
    """The branch in this clone."""

    git: Git
    name: str

    @property
    def reference(self) -> str:
        return f"refs/heads/{self.name}"

    def refresh(self) -> None:
        return

    def move(self, old: str | None, new: str) -> Answer:
        # An empty old value says that there must be none.
        return self.git.ask("update-ref", "-m", "broadcast", self.reference, new, old or "")

    def refused(self, answer: Answer) -> bool:
        return answer.code is not None

    def error(self, what: str, answer: Answer) -> LedgerError:
        return LedgerError(f"the ledger's branch {self.name} cannot be {what}: {answer.words}")


@dataclass(frozen=True, slots=True)
class RemoteBranch:
    """The branch on a remote."""

    git: Git
    name: str
    remote: str

    @property
    def reference(self) -> str:
        return copies(self.name) + self.remote

    def refresh(self) -> None:
        answer = self._fetch()
        if answer.code == 0:
            return
        there = self._ask_for_branch(answer)
        if there is None:
            self._must_be_new()
            return
        # It is there after all: another clone's first run has just made it, or our copy is no part of it.
        answer = self._fetch(force=self._has_copy() and self._is_cut_off(there))
        if answer.code != 0:
            raise self.error("read", answer)

    def move(self, old: str | None, new: str) -> Answer:
        # The parent of `new` is `old`: a plain push is refused unless the remote has that, or less.
        answer = self.git.ask(
            *("-c", f"remote.{self.remote}.mirror=false", "-c", "push.followTags=false", "-c", "push.gpgSign=false"),
            *("push", "--porcelain", "--no-progress", "--no-verify", "--recurse-submodules=no"),
            *(self.remote, f"{new}:refs/heads/{self.name}"),
        )
        if answer.code == 0:
            # Should this fail, the next fetch does it.
            self.git.ask("update-ref", self.reference, new)
        return answer

    def refused(self, answer: Answer) -> bool:
        return b"\n!\t" in answer.out

    def error(self, what: str, answer: Answer) -> LedgerError:
        return LedgerError(
            f"the ledger's branch {self.name} on the remote {self.remote} cannot be {what}: {answer.words}",
            f"git {'push' if what == 'written' else 'fetch'} {self.remote} must work without asking for anything",
        )

    def _fetch(self, force: bool = False) -> Answer:
        return self.git.ask(
            *("fetch", "--quiet", "--no-tags", "--no-prune", "--no-write-fetch-head", "--no-recurse-submodules"),
            # Only our own reference is written; and the whole of each commit, where the clone is a partial one.
            *("--refmap=", "--no-filter", self.remote),
            f"{'+' if force else ''}refs/heads/{self.name}:{self.reference}",
        )

    def _ask_for_branch(self, failed: Answer) -> str | None:
        """The commit of the remote's branch, after a fetch that failed; None when the remote has no such branch."""
        if failed.code is None:
            raise self.error("read", failed)
        answer = self.git.ask("ls-remote", "--exit-code", self.remote, f"refs/heads/{self.name}")
        if answer.code not in (0, 2):
            raise self.error("read", answer)
        return answer.out.decode().split()[0] if answer.code == 0 else None

    def _has_copy(self) -> bool:
        return self.git.ask("rev-parse", "--quiet", "--verify", self.reference).code == 0

    def _is_cut_off(self, there: str) -> bool:
        """Whether the copy is only no part of `there` because the clone is shallow and does not reach back to it.
        Raises `LedgerError` where the branch was rewritten."""
        if self.git.ask("merge-base", "--is-ancestor", self.reference, there).code != 1:
            return False
        if self.git.run("rev-parse", "--is-shallow-repository").strip() == b"true":
            return True
        raise LedgerError(
            f"the ledger's branch {self.name} on the remote {self.remote} was rewritten: it no longer holds all that "
            "it held when this clone read it last",
            f"compare it with {self.reference}, and restore it: "
            f"git push --force {self.remote} {self.reference}:refs/heads/{self.name}; "
            f"or accept it: git update-ref -d {self.reference}",
        )

    def _must_be_new(self) -> None:
        if self._has_copy():
            raise LedgerError(
                f"the ledger's branch {self.name} is gone from the remote {self.remote}",
                f"restore it: git push {self.remote} {self.reference}:refs/heads/{self.name}; "
                f"or, to start a new ledger: git update-ref -d {self.reference}",
            )


def find(git: Git, named: str | None, branch: str) -> Branch:
    """The branch on the remote that is named, else the only one, else the one on which this clone found it before, else
    the current branch's upstream, else `origin`; in this clone where the repository has no remote. Raises `LedgerError`
    where that leaves a choice."""
    remote = _choose(git, named, branch)
    return LocalBranch(git, branch) if remote is None else RemoteBranch(git, branch, remote)


def _choose(git: Git, named: str | None, branch: str) -> str | None:
    remotes = list(lines(git.run("remote")))
    listed = ", ".join(sorted(remotes))
    if named is not None:
        if named not in remotes:
            raise LedgerError(f"the ledger's remote {named!r} is not among the repository's: {listed or 'none'}")
        return named
    if len(remotes) < 2:
        return remotes[0] if remotes else None
    # Whatever branch is checked out meanwhile: two ledgers know only half of what was sent.
    before = [name for name in remotes if git.ask("rev-parse", "--quiet", "--verify", copies(branch) + name).code == 0]
    if len(before) == 1:
        return before[0]
    head = git.ask("symbolic-ref", "--quiet", "--short", "HEAD").out.decode("utf-8", "replace").strip()
    upstream = git.ask("config", "--get", f"branch.{head}.remote").out.decode("utf-8", "replace").strip()
    for remote in (upstream, "origin"):
        if remote in remotes:
            return remote
    raise LedgerError(
        f"the repository has several remotes ({listed}) and none is called origin; say which one has the ledger",
        f'ledger = "git:{branch}@{min(remotes)}" in broadcast.toml',
    )
