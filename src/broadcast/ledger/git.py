"""The ledger as an append-only branch of the repository itself, written with plumbing: no work tree, no index, no
identity of the user's is touched.

With a remote, the remote's branch is the truth, and a push is the compare-and-swap: our commit's parent is the state
that we saw, so the remote takes it only if nobody was faster. Without one, the local branch is the truth and
`update-ref` compares. Every line has a key of its own, so that

- two runs never build the same commit;
- after a push whose answer was lost, the newest state says whether it arrived;
- what a journal, or a local branch from before there was a remote, still holds is carried along exactly once.

A kill at any moment leaves loose objects behind that nothing refers to, or a reference's lock file, which the next run
removes. References only ever move to commits that are complete.
"""

from __future__ import annotations

import contextlib
import secrets
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from urllib.parse import quote

from broadcast.errors import LedgerError, LedgerMovedError
from broadcast.ledger.base import NO_LEDGER, Log, Survey, UnverifiedError, adding
from broadcast.ledger.book import Book, Found, Next, Page
from broadcast.ledger.branch import Branch, RemoteBranch, copies, find
from broadcast.ledger.codec import Check, Entry, entry, unchecked
from broadcast.ledger.identity import of_remote, of_repository
from broadcast.ledger.journal import Journal
from broadcast.ledger.lock import locked
from broadcast.ledger.objects import file_name, write_commit
from broadcast.ledger.ours import refuse_in_use
from broadcast.ledger.plumbing import Git, lines
from broadcast.ledger.seal import Key, Seal, needs_key, no_key
from broadcast.model import Event

BRANCH = "broadcast/ledger"
_TURN = 300.0
"""Seconds to wait for another process of the same clone."""
_RETRYING = 120.0
"""Seconds after which an append that others keep overtaking gives up."""
_REFUSALS = 3
"""Times that a push may be refused although nobody was faster: servers refuse both of two that collide."""
_STALE = 5.0
"""Seconds after which a lock file on a reference that only we write was left by a git that was killed."""


class _RefusedError(Exception):
    """The branch was not moved to our commit. `moved`: because somebody else moved it."""

    def __init__(self, moved: bool, error: LedgerError) -> None:
        super().__init__(error.message)
        self.moved = moved
        self.error = error


@dataclass(frozen=True, slots=True)
class _Known:
    """What the clone has of the ledger: the newest commit, and others, by their references, that may hold what that one
    lacks (a local branch from before there was a remote, copies of other remotes)."""

    tip: str | None
    others: Mapping[str, str]


class GitLedger:
    """The ledger on a branch of the repository that `root` is in, shared through a remote where there is one.

    `remote` names it; without, see `branch.find`. A git command is given `timeout` seconds. Nothing is looked at
    before the first call; all raise `LedgerError`.
    """

    def __init__(
        self,
        root: Path,
        branch: str = BRANCH,
        remote: str | None = None,
        timeout: float = 60.0,
        check: Check = unchecked,
        key: Key | None = None,
    ) -> None:
        self._check = check
        self._key = key
        self._free = False
        self._seals: dict[str, Seal] = {}
        self._git = Git(root.absolute(), timeout)
        self._branch = branch
        self._named = remote

    def read(self) -> Log:
        """The newest state on the remote, and what this clone knows besides; the version is the remote's commit."""
        with adding("nothing was sent"):
            return self._log(refresh=True)

    def recall(self) -> Log:
        """What this clone knew when it last reached the remote, and its journal."""
        return self._log(refresh=False)

    def _log(self, *, refresh: bool) -> Log:
        page, found = self._found(refresh=refresh)
        events = {slug: tuple(item.event for item in items.values()) for slug, items in sorted(found.items())}
        log = Log(page.commit or NO_LEDGER, events)
        if page.signed and self._key is None:
            error = needs_key(self._where)
            raise UnverifiedError(log, error.message, error.hint)
        return log

    def _found(self, *, refresh: bool) -> tuple[Page, Found]:
        """The newest commit, and all entries by announcement and key, in order."""
        # The journal first: what another run of this clone pushes in between is then seen twice, not never.
        pending = self._journal.pending()
        branch = self._find()
        with self._turn(branch):
            if refresh:
                branch.refresh()
            known = self._known(branch)
        book = self._book(branch)
        page = book.open(known.tip)
        found = book.read(page, known.others)
        for item in pending:
            found.setdefault(item.event.announcement, {}).setdefault(item.key, item)
        return page, found

    def append(self, events: Sequence[Event], version: str | None) -> str:
        """Add the events, after those of the journal, to the newest state, in one commit and one push. With nothing to
        add it asks nobody, and gives the newest version that this clone knows."""
        with adding(
            "nothing was sent" if version is not None else "what is in this clone's journal is kept for the next run"
        ):
            return self._append([entry(event) for event in events], version)

    def entries(self) -> list[Entry]:
        """What `read` shows, with the keys of the lines."""
        with adding("nothing was copied"):
            page, found = self._found(refresh=True)
            if page.signed and self._key is None:
                raise needs_key(self._where)
            return [item for items in found.values() for item in items.values()]

    def survey(self) -> Survey:
        """What of the newest state, and of what this clone knows besides, was not signed with the key as it stands."""
        with adding("nothing was signed"):
            branch = self._find()
            with self._turn(branch):
                branch.refresh()
                known = self._known(branch)
            book = self._book(branch)
            return book.survey(book.open(known.tip), known.others, known.tip or NO_LEDGER)

    def adopt(self, version: str) -> None:
        """Sign all of this version, and what this clone knows besides, in one commit and one push."""
        with adding("nothing was signed"):
            branch = self._find()
            with self._turn(branch):
                known = self._newest(branch, version, refresh=False)
                book = self._book(branch)
                new = book.adopted(book.open(known.tip), known.others)
                message = f"Sign what stands here\n\nNonce: {secrets.token_hex(16)}\n"
                commit = self._commit(known.tip, new, message)
                answer = branch.move(known.tip, commit)
                branch.refresh()
                if self._known(branch).tip != commit:
                    raise branch.error("written", answer)

    def carry(self, items: Sequence[Entry]) -> None:
        """Add those that are not there, after those of the journal, in one commit and one push."""
        with adding("nothing was copied"):
            self._append(items, None)

    def _append(self, mine: Sequence[Entry], version: str | None) -> str:
        for item in mine:
            file_name(item.event.announcement)
        attempt, refusals, give_up = 0, 0, time.monotonic() + _RETRYING
        while True:
            try:
                return self._attempt(mine, version, refresh=attempt > 0)
            except _RefusedError as refused:
                if refused.moved and version is not None:
                    raise LedgerMovedError("another run wrote to the ledger first") from None
                refusals += not refused.moved
                if refusals >= _REFUSALS or time.monotonic() > give_up:
                    raise refused.error from None
            time.sleep(secrets.SystemRandom().uniform(0, 0.1 * 2 ** min(attempt, 4)))
            attempt += 1

    def journal(self, event: Event) -> None:
        """Keep the event in the clone's journal, which all its work trees share."""
        file_name(event.announcement)
        self._journal.add(event)

    @cached_property
    def _folder(self) -> Path:
        return self._git.folder / "broadcast" / quote(self._branch, safe="")

    @cached_property
    def _journal(self) -> Journal:
        return Journal(self._folder, self._check)

    @cached_property
    def _where(self) -> str:
        return f"ledger git:{self._branch}"

    def _find(self) -> Branch:
        if not self._free:
            refuse_in_use(self._git, self._branch)
            self._free = True
        return find(self._git, self._named, self._branch)

    @contextlib.contextmanager
    def _turn(self, branch: Branch) -> Iterator[None]:
        """Be the only process of this clone that moves the reference."""
        lock = self._git.folder / f"{branch.reference}.lock"
        with locked(self._folder / "lock", _TURN):
            _wait_for(lock)
            yield

    def _known(self, branch: Branch) -> _Known:
        local, elsewhere = f"refs/heads/{self._branch}", copies(self._branch)
        listed = self._git.run("for-each-ref", "--format=%(refname) %(objectname)", local, elsewhere)
        named = dict(line.split(" ") for line in lines(listed))
        # A branch's name, to `for-each-ref`, is also a folder of branches.
        found = {name: commit for name, commit in named.items() if name == local or name.startswith(elsewhere)}
        tip = found.pop(branch.reference, None)
        return _Known(tip, {name: commit for name, commit in sorted(found.items()) if commit != tip})

    def _book(self, branch: Branch) -> Book:
        if self._key is not None and branch.reference not in self._seals:
            name = of_remote(self._git, branch.remote) if isinstance(branch, RemoteBranch) else of_repository(self._git)
            self._seals[branch.reference] = self._seal(name)
        return Book(self._git, self._branch, self._check, self._seals.get(branch.reference), self._trusted)

    def _seal(self, name: str) -> Seal:
        if self._key is None:
            raise no_key()
        return Seal(self._key, f"git:{self._branch} of {name}")

    def _trusted(self) -> list[Seal]:
        """Of the repositories of which this clone may have kept a state: itself, from before there was a remote, and
        its remotes."""
        names = [of_remote(self._git, remote) for remote in lines(self._git.run("remote"))]
        return [self._seal(name) for name in dict.fromkeys([of_repository(self._git), *names])]

    def _attempt(self, mine: Sequence[Entry], version: str | None, refresh: bool) -> str:
        """One try to append. Without `refresh` it trusts that what was fetched last is still the newest, which the
        push finds out at no cost. Raises `_RefusedError`."""
        branch = self._find()
        with self._turn(branch):
            known = self._newest(branch, version, refresh)
            pending = self._journal.pending()
            book = self._book(branch)
            page = book.open(known.tip)
            added = book.missing(page, [*book.strays(page, known.others), *pending, *mine])
            commit = known.tip or NO_LEDGER
            if added:
                commit = self._commit(known.tip, book.extended(page, added), _message(added))
                self._move(branch, known.tip, commit, added)
            # What cannot be discarded is known by its keys, and is not carried again.
            with contextlib.suppress(LedgerError):
                self._journal.discard({item.key for item in pending})
            return commit

    def _newest(self, branch: Branch, version: str | None, refresh: bool) -> _Known:
        known = self._known(branch)
        if refresh or version not in (None, known.tip or NO_LEDGER):
            branch.refresh()
            known = self._known(branch)
        if version not in (None, known.tip or NO_LEDGER):
            raise LedgerMovedError("another run wrote to the ledger since it was read")
        return known

    def _commit(self, parent: str | None, new: Next, message: str) -> str:
        return write_commit(self._git, parent, new.contents, new.record, message, self._folder / "blobs")

    def _move(self, branch: Branch, old: str | None, new: str, added: Mapping[str, Sequence[Entry]]) -> None:
        """Make the branch `new`, which follows `old`. An answer that was lost is looked for in the newest state."""
        answer = branch.move(old, new)
        if answer.code == 0:
            return
        branch.refresh()
        tip = self._known(branch).tip
        book = self._book(branch)
        if tip and not book.missing(book.open(tip), [item for items in added.values() for item in items]):
            return
        error = branch.error("written", answer)
        if tip == old and not branch.refused(answer):
            raise error
        raise _RefusedError(tip != old, error)


def _wait_for(lock: Path) -> None:
    """Wait until git has let go of a reference; after a while, take it that it was killed."""
    give_up = time.monotonic() + _STALE
    try:
        while lock.exists():
            if time.monotonic() > give_up:
                lock.unlink(missing_ok=True)
            time.sleep(0.05)
    except OSError as error:
        raise LedgerError(f"{lock} is in the way: {error.strerror}", "remove it if no git is running") from None


def _message(added: Mapping[str, Sequence[Entry]]) -> str:
    count = sum(map(len, added.values()))
    named = ", ".join(list(added)[:3]) + (", ..." if len(added) > 3 else "")
    return f"Record {count} {'event' if count == 1 else 'events'} of {named}\n\nNonce: {secrets.token_hex(16)}\n"
