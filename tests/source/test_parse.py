from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from broadcast.model import Announcement, Place, Problem
from broadcast.source.parse import parse
from broadcast.source.problems import CODES

HEAD = "---\ntitle: Elevated errors\nseverity: major\n---\n"
FIRST = "## Investigating - 2026-11-22 14:05 UTC\n"


def announced(text: str, path: str = "incidents/a.md") -> Announcement:
    announcement, problems = parse(text, path)
    assert announcement is not None, problems
    assert [each for each in problems if each.severity == "error"] == []
    return announcement


def problems(text: str, path: str = "incidents/a.md") -> list[tuple[str, int, int]]:
    return [(each.code, each.place.line, each.place.column) for each in parse(text, path)[1]]


def only_problem(text: str) -> Problem:
    (problem,) = parse(text, "incidents/a.md")[1]
    return problem


def test_an_incident_from_beginning_to_end() -> None:
    told = announced(
        HEAD + "\n## Resolved – 2026-11-22T16:40+01:00\nFixed.\n\n\n"
        "## investigating @ 2026-11-22 14:05 UTC\n\n\nWe see *errors*.  \n\n- one\n- two\n"
    )
    assert (told.slug, told.title, told.kind, told.severity, told.language, told.intro) == (
        "a",
        "Elevated errors",
        "incident",
        "major",
        "en",
        "",
    )
    first, second = told.updates
    assert (first.status, first.time) == ("investigating", datetime(2026, 11, 22, 14, 5, tzinfo=UTC))
    assert first.body == "We see *errors*.  \n\n- one\n- two"
    assert (first.place, first.body_line) == (Place("incidents/a.md", 10), 13)
    assert (second.status, second.time) == ("resolved", datetime(2026, 11, 22, 15, 40, tzinfo=UTC))
    assert (second.body, second.place.line, second.body_line) == ("Fixed.", 6, 7)


@pytest.mark.parametrize("separator", ["-", "–", "—", "·", "@"])
def test_separators(separator: str) -> None:
    kind = "---\ntitle: x\nkind: maintenance\n---\n"
    for space in (" ", ""):
        text = f"{kind}## In progress{space}{separator}{space}2026-11-22 14:05 UTC\nx\n"
        assert announced(text).updates[0].status == "in progress"


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_line_ends_and_byte_order_marks(line_end: str) -> None:
    text = "\ufeff" + (HEAD + FIRST + "One\n\nTwo\n").replace("\n", line_end)
    (update,) = announced(text).updates
    assert (update.body, update.place.line) == ("One\n\nTwo", 5)


def test_a_release_needs_no_heading() -> None:
    text = "---\ntitle: 2026\nkind: release\nversion: 2.10\ndate: 2026-11-19 10:00 UTC\n---\n\nIt is *out*.\n"
    told = announced(text)
    assert (told.title, told.version) == ("2026", "2.10")
    (update,) = told.updates
    assert (update.status, update.body, update.body_line, update.place) == (
        "released",
        "It is *out*.",
        8,
        Place("incidents/a.md", 5, 7),
    )
    assert only_problem(text.replace("date: 2026-11-19 10:00 UTC\n", "")).code == "missing-date"
    assert problems(text.replace(" UTC", "")) == [("bad-value", 5, 7)]


def test_a_date_beside_headings_has_no_effect() -> None:
    head = "---\ntitle: x\ndate: 2026-11-01 10:00 UTC\n---\n"
    assert problems(head + FIRST + "x") == [("unused-date", 3, 7)]
    assert problems(head + "## Investigating - 2026-11-01 10:00 UTC\nx") == []


@pytest.mark.parametrize(
    "hidden",
    [
        "```\n## Resolved - 2026-11-22 15:00 UTC\n```",
        "~~~~ text\n```\n## Resolved - 2026-11-22 15:00 UTC\n~~~~",
        "<!--\n## Resolved - 2026-11-22 15:00 UTC\n-->",
        r"\## Resolved - 2026-11-22 15:00 UTC",
        "## What we know",
        "## Update - what we know",
    ],
)
def test_what_looks_like_an_update_and_is_content(hidden: str) -> None:
    text = HEAD + FIRST + "Text\n\n" + hidden + "\n\nMore\n"
    assert problems(text) == []
    (update,) = announced(text).updates
    assert update.body == f"Text\n\n{hidden}\n\nMore"


@pytest.mark.parametrize(
    "heading", ["## **Resolved** - `2026-11-22 15:00 UTC`", "Resolved - 2026-11-22 15:00 UTC\n---"]
)
def test_other_ways_to_write_a_heading(heading: str) -> None:
    told = announced(HEAD + FIRST + "Text\n\n" + heading + "\nDone\n")
    assert [(each.status, each.body) for each in told.updates] == [("investigating", "Text"), ("resolved", "Done")]


@pytest.mark.parametrize(
    ("heading", "code", "severity", "column", "words"),
    [
        (
            "## Reslved - 2026-11-22 15:00 UTC",
            "misspelled-status",
            "error",
            1,
            "`## Resolved - 2026-11-22 15:00 UTC`",
        ),
        ("## Completed - 2026-11-22 15:00 UTC", "wrong-status", "error", 4, "a status of maintenance"),
        ("## Resolved - 2026-11-22 15:00", "bad-time", "error", 15, "write `2026-11-22 15:00 UTC`"),
        ("## Resolved - 2026-11-22", "bad-time", "error", 15, "no time of day"),
        ("## Resolved - 22.11.2026 15:00 UTC", "bad-time", "error", 15, "2026-11-22 14:05 UTC"),
        ("## Resolved - 2026-11-22 15:00 CST", "bad-time", "error", 15, "-06:00".replace("-06", "+01")),
        ("## Resolved 2026-11-22 15:00 UTC", "no-separator", "error", 1, "`## Resolved - 2026-11-22 15:00 UTC`"),
        ("## Resolved: 2026-11-22 15:00 UTC", "no-separator", "error", 1, "with a `-`"),
        ("## Resolved", "heading-without-time", "warning", 1, "`Resolved - 2026-11-22 14:05 UTC`"),
        ("## Resolved:", "heading-without-time", "warning", 1, "only with a time"),
        ("### Resolved - 2026-11-22 15:00 UTC", "heading-level", "error", 1, "## Resolved"),
        ("# Resolved - 2026-11-22 15:00 UTC", "heading-level", "error", 1, "## Resolved"),
    ],
)
def test_what_is_nearly_an_update(heading: str, code: str, severity: str, column: int, words: str) -> None:
    problem = only_problem(HEAD + FIRST + "Text\n\n" + heading + "\nDone\n")
    assert (problem.code, problem.severity) == (code, severity)
    assert problem.place == Place("incidents/a.md", 8, column)
    assert words in problem.message


def test_a_file_whose_only_heading_is_nearly_an_update_is_told_once() -> None:
    assert problems(HEAD + "## Investigating - 2026-11-22 14:05\nx") == [("bad-time", 5, 20)]


def test_two_updates_at_one_time() -> None:
    text = HEAD + FIRST + "a\n\n## Identified - 2026-11-22 15:05 +01:00\nb\n"
    problem = only_problem(text)
    assert (problem.code, problem.place.line) == ("same-time", 8)
    assert "in line 5" in problem.message


def test_text_before_the_first_update_is_for_the_page() -> None:
    text = HEAD + "\nBackground.\n\n" + FIRST + "x"
    told, found = parse(text, "a.md")
    assert told is not None
    assert told.intro == "Background."
    assert [(each.code, each.severity, each.place.line) for each in found] == [("intro-not-posted", "warning", 6)]


def test_a_text_for_one_channel_is_taken_out_and_nothing_else_moves() -> None:
    text = HEAD + FIRST + "Before ![](x.png)\n\n```post x\nShort.\n\n  Really.\n```\n\nAfter\n"
    (update,) = announced(text).updates
    assert update.overrides == {"x": "Short.\n\n  Really."}
    assert update.override_places == {"x": Place("incidents/a.md", 8)}
    lines = update.body.split("\n")
    assert (lines[0], lines[-1]) == ("Before ![](x.png)", "After")
    assert text.split("\n")[update.body_line - 1 + lines.index("After")] == "After"


@pytest.mark.parametrize(
    ("block", "words"),
    [
        ("```post\nx\n```", "the name of one"),
        ("```post a b\nx\n```", "the name of one"),
        ("```post ../x\nx\n```", "the name of one"),
        ("```post x\nx\n```\n\n~~~post x\ny\n~~~", "already"),
        ("```post x\n\n```", "empty"),
    ],
)
def test_overrides_that_are_none(block: str, words: str) -> None:
    problem = only_problem(HEAD + FIRST + "Text\n\n" + block)
    assert problem.code == "bad-override"
    assert words in problem.message


def test_an_override_outside_of_an_update() -> None:
    assert ("bad-override", 5, 1) in problems(HEAD + "```post x\nx\n```\n" + FIRST + "Text")


@pytest.mark.parametrize("heading", ["## Investigating", "# Hello"])
def test_a_file_without_any_update_is_an_error(heading: str) -> None:
    announcement, found = parse(HEAD + heading + "\nText\n", "a.md")
    assert announcement is None
    assert [each.code for each in found if each.severity == "error"] == ["missing-date"]


@pytest.mark.parametrize("block", ["```\nx", "~~~~post x\nx\n~~~", "<!-- x\n", "<pre>\nx\n\nx", "````\n```\nx"])
def test_a_block_that_is_never_closed_hides_the_rest(block: str) -> None:
    text = HEAD + FIRST + "Text\n\n" + block + "\n\n## Resolved - 2026-11-22 15:00 UTC\nDone\n"
    assert ("unclosed-block", 8, 1) in problems(text)


def test_blocks_that_are_closed_by_the_end_of_the_file() -> None:
    for block in ("```\nx\n```", "```\nx\n````  ", "<!-- x -->", "<pre>x</pre>", "<div>\nx\n</div>"):
        assert problems(HEAD + FIRST + "Text\n\n" + block) == []


@pytest.mark.parametrize("name", ["a b.md", "a/..b.md", "é.md", "-a.md", "a..md", "index.md", "x" * 121 + ".md", ".md"])
def test_names_that_cannot_be_urls(name: str) -> None:
    announcement, found = parse(HEAD + FIRST + "x", f"incidents/{name}")
    assert announcement is None
    assert [each.code for each in found] == ["bad-slug"]


@pytest.mark.parametrize("name", ["2026-01-13-ci.jenkins.io-oom", "AKS--x_1", "a", "2022-10-19-ci.j-maintenance"])
def test_names_that_can(name: str) -> None:
    assert announced(HEAD + FIRST + "x", f"incidents/deep/{name}.md").slug == name


def test_the_language_is_the_files_or_the_projects_or_in_the_name() -> None:
    french = HEAD.replace("---\n", "---\nlanguage: fr\n", 1)
    assert announced(french + FIRST + "x").language == "fr"
    assert announced(HEAD + FIRST + "x").language == "en"
    told, _ = parse(HEAD + FIRST + "x", "a.pt-BR.md", translation=True)
    assert told is not None
    assert (told.slug, told.language) == ("a", "pt-BR")
    _, found = parse(french + FIRST + "x", "a.de.md", translation=True)
    assert [(each.code, each.place.line) for each in found] == [("language-mismatch", 2)]


@pytest.mark.parametrize(
    "text", ["", "hello", "---\ntitle: x\n", "\n---\ntitle: x\n---\n", "+++\ntitle = 'x'\n+++\n", "{}"]
)
def test_files_without_front_matter(text: str) -> None:
    announcement, found = parse(text, "a.md")
    assert announcement is None
    assert [each.code for each in found] == ["no-front-matter"]


def test_invisible_characters_are_pointed_at() -> None:
    text = HEAD + FIRST + "One \x1b[31mred\nTwo \u202e\x00\n"
    assert problems(text) == [("control-character", 6, 5), ("bidi-control", 7, 5), ("control-character", 7, 6)]
    assert len(problems(HEAD + FIRST + "\x07" * 5000)) == 20


def test_every_problem_of_a_file_at_once() -> None:
    text = "---\nseverity: majr\nstart: x\n---\nHello\n\n" + FIRST + "a\n\n" + FIRST + "b\n\n```post\nx\n```\n## Done\n"
    assert [code for code, *_ in problems(text)] == [
        "missing-key",
        "bad-value",
        "unknown-key",
        "intro-not-posted",
        "same-time",
        "bad-override",
    ]


pieces = st.sampled_from(
    [
        "---\n",
        "title: x\n",
        "kind: release\n",
        FIRST,
        "## ",
        "Resolved",
        " - ",
        "2026-11-22 15:00 UTC",
        "\n",
        "```post x\n",
        "```",
        "<!--",
        "-->",
        "- ",
        "> ",
        "    ",
        "\r",
        "\x00",
        "&a ",
        "*a",
        "[",
        "![",
        "](",
        "date: ",
        "{",
        "\ud800",
        "🎉",
    ]
)


@settings(deadline=None)
@given(st.lists(pieces | st.text(max_size=5), max_size=40).map("".join))
def test_no_text_is_too_strange(text: str) -> None:
    for content in (text, HEAD + text, HEAD + FIRST + text):
        told, found = parse(content, "a.md")
        count = content.count("\n") + content.count("\r") + 1
        for each in found:
            assert CODES[each.code][0] == each.severity
            assert 1 <= each.place.line <= count
            assert each.place.column >= 1
        assert told is not None or any(each.severity == "error" for each in found)
        if told is not None:
            times = [update.time for update in told.updates]
            assert times == sorted(set(times))


@pytest.mark.parametrize(
    "unit",
    [
        "## Resolved - 2026-11-22 15:00 UTC\n",
        "[a]: b\n",
        "[",
        "> ",
        "- a\n",
        "```post x\n",
        "<!--",
        "## Resolved      ",
        "a\n",
    ],
)
def test_time_grows_with_the_length_of_a_text_and_no_faster(unit: str) -> None:
    def seconds(length: int) -> float:
        text = HEAD + FIRST + unit * (length // len(unit))
        before = time.process_time()
        parse(text, "a.md")
        return time.process_time() - before

    small = min(seconds(16_000) for _ in range(3))
    # 16 times the length in less than 64 times the time (a quadratic parser takes 256 times), or in no time at all.
    assert seconds(256_000) < max(small * 64, 0.5)
