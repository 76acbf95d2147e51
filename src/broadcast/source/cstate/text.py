"""What a Hugo page may hold and a post cannot: made into what it can, with a note for everything that is not kept."""

from __future__ import annotations

import re

from broadcast.model import Kind
from broadcast.source.body import can_be_opened
from broadcast.source.headings import as_fact, read_heading, suspect
from broadcast.source.outline import Fence, Heading, Html, Inner, outline
from broadcast.source.problems import shown

_SHORTCODE = re.compile(r"\{\{[<%][^{}]{0,500}?[>%]\}\}")
_LINK = re.compile(r"(!?)\[([^\[\]\n]{0,500})\]\([ \t]*+<?([^()\s<>]{0,2000})>?(?:[ \t]++\"[^\"\n]{0,200}\")?[ \t]*+\)")
_RULE = re.compile(r"[ \t]*([-*_=])(?:[ \t]*\1){2,}[ \t]*")


def clean(text: str, kind: Kind, notes: list[str]) -> str:
    """The Markdown of one message, as it may stand in an announcement of this kind."""
    lines = text.split("\n")
    for block in reversed(outline(lines)):
        if isinstance(block, Heading):
            if block.level == 2 and read_heading(kind, block.text) is not None:
                notes.append(f"the heading `{shown(block.text)}` looks like an update's, and became text")
                # A paragraph of its own, or a rule below the next one would make a heading of both.
                lines[block.start : block.end] = ["", as_fact(block.text), ""]
        elif isinstance(block, Fence):
            _fence(lines, block)
        elif isinstance(block, Html) and not block.closed and block.text.lstrip().startswith("<!--"):
            lines[block.end :] = ["-->", *lines[block.end :]]
    visible = _visible(lines)
    for number, line in enumerate(lines):
        if visible[number]:
            lines[number] = _line(line, notes)
            if suspect(kind, lines[number]):
                notes.append(f"the line `{shown(line)}` looks like an update's heading, and became text")
                fact = as_fact(lines[number])
                lines[number] = fact if not suspect(kind, fact) else f"\\- {fact}"
    return _without_rules(lines)


def _fence(lines: list[str], block: Fence) -> None:
    opening = re.match(r"[ ]{0,3}(`{3,}|~{3,})", lines[block.start])
    mark = opening[1] if opening else "```"
    if block.info.split()[:1] == ["post"]:
        lines[block.start] = mark
    if not block.closed:
        lines.insert(block.end, mark)


def _visible(lines: list[str]) -> list[bool]:
    visible = [True] * len(lines)
    for block in outline(lines):
        if isinstance(block, Fence | Html | Inner):
            visible[block.start : block.end] = [False] * (block.end - block.start)
    return visible


def _line(line: str, notes: list[str]) -> str:
    notes += [f"the shortcode `{shown(shortcode)}` was left out" for shortcode in _SHORTCODE.findall(line)]
    line = _SHORTCODE.sub("", line)

    def reference(match: re.Match[str]) -> str:
        image, words, target = match.groups()
        if can_be_opened(target):
            if image:
                notes.append(f"the image {target} became a link: save it beside the file to post it")
                return f"[{words or 'image'}]({target})"
            return match[0]
        notes.append(f"`{target}` leads nowhere from a post: its words are kept")
        return f"{words or 'image'} ({target})" if target else words

    return _LINK.sub(reference, line)


def _without_rules(lines: list[str]) -> str:
    """Drop the rules that people put between messages, which would end or begin one now."""
    kept = [line.rstrip() for line in lines]

    def idle(line: str) -> bool:
        return not line or _RULE.fullmatch(line) is not None

    while kept and idle(kept[0]):
        kept.pop(0)
    # A rule just below a text makes a heading of it, and is part of it.
    while kept and idle(kept[-1]) and (not kept[-1] or len(kept) == 1 or not kept[-2]):
        kept.pop()
    return "\n".join(kept)
