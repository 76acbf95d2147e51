"""Hashtags and mentions in running text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal

# A hashtag needs a letter (`#4827` is an issue); a mention may name its server. What stands before rules out e-mail
# addresses, fragments of URLs and paths; what stands after, package names such as `@types/node`.
_ENTITY = re.compile(
    r"(?<![\w&#/@.=＠＃])(?:[#＃](?P<tag>\w*[^\W\d_]\w*)"
    r"|@(?P<mention>\w+(?:[.-]\w+)*(?:@\w[\w-]*(?:\.\w[\w-]*)+)?)(?![\w@/]))"
)


def find(text: str) -> Iterator[tuple[int, int, Literal["hashtag", "mention"]]]:
    """Where they stand, in code points, signs included."""
    for found in _ENTITY.finditer(text):
        yield found.start(), found.end(), "hashtag" if found["tag"] else "mention"
