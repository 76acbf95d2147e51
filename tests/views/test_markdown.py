from __future__ import annotations

import time

import pytest
from markdown_it import MarkdownIt

from broadcast.model import Media, Place, Plan, Problem, ReplyTo
from broadcast.views.markdown import preview
from pages import read
from samples import act

PINGS = "@everyone @org/team"
HOSTILE = [
    f"{PINGS} #123 org/repo#1 GH-7 :tada: https://github.com/a/b/issues/1 www.example.com",
    "</code></blockquote></details><h1>x</h1><img src=https://t.example/p.png>",
    "![x](https://t.example/p.png) [y](javascript:x) **b** _c_ ~~d~~ `e` $x$ $$y$$",
    "```\n~~~\n    code\n\n<details>\n- [ ] task\n| a | b |\n|---|---|\n# h\n> q\n---\n[^1]: n\n<!-- c",
    "&lt;b&gt; &commat;you \\@you &#64;you",
]


def render(text: str) -> str:
    return str(MarkdownIt("gfm-like", {"html": True, "linkify": False}).render(text))


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_stays_text_inside_code(text: str) -> None:
    plan = Plan(
        (act(text, text, slug=text, status=text, note=text, media=[Media("a.png", text)], links=[(text[:3], text)]),),
        (Problem("error", "x", Place(text), text),),
        {text: 0.2},
    )
    page = read(render(preview(plan)))
    allowed = {"h3", "ul", "li", "strong", "code", "details", "summary", "p", "blockquote", "br", "sub"}
    assert {tag for tag, _ in page.tags} <= allowed
    assert not any(attributes for _, attributes in page.tags)
    assert len(page.all("details")) == len(page.all("blockquote")) == 1
    loose = page.loose
    assert not set(loose) & set("@<>[]")
    assert "//" not in loose
    said = "".join(text.split())
    assert said in "".join(page.text.split())


def test_a_post_and_its_facts() -> None:
    plan = Plan(
        (
            act("Errors.\n\nSee docs", "x", parts=2, links=[("docs", "https://a.b")], media=[Media("a.png", "Graph")]),
            act("More", "x", part=2, parts=2, state="done"),
            act("Fixed", "x", update="2026-11-22T15:00", reply_to=ReplyTo(act().update, 1)),
        ),
        cost={"x": 0.215},
    )
    text = preview(plan)
    assert text.startswith("### 3 posts of 1 announcement on 1 channel (<code>x</code> $0.215)\n\n<details>")
    assert "<blockquote><code>Errors&#46;</code><br><br><code>See docs</code><br><code>docs</code> leads to " in text
    assert "<br>Image: <code>Graph</code></blockquote>\n\n<sub>1/2 · 17/280 · todo</sub>" in text
    assert "<sub>2/2 · 4/280 · done</sub>" in text
    assert "replies to 2026-11-22 14:05 UTC" in text


def test_it_fits_and_says_what_is_left_out() -> None:
    plan = Plan(tuple(act("🔴 " + "@x " * 90, slug=f"a{index}") for index in range(400)))
    text = preview(plan)
    assert len(text.encode("utf-16-le")) // 2 <= 65_536
    shown = text.count("<blockquote>")
    assert 20 < shown < 400
    assert f"**{400 - shown} posts more**" in text
    assert text.count("<details>") == text.count("</details>")


def test_one_long_page_does_not_hide_the_posts_after_it() -> None:
    text = preview(Plan((act("long " * 100_000, "site", limit=1_000_000), act("short", "x"))))
    assert "characters more" in text.replace("&#44;", ",")
    assert "<code>short</code>" in text


def test_many_problems_leave_room_for_posts() -> None:
    problems = tuple(Problem("warning", "x", Place("a" * 1000, index), "m" * 5000) for index in range(300))
    text = preview(Plan((act(),), problems))
    assert len(text) <= 65_536
    assert "250 problems more" in text
    assert "<blockquote>" in text


def test_no_posts() -> None:
    assert preview(Plan(())) == "### No posts\n\n"


def test_three_thousand_posts_take_no_time() -> None:
    plan = Plan(tuple(act("x " * 100, f"c{index % 4}", slug=f"a{index // 4}") for index in range(3000)))
    start = time.perf_counter()
    preview(plan)
    assert time.perf_counter() - start < 2
