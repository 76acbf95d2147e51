"""How blocks and spans look in plain text: what stands between two blocks, and what a span shows."""

from __future__ import annotations

import re

from broadcast.model import Block, Span

LABEL = 40
"""Most characters of a paragraph without a full stop that is read as a heading."""

_NEEDS_TICKS = re.compile(r"\s")


def flat(span: Span) -> str:
    """The characters that a span shows. Code of several words keeps its backticks: without them nobody sees where it
    ends. An image shows nothing; it is attached."""
    if span.kind == "image":
        return ""
    if span.kind == "code" and "\n" not in span.text and _NEEDS_TICKS.search(span.text.strip()):
        return f"`{span.text}`"
    return span.text


def gap(before: Block, after: Block) -> str:
    """The line ends between two blocks: one within a list, a table or a quote, after a heading, and between a line
    that ends with a colon and what it announces; a blank line elsewhere."""
    if before.kind == "heading" or (before.kind == after.kind and after.kind in ("item", "row", "quote")):
        return "\n"
    if before.kind == "code" and after.kind == "item" and indent_of(before):
        return "\n"
    if after.kind in ("item", "row", "code") and (after.prefix.startswith(" ") or announces(before)):
        return "\n"
    return "\n\n"


def indent_of(block: Block) -> str:
    """The spaces before a block that stands in a list."""
    return " " * (len(block.prefix) - len(block.prefix.lstrip(" ")))


def announces(block: Block) -> bool:
    """Whether a block only leads to the next one: it ends with a colon."""
    shown = [text for span in block.spans if (text := flat(span).rstrip())]
    return bool(shown) and shown[-1].endswith((":", "："))


def labels(block: Block) -> bool:
    """Whether a paragraph is a heading in all but name: "[Initial message]", "**Impact**"."""
    if block.kind != "paragraph" or any(span.kind not in ("text", "code") for span in block.spans):
        return False
    text = "".join(flat(span) for span in block.spans).strip()
    return len(text) <= LABEL and "\n" not in text and not text.endswith((".", "!", "?", "…", "。", "！", "？"))
