"""The blocks of a Markdown text that say where updates begin and end: headings, fenced code, raw HTML.

Only the block structure is parsed, which takes time linear in the length of a text.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from markdown_it import MarkdownIt
from markdown_it.token import Token

# A definition (`[a]: b`) hides no heading, and looking for them is what makes a long paragraph slow.
_BLOCKS = MarkdownIt("commonmark").disable(["inline", "reference"])

# CommonMark, HTML blocks 1 to 5: what begins one, which goes on to the end of the file unless it is closed;
# and what closes it.
_OPEN_HTML = (
    (
        re.compile(r"<(script|pre|style|textarea)(\s|>|$)", re.IGNORECASE),
        re.compile(r"</(script|pre|style|textarea)>", re.IGNORECASE),
    ),
    (re.compile(r"<!--"), re.compile(r"-->")),
    (re.compile(r"<\?"), re.compile(r"\?>")),
    (re.compile(r"<!\[CDATA\["), re.compile(r"\]\]>")),
    (re.compile(r"<![A-Za-z]"), re.compile(r">")),
)


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading of the text itself, not of a quote or list in it. Lines count from 0; `end` is the line after it."""

    level: int
    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Fence:
    """A fenced code block; `info` is what stands behind its opening fence."""

    info: str
    text: str
    start: int
    end: int
    closed: bool


@dataclass(frozen=True, slots=True)
class Html:
    """A block of raw HTML, often a comment."""

    text: str
    start: int
    end: int
    closed: bool


@dataclass(frozen=True, slots=True)
class Inner:
    """A fenced code block or a comment inside of a quote or a list; `info` as of a fence."""

    info: str
    start: int
    end: int


def outline(lines: Sequence[str]) -> list[Heading | Fence | Html | Inner]:
    """The top-level headings, fences and HTML blocks, and what is hidden or quoted further in, in order."""
    tokens = _BLOCKS.parse("\n".join(lines))
    found: list[Heading | Fence | Html | Inner] = []
    for number, token in enumerate(tokens):
        if token.map is None:
            continue
        start, end = token.map
        if token.level:
            if token.type == "fence" or (token.type == "html_block" and token.content.lstrip().startswith("<!--")):
                found.append(Inner(token.info.strip(), start, end))
            continue
        if token.type == "heading_open":
            found.append(Heading(int(token.tag[1:]), tokens[number + 1].content, start, end))
        elif token.type == "fence":
            found.append(Fence(token.info.strip(), token.content, start, end, _is_closed(token, lines)))
        elif token.type == "html_block":
            found.append(Html(token.content, start, end, _is_closed_html(token.content)))
    return found


def _is_closed(token: Token, lines: Sequence[str]) -> bool:
    start, end = token.map or (0, 0)
    closing = re.compile(rf" {{0,3}}{re.escape(token.markup)}{re.escape(token.markup[0])}*[ \t]*")
    return end - 1 > start and end <= len(lines) and closing.fullmatch(lines[end - 1]) is not None


def _is_closed_html(text: str) -> bool:
    text = text.lstrip(" ")
    return all(closes.search(text) for opens, closes in _OPEN_HTML if opens.match(text))
