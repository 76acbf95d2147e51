"""The images that pages use: each is copied once, under a name made of its content."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

from broadcast.images import locate, path_of

FOLDER = "media"
MAX_BYTES = 50_000_000
"""A larger file is not copied: followers read the page on a phone, during an outage."""


class Gallery:
    """Copies images from the project's folder `root` to the site in the folder `into`."""

    def __init__(self, root: Path, into: Path) -> None:
        self.root = root
        self.into = into
        self._names: dict[Path, str] = {}

    def address(self, document: str, source: str) -> str | None:
        """Where the image that the Markdown file `document` calls `source` stands on the site, relative to its top;
        None where it may not be shown."""
        found = locate(self.root, path_of(source, document))
        if found is None or found.stat().st_size > MAX_BYTES:
            return None
        if found not in self._names:
            self._names[found] = self._copy(found)
        return self._names[found]

    def _copy(self, file: Path) -> str:
        with file.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()[:20]
        name = f"{FOLDER}/{digest}{file.suffix.lower()}"
        (self.into / FOLDER).mkdir(exist_ok=True)
        shutil.copyfile(file, self.into / name)
        return name
