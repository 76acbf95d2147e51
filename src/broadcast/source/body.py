"""What is wrong with the text of one update: nothing in it, links that lead nowhere, images that are not there."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, partial
from itertools import islice
from pathlib import Path
from urllib.parse import unquote

from markdown_it import MarkdownIt
from markdown_it.token import Token

from broadcast import pictures, reach
from broadcast.images import HEAD, LFS_POINTER, MAX_IMAGE, MAX_VIDEO, TYPES, is_video, kind_of, path_of
from broadcast.model import Place, Problem, Update
from broadcast.source import bounds
from broadcast.source.frontmatter import is_web_address
from broadcast.source.problems import problem, shown
from broadcast.text.markdown import NESTING, with_notes

_MARKDOWN = with_notes(MarkdownIt("commonmark", {"maxNesting": NESTING}))
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:|//")


@dataclass(frozen=True, slots=True)
class Reference:
    """An image or a link of a text. `target` is its address as it is written, `text` an image's alternative text."""

    kind: str
    target: str
    text: str
    place: Place


Judge = Callable[[str], str]
"""Why the file at a path below the root is no picture that can be posted; empty where it is one."""


def judge(root: Path) -> Judge:
    """Looks at each file once, however often it is named."""
    return cache(partial(_wrong_content, root))


def check_body(update: Update, path: str, root: Path, wrong_content: Judge) -> Iterator[Problem]:
    """The problems of an update of the file at `path`; `root` is the project's resolved folder."""
    tokens = _MARKDOWN.parse(update.body)
    if not any(_says_something(token) for token in tokens):
        yield problem("empty-update", update.place, "this update has no text: write what followers should know")
        return
    if deepest := next(filter(_loses_text, tokens), None):
        line = update.body_line + (deepest.map or [0])[0]
        message = "lists and quotes are nested so deeply here that what they say would be lost: nest them less"
        yield problem("too-deep", Place(path, line), message)
    found = list(references(tokens, update, path))
    for kind, most in (("image", bounds.IMAGES), ("link", bounds.LINKS)):
        if further := next(islice((one for one in found if one.kind == kind), most, None), None):
            yield problem("too-many", further.place, f"an update may have {most:,} {kind}s, and this is one more")
            return
    for reference in found:
        if reference.kind == "link":
            wrong = _wrong_link(reference.target)
            if wrong:
                yield problem("bad-link", reference.place, wrong)
            continue
        if not reference.text.strip():
            message = f"describe the image for those who cannot see it: `![what it shows]({shown(reference.target)})`"
            yield problem("missing-alt", reference.place, message)
        wrong = _wrong_file(reference.target, path, root)
        if wrong:
            yield problem("missing-media", reference.place, wrong)
        elif wrong := wrong_content(path_of(reference.target, path)):
            yield problem("bad-media", reference.place, f"`{shown(reference.target)}` {wrong}")


def _says_something(token: Token) -> bool:
    if token.type == "html_block":
        return bool(re.sub(r"<!--.*?(-->|\Z)", "", token.content, flags=re.DOTALL).strip())
    if token.type == "inline":
        return any(child.type in {"image", "code_inline"} or child.content.strip() for child in token.children or ())
    return token.type in {"fence", "code_block"}


def _loses_text(token: Token) -> bool:
    """Whether this is a list item or a quote in which markdown-it reads no further."""
    return token.type in {"list_item_open", "blockquote_open"} and token.level >= NESTING - 1


def references(tokens: list[Token], update: Update, path: str) -> Iterator[Reference]:
    """The links and images, each with the place where it stands in the file."""
    lines = update.body.split("\n")
    for block in tokens:
        if block.type != "inline" or block.map is None:
            continue
        line, column = block.map[0], 0
        for token in block.children or ():
            if token.type in {"softbreak", "hardbreak"}:
                line, column = line + 1, 0
            elif token.type == "image":
                column = _find(lines, line, f"![{token.content.partition(chr(10))[0]}", column)
                place = Place(path, update.body_line + line, column + 1)
                yield Reference("image", str(token.attrGet("src") or ""), token.content, place)
                line += token.content.count("\n")
                column = 0 if "\n" in token.content else column + 2
            elif token.type == "link_open":
                opening = "<" if token.markup == "autolink" else "["
                column = _find(lines, line, opening, column)
                place = Place(path, update.body_line + line, column + 1)
                yield Reference("link", str(token.attrGet("href") or ""), "", place)
                column += 1


def _find(lines: list[str], line: int, text: str, start: int) -> int:
    return max(lines[line].find(text, start), 0) if line < len(lines) else 0


def can_be_opened(target: str) -> bool:
    """Whether a link leads somewhere for followers: to the web, or to somebody's mail."""
    return is_web_address(target) or re.fullmatch(r"mailto:[^@\s]+@[^@\s]+", target) is not None


def _wrong_link(target: str) -> str:
    if can_be_opened(target):
        return ""
    if not target or not _SCHEME.match(target):
        return f"`{shown(target)}` is not a whole address, and a post has no page that it could belong to: write https://..."
    return f"followers cannot open `{shown(target)}`: write https://..."


def _wrong_file(target: str, path: str, root: Path) -> str:
    """Why an image cannot be posted; empty when it can. Paths are relative to the file that they stand in."""
    if _SCHEME.match(target):
        return f"`{shown(target)}` is not a file of the project: download it, and put it beside this file"
    name = unquote(target)
    if not name or name.startswith("/") or "\\" in name or "\0" in name:
        return f"`{shown(target)}` is not a path: write one relative to this file, such as `graph.png`"
    file = root / path_of(target, path)
    try:
        if not Path(os.path.realpath(file)).is_relative_to(root):
            return f"`{shown(target)}` is outside of the project"
        if not file.is_file():
            return f"there is no file `{shown(name)}` beside this file"
    except (OSError, ValueError):  # a name that is too long
        return f"`{shown(target)}` cannot be opened"
    return ""


def _wrong_content(root: Path, path: str) -> str:
    """Why a file is no image or video that can be posted; empty when it is one, as far as it can be told without
    decoding what is too large."""
    most = MAX_VIDEO if is_video(path) else MAX_IMAGE
    try:
        with reach.stream(root, path) as content:
            size = os.fstat(content.fileno()).st_size
            data = content.read(HEAD if is_video(path) or size > most else most)
    except OSError as error:
        return f"cannot be read: {error.strerror}"
    if not data:
        return "is an empty file"
    if data.startswith(LFS_POINTER):
        return "is a Git LFS pointer, and not the file itself: type `git lfs pull`, or in CI fetch with LFS"
    kind = kind_of(data[:HEAD])
    if kind is None:
        return "is not a PNG, JPEG, GIF or WebP image or an MP4 video, whatever its name says"
    # A name only has to tell an image from a video: what is sent goes by the content.
    if TYPES.get(Path(path).suffix.lower(), "").partition("/")[0] != kind.partition("/")[0]:
        named = next(suffix for suffix, known in TYPES.items() if known == kind)
        return f"is of the type {kind}: give it a name that ends in `{named}`"
    if size > most:
        return f"is larger than {most // 1024**2} MB"
    return "" if is_video(path) else pictures.wrong(data)
