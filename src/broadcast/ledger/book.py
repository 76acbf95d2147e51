"""What the commits of a ledger in git say, and what the next one has to: lines, and with a key their signatures."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

from broadcast.errors import LedgerError
from broadcast.ledger.base import Survey
from broadcast.ledger.codec import Check, Entry, encode
from broadcast.ledger.objects import FOLDER, RECORD, files, read_blobs, root
from broadcast.ledger.ours import refuse_code
from broadcast.ledger.plumbing import Git
from broadcast.ledger.seal import ADOPT, START, Fault, Head, Line, Seal, Where, needs_key, no_key, read_line

Found = dict[str, dict[str, Entry]]
"""Entries by announcement and key, in order."""


@dataclass(slots=True)
class Page:
    """A commit: the blob of each announcement's file, the record, and of what was looked at, the lines."""

    commit: str | None
    blobs: Mapping[str, str] = field(default_factory=dict)
    record: bytes | None = None
    data: dict[str, bytes] = field(default_factory=dict)
    lines: dict[str, list[Line]] = field(default_factory=dict)

    @property
    def signed(self) -> bool:
        """Whether it was written with a key, as far as it was looked at."""
        return self.record is not None or any(line.mac for lines in self.lines.values() for line in lines)


@dataclass(frozen=True, slots=True)
class Next:
    """What the next commit holds: files by slug, and the record where there is one."""

    contents: Mapping[str, bytes]
    record: bytes | None


class Book:
    """The ledger on `branch`. With a `seal` all that is read was signed, and all that is written is; `trusted` gives
    the seals of what this clone may have kept of it elsewhere."""

    def __init__(
        self, git: Git, branch: str, check: Check, seal: Seal | None, trusted: Callable[[], Sequence[Seal]]
    ) -> None:
        self._git = git
        self._branch = branch
        self._check = check
        self._seal = seal
        self._trusted = trusted

    def open(self, commit: str | None) -> Page:
        """A commit of the ledger's branch. Raises `LedgerError` where it holds what is no ledger's."""
        if commit is None:
            return Page(None)
        around = root(self._git, commit)
        page = self._page(commit, around.get(RECORD))
        refuse_code(self._branch, around, page.blobs)
        return page

    def read(self, page: Page, others: Mapping[str, str]) -> Found:
        """All that stands there, and all that other commits of this clone (by the references that lead to them) have
        besides. Raises `LedgerError` for what was not signed as it stands there, where there is a key."""
        self._look(page, page.blobs)
        if self._seal is not None:
            self._seal.verify(page.record, page.lines, self._where())
        found = {slug: _by_key(lines) for slug, lines in page.lines.items()}
        for item in self.strays(page, others):
            found.setdefault(item.event.announcement, {}).setdefault(item.key, item)
        return found

    def strays(self, page: Page, others: Mapping[str, str]) -> list[Entry]:
        """What only the other commits have."""
        found: dict[str, Entry] = {}
        for reference, commit in others.items():
            for line in self._stray(page, reference, commit):
                found.setdefault(line.entry.key, line.entry)
        return list(found.values())

    def missing(self, page: Page, items: Sequence[Entry]) -> dict[str, list[Entry]]:
        """Those of the items that the page does not have, by announcement."""
        slugs = {item.event.announcement for item in items}
        self._look(page, slugs & page.blobs.keys())
        if self._seal is None and page.signed:
            raise needs_key(f"ledger git:{self._branch}")
        if self._seal is not None:
            lines = page.lines if page.record is not None else self._all(page)
            self._seal.verify(page.record, lines, self._where(), slugs)
        there = {slug: _by_key(page.lines.get(slug, ())) for slug in slugs}
        missing: dict[str, dict[str, Entry]] = {}
        for item in items:
            slug = item.event.announcement
            if item.key not in there[slug]:
                missing.setdefault(slug, {}).setdefault(item.key, item)
        return {slug: list(found.values()) for slug, found in missing.items()}

    def extended(self, page: Page, added: Mapping[str, Sequence[Entry]]) -> Next:
        """The page with these entries, signed in their places."""
        heads = self._seal.heads(page.record) if self._seal is not None and page.record is not None else {}
        contents = {}
        for slug, items in added.items():
            new = [encode(item).removesuffix(b"\n") for item in items]
            if self._seal is not None:
                new, heads[slug] = self._seal.sign(heads.get(slug, START), new)
            old = page.data.get(slug, b"")
            contents[slug] = (old if not old or old.endswith(b"\n") else old + b"\n") + _joined(new)
        return Next(contents, self._seal.record(heads) if self._seal is not None else None)

    def survey(self, page: Page, others: Mapping[str, str], version: str) -> Survey:
        """What does not verify, and would be taken over by `adopted`."""
        faults = {fault.chain: fault for fault in self._faults(page)}
        counts = {slug: len(page.lines.get(slug, ())) - fault.number + 1 for slug, fault in faults.items() if slug}
        whys = [fault.message for fault in faults.values()]
        for reference, commit in others.items():
            try:
                self._stray(page, reference, commit)
            except LedgerError as error:
                whys.append(error.message)
                for line in self._differing(page, commit).values():
                    slug = line.entry.event.announcement
                    counts[slug] = counts.get(slug, 0) + 1
        return Survey(version, counts, tuple(whys))

    def adopted(self, page: Page, others: Mapping[str, str]) -> Next:
        """All lines that stand there, and those that only other commits have, signed as they are."""
        if self._seal is None:
            raise no_key()
        self._look(page, page.blobs)
        contents = {slug: [line.content for line in lines] for slug, lines in page.lines.items()}
        taken: set[str] = set()
        for commit in others.values():
            for key, line in self._differing(page, commit).items():
                if key not in taken:
                    contents.setdefault(line.entry.event.announcement, []).append(line.content)
                taken.add(key)
        heads: dict[str, Head] = {}
        signed = {}
        for slug, mine in contents.items():
            signed[slug], heads[slug] = self._seal.sign(START, mine)
        return Next({slug: _joined(mine) for slug, mine in signed.items()}, self._seal.record(heads))

    def _page(self, commit: str, record: str | None) -> Page:
        kept = read_blobs(self._git, [record]) if record else {}
        return Page(commit, files(self._git, commit), kept[record] if record else None)

    def _look(self, page: Page, slugs: Collection[str]) -> None:
        """Read the lines of these files, where they were not read yet."""
        wanted = [slug for slug in slugs if slug not in page.lines]
        blobs = read_blobs(self._git, (page.blobs[slug] for slug in wanted))
        for slug in wanted:
            page.data[slug] = blobs[page.blobs[slug]]
            page.lines[slug] = self._decode(slug, page.data[slug])

    def _all(self, page: Page) -> Mapping[str, Sequence[Line]]:
        self._look(page, page.blobs)
        return page.lines

    def _decode(self, slug: str, data: bytes) -> list[Line]:
        found = []
        where = f"ledger git:{self._branch}, {FOLDER}/{slug}.jsonl"
        for number, line in enumerate(data.removesuffix(b"\n").split(b"\n") if data else (), start=1):
            found.append(read_line(line, f"{where}, line {number}", self._check))
            if found[-1].entry.event.announcement != slug:
                said = found[-1].entry.event.announcement[:80]
                raise LedgerError(f"{where}, line {number}: speaks of {said!r}")
        return found

    def _faults(self, page: Page) -> list[Fault]:
        if self._seal is None:
            raise no_key()
        return list(self._seal.faults(page.record, self._all(page), self._where()))

    def _stray(self, page: Page, reference: str, commit: str) -> list[Line]:
        """The lines that a commit of this clone has and the page lacks. Raises `LedgerError` where nobody can tell that
        they were written with the key, and there is one."""
        missing = list(self._differing(page, commit).values())
        if not missing:
            return []
        slugs = {line.entry.event.announcement for line in missing}
        other = self._page(commit, root(self._git, commit).get(RECORD))
        self._look(other, slugs)
        if self._seal is None:
            if other.signed:
                raise needs_key(f"{reference} in this clone")
            return missing
        where = self._where(f"{reference} in this clone")
        for seal in self._trusted():
            if other.record is not None and not any(seal.faults(other.record, other.lines, where, slugs)):
                return missing
        raise LedgerError(
            f"{reference} in this clone has {len(missing)} lines that the ledger has not, of "
            f"{', '.join(sorted(slugs))}, and they are not signed, or not by this repository",
            f"to take them over: {ADOPT}; to drop them: git update-ref -d {reference}",
        )

    def _differing(self, page: Page, commit: str) -> dict[str, Line]:
        """The lines, by key, that a commit has and the page lacks."""
        blobs = {slug: blob for slug, blob in files(self._git, commit).items() if page.blobs.get(slug) != blob}
        other = Page(commit, blobs)
        self._look(other, blobs)
        self._look(page, blobs.keys() & page.blobs.keys())
        there = {line.entry.key for slug in blobs for line in page.lines.get(slug, ())}
        return {line.entry.key: line for lines in other.lines.values() for line in lines if line.entry.key not in there}

    def _where(self, place: str | None = None) -> Where:
        """How the branch is named, or another place."""
        name = place or f"ledger git:{self._branch}"
        return Where(name, RECORD, lambda slug, number: f"{name}, {FOLDER}/{slug}.jsonl, line {number}")


def _by_key(lines: Sequence[Line]) -> dict[str, Entry]:
    found: dict[str, Entry] = {}
    for line in lines:
        found.setdefault(line.entry.key, line.entry)
    return found


def _joined(lines: Sequence[bytes]) -> bytes:
    return b"".join(line + b"\n" for line in lines)
