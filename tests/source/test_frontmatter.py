from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta

import pytest

from broadcast.model import Place
from broadcast.source.frontmatter import read_front_matter, schema


def found(text: str) -> list[tuple[str, int, int]]:
    return [(each.code, each.place.line, each.place.column) for each in read_front_matter(text, "a.md", 2).problems]


def messages(text: str) -> str:
    return "\n".join(each.message for each in read_front_matter(text, "a.md", 2).problems)


def test_values_are_what_was_written_not_what_yaml_makes_of_them() -> None:
    meta = read_front_matter(
        "title: No\nkind: maintenance\nversion: 2.10\ncomponents: [on, 1_000, 2026-01-02, API]\n"
        "starts: 2026-11-23T02:00Z\nends: '2026-11-23 04:00 UTC'\nupdate_every: 60m\nlanguage: no\ntags: [0x10]\n",
        "a.md",
        2,
    ).meta
    assert meta is not None
    assert (meta.title, meta.version, meta.language, meta.tags) == ("No", "2.10", "no", ("0x10",))
    assert meta.components == ("on", "1_000", "2026-01-02", "API")
    assert meta.starts == datetime(2026, 11, 23, 2, tzinfo=UTC)
    assert meta.ends == datetime(2026, 11, 23, 4, tzinfo=UTC)
    assert meta.update_every == timedelta(hours=1)


def test_every_problem_at_once_each_at_its_value() -> None:
    text = (
        "titel: x\nkind: release\nseverity: majr\ncomponents: API\nlink: example.com\nupdate_every: 60\n"
        "starts: 2026-11-23 02:00 CST\nlanguage: EN\ntags: [ok, '']\nchannels: {x: y}\n"
    )
    assert sorted(found(text), key=lambda each: each[1:]) == [
        ("missing-key", 1, 1),
        ("unknown-key", 2, 1),
        ("bad-value", 4, 11),
        ("bad-value", 5, 13),
        ("bad-value", 6, 7),
        ("bad-value", 7, 15),
        ("bad-value", 8, 9),
        ("bad-value", 9, 11),
        ("bad-value", 10, 12),
        ("bad-value", 11, 11),
    ]
    said = messages(text)
    for words in ("Did you mean `title`?", "Did you mean `major`?", "write `[API]`", "did you mean `60m`?"):
        assert words in said


def test_columns_count_characters() -> None:
    assert found("title: x\ntags: [🎉🎉, {a: b}]") == [("bad-value", 3, 12)]


def test_a_key_without_a_value_is_as_if_it_were_not_there() -> None:
    read = read_front_matter("title: x\nseverity:\nchannels:\nversion: ''\n", "a.md", 2)
    assert [each.message for each in read.problems] == ["`version`: it is empty"]
    assert read.meta is not None
    assert (read.meta.severity, read.meta.channels) == (None, None)


def test_an_empty_list_of_channels_is_a_list() -> None:
    meta = read_front_matter("title: x\nchannels: []\n", "a.md", 2).meta
    assert meta is not None
    assert meta.channels == ()


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        ("title: a: b", "bad-yaml", "quotes"),
        ("title: 'x", "bad-yaml", "not YAML"),
        ("title: &a x", "bad-yaml", "anchors"),
        ("title: x\ntags: *a", "bad-yaml", "aliases"),
        ("title: !!python/object/apply:os.system [ls]", "bad-yaml", "tags"),
        ("title: !x y", "bad-yaml", "tags"),
        ("- title", "bad-yaml", "list of keys"),
        ("? [a]\n: b", "bad-yaml", "a key must be a word"),
        ("title: x\n--- \na: b", "bad-yaml", "one document"),
        ("title: x\ntitle: y", "duplicate-key", "line 2 already"),
        ("title: x\n<<: {a: b}", "unknown-key", "no key"),
        ("title: [a, b]", "bad-value", "one text"),
        ("title: " + "x" * 301, "bad-value", "300"),
        ("title: x\n" + "#" * 70_000, "bad-yaml", "longer than"),
        ("title: x\ntags: [" + "a," * 3000 + "]", "bad-yaml", "too many"),
        ("title: x\nlink: javascript:alert(1)", "bad-value", "https://"),
        ("title: x\nlink: 'http://[1'", "bad-value", "https://"),
    ],
)
def test_what_front_matter_may_not_be(text: str, code: str, words: str) -> None:
    problems = read_front_matter(text, "a.md", 2).problems
    assert [each.code for each in problems] == [code]
    assert words in problems[0].message


def test_the_first_of_two_equal_keys_is_pointed_at() -> None:
    (problem,) = read_front_matter("title: x\nseverity: minor\ntitle: y", "dir/a.md", 2).problems
    assert problem.place == Place("dir/a.md", 4, 1)


@pytest.mark.parametrize(
    "text", ["[" * 60_000, "{" * 60_000, "a: [" * 15_000, "- " * 30_000, "a:\n - " * 9_000, "? " * 30_000, "'" * 60_000]
)
def test_hostile_yaml_takes_no_time(text: str) -> None:
    before = time.process_time()
    assert read_front_matter(text, "a.md", 2).problems
    assert time.process_time() - before < 1


def test_the_schema_is_json_and_takes_what_editors_see_as_numbers() -> None:
    made = json.loads(json.dumps(schema()))
    assert made["additionalProperties"] is False
    assert made["required"] == ["title"]
    assert "number" in json.dumps(made["properties"]["version"])
