"""Where the labels of links end, in time linear in the text: markdown-it's helpers, with `parseLinkLabel` replaced.

The original reads up to the end of the paragraph for each of many brackets that are never closed. Here every label is
read once: one that is not closed leaves those around it open too, and one that is closed need not be read again.
"""

from __future__ import annotations

from markdown_it.helpers import parseLinkDestination, parseLinkTitle
from markdown_it.rules_inline import StateInline

__all__ = ["parseLinkDestination", "parseLinkLabel", "parseLinkTitle"]

_Label = tuple[int, bool]
"""Where a label ends (-1 where it does not), and whether a link or an image stands in it."""


def parseLinkLabel(state: StateInline, start: int, disableNested: bool = False) -> int:  # noqa: N802, N803 - its name there
    """The place of the `]` that closes the `[` at `start`; -1 without one, or where there is a link between them and
    that is not allowed."""
    end, nested = _label(state, start)
    return -1 if nested and disableNested else end


def _label(state: StateInline, start: int) -> _Label:
    known: dict[int, _Label] = state.env.setdefault("labels", {}).setdefault(state.src, {})
    if start not in known:
        before = state.pos
        known[start] = _read(state, start)
        state.pos = before
    return known[start]


def _read(state: StateInline, start: int) -> _Label:
    nested = False
    state.pos = start + 1
    while state.pos < state.posMax:
        here = state.pos
        if state.src[here] == "]":
            return here, nested
        state.md.inline.skipToken(state)
        if state.src[here] != "[":
            continue
        if state.pos > here + 1:
            nested = True
            continue
        end, inner = _label(state, here)
        nested = nested or inner
        if end < 0:
            return -1, nested
        state.pos = end + 1
    return -1, nested
