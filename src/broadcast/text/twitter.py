"""twitter-text, the reference library of what X counts, loaded late and fed only what it can digest.

The library finds URLs with one expression that tries every place as the start of a domain, which takes quadratic time
on a long run of characters that could be one. `urls` blanks the runs that cannot hold a domain first; what it finds is
the same. It also has its own emoji table; both are the library's, so the figures are too.
"""

from __future__ import annotations

import re
import sys
from functools import cache
from importlib import import_module
from importlib.resources import files
from threading import Lock
from types import ModuleType
from typing import Any

_LOADING = Lock()


@cache
def library() -> Any:
    """The `twitter_text` package.

    It reads its emoji table through `pkg_resources`, which it does not declare, which newer versions of setuptools no
    longer have, and which takes 0.1 s to import. The one function that it calls is lent to it while it is imported.
    """
    with _LOADING:
        if "twitter_text" in sys.modules or "pkg_resources" in sys.modules:
            return _import()
        loan = ModuleType("pkg_resources")
        loan.__dict__["resource_string"] = lambda module, name: (
            files(module.rpartition(".")[0]).joinpath(name).read_bytes()
        )
        sys.modules["pkg_resources"] = loan
        try:
            return _import()
        finally:
            del sys.modules["pkg_resources"]


def _import() -> Any:
    for name in ("valid_cctld", "valid_gtld", "valid_punycode"):
        import_module(f"twitter_text.regexp.{name}")
    return import_module("twitter_text")


@cache
def _top_level() -> re.Pattern[str]:
    """A dot and a top-level domain of the library's list, ended as the library wants it."""
    rules = library().regexp
    names = (rules.valid_gtld.valid_gtld, rules.valid_cctld.valid_cctld, rules.valid_punycode.valid_punycode)
    return re.compile(rf"\.(?:{'|'.join(name.pattern for name in names)})", re.IGNORECASE)


# Everything that can stand in a domain, its dots and hyphens included (the library's `invalid_domain_chars`, turned
# around).
_RUN = re.compile(
    r"[^!'#%&()*+,\\/:;<=>?@\[\]^{|}~$\x09-\x0d \x85\xa0\u1680\u180e\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
    r"\ufffe\ufeff\uffff\u202a-\u202e\u061c\u200e\u200f\u2066-\u2069]+"
)
_PATH_LETTERS = (
    r"\xc0-\xd6\xd8-\xf6\xf8-\u024f\u0253\u0254\u0256\u0257\u0259\u025b\u0263\u0268\u026f\u0272\u0289\u028b\u02bb"
    r"\u0300-\u036f\u0400-\u04ff\u1e00-\u1eff"
)
# Each class becomes a character that no domain holds and that a path treats alike. A query treats letters beyond ASCII
# unlike a path, so where there may be one they stay.
_DOTS = re.compile(r"\.")
_HYPHENS = re.compile(r"[-_]")
_LETTERS = re.compile(rf"[{_PATH_LETTERS}]")
_ALIENS = re.compile(rf"[^\x00-\x7f\u2013{_PATH_LETTERS}]|[\x00-\x1f\"`\x7f]")


def _blank(tail: str, *, query: bool) -> str:
    tail = _ALIENS.sub(" ", _HYPHENS.sub("=", _DOTS.sub("!", tail)))
    return tail if query else _LETTERS.sub("=", tail).replace("\u2013", "!")


def _only_domains(text: str) -> str:
    """`text` with every run of domain characters reduced to what can hold a domain."""
    query = "?" in text

    def reduce(run: re.Match[str]) -> str:
        end = 0
        for found in _top_level().finditer(run[0]):
            end = found.end()
        if end == len(run[0]) or (run[0].isascii() and run[0].isalnum()):
            return run[0]
        return run[0][:end] + _blank(run[0][end:], query=query)

    return _RUN.sub(reduce, text)


def urls(text: str, *, bare_domains: bool = True) -> list[tuple[int, int]]:
    """Where X sees URLs, in code points of `text`, which must be NFC; `example.com` is one for X."""
    if "." not in text or not _top_level().search(text):
        return []
    found = library().extract_urls_with_indices(_only_domains(text), bare_domains)
    # The library counts by the length of the URL that it gives, which is not always that of the stretch it names.
    return [(entry["indices"][0], entry["indices"][0] + len(entry["url"])) for entry in found]


def emoji(text: str) -> list[tuple[int, int]]:
    """Where X sees emoji: each counts 2, however many code points it has."""
    return [(start, end) for start, end in (entry["indices"] for entry in library().extract_emojis_with_indices(text))]
