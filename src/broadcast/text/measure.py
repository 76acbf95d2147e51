"""What each platform counts, exactly.

X: twitter-text, configuration v3 (https://docs.x.com/fundamentals/counting-characters). Bluesky: grapheme clusters of
UAX #29 (`maxGraphemes` of the lexicon `app.bsky.feed.post`). Mastodon: grapheme clusters, with every URL that has a
scheme as a fixed number and every mention without its server (`StatusLengthValidator`).

All of them add up: the count of a text is the sum of the counts of its words and of the white space between. Words are
counted once and remembered. (One exception, true to the library: at the very beginning of a text `éa.com` is a letter
and a URL, elsewhere it is a URL.)
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache, lru_cache

import regex

from broadcast.text import twitter
from broadcast.text.characters import clusters, composed

X_URL = 23
LONGEST_WORD = 4096
"""A run of more characters than this without white space is counted without looking for URLs in it: the longest URL
that X takes has as many, and no post has room for more."""

_SPACES = r"\x09-\x0d\x20\x85\xa0\u1680\u180e\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
_WORDS = re.compile(rf"[^{_SPACES}]+")
_HEAVY_SPACES = re.compile(r"[\u1680\u180e\u2028\u2029\u202f\u205f\u3000]")
_ALNUM = re.compile(r"[A-Za-z0-9]")
_HEAVY = re.compile(r"[^\u0000-\u10ff\u2000-\u200d\u2010-\u201f\u2032-\u2037]")
# A generous superset of what emoji are made of, so that the library's table is only asked where it may know something.
_EMOJI_RUN = re.compile(
    r"[#*0-9\u00a9\u00ae\u200d\u203c\u2049\u20e3\u2122\u2139\u2190-\u2bff\u3030\u303d\u3297\u3299\ufe0f"
    r"\U0001f000-\U0001faff\U000e0020-\U000e007f]+"
)


def weighted(text: str) -> int:
    """X's weighted length of `text`: most of Latin, Cyrillic, Greek, Arabic, ... 1, the rest and every emoji 2, every
    URL 23."""
    text = composed(text.replace("\r\n", "\n"))
    if text.isascii() and "." not in text:
        return len(text)
    total = 0
    between = len(text)
    for word in _WORDS.findall(text):
        between -= len(word)
        total += len(word) if word.isascii() and "." not in word[:-1] else _weighted_word(word)
    if not _ALNUM.match(text) and (first := _WORDS.match(text)):
        total += _weighted_word(first[0], opens=True) - _weighted_word(first[0])
    return total + between + (0 if text.isascii() else len(_HEAVY_SPACES.findall(text)))


@lru_cache(maxsize=10_000)
def _weighted_word(word: str, *, opens: bool = False) -> int:
    total, position = 0, 0
    for start, end in _word_urls(word, opens=opens):
        total += _weight(word[position:start]) + X_URL
        position = end
    return total + _weight(word[position:])


@lru_cache(maxsize=10_000)
def _word_urls(word: str, *, opens: bool) -> tuple[tuple[int, int], ...]:
    """The URLs of a word that `opens` a text or stands after white space: the library looks at what is before."""
    if len(word) > LONGEST_WORD:
        return ()
    if opens:
        return tuple(twitter.urls(word))
    return tuple((start - 1, end - 1) for start, end in twitter.urls(" " + word))


def _weight(text: str) -> int:
    """The weight of characters that are no URL."""
    if text.isascii():
        return len(text)
    total = len(text) + len(_HEAVY.findall(text))
    for run in _EMOJI_RUN.findall(text):
        if not run.isascii():
            total += _emoji_saving(run)
    return total


@lru_cache(maxsize=10_000)
def _emoji_saving(run: str) -> int:
    """What is to be added (below 0, mostly) because the emoji in `run` count 2 each."""
    found = (run[start:end] for start, end in twitter.emoji(run))
    return sum(2 - len(emoji) - len(_HEAVY.findall(emoji)) for emoji in found)


def x_links(text: str) -> list[tuple[int, int]]:
    """Where X makes links of `text` (NFC), in code points: with one, a post costs more. `file.py` is one, too."""
    links = []
    for word in _WORDS.finditer(text):
        if "." in word[0]:
            found = _word_urls(word[0], opens=word.start() == 0)
            links += [(word.start() + start, word.start() + end) for start, end in found]
    return links


def graphemes(text: str) -> int:
    """The grapheme clusters of `text`: what a person calls characters."""
    if text.isascii():
        return len(text) - text.count("\r\n")
    return len(clusters(text))


@cache
def mastodon(url_length: int = 23) -> Callable[[str], int]:
    """What a Mastodon server counts; `url_length` is its `characters_reserved_per_url`."""

    @lru_cache(maxsize=10_000)
    def linked(word: str) -> int:
        total, position = 0, 0
        for start, end, length in _mastodon_entities(word, url_length):
            total += graphemes(word[position:start]) + length
            position = end
        return total + graphemes(word[position:])

    def measure(text: str) -> int:
        if "://" not in text and "@" not in text:
            return graphemes(text)
        total, position = 0, 0
        for word in _WORDS.finditer(text):
            if ("://" in word[0] or "@" in word[0]) and len(word[0]) <= LONGEST_WORD:
                total += graphemes(text[position : word.start()]) + linked(word[0])
                position = word.end()
        return total + graphemes(text[position:])

    return measure


_SCHEME = re.compile(
    r"(?<![A-Za-z0-9@＠$#＃\ufffe\ufeff\uffff])(?:https?|dat|dweb|ipfs|ipns|ssb|gopher|gemini)://", re.IGNORECASE
)
_MENTION = re.compile(
    r"(?<![=/\w])@([a-z0-9_]+(?:[a-z0-9_.-]*[a-z0-9_]+)?)(?:@\w[\w.-]*\w)?(?![@＠\u00c0-\u024f]|://)", re.IGNORECASE
)
_PATH = r"[^\s<>()?]"
_PARENTHESES = rf"\((?:{_PATH}+|{_PATH}*\({_PATH}+\){_PATH}*)\)"
_UNICODE = r"\xa0-\ud7ff\ue000-\uffef\U00010000-\U0010fffd"
_AFTER_HOST = regex.compile(
    rf"(?::[0-9]+)?(?:/(?:{_PATH}*(?:{_PARENTHESES}{_PATH}*)*(?:[^\s()?!*\"'「」<>;:=,.$%\[\]~&|@]|{_PARENTHESES})|{_PATH}+/)*)?"
    rf"(?:\?[a-z0-9!?*'();:&=+$/%#\[\]\-_.,~|@^{_UNICODE}]*[a-z0-9_&=#/\-{_UNICODE}])?",
    regex.IGNORECASE,
)


def _mastodon_entities(word: str, url_length: int) -> list[tuple[int, int, int]]:
    """URLs and mentions of a word as (start, end, what it counts); of two that overlap, the first is one."""
    entities = []
    for scheme in _SCHEME.finditer(word):
        # Which domains count is twitter-text's business; how far a path goes, Mastodon decides for itself.
        host = twitter.urls("https://" + word[scheme.end() :], bare_domains=False)
        if host and host[0][0] == 0:
            authority = re.split(r"[/?:]", word[scheme.end() : scheme.end() + host[0][1] - 8], maxsplit=1)[0]
            after = _AFTER_HOST.match(word, scheme.end() + len(authority))
            end = after.end() if after else scheme.end() + len(authority)
            entities.append((scheme.start(), end, url_length))
    entities += [(found.start(), found.end(), 1 + len(found[1])) for found in _MENTION.finditer(word)]
    kept: list[tuple[int, int, int]] = []
    for entity in sorted(entities):
        if not kept or entity[0] >= kept[-1][1]:
            kept.append(entity)
    return kept
