"""Markdown to blocks of spans, once, and plain text to Markdown that says the same.

CommonMark with tables, strikethrough and bare URLs. Everything else that platforms read (hashtags, mentions) is found
in the text between. What each construct becomes is told in docs/text.md.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import groupby
from urllib.parse import urljoin

from markdown_it.token import Token

from broadcast.model import Block, Media, Span
from broadcast.text import tags, urls
from broadcast.text.clean import clean
from broadcast.text.layout import flat, gap, indent_of
from broadcast.text.markdown import parser

_MARKDOWN = parser()
_PUNCTUATION = re.compile(r"[!-/:-@\[-`{-~]")
_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
_BREAK_TAG = re.compile(r"<br\s*/?>", re.IGNORECASE)
_WIDE = r"\u2e80-\u303f\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff00-\uffef"
_WIDE_END, _WIDE_START = re.compile(rf"[{_WIDE}]\Z"), re.compile(rf"[{_WIDE}]")


@lru_cache(maxsize=64)
def parse(markdown: str, base: str = "") -> tuple[tuple[Block, ...], tuple[Media, ...]]:
    """Blocks of spans, and the images in the order in which they stand.

    The n-th span of kind `image` marks where the n-th image stood; `Media.path` is what the Markdown says. Relative
    links are resolved against the URL `base`; without one, only their words are kept.
    """
    walk = _Walk(base)
    for token in _MARKDOWN.parse(clean(markdown)):
        walk.take(token)
    images = (span for block in walk.blocks for span in block.spans if span.kind == "image")
    return tuple(walk.blocks), tuple(Media(span.url, span.text) for span in images)


def escape(text: str) -> str:
    """Markdown that parse() gives back as `text`: a title, a name, anything that is not Markdown. URLs in it are still
    links. White space at the ends of lines goes."""
    return "\\\n".join(_escape_line(line.strip()) for line in clean(text).split("\n") if line.strip())


def _escape_line(line: str) -> str:
    result, position = [], 0
    for start, end in urls.find(line):
        if "\\" in line[start:end]:
            continue
        result += [_PUNCTUATION.sub(r"\\\g<0>", line[position:start]), line[start:end]]
        position = end
    return "".join([*result, _PUNCTUATION.sub(r"\\\g<0>", line[position:])])


def plain(blocks: Sequence[Block]) -> str:
    """The natural plain text: for feeds, descriptions and notifications. Links show their words only."""
    lines: list[str] = []
    before: Block | None = None
    for block in blocks:
        text = "".join(flat(span) for span in block.spans).strip(" ")
        if text:
            if block.kind == "code":
                text = text.replace("\n", "\n" + indent_of(block))
            lines += [gap(before, block) if before else "", block.prefix, text]
            before = block
    return "".join(lines).strip()


class _Walk:
    """Takes the tokens of a document one by one and collects its blocks. `lists` and `quotes` say where it stands."""

    def __init__(self, base: str) -> None:
        self.base = base
        self.blocks: list[Block] = []
        self.lists: list[int | None] = []
        self.quotes = 0
        self.marker = ""
        self.heading = False
        self.table: list[list[tuple[Span, ...]]] | None = None

    def take(self, token: Token) -> None:
        match token.type:
            case "inline":
                self._inline(token)
            case "fence" | "code_block":
                self._add("code", (Span("code", clean(token.content).rstrip("\n")),))
            case "html_block":
                self._html(token.content)
            case "table_open":
                self.table = []
            case "tr_open" if self.table is not None:
                self.table.append([])
            case "table_close":
                self._rows(self.table or [])
                self.table = None
            case _:
                self._nest(token)

    def _nest(self, token: Token) -> None:
        match token.type:
            case "heading_open" | "heading_close":
                self.heading = token.nesting == 1
            case "blockquote_open" | "blockquote_close":
                self.quotes += token.nesting
            case "bullet_list_open":
                self.lists.append(None)
            case "ordered_list_open":
                start = token.attrGet("start")
                self.lists.append(1 if start is None else int(start))
            case "bullet_list_close" | "ordered_list_close":
                self.lists.pop()
            case "list_item_open":
                self._item()
            case "list_item_close":
                self.marker = ""
            case _:
                pass

    def _item(self) -> None:
        number = self.lists[-1]
        if number is None:
            self.marker = "• " if len(self.lists) == 1 else "– "
        else:
            self.marker = f"{number}. "
            self.lists[-1] = number + 1

    def _inline(self, token: Token) -> None:
        spans = _spans(token.children or [], self.base)
        if self.table is not None:
            self.table[-1].append(spans)
        elif self.heading:
            self._add("heading", spans)
        elif self.quotes and not self.lists:
            for line in _lines(spans):
                self._add("quote", line)
        else:
            self._add("item" if self.lists else "paragraph", spans)

    def _html(self, content: str) -> None:
        text = clean(_BREAK_TAG.sub("\n", _COMMENT.sub("", content))).strip()
        if text:
            self._add("item" if self.lists else "paragraph", (Span("text", text),))

    def _add(self, kind: str, spans: tuple[Span, ...]) -> None:
        if not spans:
            return
        indent = "  " * (len(self.lists) - 1) if self.lists else ""
        if self.lists and not self.marker:
            indent += "  "
        prefix = "> " * self.quotes + indent + self.marker
        self.marker = ""
        self.blocks.append(Block(kind, spans, prefix))  # type: ignore[arg-type]  # every caller names a BlockKind

    def _rows(self, rows: list[list[tuple[Span, ...]]]) -> None:
        """A table of two columns as lines `key: value`; a wider one with the name of each column before its value."""
        heads = rows[0] if rows else []
        if len(heads) > 2:
            for row in rows[1:]:
                cells = [
                    [*head, Span("text", ": "), *cell] if head else [*cell]
                    for head, cell in zip(heads, row, strict=False)
                    if cell
                ]
                self._add("row", _merged(_joined(cells, ", ")))
        else:
            for row in rows:
                self._add("row", _merged(_joined([[*cell] for cell in row if cell], ": ")))


def _joined(cells: Iterable[list[Span]], separator: str) -> list[Span]:
    spans: list[Span] = []
    for cell in cells:
        spans += [Span("text", separator), *cell] if spans else cell
    return spans


def _lines(spans: tuple[Span, ...]) -> list[tuple[Span, ...]]:
    lines: list[list[Span]] = [[]]
    for span in spans:
        if span.kind == "text":
            first, *rest = span.text.split("\n")
            lines[-1].append(Span("text", first))
            lines += [[Span("text", line)] for line in rest]
        else:
            lines[-1].append(span)
    return [tuple(line) for line in lines]


def _spans(tokens: list[Token], base: str) -> tuple[Span, ...]:
    """The spans of one paragraph: text in between is merged before hashtags and mentions are looked for."""
    spans: list[Span] = []
    outer: list[Span] = []
    href: str | None = None
    for index, token in enumerate(tokens):
        match token.type:
            case "text" | "text_special":
                spans.append(Span("text", clean(token.content)))
            case "softbreak":
                spans.append(Span("text", _soft_break(tokens, index)))
            case "hardbreak":
                spans.append(Span("text", "\n"))
            case "code_inline":
                spans.append(Span("code", clean(token.content).replace("\n", " ").strip() or " "))
            case "s_open" | "s_close":
                spans.append(Span("text", "~"))
            case "image":
                alt = "".join(flat(span) for span in _spans(token.children or [], ""))
                spans.append(Span("image", alt.strip(), str(token.attrGet("src") or "")))
            case "html_inline":
                spans.append(Span("text", clean(_BREAK_TAG.sub("\n", _COMMENT.sub("", token.content)))))
            case "link_open":
                href, outer, spans = str(token.attrGet("href") or ""), spans, []
            case "link_close" if href is not None:
                spans = [*outer, *_link(spans, href, base)]
                href = None
            case _:
                pass
    return _merged(spans)


def _soft_break(tokens: list[Token], index: int) -> str:
    """A line that was wrapped goes on after a space, but Chinese and Japanese are written without."""
    before, after = tokens[index - 1] if index else None, tokens[index + 1] if index + 1 < len(tokens) else None
    wide = before and after and _WIDE_END.search(before.content) and _WIDE_START.match(after.content)
    return "" if wide else " "


def _link(inner: list[Span], href: str, base: str) -> list[Span]:
    """A link with its words; what leads nowhere on a platform (a relative path, another scheme) keeps its words."""
    images = [span for span in inner if span.kind == "image"]
    words = "".join(flat(span) for span in inner if span.kind != "image")
    words = " ".join(words.split()) if words.strip() else " ".join(image.text for image in images)
    if href.startswith("mailto:"):
        address = href.removeprefix("mailto:").partition("?")[0]
        return [Span("text", words if urls.says(words, address) else f"{words} {address}".strip()), *images]
    if words.startswith("^"):
        words = f"[{words[1:]}]"
    try:
        url = urljoin(base, href) if base else href
    except ValueError:
        url = href
    if not urls.is_web(url):
        return [Span("text", words), *images]
    return [Span("link", words or url, url), *images]


def _merged(spans: Iterable[Span]) -> tuple[Span, ...]:
    """Adjacent text as one span, then its hashtags and mentions as spans of their own."""
    merged: list[Span] = []
    shown = (span for span in spans if span.text or span.kind == "image")
    for is_text, run in groupby(shown, key=lambda span: span.kind in ("text", "hashtag", "mention")):
        if is_text:
            merged += _tagged("".join(span.text for span in run))
        else:
            merged += run
    return tuple(merged)


def _tagged(text: str) -> list[Span]:
    if "\n" in text:
        first, *middle, last = text.split("\n")
        text = "\n".join([first.rstrip(), *(line.strip() for line in middle), last.lstrip()])
    spans, position = [], 0
    for start, end, kind in tags.find(text):
        spans += [Span("text", text[position:start]), Span(kind, text[start:end])]
        position = end
    return [span for span in [*spans, Span("text", text[position:])] if span.text]
