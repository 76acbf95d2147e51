"""The Markdown that announcements are written in: markdown-it, with two inline rules of our own."""

from __future__ import annotations

import re

from markdown_it import MarkdownIt
from markdown_it.common.utils import normalizeReference
from markdown_it.rules_inline import StateInline

from broadcast.text import urls

NESTING = 100
"""How deep lists and quotes may be nested; markdown-it drops the words of what is deeper."""

_SCHEME = re.compile(r"https?\Z", re.IGNORECASE)
_FOOTNOTE = re.compile(r"\[\^([^\s\[\]^]{1,40})\](?::(?=\s))?")


def _bare_url(state: StateInline, silent: bool) -> bool:
    """An inline rule of markdown-it: a bare URL is one token, whatever `_` and `*` it holds."""
    scheme = _SCHEME.search(state.pending[-len("https") :])
    if state.linkLevel > 0 or not scheme or state.src[state.pos : state.pos + 3] != "://":
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


def parser() -> MarkdownIt:
    """CommonMark with tables, strikethrough, bare URLs and notes. Keep one: making it takes a millisecond."""
    parser = MarkdownIt("commonmark", {"maxNesting": NESTING}).enable(["table", "strikethrough"])
    parser.inline.ruler.before("autolink", "bare_url", _bare_url)
    parser.inline.ruler.before("link", "footnote", _footnote)
    return parser
