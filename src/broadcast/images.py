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
