"""The ledger as git objects: a commit holds the folder `announcements/` of one JSONL file per announcement.

Each function runs a number of git processes that does not depend on how much there is.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from broadcast.errors import LedgerError
from broadcast.ledger.plumbing import Git, lines

FOLDER = "announcements"
RECORD = "seal.json"
"""Beside it where the ledger is signed; see `seal`."""
_SUFFIX = ".jsonl"
_SLUG = re.compile(r"[^\x00-\x1f\x7f/\\.\ud800-\udfff][^\x00-\x1f\x7f/\\\ud800-\udfff]*")
_LONGEST = 255
"""Bytes that a file system takes for a name."""


def file_name(slug: str) -> str:
    """The name of an announcement's file in the folder. Raises `LedgerError` for a name that could mean another."""
    name = slug + _SUFFIX
    if not _SLUG.fullmatch(slug) or len(name.encode()) > _LONGEST:
        raise LedgerError(f"the ledger cannot have a file for the announcement {slug[:80]!r}", "rename its file")
    return name


def root(git: Git, commit: str) -> dict[str, str]:
    """The object of everything beside the folder, and the folder's, by name."""
    return {name: item for _mode, _kind, item, name in _tree(git, commit, "")}


def files(git: Git, commit: str) -> dict[str, str]:
    """The blob of each announcement's file, by slug."""
    found = {}
    for _mode, kind, blob, path in _tree(git, commit, f"{FOLDER}/"):
        folder, _, name = path.rpartition("/")
        slug = name.removesuffix(_SUFFIX)
        if kind == "blob" and folder == FOLDER and slug != name and _SLUG.fullmatch(slug):
            found[slug] = blob
    return found


def read_blobs(git: Git, blobs: Iterable[str]) -> dict[str, bytes]:
    """What is in each blob."""
    asked = list(dict.fromkeys(blobs))
    if not asked:
        return {}
    data = git.run("cat-file", "--batch", data="".join(f"{blob}\n" for blob in asked).encode())
    found, at = {}, 0
    for blob in asked:
        end = data.index(b"\n", at)
        header = data[at:end].split()
        if len(header) != 3:
            raise LedgerError(f"the repository lacks an object of the ledger: {data[at:end].decode()}", "git fsck")
        at, size = end + 1, int(header[2])
        found[blob] = data[at : at + size]
        at += size + 1
    return found


def write_commit(
    git: Git, parent: str | None, contents: Mapping[str, bytes], record: bytes | None, message: str, scratch: Path
) -> str:
    """A commit on `parent` in which these announcements (by slug) have these contents, the record is this one where
    there is one, and all else is as it was. `scratch` is a folder that nobody else uses now."""
    names = {file_name(slug): data for slug, data in contents.items()}
    written = _write_blobs(git, [*names.values(), *([] if record is None else [record])], scratch)
    blobs = dict(zip(names, written[: len(names)], strict=True))
    around = _tree(git, parent, "") if parent else []
    inside = _tree(git, parent, f"{FOLDER}/") if parent else []
    kept = [(mode, kind, item, path.rpartition("/")[2]) for mode, kind, item, path in inside]
    folder = _write_tree(
        git,
        [entry for entry in kept if entry[3] not in blobs]
        + [("100644", "blob", blob, name) for name, blob in blobs.items()],
    )
    beside = [("100644", "blob", blob, RECORD) for blob in written[len(names) :]]
    kept = [entry for entry in around if entry[3] not in (FOLDER, *(name for *_, name in beside))]
    tree = _write_tree(git, [*kept, *beside, ("040000", "tree", folder, FOLDER)])
    parents = ("-p", parent) if parent else ()
    return git.run("commit-tree", "--no-gpg-sign", *parents, tree, data=message.encode()).decode().strip()


_TreeEntry = tuple[str, str, str, str]
"""Mode, type, object id, path."""


def _tree(git: Git, commit: str, path: str) -> list[_TreeEntry]:
    paths = ("--", path) if path else ()
    found = []
    for line in lines(git.run("ls-tree", "-z", "--full-tree", commit, *paths), b"\0"):
        head, _, name = line.partition("\t")
        mode, kind, item = head.split(" ")
        found.append((mode, kind, item, name))
    return found


def _write_tree(git: Git, entries: Sequence[_TreeEntry]) -> str:
    data = b"".join(os.fsencode(f"{mode} {kind} {item}\t{name}") + b"\0" for mode, kind, item, name in entries)
    return git.run("mktree", "-z", data=data).decode().strip()


def _write_blobs(git: Git, contents: Sequence[bytes], scratch: Path) -> list[str]:
    try:
        scratch.mkdir(exist_ok=True)
        paths = [scratch / str(number) for number in range(len(contents))]
        for path, data in zip(paths, contents, strict=True):
            path.write_bytes(data)
        listed = os.fsencode("".join(f"{path}\n" for path in paths))
        blobs = list(lines(git.run("hash-object", "-w", "--no-filters", "--stdin-paths", data=listed)))
        for path in paths:
            path.unlink()
    except OSError as error:
        raise LedgerError(f"{scratch} cannot be written: {error.strerror}") from None
    return blobs
