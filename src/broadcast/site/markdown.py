"""The Markdown of an update as HTML that is safe to publish, whoever wrote it.

Raw HTML is shown as text, links lead to the web or to mail, and images stand as figures of their own.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from html import escape

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.rules_core import StateCore
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict
from markupsafe import Markup

from broadcast.text import urls
from broadcast.text.clean import clean
from broadcast.text.markdown import NESTING, with_notes

Resolve = Callable[[str], str | None]
"""From an image's `src` as written to the address under which the page shows it; None where it must not."""

ALLOWED_LINK = re.compile(r"(?:https?://|mailto:)[^\s\x00-\x20]", re.IGNORECASE)
MAYBE_URL = re.compile(r"https?://", re.IGNORECASE)
HEADING_OFFSET = 2
"""The page's title is h1 and each update is h2, so a body's first level is h3."""


def to_html(body: str, resolve: Resolve) -> Markup:
    """The HTML of a body. Images are asked of `resolve`."""
    tokens = _PARSER.parse(clean(body), {"resolve": resolve})
    return Markup(_PARSER.renderer.render(tokens, _PARSER.options, {"resolve": resolve}))  # noqa: S704 - escaped there


def to_text(body: str, limit: int) -> str:
    """The first `limit` characters of what a body says, on one line."""
    words: list[str] = []
    for token in _PARSER.parse(clean(body), {"resolve": lambda _: None}):
        if token.type == "inline":
            words += "".join(_said(token.children or ())).split()
    text = " ".join(words)
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def images(body: str) -> Iterator[str]:
    """The `src` of every image of a body, in order."""
    for token in _PARSER.parse(clean(body), {"resolve": lambda _: None}):
        found = [token] if token.type == "figure" else token.children or []
        yield from (str(child.attrs["src"]) for child in found if child.type in {"image", "figure"})


def _said(tokens: Sequence[Token]) -> Iterator[str]:
    for token in tokens:
        if token.type in {"text", "code_inline"}:
            yield token.content
        elif token.type in {"softbreak", "hardbreak"}:
            yield " "


def _link_bare_urls(state: StateCore) -> None:
    for token in state.tokens:
        if token.type == "inline" and "://" in token.content:
            token.children = list(_with_links(token.children or ()))


def _with_links(tokens: Sequence[Token]) -> Iterator[Token]:
    inside = 0
    for token in tokens:
        inside += (token.type == "link_open") - (token.type == "link_close")
        if token.type == "text" and not inside:
            yield from _linked(token.content)
        else:
            yield token


def _linked(text: str) -> Iterator[Token]:
    at = 0
    for match in MAYBE_URL.finditer(text):
        url = urls.at(text, match.start()) if match.start() >= at else ""
        if not url:
            continue
        if text[at : match.start()]:
            yield Token("text", "", 0, content=text[at : match.start()])
        yield Token("link_open", "a", 1, attrs={"href": url})
        yield Token("text", "", 0, content=url)
        yield Token("link_close", "a", -1)
        at = match.start() + len(url)
    if text[at:]:
        yield Token("text", "", 0, content=text[at:])


def _drop_other_links(state: StateCore) -> None:
    """A link that leads nowhere for a reader of the page keeps its words."""
    for token in state.tokens:
        if token.type != "inline":
            continue
        kept: list[Token] = []
        dropped: list[bool] = []
        for child in token.children or ():
            if child.type == "link_open":
                dropped.append(ALLOWED_LINK.match(str(child.attrs["href"])) is None)
            drop = child.type in {"link_open", "link_close"} and dropped[-1]
            if child.type == "link_close":
                dropped.pop()
            if not drop:
                kept.append(child)
        token.children = kept


def _hoist_images(state: StateCore) -> None:
    """Images of a paragraph stand as figures after it: a figure inside a paragraph is no valid HTML."""
    out: list[Token] = []
    figures: list[Token] = []
    in_paragraph = False
    for token in state.tokens:
        if token.type == "paragraph_open":
            in_paragraph = True
        elif token.type == "inline" and in_paragraph:
            token.children, figures = _without_images(token.children or ())
        out.append(token)
        if token.type == "paragraph_close":
            in_paragraph = False
            if figures and all(_blank(child) for child in out[-2].children or ()):
                del out[-3:]
            out += figures
            figures = []
    state.tokens = out


def _blank(token: Token) -> bool:
    return token.type in {"softbreak", "hardbreak"} or (token.type == "text" and not token.content.strip())


def _without_images(tokens: Sequence[Token]) -> tuple[list[Token], list[Token]]:
    kept: list[Token] = []
    figures: list[Token] = []
    inside = 0
    for token in tokens:
        inside += (token.type == "link_open") - (token.type == "link_close")
        if token.type == "image" and not inside:
            figures.append(Token("figure", "", 0, attrs=token.attrs, children=token.children, content=token.content))
        else:
            kept.append(token)
    return kept, figures


class _Renderer(RendererHTML):
    """markdown-it's own rules, and ours for what a status page shows in its own way."""

    def figure(self, tokens: Sequence[Token], index: int, options: OptionsDict, env: EnvType) -> str:
        token = tokens[index]
        title = str(token.attrs.get("title") or "")
        caption = f"<figcaption>{escape(title)}</figcaption>" if title else ""
        shown = self.image(tokens, index, options, env)
        if shown.startswith("<img"):
            shown = f'<a href="{escape(env["resolve"](str(token.attrs["src"])))}">{shown}</a>'
        return f"<figure>{shown}{caption}</figure>\n"

    def image(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        token = tokens[idx]
        source = str(token.attrs["src"])
        alt = escape(self.renderInlineAsText(token.children, options, env))
        address = env["resolve"](source)
        if address is None:
            if ALLOWED_LINK.match(source):
                return f'<a href="{escape(source)}" rel="nofollow noopener">{alt or "Image"}</a>'
            return f"<span>[{alt or 'Image'}]</span>"
        at = escape(address)
        if at.endswith((".mp4", ".webm")):
            return f'<video controls preload="metadata" src="{at}" aria-label="{alt}"></video>'
        return f'<img src="{at}" alt="{alt}">'

    def link_open(self, tokens: Sequence[Token], index: int, options: OptionsDict, env: EnvType) -> str:
        return f'<a href="{escape(str(tokens[index].attrs["href"]))}" rel="nofollow noopener">'

    def heading_open(self, tokens: Sequence[Token], index: int, options: OptionsDict, env: EnvType) -> str:
        return f"<{_heading(tokens[index])}>"

    def heading_close(self, tokens: Sequence[Token], index: int, options: OptionsDict, env: EnvType) -> str:
        return f"</{_heading(tokens[index])}>\n"

    def table_open(self, tokens: Sequence[Token], index: int, options: OptionsDict, env: EnvType) -> str:
        return '<div class="scroll" role="region" aria-label="Table" tabindex="0"><table>\n'

    def table_close(self, tokens: Sequence[Token], index: int, options: OptionsDict, env: EnvType) -> str:
        return "</table></div>\n"

    def th_open(self, tokens: Sequence[Token], index: int, options: OptionsDict, env: EnvType) -> str:
        return _cell(tokens[index])

    td_open = th_open

    def fence(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        return f'<pre tabindex="0"><code>{escape(tokens[idx].content)}</code></pre>\n'

    code_block = fence


def _cell(token: Token) -> str:
    """The page's policy forbids style attributes, so a column's alignment becomes a class."""
    side = str(token.attrs.get("style") or "").removeprefix("text-align:")
    return f'<{token.tag} class="{side}">' if side else f"<{token.tag}>"


def _heading(token: Token) -> str:
    return f"h{min(int(token.tag[1]) + HEADING_OFFSET, 6)}"


def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False, "maxNesting": NESTING}, renderer_cls=_Renderer)
    with_notes(parser.enable(["table", "strikethrough"]))
    # Every link is judged once, as a token, by the schemes that are allowed.
    parser.validateLink = lambda url: True  # type: ignore[method-assign]  # the documented way to replace it
    for rule in (_link_bare_urls, _drop_other_links, _hoist_images):
        parser.core.ruler.push(rule.__name__, rule)
    return parser


_PARSER = _parser()
