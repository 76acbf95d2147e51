"""Looking at paths that users name, which may be of any length, lead in circles, or be forbidden: what cannot be looked
at is not there. (`pathlib` raises on some of them.)"""

from __future__ import annotations

import os
from pathlib import Path

LONGEST_PATH = 255
"""Most characters of a folder's path in `broadcast.toml`: a thousand folders in each other cannot even be removed."""


def real(path: Path) -> Path:
    """The path without links, as far as they can be followed."""
    try:
        return Path(os.path.realpath(path))
    except ValueError:  # a NUL
        return path.absolute()


def is_file(path: Path) -> bool:
    return os.path.isfile(path)  # noqa: PTH113 - this one does not fail


def is_folder(path: Path) -> bool:
    return os.path.isdir(path)  # noqa: PTH112 - this one does not fail
