"""How Mastodon measures a status, and the HTML that it makes of one.

After Mastodon's StatusLengthValidator and TextFormatter: a URL with a scheme counts 23, a mention counts without its
domain, anything else by graphemes.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass

import regex

from broadcast.rehearsal.base import SeenLink
from broadcast.text import twitter

URL_LENGTH = 23
MAX_TEXT = 100_000
"""No text that is longer is even measured."""
_MENTION = re.compile(r"(?<![=/\w])@([a-z0-9_](?:[a-z0-9_.-]*[a-z0-9_])?)@[\w.-]*\w", re.IGNORECASE)
_HASHTAG = re.compile(r"(?<![=/)\w])#(\w*[^\W\d_]\w*)")


@dataclass(frozen=True, slots=True)
class _Url:
    text: str
    start: int
    end: int


def _urls(text: str) -> list[_Url]:
    found = twitter.library("extract_urls").extract_urls_with_indices(text, extract_urls_without_protocol=False)
    return [_Url(url["url"], *url["indices"]) for url in found]


def length(text: str) -> int:
    if len(text) > MAX_TEXT:
        return len(text)
    counted, done = [], 0
    for url in _urls(text):
        counted += [text[done : url.start], "x" * URL_LENGTH]
        done = url.end
    counted.append(text[done:])
    return len(regex.findall(r"\X", _MENTION.sub(r"@\1", "".join(counted))))


def links(text: str) -> tuple[SeenLink, ...]:
    return tuple(
        SeenLink(url.text, len(text[: url.start].encode()), len(text[: url.end].encode())) for url in _urls(text)
    )


def tags(text: str) -> list[str]:
    return list(dict.fromkeys(match[1].lower() for match in _HASHTAG.finditer(_without_urls(text))))


def as_html(text: str, site: str) -> str:
    """Paragraphs, line breaks, links with their scheme and their tail invisible, hashtags. Other accounts do not exist
    on a stand-in, so mentions stay text."""
    paragraphs = [part for part in re.split(r"\n{2,}", text.replace("\r\n", "\n")) if part]
    return "".join(f"<p>{'<br />'.join(_line(line, site) for line in part.split(chr(10)))}</p>" for part in paragraphs)


def _line(line: str, site: str) -> str:
    out, done = [], 0
    for url in _urls(line):
        out += [_tagged(line[done : url.start], site), _anchor(url.text)]
        done = url.end
    return "".join([*out, _tagged(line[done:], site)])


def _tagged(text: str, site: str) -> str:
    out, done = [], 0
    for match in _HASHTAG.finditer(text):
        out += [html.escape(text[done : match.start()]), _tag(match[1], site)]
        done = match.end()
    return "".join([*out, html.escape(text[done:])])


def _tag(name: str, site: str) -> str:
    return (
        f'<a href="{site}/tags/{html.escape(name.lower())}" class="mention hashtag" rel="tag">#<span>{name}</span></a>'
    )


def _anchor(url: str) -> str:
    prefix = re.match(r"(https?://(www\.)?|xmpp:)", url)
    start = prefix.end() if prefix else 0
    shown, rest = url[start : start + 30], url[start + 30 :]
    pieces = [("invisible", url[:start]), ("ellipsis" if rest else "", shown), ("invisible", rest)]
    inner = "".join(f'<span class="{kind}">{html.escape(piece)}</span>' for kind, piece in pieces)
    return f'<a href="{html.escape(url)}" target="_blank" rel="nofollow noopener" translate="no">{inner}</a>'


def _without_urls(text: str) -> str:
    return "".join(_between(text))


def _between(text: str) -> Iterator[str]:
    done = 0
    for url in _urls(text):
        yield text[done : url.start]
        done = url.end
    yield text[done:]
