"""What people write where a status is meant: near words, and the words of other languages (`near_words.toml`).

None of these begins an update, for a file must read the same to everybody. They are known so that a heading with one of
them and a time is never taken for text in silence.
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from broadcast.source import statuses

_NUMBER = re.compile(
    r"(?:[#(№]?\s?\d{1,3}(?:st|nd|rd|th|\.|\))?(?:/\d{1,3})?\s)|(?:\s[#(№]?\s?\d{1,3}\)?(?:/\d{1,3})?)",
)
_LABEL = re.compile(
    r"(?:(?:current |incident |new )?(?:status|state|update|phase|stand|statut|estado|stato)\s?[:=-]\s?)"
)
_AROUND = " \t.,:;!-–—#()"


def meant(words: str) -> str | None:
    """The status that these words stand for, if somebody who writes them before or after a time means one: a status, a
    near word or one of another language, with a number (`Update 2`) or a label (`Status: Resolved`)."""
    text = words.casefold().strip(_AROUND)
    known = _words()
    for candidate in (text, _NUMBER.sub(" ", f" {text} ", count=1), _LABEL.sub("", text, count=1)):
        if found := known.get(_plain(candidate.strip(_AROUND))):
            return found
    return None


@cache
def _words() -> Mapping[str, str]:
    """Every word, plain, and its status."""
    table = tomllib.loads((files("broadcast.source") / "near_words.toml").read_text(encoding="utf-8"))
    near = {_plain(word): status for status, by in table.items() for words in by.values() for word in words}
    return near | {_plain(status): status for known in statuses.STATUSES.values() for status in known}


def _plain(words: str) -> str:
    """Without accents, case and what joins words: people leave these out."""
    bare = "".join(each for each in unicodedata.normalize("NFKD", words) if not unicodedata.combining(each))
    return " ".join(re.sub(r"[-\u2010\u2011'\u2019_]", " ", bare.casefold()).split())
