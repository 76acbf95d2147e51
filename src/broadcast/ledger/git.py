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
from broadcast.ledger.base import NO_LEDGER, Log, adding
from broadcast.ledger.branch import Branch, copies, find
from broadcast.ledger.codec import Check, Entry, decode_lines, encode, entry, unchecked
from broadcast.ledger.journal import Journal
from broadcast.ledger.lock import locked
from broadcast.ledger.objects import FOLDER, file_name, files, read_blobs, write_commit
from broadcast.ledger.ours import refuse_code, refuse_in_use
from broadcast.ledger.plumbing import Git, lines
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

_Tree = Mapping[str, str]
"""Blob by slug."""


class _RefusedError(Exception):
    """The branch was not moved to our commit. `moved`: because somebody else moved it."""

    def __init__(self, moved: bool, error: LedgerError) -> None:
        super().__init__(error.message)
        self.moved = moved
        self.error = error


@dataclass(frozen=True, slots=True)
class _Known:
    """What the clone has of the ledger: the newest commit, and others that may hold what that one lacks (a local
    branch from before there was a remote, copies of other remotes)."""

    tip: str | None
    others: tuple[str, ...]


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
    ) -> None:
        self._check = check
        self._free = False
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
        tip, found = self._found(refresh=refresh)
        events = {slug: tuple(item.event for item in items.values()) for slug, items in sorted(found.items())}
        return Log(tip or NO_LEDGER, events)

    def _found(self, *, refresh: bool) -> tuple[str | None, dict[str, dict[str, Entry]]]:
        """The newest commit, and all entries by announcement and key, in order."""
        # The journal first: what another run of this clone pushes in between is then seen twice, not never.
        pending = self._journal.pending()
        branch = self._find()
        with self._turn(branch):
            if refresh:
                branch.refresh()
            known = self._known(branch)
        trees = [files(self._git, commit) for commit in (known.tip, *known.others) if commit]
        refuse_code(known.tip, trees[0] if trees else {}, self._git, self._branch)
        found = self._entries(trees)
        for item in pending:
            found.setdefault(item.event.announcement, {}).setdefault(item.key, item)
        return known.tip, found

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
            _, found = self._found(refresh=True)
            return [item for items in found.values() for item in items.values()]

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
        return _Known(tip, tuple(sorted(set(found.values()) - {tip})))

    def _entries(self, trees: Sequence[_Tree]) -> dict[str, dict[str, Entry]]:
        """The lines of all these trees, by announcement and key, in order; each once."""
        pairs = dict.fromkeys((slug, blob) for tree in trees for slug, blob in tree.items())
        blobs = read_blobs(self._git, (blob for _, blob in pairs))
        found: dict[str, dict[str, Entry]] = {}
        for slug, blob in pairs:
            items = found.setdefault(slug, {})
            for item in self._decode(slug, blobs[blob]):
                items.setdefault(item.key, item)
        return found

    def _decode(self, slug: str, data: bytes) -> list[Entry]:
        where = f"ledger git:{self._branch}, {FOLDER}/{slug}.jsonl"
        items = decode_lines(data, where, self._check)
        for number, item in enumerate(items, start=1):
            if item.event.announcement != slug:
                raise LedgerError(f"{where}, line {number}: speaks of {item.event.announcement[:80]!r}")
        return items

    def _attempt(self, mine: Sequence[Entry], version: str | None, refresh: bool) -> str:
        """One try to append. Without `refresh` it trusts that what was fetched last is still the newest, which the
        push finds out at no cost. Raises `_RefusedError`."""
        branch = self._find()
        with self._turn(branch):
            known = self._newest(branch, version, refresh)
            pending = self._journal.pending()
            tree = files(self._git, known.tip) if known.tip else {}
            refuse_code(known.tip, tree, self._git, self._branch)
            strays = self._entries([_differing(files(self._git, commit), tree) for commit in known.others])
            carried = [item for items in strays.values() for item in items.values()]
            added = self._missing(tree, [*carried, *pending, *mine])
            commit = known.tip or NO_LEDGER
            if added:
                contents = self._extended(tree, added)
                message = _message(added)
                commit = write_commit(self._git, known.tip, contents, message, self._folder / "blobs")
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

    def _missing(self, tree: _Tree, items: Sequence[Entry]) -> dict[str, list[Entry]]:
        """Those of the items that the tree does not have, by announcement."""
        slugs = {item.event.announcement for item in items}
        there = self._entries([{slug: blob for slug, blob in tree.items() if slug in slugs}])
        missing: dict[str, dict[str, Entry]] = {}
        for item in items:
            slug = item.event.announcement
            if item.key not in there.get(slug, {}):
                missing.setdefault(slug, {}).setdefault(item.key, item)
        return {slug: list(found.values()) for slug, found in missing.items()}

    def _extended(self, tree: _Tree, added: Mapping[str, Sequence[Entry]]) -> dict[str, bytes]:
        blobs = read_blobs(self._git, (tree[slug] for slug in added if slug in tree))
        contents = {}
        for slug, items in added.items():
            old = blobs[tree[slug]] if slug in tree else b""
            ended = old if not old or old.endswith(b"\n") else old + b"\n"
            contents[slug] = ended + b"".join(map(encode, items))
        return contents

    def _move(self, branch: Branch, old: str | None, new: str, added: Mapping[str, Sequence[Entry]]) -> None:
        """Make the branch `new`, which follows `old`. An answer that was lost is looked for in the newest state."""
        answer = branch.move(old, new)
        if answer.code == 0:
            return
        branch.refresh()
        tip = self._known(branch).tip
        if tip and not self._missing(files(self._git, tip), [item for items in added.values() for item in items]):
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


def _differing(tree: _Tree, base: _Tree) -> _Tree:
    return {slug: blob for slug, blob in tree.items() if base.get(slug) != blob}


def _message(added: Mapping[str, Sequence[Entry]]) -> str:
    count = sum(map(len, added.values()))
    named = ", ".join(list(added)[:3]) + (", ..." if len(added) > 3 else "")
    return f"Record {count} {'event' if count == 1 else 'events'} of {named}\n\nNonce: {secrets.token_hex(16)}\n"
