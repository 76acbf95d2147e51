"""What a tag of an announcement becomes as a hashtag."""

from __future__ import annotations

import re


def hashtag(tag: str) -> str:
    """The words of a tag without what ends a hashtag on every platform: blanks, hyphens, dots, signs; without `#`.

    X (twitter-text), Bluesky and Mastodon all take letters, digits and underscores.
    """
    return re.sub(r"[^\w]+", "", tag)


def is_linked(tag: str) -> bool:
    """Whether platforms take it for a hashtag: none does where there are only digits."""
    return any(each.isalpha() for each in tag)
