"""What becomes of every way to write the heading of an update: it is read, or it is an error that shows the line to
write. Nothing that a person would take for an update becomes text without a word.

Of these, all that are not plain were text, without a word or with a warning, at e0fdd80.
"""

from __future__ import annotations

import os
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from broadcast.source.parse import parse

TIME = "2026-11-25 19:00 UTC"
LINE = f"`## Resolved - {TIME}`"
EXAMPLE = "`2026-11-22 14:05 UTC`"

READ = {
    "plain": f"## Resolved - {TIME}",
    "upper case": f"## RESOLVED - {TIME}",
    "up to three blanks before": f"   ## Resolved - {TIME}",
    "many blanks": f"##   Resolved   -   {TIME}",
    "no blanks around the dash": f"## Resolved-{TIME}",
    "no-break spaces": f"## Resolved\u00a0-\u00a0{TIME}",
    "closing hashes": f"## Resolved - {TIME} ##",
    "setext": f"Resolved - {TIME}\n---",
    "en dash": f"## Resolved – {TIME}",
    "em dash": f"## Resolved — {TIME}",
    "minus sign": f"## Resolved − {TIME}",
    "non-breaking hyphen": f"## Resolved ‑ {TIME}",
    "middle dot": f"## Resolved · {TIME}",
    "at sign": f"## Resolved @ {TIME}",
    "an entity": f"## Resolved &ndash; {TIME}",
    "emoji": f"## ✅ Resolved - {TIME}",
    "emoji as an entity": f"## &#9989; Resolved - {TIME}",
    "emoji with a selector": f"## ✔️ Resolved - {TIME}",
    "emoji behind": f"## Resolved 🎉 - {TIME}",
    "a shortcode": f"## :white_check_mark: Resolved - {TIME}",
    "brackets": f"## [Resolved] - {TIME}",
    "a link": f"## [Resolved](https://example.com/a) - {TIME}",
    "parentheses": f"## Resolved ({TIME})",
    "bold": f"## **Resolved** - {TIME}",
    "all bold": f"## **Resolved - {TIME}**",
    "italics": f"## _Resolved_ - {TIME}",
    "struck": f"## ~~Resolved~~ - {TIME}",
    "code": f"## `Resolved` - `{TIME}`",
    "HTML": f"## <b>Resolved</b> - {TIME}",
    "a soft hyphen": f"## Re\u00adsolved - {TIME}",
    "seconds": "## Resolved - 2026-11-25 19:00:00 UTC",
    "a fraction": "## Resolved - 2026-11-25T19:00:00.284Z",
    "a comma before the time": "## Resolved - 2026-11-25, 19:00 UTC",
    "at before the time": "## Resolved - 2026-11-25 at 19:00 UTC",
    "lower-case zone": "## Resolved - 2026-11-25 19:00 utc",
    "zone in parentheses": "## Resolved - 2026-11-25 19:00 (UTC)",
    "an offset": "## Resolved - 2026-11-25 20:00 +01:00",
    "a short offset": "## Resolved - 2026-11-25 21:00 UTC+2",
    "GMT and an offset": "## Resolved - 2026-11-25 20:00 GMT+1",
    "an offset with a minus sign": "## Resolved - 2026-11-25 14:00 UTC−5",
    "a zone with an underscore": "## Resolved - 2026-11-25 14:00 America/New_York",
    "two underscores": "## Resolved - 2026-11-26 02:00 Asia/Ho_Chi_Minh",
    "italics around such a zone": "## _Resolved - 2026-11-25 14:00 America/New_York_",
}

REFUSED = {
    "no blank": (f"##Resolved - {TIME}", LINE),
    "a no-break space": (f"##\u00a0Resolved - {TIME}", LINE),
    "full-width hashes": (f"＃＃ Resolved - {TIME}", LINE),
    "level 1": (f"# Resolved - {TIME}", LINE),
    "level 3": (f"### Resolved - {TIME}", LINE),
    "level 6": (f"###### Resolved - {TIME}", LINE),
    "level 1, setext": (f"Resolved - {TIME}\n===", LINE),
    "below a line of text, setext": (f"Good news\nResolved - {TIME}\n---", LINE),
    "HTML": (f"<h2>Resolved - {TIME}</h2>", LINE),
    "bold": (f"**Resolved** - {TIME}", LINE),
    "bold throughout": (f"**Resolved - {TIME}**", LINE),
    "bold with underscores": (f"__Resolved__ - {TIME}", LINE),
    "no dress": (f"Resolved - {TIME}", LINE),
    "in a quote": (f"> ## Resolved - {TIME}", LINE),
    "a quote": (f"> Resolved - {TIME}", LINE),
    "in a list": (f"- ## Resolved - {TIME}", LINE),
    "in a numbered list": (f"1. ## Resolved - {TIME}", LINE),
    "an item": (f"* Resolved - {TIME}", LINE),
    "a bold item": (f"- **Resolved** - {TIME}", LINE),
    "a checked box": (f"- [x] Resolved - {TIME}", LINE),
    "indented": (f"    ## Resolved - {TIME}", LINE),
    "a tab": (f"\t## Resolved - {TIME}", LINE),
    "the time first": (f"## {TIME} - Resolved", LINE),
    "the time first, no dash": (f"## {TIME} Resolved", LINE),
    "the time first, in parentheses": (f"## ({TIME}) Resolved", LINE),
    "a label": (f"## Status: Resolved - {TIME}", LINE),
    "a label and a dash": (f"## Status - Resolved - {TIME}", LINE),
    "an arrow": (f"## Resolved -> {TIME}", LINE),
    "a colon": (f"## Resolved: {TIME}", LINE),
    "a comma": (f"## Resolved, {TIME}", LINE),
    "a bar": (f"## Resolved | {TIME}", LINE),
    "nothing between": (f"## Resolved {TIME}", LINE),
    "at": (f"## Resolved at {TIME}", LINE),
    "on": ("## Resolved on 2026-11-25 at 19:00 UTC", LINE),
    "a month's name": ("## Resolved - Nov 25, 2026 19:00 UTC", EXAMPLE),
    "a day before it": ("## Resolved - 25 November 2026, 19:00 UTC", EXAMPLE),
    "a month and a day": ("## Resolved - November 25", EXAMPLE),
    "slashes": ("## Resolved - 25/11/2026 19:00 UTC", EXAMPLE),
    "dots": ("## Resolved - 25.11.2026 19:00 UTC", EXAMPLE),
    "a weekday": ("## Resolved - Wednesday 19:00 UTC", EXAMPLE),
    "today": ("## Resolved - today", EXAMPLE),
    "only a time": ("## Resolved - 19:00 UTC", EXAMPLE),
    "only a date": ("## Resolved - 2026-11-25", "`2026-11-25 14:05 UTC`"),
    "a date and a zone": ("## Resolved - 2026-11-25 UTC", "`2026-11-25 14:05 UTC`"),
    "no zone": ("## Resolved - 2026-11-25 19:00", "`2026-11-25 19:00 UTC`"),
    "12 hours": ("## Resolved - 2026-11-25 7:00 PM UTC", "`2026-11-25 19:00 UTC` (p.m.), or `2026-11-25 07:00 UTC`"),
    "12 hours, short": (
        "## Resolved - 2026-11-25 12am UTC",
        "`2026-11-25 00:00 UTC` (a.m.), or `2026-11-25 12:00 UTC`",
    ),
    "text behind": (f"## Resolved - {TIME} in the EU", EXAMPLE),
    "fixed": (f"## Fixed - {TIME}", LINE),
    "solved": (f"## Solved - {TIME}", LINE),
    "done": (f"## Done - {TIME}", LINE),
    "all clear": (f"## All clear! - {TIME}", LINE),
    "more words": (f"## Issue resolved - {TIME}", LINE),
    "misspelled": (f"## Rsolved - {TIME}", LINE),
    "mitigated": (f"## Mitigated - {TIME}", f"`## Monitoring - {TIME}`"),
    "numbered": (f"## Update 2 - {TIME}", f"`## Update - {TIME}`"),
    "numbered with a sign": (f"## Update #2 - {TIME}", f"`## Update - {TIME}`"),
    "an ordinal": (f"## 2nd Update - {TIME}", f"`## Update - {TIME}`"),
    "German": (f"## Behoben - {TIME}", LINE),
    "French": (f"## Résolu - {TIME}", LINE),
    "French without accents": (f"## Resolu - {TIME}", LINE),
    "Spanish": (f"## Resuelto - {TIME}", LINE),
    "Polish": (f"## Rozwiązano - {TIME}", LINE),
    "Ukrainian": (f"## Вирішено - {TIME}", LINE),
    "Japanese": (f"## 解決済み - {TIME}", LINE),
    "Arabic": (f"## تم الحل - {TIME}", LINE),
    "Finnish, and no heading": (f"**Ratkaistu** - {TIME}", LINE),
    "any words before a whole time": (f"## What happened - {TIME}", "`###`"),
    "another kind's": (f"## Completed - {TIME}", "a status of maintenance"),
}

TEXT = (
    f"```\n## Resolved - {TIME}\n```",
    f"> ```\n> ## Resolved - {TIME}\n> ```",
    f"- a\n\n  ~~~\n  ## Resolved - {TIME}\n  ~~~",
    f"<!--\n## Resolved - {TIME}\n-->",
    rf"\## Resolved - {TIME}",
    f"We resolved it at {TIME}.",
    f"- Resolved: {TIME}",
    f"- {TIME}: Resolved",
    "- 14:05 UTC - Resolved",
    f"| {TIME} | Resolved |",
    "**Next update** - 2026-11-25 20:00 UTC",
    "Fixed on 2026-11-25 at 19:00 UTC by a restart.",
    "### Fixed",
    "## What we know",
    "## Update - what we know",
    "## Resolved in three regions",
    "### v2.3.0 - 2026-11-25",
    "### Timeline of 2026-11-25",
    "### 2026-11-25",
    f"### What happened at {TIME}",
    "### Version 2 released 2026-11-25",
)


def file(line: str) -> str:
    return f"---\ntitle: x\n---\n\n## Investigating - 2026-11-25 18:00 UTC\nText\n\n{line}\n\nMore\n"


@pytest.mark.parametrize("dress", READ)
def test_one_reading_is_certain(dress: str) -> None:
    announcement, problems = parse(file(READ[dress]), "incidents/a.md")
    assert problems == ()
    assert announcement is not None
    assert [(each.status, f"{each.time:%Y-%m-%d %H:%M} UTC", each.body) for each in announcement.updates[1:]] == [
        ("resolved", TIME, "More")
    ]


@pytest.mark.parametrize("dress", REFUSED)
def test_all_else_is_an_error_that_shows_what_to_write(dress: str) -> None:
    line, shown = REFUSED[dress]
    announcement, problems = parse(file(line), "incidents/a.md")
    (problem,) = problems
    assert problem.severity == "error"
    assert problem.place.line == 8
    assert shown in problem.message
    assert announcement is None or len(announcement.updates) == 1


@pytest.mark.parametrize("line", TEXT)
def test_text_stays_text(line: str) -> None:
    announcement, problems = parse(file(line), "incidents/a.md")
    assert problems == ()
    assert announcement is not None
    (update,) = announcement.updates
    assert line in update.body


def test_the_table_is_long_enough() -> None:
    assert len(READ) + len(REFUSED) + len(TEXT) >= 60


def test_a_file_with_a_heading_that_is_nearly_one_is_told_once() -> None:
    for heading in ("## Investigatin - 2026-11-25 18:00 UTC", "**Investigating** - 2026-11-25 18:00 UTC"):
        announcement, problems = parse(f"---\ntitle: x\n---\n{heading}\nText\n", "a.md")
        assert announcement is None
        assert [each.severity for each in problems] == ["error"]


CONFLICTED = """---
title: x
---

## Investigating - 2026-11-25 18:00 UTC
Text
{}
"""


@pytest.mark.parametrize(
    ("lines", "at"),
    [
        (["<<<<<<< HEAD", "a", "=======", "b", ">>>>>>> 3f2a9c0 (update of b)"], [7, 9, 11]),
        (["<<<<<<< ours", "a", "||||||| base", "c", "=======", "b", ">>>>>>> theirs"], [7, 9, 11, 13]),
        (["<<<<<<<", "=======", ">>>>>>>"], [7, 8, 9]),
        ([">>>>>>> left over"], [7]),
        (["<<<<<<< left over"], [7]),
        (["||||||| left over"], [7]),
        (["```", "<<<<<<< HEAD", "a", "=======", "b", ">>>>>>> b", "```"], [8, 10, 12]),
    ],
)
def test_conflict_markers_are_errors(lines: list[str], at: list[int]) -> None:
    for end in ("\n", "\r\n"):
        announcement, problems = parse(CONFLICTED.format("\n".join(lines)).replace("\n", end), "incidents/a.md")
        assert announcement is None
        assert [(each.code, each.severity, each.place.line) for each in problems] == [
            ("conflict", "error", line) for line in at
        ]
        assert "`incidents/.gitattributes`" in problems[0].message


def test_conflict_markers_in_front_matter() -> None:
    text = "---\n<<<<<<< HEAD\ntitle: x\n=======\ntitle: y\n>>>>>>> b\n---\n## Resolved - 2026-11-25 18:00 UTC\nx\n"
    assert [(each.code, each.place.line) for each in parse(text, "a.md")[1]] == [
        ("conflict", 2),
        ("conflict", 4),
        ("conflict", 6),
    ]


@pytest.mark.parametrize(
    "text", ["A heading\n=======", "    <<<<<<< HEAD", "> > > > > > > deep", "<<<<<<<< eight", "x <<<<<<< y"]
)
def test_what_is_no_conflict_marker(text: str) -> None:
    announcement, _ = parse(CONFLICTED.format(text), "a.md")
    assert announcement is not None


EXAMPLES = int(os.environ.get("BROADCAST_EXAMPLES", "0")) or 300
BEFORE = st.sampled_from(["", " ", "   ", "    ", "\t", "> ", "- ", "1. ", "> - ", "#", "\u00a0", "* [ ] ", "\\"])
HASHES = st.sampled_from(["## ", "##", "### ", "# ", "##\u00a0", "", "**", "<h2>", "__", "`", "##  "])
WORDS = st.sampled_from(
    [
        "Resolved",
        "Identified",
        "✅ Resolved",
        "[Resolved]",
        "Fixed",
        "Update 2",
        "Behoben",
        "Completed",
        "_Resolved_",
        "Status: Resolved",
    ]
)
BETWEEN = st.sampled_from([" - ", " – ", ": ", " ", " (", " − ", " | ", "** - ", "-", " -> ", " at "])
TIMES = st.sampled_from(
    [
        "2026-11-25 19:00 UTC",
        "2026-11-25 19:01 UTC+2",
        "2026-11-25T19:02:03.4Z",
        "2026-11-25 2:00 PM UTC",
        "2026-11-25",
        "Nov 25, 2026",
    ]
)
AFTER = st.sampled_from(["", " ", "**", ")", " ##", "</h2>", "\n---", "\n===", "`", "."])
HEADINGS = st.tuples(BEFORE, HASHES, WORDS, BETWEEN, TIMES, AFTER).map("".join)
PROSE = st.sampled_from(
    ["", "Text", "```", "- item", "> quote", "<!--", "-->", "<details>", "| a | b |", "---", "    code"]
)


def seen_as_headings(body: str) -> list[str]:
    """What a person takes for the beginning of an update on GitHub: a heading of any level, anywhere, or a line that is
    bold at its beginning; with a time in it."""
    page = MarkdownIt("commonmark").enable("table").render(body)
    page = re.sub(r"<pre>.*?</pre>|<!--.*?(?:-->|\Z)", "", page, flags=re.DOTALL)
    marked = re.findall(r"<h[1-6]>(.*?)</h[1-6]>|<p>(<strong>.*?)(?:\n|</p>)", page, flags=re.DOTALL)
    texts = [re.sub(r"<[^>]*>", "", "".join(each)).partition("\n")[0] for each in marked]
    return [text for text in texts if "2026" in text and re.search(r"[Rr]esolved|[Ii]dentified|Investigating", text)]


@settings(max_examples=EXAMPLES)
@given(st.lists(HEADINGS | PROSE, max_size=6))
def test_in_a_file_without_a_problem_every_heading_that_one_sees_is_an_update(lines: list[str]) -> None:
    body = "## Investigating - 2026-11-25 18:00 UTC\nText\n\n" + "\n\n".join(lines) + "\n"
    announcement, problems = parse(f"---\ntitle: x\n---\n{body}", "a.md")
    if announcement is None or problems:
        return
    assert len(seen_as_headings(body)) == len(announcement.updates)
    for update in announcement.updates:
        assert seen_as_headings(update.body) == []
