"""twitter-text, the reference library of what X counts, loaded late and fed only what it can digest.

The library finds URLs with one expression that tries every place as the start of a domain, which takes quadratic time
on a long run of characters that could be one. `urls` blanks the runs that cannot hold a domain first; what it finds is
the same. It also has its own emoji table; both are the library's, so the figures are too.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Mapping
from functools import cache
from importlib import import_module
from importlib.machinery import ModuleSpec
from importlib.resources import files
from importlib.util import find_spec, module_from_spec
from threading import Lock
from types import ModuleType
from typing import Any, cast

_LOADING = Lock()


@cache
def library(part: str) -> Any:
    """A module of the package `twitter_text`: `parse_tweet`, `extract_urls`, `extract_emojis` or one below `regexp`.

    To import the package is to import them all, and to read an emoji table, which takes longer than the rest and is no
    use for a text without emoji. And it reads the table through `pkg_resources`, which it does not declare, which newer
    versions of setuptools no longer have, and which takes 0.1 s to import. An empty package, and the one function of
    `pkg_resources` that is called, are lent to the module while it is imported.
    """
    with _LOADING:
        loans = {name: make() for name, make in _LOANS.items() if name not in sys.modules}
        sys.modules.update(loans)
        try:
            return import_module(f"twitter_text.{part}")
        finally:
            for name in loans:
                del sys.modules[name]


def _package() -> ModuleType:
    return module_from_spec(cast("ModuleSpec", find_spec("twitter_text")))


def _resources() -> ModuleType:
    module = ModuleType("pkg_resources")
    module.__dict__["resource_string"] = lambda name, file: files(name.rpartition(".")[0]).joinpath(file).read_bytes()
    return module


_LOANS: Mapping[str, Callable[[], ModuleType]] = {"twitter_text": _package, "pkg_resources": _resources}


@cache
def _top_level() -> re.Pattern[str]:
    """A dot and a top-level domain of the library's list, ended as the library wants it."""
    names = ("valid_gtld", "valid_cctld", "valid_punycode")
    patterns = [getattr(library(f"regexp.{name}"), name).pattern for name in names]
    return re.compile(rf"\.(?:{'|'.join(patterns)})", re.IGNORECASE)


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
    found = library("extract_urls").extract_urls_with_indices(_only_domains(text), bare_domains)
    # The library counts by the length of the URL that it gives, which is not always that of the stretch it names.
    return [(entry["indices"][0], entry["indices"][0] + len(entry["url"])) for entry in found]


def emoji(text: str) -> list[tuple[int, int]]:
    """Where X sees emoji: each counts 2, however many code points it has."""
    found = library("extract_emojis").extract_emojis_with_indices(text)
    return [(start, end) for start, end in (entry["indices"] for entry in found)]
