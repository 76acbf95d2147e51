"""From blocks of spans to atoms: where links are written out, what stays whole, where images hang."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from broadcast.model import Block, Part, Span
from broadcast.text import tags, urls
from broadcast.text.atoms import Atom, Break, Mark
from broadcast.text.layout import announces, flat, gap, indent_of, labels

# White space at which a line may be broken; U+00A0, U+2007 and U+202F are there to prevent it.
_SPACES = r" \u1680\u2000-\u2006\u2008-\u200a\u205f\u3000"
_TOKENS = re.compile(rf"[{_SPACES}\n]+|[^{_SPACES}\n]+")
_UNBROKEN = "\u00a0\u2007\u202f"
_BLANK = re.compile(rf"[{_SPACES}\n]")
# Scripts without spaces between words (Chinese characters and kana), and the punctuation that may not begin or end a
# line in them (JIS X 4051 calls the rule kinsoku).
_UNSPACED = (
    r"\u2e80-\u2fff\u3005-\u3007\u3021-\u3029\u3031-\u3035\u3038-\u303c\u3041-\u3096\u309f-\u30fa\u30fc-\u30ff"
    r"\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003fffd"
)
_OPENING = r"(\[{“‘「『【《〈〔（［｛#$€£¥"
_CLOSING = (
    r"!%),.:;?\]}’”…‥、。〉》」』】〕～！％），．：；？］｝｡｣､・゠ー々〻ゝゞヽヾ"
    "ぁぃぅぇぉっゃゅょゎゕゖァィゥェォッャュョヮヵヶ"
)
_COMBINING = r"\u0300-\u036f\u3099\u309a\ufe00-\ufe0f\U000e0100-\U000e01ef\u200c\u200d"
_HAS_UNSPACED = re.compile(rf"[{_UNSPACED}]")
_CLOSES = re.compile(rf"[{_CLOSING}]")
_UNITS = re.compile(
    rf"[{_OPENING}]*[{_UNSPACED}](?:[{_CLOSING}{_COMBINING}])*|(?:[^{_OPENING}{_UNSPACED}]|[{_OPENING}]++(?![{_UNSPACED}]))+"
)
# What may follow a written URL without becoming part of it, on X and on Mastodon.
_ENDS_URL = re.compile(r"[.,;:!?)'\"\]]+")
_RUNS_INTO_URL = re.compile(r"[\w@＠$#＃/.:+=&-]")


def weave(parts: Iterable[Part], *, facets: bool, short_urls: bool = False) -> list[Atom]:
    """The atoms of the parts in order, with an empty line between two parts. Images are numbered through all parts.

    With `facets`, words carry links, and `short_urls` shows bare URLs as Bluesky's app does. Without, each URL is
    written after its words, or alone where the words say no more.
    """
    weaver = _Weaver(facets, short_urls)
    for part in parts:
        weaver.take(part)
    return weaver.atoms


def literal(text: str, *, facets: bool) -> Atom:
    """A text that is used as it is, as one atom: its URLs are links, and its hashtags and mentions are marked where
    there are facets."""
    links = [(start, end, Mark("link", text[start:end])) for start, end in urls.find(text)]
    marks = list(links)
    if facets:
        for start, end, kind in tags.find(text):
            inside = any(first < end and start < last for first, last, _ in links)
            if not inside and (mark := _entity(kind, text[start:end])):
                marks.append((start, end, mark))
    return Atom(text, "", "paragraph", tuple(sorted(marks, key=lambda mark: mark[:2])))


def _entity(kind: str, text: str) -> Mark | None:
    """A hashtag, or a mention of somebody whose handle is a domain, as all are on Bluesky."""
    if kind == "hashtag":
        return Mark("tag", text[1:])
    return Mark("mention", text[1:]) if "." in text and "@" not in text[1:] else None


class _Weaver:
    def __init__(self, facets: bool, short_urls: bool) -> None:
        self.facets, self.short_urls = facets, short_urls
        self.atoms: list[Atom] = []
        self.part = ""
        self.images = 0
        self.homeless: list[int] = []
        self.late: list[int] = []
        self._open("", "paragraph")

    def take(self, part: Part) -> None:
        self.part = part.name
        before: Block | None = None
        first, last = self.images, self.images + len(part.media)
        for block in part.blocks:
            if any(flat(span).strip() for span in block.spans):
                self._open(*self._gap(before, block))
                self.text = self.prefix = block.prefix.lstrip(" ")
                before = block
            for span in block.spans:
                if span.kind != "image":
                    self._span(span, block)
                elif self.images < last:
                    self._hang(self.images)
                    self.images += 1
            self._flush()
        for image in range(max(self.images, first), last):
            self._hang(image)
        self.images = last
        self._settle()

    def _gap(self, before: Block | None, block: Block) -> tuple[str, Break]:
        if not self.atoms:
            return "", "paragraph"
        indent = indent_of(block)
        lines = gap(before, block) if before else "\n\n"
        if before and before.kind == "heading":
            return lines + indent, "never"
        below_headline = not before and self.atoms[-1].part == "headline" != self.part
        if below_headline or (before and (announces(before) or labels(before))):
            return lines + indent, "announced"
        return lines + indent, "paragraph" if lines == "\n\n" else "line" if block.kind == "code" else "item"

    def _open(self, space: str, kind: Break, *, in_link: bool = False) -> None:
        """Begin an atom; one that is already begun must have been flushed."""
        self.text = self.prefix = ""
        self.marks: list[tuple[int, int, Mark]] = []
        self.hung: list[int] = []
        self.space, self.kind, self.in_link = space, kind, in_link
        self.after_url = self.fixed = False

    def _flush(self) -> bool:
        """Finish the atom that is begun, if it says anything."""
        if self.text != self.prefix and self.text.strip():
            media = (*self.homeless, *self.hung)
            self.homeless = []
            marks = tuple(self.marks)
            text = self.text.rstrip(_UNBROKEN)
            self._settle()
            self.atoms.append(Atom(text, self.space, self.kind, marks, media, self.part, self.in_link, self.fixed))
            self._open(" ", "word")
            return True
        return False

    def _hang(self, image: int) -> None:
        """An image stands on the post of the words before it, or of the first words there are."""
        if self.text != self.prefix:
            self.hung.append(image)
        elif self.atoms:
            self.late.append(image)
        else:
            self.homeless.append(image)

    def _settle(self) -> None:
        """Give the last atom the images that stand after it."""
        if self.late:
            last = self.atoms[-1]
            self.atoms[-1] = replace(last, media=(*last.media, *self.late))
            self.late = []

    def _span(self, span: Span, block: Block) -> None:
        match span.kind:
            case "text":
                self._text(span.text, fixed=block.kind == "quote")
            case "code" if "\n" in span.text or block.kind == "code":
                self._lines(span.text, indent_of(block))
            case "link":
                self._link(span)
            case "hashtag" | "mention":
                self._piece(span.text, _entity(span.kind, span.text) if self.facets else None)
            case _:
                self._code(flat(span))

    def _text(self, text: str, *, in_link: bool = False, fixed: bool = False) -> None:
        for token in _TOKENS.findall(text):
            if _BLANK.match(token):
                self._space(token)
                continue
            if self.text == self.prefix:
                token = token.lstrip(_UNBROKEN)
            if self.after_url and not _ENDS_URL.fullmatch(token) and self._flush() and _CLOSES.match(token):
                self.kind = "never"
            self.in_link, self.fixed = in_link, self.fixed or fixed or in_link
            if _HAS_UNSPACED.search(token):
                for number, unit in enumerate(_UNITS.findall(token)):
                    if number and self._flush():
                        self._open("", "character", in_link=in_link)
                    self.text += unit
            else:
                self.text += token

    def _space(self, token: str) -> None:
        if self._flush():
            if "\n" in token:
                self._open("\n", "line")
            elif len(token) == 1:
                self.space = token

    def _piece(self, text: str, mark: Mark | None = None) -> None:
        """Text that is never parted."""
        if self.after_url:
            self._flush()
        if mark:
            self.marks.append((len(self.text), len(self.text) + len(text), mark))
        self.text += text
        self.fixed = True

    def _code(self, text: str) -> None:
        """Code is never parted. Without facets, platforms make links of the URLs in it, as of all others."""
        if self.after_url:
            self._flush()
        self._mark_urls(text)
        self._piece(text)

    def _mark_urls(self, text: str) -> None:
        """The URLs of a text that is about to be added."""
        if not self.facets:
            for start, end in urls.find(text):
                self.marks.append((len(self.text) + start, len(self.text) + end, Mark("link", text[start:end])))

    def _lines(self, code: str, indent: str) -> None:
        for number, line in enumerate(code.split("\n")):
            bare = line.lstrip(" ")
            if number and bare and self._flush():
                self._open("\n" + indent + line[: len(line) - len(bare)], "line")
            self._mark_urls(bare.rstrip())
            self.text += bare.rstrip()
            self.fixed = True

    def _link(self, span: Span) -> None:
        if self.facets:
            shown = urls.short(span.url) if self.short_urls and urls.says(span.text, span.url) else span.text
            self._piece(shown, Mark("link", span.url))
            return
        url = urls.written(span.url)
        if not urls.says(span.text, span.url):
            self._text(span.text, in_link=True)
            if self._flush():
                self._open(" ", "never", in_link=True)
        elif self.after_url or (self.text != self.prefix and _RUNS_INTO_URL.match(self.text[-1])):
            self._flush()
        self._piece(url, Mark("link", url))
        self.after_url = True
