"""The lines that git leaves in a file where it could not merge two changes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

# git-merge-file(1): seven characters, then a space and a name, or nothing.
_MARKER = re.compile(r"(<{7}|={7}|>{7}|\|{7})(?: |\r?$)")
WHAT_TO_DO = "keep what is right of both sides, and remove the markers"


def markers(lines: Sequence[str]) -> Iterator[tuple[int, str]]:
    """Each marker, with its line (from 1). `=======` may underline a heading where it is not between others."""
    inside = False
    for number, line in enumerate(lines, 1):
        found = _MARKER.match(line)
        if found is None or (found[1].startswith("=") and not inside):
            continue
        inside = not found[1].startswith(">") and (inside or found[1].startswith("<"))
        yield number, found[1]
