"""Files of a project, reached without ever leaving it.

A pull request can hold any link, and whoever shares the machine can put one where a folder was a moment ago. So no path
is looked at first and opened after: every folder on the way is opened from the one before it, without following links.
A link is read and walked like the rest of the path, as long as it stays inside; one that leads out is an error.

The root itself is where the user is, and is taken as it is: it may be reached through links. Like the locks, this needs
POSIX.
"""

from __future__ import annotations

import errno
import os
import secrets
import shutil
import stat
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

MAX_LINKS = 40
"""As many links as Linux follows on one path."""
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_NO_LINK = os.O_NOFOLLOW | os.O_CLOEXEC


class OutsideError(OSError):
    """What was named lies outside of the root, or inside of git's own folder."""

    def __init__(self, why: str = "a link leads out of the project") -> None:
        super().__init__(errno.EXDEV, why)


@dataclass(frozen=True, slots=True)
class Folder:
    """An opened folder: what is done to a name in it is done there, whatever happens to the path that led to it.
    `path` is where it is below the root, for messages and for programs that take only paths."""

    fd: int
    path: str

    def open(self, name: str, flags: int, mode: int = 0o666) -> int:
        """A descriptor of a file, which is no link."""
        return os.open(name, flags | _NO_LINK, mode, dir_fd=self.fd)

    def stream(self, name: str) -> BinaryIO:
        """A regular file to be read. A pipe or a device is not even opened."""
        self._regular(os.stat(name, dir_fd=self.fd, follow_symlinks=False))
        file = self.open(name, os.O_RDONLY | os.O_NONBLOCK)
        try:
            self._regular(os.fstat(file))
            return os.fdopen(file, "rb")
        except BaseException:
            os.close(file)
            raise

    def read(self, name: str) -> bytes:
        with self.stream(name) as stream:
            return stream.read()

    def mode(self, name: str) -> int:
        """The permissions of a file."""
        return stat.S_IMODE(os.stat(name, dir_fd=self.fd, follow_symlinks=False).st_mode)

    def create(self, name: str, data: bytes) -> None:
        """A new file. Raises `FileExistsError`, also for a link that leads nowhere."""
        # Taking the name first is what refuses to overwrite, even when two commands run at once.
        os.close(self.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL))
        self.replace(name, data, self.mode(name))

    def replace(self, name: str, data: bytes, mode: int | None = None) -> None:
        """Put a file in the place of what has the name, at once: readers see the old content or the new."""
        new = f".{name[:50]}.{secrets.token_hex(4)}"
        file = self.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
        try:
            with os.fdopen(file, "wb") as stream:
                if mode is not None:
                    os.fchmod(file, mode)
                stream.write(data)
                stream.flush()
                os.fsync(file)
            self.rename(new, name)
        except BaseException:
            self.remove(new)
            raise
        os.fsync(self.fd)

    def rename(self, old: str, new: str) -> None:
        os.replace(old, new, src_dir_fd=self.fd, dst_dir_fd=self.fd)

    def remove(self, name: str) -> None:
        """Remove a file, if it is there."""
        with suppress(FileNotFoundError):
            os.unlink(name, dir_fd=self.fd)

    def clear(self, name: str) -> None:
        """Remove a folder with all that is in it, as far as that goes. Of a link, nothing is removed."""
        shutil.rmtree(name, ignore_errors=True, dir_fd=self.fd)

    def make(self, name: str) -> None:
        """Make a folder. Raises `FileExistsError`."""
        os.mkdir(name, dir_fd=self.fd)

    def _regular(self, found: os.stat_result) -> None:
        if stat.S_ISLNK(found.st_mode):
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
        if not stat.S_ISREG(found.st_mode):
            raise OSError(errno.EINVAL, "it is not a regular file")


@contextmanager
def folder(root: Path, path: str = ".", *, make: bool = False) -> Iterator[Folder]:
    """The folder at the POSIX `path` below `root`. With `make`, folders that are missing are made. Raises `OSError`,
    and of these `OutsideError` where the way leads out."""
    with _walking(root) as walk:
        walk.go(path, make=make, leaf=False)
        yield walk.here()


@contextmanager
def entry(root: Path, path: str, *, make: bool = False) -> Iterator[tuple[Folder, str]]:
    """The folder in which the file at `path` stands or would stand, and its name there; links are followed to the end,
    as long as they stay inside."""
    with _walking(root) as walk:
        name = walk.go(path, make=make, leaf=True)
        yield walk.here(), name


def stream(root: Path, path: str) -> BinaryIO:
    """The regular file at `path` below `root`, to be read."""
    with _walking(root) as walk:
        name = walk.go(path, make=False, leaf=True)
        return walk.here().stream(name)


def read(root: Path, path: str, most: int = -1) -> bytes:
    """At most so many bytes of the regular file at `path` below `root`."""
    with stream(root, path) as file:
        return file.read(most)


def inside(root: Path, path: Path) -> str | None:
    """The way from `root` to the `path` that a user named; None where that is not inside of `root`.

    The way may yet lead out by links of the project. Links that lie before it are the user's own.
    """
    base = Path(os.path.realpath(root))
    whole = Path(os.path.abspath(path))  # noqa: PTH100 - `Path.absolute` keeps `..`
    for ancestor in (*reversed(whole.parents), whole):
        real = Path(os.path.realpath(ancestor))
        if real.is_relative_to(base):
            return (real.relative_to(base) / whole.relative_to(ancestor)).as_posix()
    return None


class _Walk:
    """The folders from the root to where we are, all of them open."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.names: list[str] = []
        self.open = [os.open(root, _FOLDER)]

    def here(self) -> Folder:
        return Folder(self.open[-1], "/".join(self.names) or ".")

    def go(self, path: str, *, make: bool, leaf: bool) -> str:
        """Enter every folder of a path, but with `leaf` not the last name, which is given back: no link has it."""
        todo = deque(_pieces(path))
        own = len(todo)  # at the end of what is to do: the rest is what a link said, and none of that is made
        links = 0
        while todo:
            name = todo.popleft()
            if name == "..":
                self._leave()
                continue
            if name.casefold() == ".git":
                raise OutsideError("it lies inside .git")
            last = leaf and not todo
            if not last and self._entered(name, make=make and len(todo) < own):
                continue
            target = self._target(name)
            if target is None:
                return name
            links += 1
            if links > MAX_LINKS:
                raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
            own = min(own, len(todo))
            todo.extendleft(reversed(_pieces(target)))
        if leaf:
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        return ""

    def close(self) -> None:
        while self.open:
            os.close(self.open.pop())

    def _leave(self) -> None:
        if not self.names:
            raise OutsideError
        os.close(self.open.pop())
        self.names.pop()

    def _entered(self, name: str, *, make: bool) -> bool:
        """Whether this was a folder, which we are in now; it may be a link yet."""
        try:
            if make:
                with suppress(FileExistsError):
                    os.mkdir(name, dir_fd=self.open[-1])
            self.open.append(os.open(name, _FOLDER | os.O_NOFOLLOW, dir_fd=self.open[-1]))
        except OSError as error:
            # POSIX has ELOOP for a link, Linux has ENOTDIR where a folder is asked for.
            if error.errno in (errno.ELOOP, errno.ENOTDIR, errno.EMLINK) and self._target(name) is not None:
                return False
            raise
        self.names.append(name)
        return True

    def _target(self, name: str) -> str | None:
        """Where a link leads from here; None for what is no link, or is not there."""
        try:
            target = os.readlink(name, dir_fd=self.open[-1])
        except OSError as error:
            if error.errno in (errno.EINVAL, errno.ENOENT):
                return None
            raise
        if not target.startswith("/"):
            return target
        for base in (str(self.root), os.path.realpath(self.root)):
            if target == base or target.startswith(base.rstrip("/") + "/"):
                while self.names:
                    self._leave()
                return target.removeprefix(base).lstrip("/")
        raise OutsideError


@contextmanager
def _walking(root: Path) -> Iterator[_Walk]:
    walk = _Walk(root)
    try:
        yield walk
    finally:
        walk.close()


def _pieces(path: str) -> list[str]:
    return [piece for piece in path.split("/") if piece not in ("", ".")]
