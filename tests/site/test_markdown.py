from __future__ import annotations

import time

import pytest

from broadcast.site.markdown import images, to_html, to_text
from pages import read


def html(body: str) -> str:
    return str(to_html(body, lambda source: f"media/{source}"))


@pytest.mark.parametrize(
    "body",
    [
        "<script>alert(1)</script>",
        "a <img src=x onerror=alert(1)> b",
        "<!-- x --><style>*{}</style>",
        "[x](javascript:alert(1))",
        "[x](java\tscript:alert(1))",
        "[x](&#106;avascript:alert(1))",
        "[x](vbscript:x) [y](data:text/html,x) [z](file:///etc/passwd)",
        "<javascript:alert(1)>",
        "![x](javascript:alert(1))",
        '![a"onload="x](b.png "t\\"onload=\\"x")',
        '[a](https://x.example/"onclick="x)',
        "[r]: javascript:alert(1)\n\n[r]",
    ],
)
def test_nothing_that_acts_gets_through(body: str) -> None:
    for tag, attributes in read(html(body)).tags:
        assert tag in {"p", "a", "img", "figure", "figcaption"}
        assert set(attributes) <= {"href", "rel", "src", "alt"}
        assert attributes.get("href", "https://").startswith(("https://", "media/"))
        assert attributes.get("src", "media/").startswith("media/")


def test_raw_html_is_shown_as_text() -> None:
    assert html("a <b>c</b>") == "<p>a &lt;b&gt;c&lt;/b&gt;</p>\n"


def test_links_lead_to_the_web_or_to_mail() -> None:
    assert html("[a](https://x.example/) [b](mailto:c@x.example)") == (
        '<p><a href="https://x.example/" rel="nofollow noopener">a</a> '
        '<a href="mailto:c@x.example" rel="nofollow noopener">b</a></p>\n'
    )


def test_a_link_that_leads_nowhere_keeps_its_words() -> None:
    assert html("see [the *runbook*](../runbook.md)!") == "<p>see the <em>runbook</em>!</p>\n"


def test_bare_urls_become_links_without_what_follows_them() -> None:
    made = html("(see https://x.example/a_b_c.) and https://x.example/w(1), `https://no.example`")
    assert '<a href="https://x.example/a_b_c" rel="nofollow noopener">https://x.example/a_b_c</a>.)' in made
    assert 'href="https://x.example/w(1)"' in made
    assert "<code>https://no.example</code>" in made


def test_an_image_of_a_paragraph_stands_after_it_as_a_figure() -> None:
    assert html('Look: ![Errors](e.png "Since 14:00") now.') == (
        "<p>Look:  now.</p>\n"
        '<figure><a href="media/e.png"><img src="media/e.png" alt="Errors"></a>'
        "<figcaption>Since 14:00</figcaption></figure>\n"
    )


def test_a_paragraph_of_images_only_leaves_no_empty_paragraph() -> None:
    assert html("![a](a.png) ![b](b.png)").count("<figure>") == 2
    assert "<p>" not in html("![a](a.png) ![b](b.png)")


def test_an_image_in_a_list_and_one_in_a_link() -> None:
    assert "<figure>" in html("- step ![a](a.png)")
    linked = html("[![a](a.png)](https://x.example/)")
    assert linked.count("<a ") == 1
    assert '<img src="media/a.png" alt="a">' in linked


def test_an_image_elsewhere_is_linked_never_loaded() -> None:
    made = str(to_html("![Graph](https://tracker.example/p.png) ![Gone](gone.png)", lambda source: None))
    assert "<img" not in made
    assert '<a href="https://tracker.example/p.png" rel="nofollow noopener">Graph</a>' in made
    assert "[Gone]" in made


def test_a_video_has_controls_and_a_name() -> None:
    assert '<video controls preload="metadata" src="media/a.mp4" aria-label="The bug"></video>' in html(
        "![The bug](a.mp4)"
    )


def test_headings_go_below_those_of_the_page() -> None:
    assert html("# a\n\n### b\n\n###### c") == "<h3>a</h3>\n<h5>b</h5>\n<h6>c</h6>\n"


def test_tables_scroll_and_align_without_style_attributes() -> None:
    made = html("| a | b |\n|---|--:|\n| 1 | 2 |")
    assert '<div class="scroll" role="region" aria-label="Table" tabindex="0"><table>' in made
    assert '<td class="right">2</td>' in made
    assert "style=" not in made


def test_code_is_shown_as_it_is() -> None:
    assert html("```sh\na <b> && c\n```") == '<pre tabindex="0"><code>a &lt;b&gt; &amp;&amp; c\n</code></pre>\n'


def test_what_xml_forbids_is_gone() -> None:
    made = html("a\x00b\x1bc\x07d\ufffee\u202ef")
    assert not set(made) & set("\x00\x1b\x07\ufffe\u202e")


def test_plain_text_for_descriptions() -> None:
    assert to_text("# A\n\n**b** [c](https://x.example/) ![d](e.png)\nf `g`", 100) == "A b c f g"
    assert to_text("word " * 100, 20) == "word word word word…"
    assert list(images("![a](a.png) [![b](b.png)](https://x.example)")) == ["b.png", "a.png"]


@pytest.mark.parametrize(
    "piece", ["https://x.example/(", "![a](b.png)", "[a](", "**a", "> ", "- ", "`", "| a ", "<a@b.c>", "https://"]
)
def test_hostile_lengths_take_linear_time(piece: str) -> None:
    start = time.perf_counter()
    html(piece * (60_000 // len(piece)))
    assert time.perf_counter() - start < 10
