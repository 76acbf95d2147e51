"""What Markdown becomes: every construct has a plain form that a person finds natural."""

from __future__ import annotations

import time

import pytest

from broadcast.model import Media, Span
from broadcast.text import rich


def plain(markdown: str) -> str:
    return rich.plain(rich.parse(markdown)[0])


def spans(markdown: str, base: str = "") -> list[tuple[str, str, str]]:
    return [(span.kind, span.text, span.url) for block in rich.parse(markdown, base)[0] for span in block.spans]


@pytest.mark.parametrize(
    ("markdown", "text"),
    [
        ("We **see** *elevated* ~~latency~~ errors.", "We see elevated ~latency~ errors."),
        ("# Impact\nAll regions.", "Impact\nAll regions."),
        ("One\ntwo  \nthree\n\nfour", "One two\nthree\n\nfour"),
        ("日本語の\nテキスト", "日本語のテキスト"),
        ("Affected:\n\n- API\n- Web\n  - EU\n  - US\n- CLI", "Affected:\n• API\n• Web\n  – EU\n  – US\n• CLI"),
        ("7. seven\n8. eight", "7. seven\n8. eight"),
        ("0. zero", "0. zero"),
        ("- one\n\n  more of one\n- two", "• one\n  more of one\n• two"),
        ("> It is *down*.\n> Really.\n\nOK", "> It is down. Really.\n\nOK"),
        ("> a\\\n> b", "> a\n> b"),
        ("> - x\n> - y", "> • x\n> • y"),
        ("Run `publish` or `publish --yes x`.", "Run publish or `publish --yes x`."),
        ("Do:\n\n```sh\nfor x in y\n    do z\n```", "Do:\nfor x in y\n    do z"),
        ("* a\n\n  ```\n  x:\n    y\n  ```\n* b", "• a\n  x:\n    y\n• b"),
        ("| Service | State |\n|-|-|\n| API | **up** |", "Service: State\nAPI: up"),
        ("| S | From | To |\n|-|-|-|\n| API | 1 | 2 |\n| Web | | 4 |", "S: API, From: 1, To: 2\nS: Web, To: 4"),
        ("a\n\n---\n\nb", "a\n\nb"),
        ("a <!-- secret --> b\n\n<!-- x\n\ny -->\nc <!-- open", "a  b\n\nc <!-- open"),
        ("<!-- never closed\n\nsecret", ""),
        ("Set <your-token> & x<br>y", "Set <your-token> & x\ny"),
        ("<div>block</div>", "<div>block</div>"),
        ("See[^1].\n\n[^1]: The log.", "See[1].\n\n[1] The log."),
        ("See[^1].\n\n[^1]: https://a.io/x", "See[1]."),
        ("See[^1].\n\n[^1]: Fixed.", "See[1].\n\n[1] Fixed."),
        ('See[^1].\n\n[^1]: Fixed "today"', 'See[1].\n\n[1] Fixed "today"'),
        ("See.\n\n[^1]: Lost\n\n[^2]: https://a.io/x", "See.\n\n[1] Lost\n\n[2] https://a.io/x"),
        ("See.\n\n[1]: https://a.io/x", "See."),
        ("&copy; &amp; \\*no\\*", "© & *no*"),
        ("- [x] done", "• [x] done"),
        ("e\u0301", "é"),
        ("a\u202eb\u2066c\u200bd\u00ade\x07f\u200f", "abcdef\u200f"),
        ("👨‍👩‍👧 a\u200d b &#x202E;x", "👨‍👩‍👧 a b x"),
        ("\ud800", "\ufffd"),
        ("Setext\n===", "Setext"),
        ("", ""),
    ],
)
def test_plain_text(markdown: str, text: str) -> None:
    assert plain(markdown) == text


@pytest.mark.parametrize(
    ("markdown", "urls"),
    [
        ("https://a.io/x_y_z*w*_v_", ["https://a.io/x_y_z*w*_v_"]),
        (
            "see https://a.io/x. Then (https://b.io/y_(z)), and https://c.io?",
            ["https://a.io/x", "https://b.io/y_(z)", "https://c.io"],
        ),
        ("**https://a.io/x** _https://b.io/y_", ["https://a.io/x", "https://b.io/y"]),
        ("https://a.io/x,https://b.io/y", ["https://a.io/x,https://b.io/y"]),
        ("<https://a.io/x> [b](https://b.io) [c]: d", ["https://a.io/x", "https://b.io"]),
        ("[a](https://a.io)[b](https://b.io)https://c.io", ["https://a.io", "https://b.io", "https://c.io"]),
        ("example.com file.py v2.0 node.js www.example.com a@b.io", []),
        ("https://a.io/?q=1&copy=2&amp;x", ["https://a.io/?q=1&copy=2&amp;x"]),
        ("https://a.io/snake\\_case\\_x", ["https://a.io/snake_case_x"]),
        (
            "これは https://a.io/x です。https://b.io/yをhttps://c.io/z",
            ["https://a.io/x", "https://b.io/y", "https://c.io/z"],
        ),
        (
            "“https://a.io/x” «https://b.io/y» 「https://c.io/z」",
            ["https://a.io/x", "https://b.io/y", "https://c.io/z"],
        ),
        ("http://münchen.de/straße", ["http://xn--mnchen-3ya.de/stra%C3%9Fe"]),
        ("`https://a.io/x` [https://b.io](https://b.io/z)", ["https://b.io/z"]),
        ("xhttps://a.io http://localhost:80/ https:// http://.", []),
        ("[x](javascript:alert(1)) [y](ftp://a.io) [z](/rel)", []),
        ("[x](http://[) https://[::1]/", []),
        ("HTTPS://A.IO/X", ["HTTPS://A.IO/X"]),
    ],
)
def test_links(markdown: str, urls: list[str]) -> None:
    assert [url for kind, _, url in spans(markdown) if kind == "link"] == urls


def test_a_relative_link_needs_a_base() -> None:
    assert spans("[docs](../x.html#y)", "https://a.io/b/c/") == [("link", "docs", "https://a.io/b/x.html#y")]
    assert spans("[docs](../x.html#y)") == [("text", "docs", "")]


def test_an_address_is_written_out() -> None:
    assert plain("[Write to us](mailto:ops@example.com?subject=x)") == "Write to us ops@example.com"
    assert plain("<ops@example.com>") == "ops@example.com"


def test_hashtags_and_mentions() -> None:
    found = spans("#outage (#EU) #4827 a#b @ops @ada@mastodon.social, @ada.bsky.social. a@b.io @types/node `#no` x/@y")
    assert [(kind, text) for kind, text, _ in found if kind in ("hashtag", "mention")] == [
        ("hashtag", "#outage"),
        ("hashtag", "#EU"),
        ("mention", "@ops"),
        ("mention", "@ada@mastodon.social"),
        ("mention", "@ada.bsky.social"),
    ]


def test_images_are_lifted_out_and_remembered() -> None:
    blocks, media = rich.parse("Errors ![Rate *since* 14:00](img/errors.png) rose.\n\n[![b](b.png)](https://a.io)")
    assert media == (Media("img/errors.png", "Rate since 14:00"), Media("b.png", "b"))
    assert [span for block in blocks for span in block.spans if span.kind == "image"] == [
        Span("image", "Rate since 14:00", "img/errors.png"),
        Span("image", "b", "b.png"),
    ]
    assert rich.plain(blocks) == "Errors  rose.\n\nb"


@pytest.mark.parametrize(
    "text",
    [
        "[a] *b* foo_bar https://x.y/c_d #tag",
        "# not a heading",
        "1. not a list",
        "- + * > ``` | a | b |",
        "a <b> & &amp; \\ \\n `x` ~~y~~ ![z](w)",
        "<https://a.io/x> *https://b.io/y* (https://c.io/z_(w)).",
        "[^1]",
        "---",
        "http://a.io/\\_x",
    ],
)
def test_escaped_text_is_read_back(text: str) -> None:
    assert plain(rich.escape(text)) == text


def test_an_escaped_title_keeps_its_links_and_tags() -> None:
    kinds = [
        (kind, text) for kind, text, _ in spans(rich.escape("[a] *b* foo_bar https://x.io/c_d #tag")) if kind != "text"
    ]
    assert kinds == [("link", "https://x.io/c_d"), ("hashtag", "#tag")]


@pytest.mark.parametrize(
    "unit",
    [
        "[",
        "*a ",
        "a*",
        "![](",
        "`",
        "<!--",
        "> ",
        "- ",
        "https://",
        "https://a.io/_*",
        "<a ",
        "[a](",
        "&#x",
        "| a ",
        "\\",
        "((",
        "_a_",
    ],
)
def test_hostile_markdown_is_read_in_time(unit: str) -> None:
    start = time.process_time()
    rich.plain(rich.parse(unit * (50_000 // len(unit)))[0])
    assert time.process_time() - start < 10
