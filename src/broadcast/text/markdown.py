"""The Markdown that announcements are written in: markdown-it, with three rules of our own."""

from __future__ import annotations

import re

from markdown_it import MarkdownIt
from markdown_it.common.utils import normalizeReference
from markdown_it.rules_block import StateBlock, reference
from markdown_it.rules_inline import StateInline

from broadcast.text import labels, urls

NESTING = 100
"""How deep lists and quotes may be nested; markdown-it drops the words of what is deeper."""

_SCHEME = re.compile(r"https?\Z", re.IGNORECASE)
_FOOTNOTE = re.compile(r"\[\^([^\s\[\]^]{1,40})\](?::(?=\s))?")
_NOTED = re.compile(r"\[\^([^\s\[\]^]{1,40})\](?!:)")
_NOTE = re.compile(r"\[\^([^\]\n]*)\]:[ \t]*+<?(\S*?)>?[ \t]*+")


def _bare_url(state: StateInline, silent: bool) -> bool:
    """An inline rule of markdown-it: a bare URL is one token, whatever `_` and `*` it holds."""
    if state.linkLevel > 0 or not state.src.startswith("://", state.pos):
        return False
    scheme = _SCHEME.search(state.pending[-len("https") :])
    if not scheme:
        return False
    start = state.pos - len(scheme[0])
    url = urls.at(state.src, start)[: state.posMax - start]
    if not url:
        return False
    if not silent:
        state.pending = state.pending[: -len(scheme[0])]
        token = state.push("link_open", "a", 1)
        shown = url.replace("\\", "")
        token.attrs = {"href": state.md.normalizeLink(shown)}
        state.push("text", "", 0).content = shown
        state.push("link_close", "a", -1)
    state.pos = start + len(url)
    return True


def _footnote(state: StateInline, silent: bool) -> bool:
    """An inline rule of markdown-it: `[^1]`, and `[^1]:` before the note, are `[1]`. Where the note is nothing but a
    URL, it is the definition of a link, and that is what it stays."""
    note = _FOOTNOTE.match(state.src, state.pos, state.posMax)
    if not note or normalizeReference(f"^{note[1]}") in state.env.get("references", {}):
        return False
    if not silent:
        state.pending += f"[{note[1]}]"
    state.pos = note.end()
    return True


def _definition(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """The block rule of markdown-it for `[label]: address`. A note is only one where it is a URL that something refers
    to: everything else that it says would be read by nobody."""
    line = state.src[state.bMarks[start] + state.tShift[start] : state.eMarks[start]]
    if line.startswith("[^"):
        if "noted" not in state.env:
            state.env["noted"] = {found[1].casefold() for found in _NOTED.finditer(state.src)}
        note = _NOTE.fullmatch(line)
        if not note or note[1].casefold() not in state.env["noted"] or not urls.is_web(note[2]):
            return False
    return reference(state, start, end, silent)


def parser() -> MarkdownIt:
    """CommonMark with tables, strikethrough, bare URLs and notes. Keep one: making it takes a millisecond."""
    parser = MarkdownIt("commonmark", {"maxNesting": NESTING}).enable(["table", "strikethrough"])
    parser.inline.ruler.before("autolink", "bare_url", _bare_url)
    return with_notes(parser)


def with_notes(parser: MarkdownIt) -> MarkdownIt:
    """The parser, which from now on reads notes, and brackets in linear time."""
    parser.helpers = labels
    parser.block.ruler.at("reference", _definition)
    parser.inline.ruler.before("link", "footnote", _footnote)
    return parser
