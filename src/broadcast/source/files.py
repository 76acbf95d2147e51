"""Reading and writing whole files: every byte as it is, all of it or nothing."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from broadcast.errors import UsageError
from broadcast.paths import real


def load(path: Path) -> str:
    """A file's text, with its line ends and byte-order mark as they are. Raises `UsageError`."""
    try:
        return path.read_bytes().decode()
    except OSError as error:
        raise UsageError(f"{path}: it cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise UsageError(f"{path}: it is not UTF-8", "save the file in that encoding") from None


def save(path: Path, text: str) -> None:
    """Replace a file's text at once, keeping its permissions; readers see the old text or the new. Raises `UsageError`.

    A link stays a link: what it leads to is replaced.
    """
    try:
        _replace(real(path), text.encode())
    except OSError as error:
        raise UsageError(f"{path}: it cannot be written: {error.strerror}") from None


def create(path: Path, text: str) -> None:
    """Write a file that does not exist, and the folders above it. Raises `UsageError` where it does."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"{path.parent}: the folder cannot be made: {error.strerror}") from None
    try:
        # Taking the name first is what refuses to overwrite, even when two commands run at once.
        path.open("xb").close()
        _replace(path, text.encode())
    except FileExistsError:
        raise UsageError(f"{path}: it exists already, and was left as it is") from None
    except OSError as error:
        raise UsageError(f"{path}: it cannot be written: {error.strerror}") from None


def _replace(path: Path, data: bytes) -> None:
    mode = path.stat().st_mode & 0o7777
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:50]}.")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        Path(name).chmod(mode)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    if os.name == "posix":
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
