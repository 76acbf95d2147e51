"""What looks at a text, a function at a time, at the length at which a second pass over it would be seen."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from time import process_time
from unicodedata import normalize

import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from broadcast.model import Limits, Media
from broadcast.platforms import standing
from broadcast.site.markdown import to_html, to_text
from broadcast.source.cstate.messages import split_messages
from broadcast.source.cstate.text import clean as without_hugo
from broadcast.source.frontmatter import is_web_address
from broadcast.source.headings import read_heading
from broadcast.source.outline import outline
from broadcast.source.times import parse_duration, parse_time
from broadcast.text import abbreviate, characters, measure, rich, sentences, tags, urls, weave
from broadcast.text.atoms import Atom
from broadcast.text.clean import clean
from broadcast.text.compose import spread
from broadcast.text.markdown import with_notes
from broadcast.text.tear import tear
from growth.line import MOST, unswept

LENGTH, LIGHT = 100_000, 32_000
"""Characters; what makes tokens of Markdown is too slow for as many."""
MARKDOWN_READERS = ("Markdown", "a page", "a summary", "outline", "messages of cState", "text of cState", "escaping")
FLOOR, TOO_LONG = 0.1, 2.0
"""Seconds below which nothing is judged, and above which a quarter of the text is enough to see it."""
POST = Limits(300, measure.graphemes, max_bytes=3000)


def _parse(text: str) -> None:
    rich.parse.cache_clear()
    rich.parse(text)


def _time(text: str) -> None:
    for read in (parse_time, parse_duration):
        with suppress(ValueError):
            read(text)


def _outline(text: str) -> None:
    outline(text.split("\n"))


CLUSTERS = ("🇩🇪", "🇩🇪🇫", "👨\u200d", "e\u0301", "\u0301\u0323\u0336", "\u1100", "क्", "1\ufe0f\u20e3", "😀", "👍🏽")
URLS = (
    "https://",
    "https://example.com/a",
    "[a](https://example.com)",
    "https://a.b/(",
    "https",
    "://",
    "a.b.",
    "www.",
    ".",
    "example.com-",
    "example.com本",
    "/",
    ")",
    "(",
    "-",
    "_",
)
WORDS = (".", ")", "…", "!?", "»", "».a", "a;", "1,", '"', "e.g.", "(", "J.")
MARKS = ("@a", "@", "#", "#tag", "#1", "@a@b", "@a.b-c.d", ".a", "_", "a@example.com,")
BLANKS = (" ", "\t", "\n", "\r\n", "  \n", "\u00a0", "\u3000", "\u2028", "\\\n", "\u200d", "\u200d ", "a \n")
MARKDOWN = (
    "[",
    "[a",
    "![",
    "[^",
    "[^1]",
    "[a](",
    "[a](b ",
    '[a](b "',
    "[a](<b",
    "]",
    "*_",
    "**a **a",
    "a_",
    "~~a",
    "`a",
    "<",
    "<a ",
    "<!--",
    "<?",
    "<![CDATA[",
    "&amp;",
    "&",
    "\\",
    "a <!-- b --> ",
    "|a",
    "- ",
    ">",
    "> a\n",
    "- a\n",
    "[^1]: a\n",
    "[a]: b\n",
    "word\n\n",
    "```a\n",
    "# a\n",
)
FUNCTIONS: dict[str, tuple[Callable[[str], object], tuple[str, ...]]] = {
    "grapheme clusters": (measure.graphemes, CLUSTERS),
    "what X counts": (measure.weighted, (*CLUSTERS, *URLS)),
    "what Mastodon counts": (measure.mastodon(), (*CLUSTERS, *URLS, *MARKS)),
    "what X links": (measure.x_links, URLS),
    "finding of URLs": (lambda text: list(urls.find(text)), URLS),
    "what is a web address": (lambda text: urls.is_web(f"https://{text}"), (*URLS, *MARKS)),
    "what is an address": (lambda text: is_web_address(f"https://{text}"), (*URLS, *MARKS)),
    "what a URL says": (lambda text: urls.says(text, f"https://example.com/{text}"), URLS),
    "how a URL is written": (lambda text: urls.written(f"https://example.com/{text}"), URLS),
    "how a URL is shown": (lambda text: urls.short(f"https://example.com/{text}"), URLS),
    "hashtags and mentions": (lambda text: list(tags.find(text)), MARKS),
    "an override": (lambda text: weave.literal(text, facets=True), (*MARKS, *URLS)),
    "cleaning": (clean, (*CLUSTERS, *BLANKS)),
    "escaping": (rich.escape, ("*", "a\n", "https://example.com/a", "[a](https://example.com)")),
    "Markdown": (
        _parse,
        (*MARKDOWN, *BLANKS, "@a", "#tag", "://", "https://example.com/a", "[a](https://example.com)"),
    ),
    "abbreviations": (lambda text: abbreviate.edits([Atom(text, "", "word")], ["word"], {}, "en"), WORDS),
    "sentences": (lambda text: sentences.ends_sentence(text, text, "en"), WORDS),
    "clauses": (lambda text: sentences.ends_clause(text, text), WORDS),
    "words that stay together": (lambda text: sentences.stay_together(text, text, "en"), WORDS),
    "numbers": (sentences.is_number, WORDS),
    "tearing": (lambda text: tear([Atom(text, "", "word")], ["word"], "", POST), (*CLUSTERS, *WORDS)),
    "headings": (lambda text: read_heading("incident", text), (*WORDS, *BLANKS, "-")),
    "outline": (_outline, (*MARKDOWN, *BLANKS)),
    "times": (_time, (*BLANKS, "1", "1h", "-", ":")),
    "a page": (lambda text: to_html(text, lambda source: source), ("[", "![", "[^1]", "<?", "|a", "![a](b)", *URLS)),
    "a summary": (lambda text: to_text(text, 200), (*BLANKS, "[", "![", "word\n\n")),
    "what a platform may change": (
        standing.canonical.__wrapped__,
        (" ", "\n", "/", "https://", "@a", "@a@b", "@a.b-c.d"),
    ),
    "messages of cState": (split_messages, (*BLANKS, "[", "**", "[Update] a\n", "{{<", "**a**\n")),
    "text of cState": (
        lambda text: without_hugo(text, "incident", []),
        ("[", "[a](", "<!--", "{{<", "{{< a >}}"),
    ),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_takes_time_that_grows_with_the_text(name: str) -> None:
    function, units = FUNCTIONS[name]
    size = LIGHT if name in MARKDOWN_READERS else LENGTH
    slow = [unit for unit in units if _more_than_linear(function, unit, size)]
    assert not slow


def _more_than_linear(function: Callable[[str], object], unit: str, size: int) -> bool:
    small, large = float("inf"), float("inf")
    for _ in range(3):
        small = min(small, _seconds(function, unit, size // 4))
        if small > TOO_LONG:
            return True
        large = min(large, _seconds(function, unit, size))
        if large < max(FLOOR, MOST * small):
            return False
    return True


def _seconds(function: Callable[[str], object], unit: str, size: int) -> float:
    text = f"a{unit * (size // len(unit))}b"
    with unswept():
        before = process_time()
        function(text)
        return process_time() - before


def test_images_are_spread_in_time() -> None:
    limits = Limits(280, len, images=4, videos="alone")
    before = process_time()
    posts = spread([[Media("a.mp4", "a"), Media("a.png", "a")] * 50_000], limits)
    assert len(posts) == 100_000
    assert process_time() - before < 5


@given(st.text(st.sampled_from("🇩🇪🇫a\u0301\u200d👩❤\ufe0f\u1100\u0915\u094d\r\n"), max_size=30), st.integers(1, 40))
def test_clusters_are_those_of_the_library(text: str, times: int) -> None:
    repeated = text * times + "🇩" * times
    assert characters.clusters(repeated) == regex.findall(r"\X", repeated)


@given(
    st.text(st.sampled_from("aé\u0301\u0323\u0336\u0344\u0f73\u0f72\u034f\u0915\u093e\u1161\u3099"), max_size=30),
    st.integers(1, 8),
)
def test_the_composed_form_is_that_of_the_library(text: str, times: int) -> None:
    assert characters.composed(text * times) == normalize("NFC", text * times)


@given(st.lists(st.sampled_from([*"[]()a!`\\*", "[b](c)", "![", "](d)", "<e>"]), max_size=40))
def test_labels_of_links_are_those_of_the_library(pieces: list[str]) -> None:
    text = "".join(pieces)
    ours, theirs = with_notes(MarkdownIt("commonmark")), with_notes(MarkdownIt("commonmark"))
    theirs.helpers = MarkdownIt().helpers
    assert ours.render(text) == theirs.render(text)
