"""URLs in running text: where a bare one begins and ends, how one is written so that every platform links all of it,
and how Bluesky's own app shows one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import unquote, urlsplit

# Scripts that are written without spaces (or, Korean, with particles joined on) never continue a URL.
_UNSPACED = (
    r"\u1100-\u11ff\u3000-\u30ff\u3130-\u318f\u3400-\u4dbf\u4e00-\u9fff\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff"
    r"\uff00-\uffef"
)
_NEVER = rf"\s<>\"`\\\u2010-\u201f\u2026\u2039\u203a\u00ab\u00bb{_UNSPACED}"
_BARE = re.compile(r"(?<![A-Za-z0-9@/:.+-])https?://[^\s<>\"`\\/?#|*]+\.[^\s<>\"`\\/?#|*.]+", re.IGNORECASE)
# A backslash only stays before what people escape out of habit, `https://host/snake\_case`.
_PATH = re.compile(rf"[/?#](?:[^{_NEVER}]|\\[_*])*")
_TRAILING = "?!.,:;*_~'\"&|$%@["
_PAIRS = {")": "(", "]": "[", "}": "{"}
_HOST_END = re.compile(rf"[^\w.:\[\]%-]|[{_UNSPACED}](?![^\s/?#]*\.\w)")
_HOST = re.compile(r"[.:-]*+\w[\w.:-]*+")
_SAFE_END = re.compile(r"[A-Za-z0-9=_/#-]")
_FLAT_PARENTHESES = re.compile(r"[^()]*(?:\([^()]+\)[^()]*)*")


def at(text: str, start: int) -> str:
    """The bare URL that begins at `start`, exactly as it stands there, or nothing.

    As GitHub's autolinks do, it ends before white space, `<` and trailing punctuation; a closing bracket belongs to it
    when it was opened in it.
    """
    found = _BARE.match(text, start)
    if not found:
        return ""
    url = found[0]
    host = len("https://") if url[4] in "sS" else len("http://")
    if alien := _HOST_END.search(url[host:]):
        url = url[: host + alien.start()]
    elif path := _PATH.match(text, found.end()):
        url += path[0]
    # An underscore ends many a URL. It only belongs to the sentence where one before the URL opened an emphasis.
    return _trimmed(url, host, keeps="" if text[start - 1 : start] == "_" else "_")


def find(text: str) -> Iterator[tuple[int, int]]:
    """Where the bare URLs of `text` stand, in code points."""
    position = 0
    while found := _BARE.search(text, position):
        url = at(text, found.start())
        if url:
            yield found.start(), found.start() + len(url)
        position = found.start() + max(len(url), 1)


def _trimmed(url: str, host: int, keeps: str) -> str:
    """`url` without trailing punctuation but what it `keeps`; nothing, when less than a host with a dot is left."""
    closers = {closer: url.count(closer) - url.count(opener) for closer, opener in _PAIRS.items()}
    end = len(url)
    while end > host:
        last = url[end - 1]
        if last in closers and closers[last] > 0:
            closers[last] -= 1
        elif last in keeps or (last not in _TRAILING and last not in "([{\\"):
            break
        elif last in "([{":
            closers[{"(": ")", "[": "]", "{": "}"}[last]] += 1
        end -= 1
    url = url[:end]
    return url if "." in url[host:].strip(".") else ""


def is_web(url: str) -> bool:
    """Whether `url` is one that a platform links: `http` or `https`, with a host."""
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(_HOST.fullmatch(parts.hostname or ""))
    except ValueError:
        return False


def says(words: str, url: str) -> bool:
    """Whether `words` are the URL itself, with or without scheme and last slash, or as people write it before it is
    encoded (`https://müller.de/straße`)."""

    def bare(text: str) -> str:
        return re.sub(r"^(?:https?://|mailto:)", "", text, flags=re.IGNORECASE).rstrip("/").casefold()

    words = words.strip()
    unencoded = not words.isascii() and words.startswith(("https://", "http://")) and not re.search(r"\s", words)
    return unencoded or bare(words) == bare(url) or bare(unquote(words)) == bare(unquote(url))


def written(url: str) -> str:
    """`url` as it must be written for X and Mastodon to link all of it: an end that they would take for punctuation
    of the sentence, and parentheses that do not pair, are percent-encoded. It leads to the same place."""
    url = re.sub(r"^(https?://[^/?#]+)#", r"\1/#", url, flags=re.IGNORECASE)
    if not _FLAT_PARENTHESES.fullmatch(url):
        url = url.replace("(", "%28").replace(")", "%29")
    if _SAFE_END.match(url[-1:]) or (url.endswith(")") and "?" not in url):
        return url
    return url[:-1] + "".join(f"%{byte:02X}" for byte in url[-1:].encode())


def short(url: str) -> str:
    """`url` the way Bluesky's app shows it: host and path, of a path longer than 15 characters the first 13.

    The rule is that of `toShortUrl` in bluesky-social/social-app.
    """
    parts = urlsplit(url)
    path = ("" if parts.path == "/" else parts.path) + (f"?{parts.query}" if parts.query else "")
    path += f"#{parts.fragment}" if parts.fragment else ""
    host = parts.netloc.rpartition("@")[2]
    return host + (path if len(path) <= 15 else path[:13] + "...")
