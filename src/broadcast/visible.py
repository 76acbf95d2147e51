"""User text that is made harmless for the eye: what would act on a terminal or mislead a reader becomes visible."""

from __future__ import annotations

import re

HIDDEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""Control characters, line separators, and what reverses the direction of the text around it."""


def visible(text: str) -> str:
    """Text without anything a terminal would obey; line breaks and tabs stay."""
    return HIDDEN.sub(_shown, text.replace("\r\n", "\n"))


def line(text: str) -> str:
    """The same, on one line."""
    return " ".join(visible(text).split())


def _shown(match: re.Match[str]) -> str:
    code = ord(match[0])
    if code < 0x20:
        return chr(0x2400 + code)
    return "\u2421" if code == 0x7F else "\ufffd"
