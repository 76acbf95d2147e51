"""Reading and writing whole files: every byte as it is, all of it or nothing, and never out of the project's `root`."""

from __future__ import annotations

import posixpath
from pathlib import Path

from broadcast import reach
from broadcast.errors import UsageError


def load(root: Path, path: str) -> str:
    """A file's text, with its line ends and byte-order mark as they are. Raises `UsageError`."""
    try:
        return reach.read(root, path).decode()
    except OSError as error:
        raise UsageError(f"{path}: it cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise UsageError(f"{path}: it is not UTF-8", "save the file in that encoding") from None


def save(root: Path, path: str, text: str) -> None:
    """Replace a file's text at once, keeping its permissions; readers see the old text or the new. Raises `UsageError`.

    A link stays a link: what it leads to is replaced.
    """
    try:
        with reach.entry(root, path) as (folder, name):
            folder.replace(name, text.encode(), folder.mode(name))
    except OSError as error:
        raise UsageError(f"{path}: it cannot be written: {error.strerror}") from None


def create(root: Path, path: str, text: str) -> None:
    """Write a file that does not exist, and the folders above it. Raises `UsageError` where it does."""
    above, name = posixpath.split(path)
    try:
        with reach.folder(root, above, make=True) as folder:
            _create(folder, name, path, text)
    except OSError as error:
        raise UsageError(f"{above}: the folder cannot be made: {error.strerror}") from None


def _create(folder: reach.Folder, name: str, path: str, text: str) -> None:
    try:
        folder.create(name, text.encode())
    except FileExistsError:
        raise UsageError(f"{path}: it exists already, and was left as it is") from None
    except OSError as error:
        raise UsageError(f"{path}: it cannot be written: {error.strerror}") from None


def write(root: Path, path: Path, text: str) -> None:
    """Write a file that a user named, anywhere: what the project has in its way must not lead out of it. Raises
    `UsageError`."""
    try:
        own = reach.inside(root, path)
        if own is None:
            path.write_text(text, encoding="utf-8")
            return
        with reach.entry(root, own) as (folder, name):
            folder.replace(name, text.encode())
    except (OSError, ValueError) as error:
        raise UsageError(f"{path}: it cannot be written: {getattr(error, 'strerror', None) or error}") from None
