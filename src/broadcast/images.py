"""Images and videos of announcements: which files of a project may be shown to followers.

A pull request can name any path, so a file is only shown when it lies inside the project, also after following links,
and is of a kind that runs no code where it is opened (an SVG can).
"""

from __future__ import annotations

import posixpath
from pathlib import Path
from urllib.parse import unquote

TYPES = {
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".gif": "image/gif",
    ".webp": "image/webp",
    ".avif": "image/avif",
    ".mp4": "video/mp4",
    ".webm": "video/webm",
}


MAX_IMAGE = 32 * 1024 * 1024
MAX_VIDEO = 100 * 1024 * 1024
"""Most bytes of a file that is read at all."""

HEAD = 48
"""As many bytes of a file tell what it is."""
LFS_POINTER = b"version https://git-lfs.github.com/spec/"
"""How a file begins that stands for one in Git LFS (github.com/git-lfs/git-lfs, docs/spec.md)."""

_MAGIC = {
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
    b"GIF87a": "image/gif",
    b"GIF89a": "image/gif",
}
_NO_MP4 = (b"avif", b"avis", b"heic", b"heix", b"mif1", b"msf1", b"qt  ")
"""Brands of files that are built like an MP4 and are none (mp4ra.org)."""


def kind_of(head: bytes) -> str | None:
    """The media type of a file by its first bytes; None for what platforms do not take
    (https://mimesniff.spec.whatwg.org/#matching-an-image-type-pattern)."""
    for magic, kind in _MAGIC.items():
        if head.startswith(magic):
            return kind
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp"
    return "video/mp4" if head[4:8] == b"ftyp" and head[8:12] not in _NO_MP4 else None


def is_video(path: str) -> bool:
    return path.lower().endswith(".mp4")


def is_gif(path: str) -> bool:
    """Whether it may be an animation, which some platforms show as a video."""
    return path.lower().endswith(".gif")


def path_of(source: str, document: str) -> str:
    """The path, relative to the project's root, of what the Markdown file at `document` calls `source`: relative to
    that file, and percent-encoded as Markdown's addresses are."""
    return posixpath.normpath(posixpath.join(posixpath.dirname(document), unquote(source)))


def locate(root: Path, path: str) -> Path | None:
    """The file at the POSIX `path` relative to `root`, links followed; None where it may not be shown or is absent."""
    if "\0" in path or path.startswith("/"):
        return None
    try:
        found = (root / path).resolve(strict=True)
    except (OSError, RuntimeError):
        return None
    shown = found.is_relative_to(root.resolve()) and found.is_file() and found.suffix.lower() in TYPES
    return found if shown else None


def media_type(path: Path) -> str:
    """The media type of a file that `locate` found, `image/png` for one."""
    return TYPES[path.suffix.lower()]
