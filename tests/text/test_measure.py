"""What the platforms count: their own conformance files, their libraries, and cases they get wrong in others."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from broadcast.text import measure, twitter

SHARED = Path(os.environ.get("BROADCAST_SHARED", Path(__file__).parents[3] / "shared"))
EXAMPLES = int(os.environ.get("BROADCAST_EXAMPLES", "0"))


def conformance(name: str) -> dict[str, list[dict[str, Any]]]:
    path = SHARED / "data" / "twitter-text" / name
    if not path.is_file():
        pytest.skip(f"the conformance files of twitter-text are not at {path}; set BROADCAST_SHARED")
    tests: dict[str, list[dict[str, Any]]] = yaml.load(path.read_text("utf-8"), yaml.CSafeLoader)["tests"]
    return tests


# The other counter section, WeightedTweetsCounterTest, is configuration v2: it counts each code point of an emoji.
# These of its cases differ for that reason alone.
V2_ONLY = {
    "Count a mix of single byte single word, and double word unicode characters": (16, 7),
    "Count unicode emoji chars outside the basic multilingual plane with skin tone modifiers": (9, 4),
}


@pytest.mark.parametrize(
    "section", ["WeightedTweetsWithDiscountedEmojiCounterTest", "UnicodeDirectionalMarkerCounterTest"]
)
def test_conformance_of_x_counts(section: str) -> None:
    cases = conformance("validate.yml")[section]
    assert cases
    for case in cases:
        assert measure.weighted(case["text"]) == case["expected"]["weightedLength"], case["description"]


def test_conformance_of_x_counts_of_version_2() -> None:
    seen = set()
    for case in conformance("validate.yml")["WeightedTweetsCounterTest"]:
        expected = case["expected"]["weightedLength"]
        if case["description"] in V2_ONLY:
            v2, v3 = V2_ONLY[case["description"]]
            assert expected == v2
            expected = v3
            seen.add(case["description"])
        if "\u200c" not in case["text"]:  # a joiner between spaces, where v3 has another case
            assert measure.weighted(case["text"]) == expected, case["description"]
    assert seen == set(V2_ONLY)


@pytest.mark.parametrize(
    "section", ["urls", "urls_with_indices", "urls_with_directional_markers", "tco_urls_with_params"]
)
def test_conformance_of_x_urls(section: str) -> None:
    for case in conformance("extract.yml")[section]:
        text = case["text"]
        expected = [entry["url"] if isinstance(entry, dict) else entry for entry in case["expected"]]
        assert [text[start:end] for start, end in twitter.urls(text)] == expected, case["description"]


HARD = [
    *(
        "a",
        ".",
        "com",
        "-",
        "_",
        "/",
        "http://",
        "https://",
        "t.co/",
        "日本",
        "é",
        "ж",
        "@",
        "#",
        "$",
        "(",
        ")",
        "?",
        "=",
    ),
    *(
        "&",
        " ",
        "\n",
        "😀",
        "👨\u200d👩\u200d👧",
        "1",
        "\u20e3",
        "\ufe0f",
        "©",
        "co",
        "uk",
        "xn--",
        "b1",
        "~",
        "!",
        ":",
        "80",
    ),
    *(
        "%",
        "'",
        '"',
        ",",
        ";",
        "\u3000",
        "\u202f",
        "\u200e",
        "です",
        "。",
        "…",
        "“",
        "e\u0301",
        "ー",
        "[",
        "]",
        "|",
        "+",
    ),
    *("*", "\u200d", "\u0301", "–", "`", "\x1d", "jp", "\r\n", "\u2028", "museum"),
]


@settings(max_examples=EXAMPLES or 300, derandomize=not EXAMPLES, database=None, deadline=None)
@given(st.one_of(st.lists(st.sampled_from(HARD), max_size=30).map("".join), st.text(max_size=120)))
def test_x_counts_what_twitter_text_counts(text: str) -> None:
    assert measure.weighted(text) == twitter.library("parse_tweet").parse_tweet(text).weightedLength


def test_x_counts_as_twitter_text_does_where_a_domain_comes_twice() -> None:
    text = "\u20e3–t.co/–t.co/"
    assert measure.weighted(text) == twitter.library("parse_tweet").parse_tweet(text).weightedLength == 27


def test_x_counts_as_twitter_text_does_on_prose() -> None:
    text = "We see errors on ci.jenkins.io (HTTP 502), e.g. https://a.io/x?y=1. Fix: `file.py`, v2.0 — soon™. " * 3
    assert measure.weighted(text) == twitter.library("parse_tweet").parse_tweet(text).weightedLength


@pytest.mark.parametrize(
    "word", ["a." * 2000, "www." * 1000, "日本" * 2000 + ".q", "ж" * 4000 + ".q", "a-" * 2000 + ".com/b.c"]
)
def test_a_hostile_word_is_counted_in_time(word: str) -> None:
    start = time.process_time()
    measure.weighted(word)
    measure.mastodon()("https://" + word)
    assert time.process_time() - start < 5  # the library alone takes minutes for the first two


def test_twitter_text_needs_no_setuptools() -> None:
    code = (
        "import sys; from importlib.abc import MetaPathFinder\n"
        "class Gone(MetaPathFinder):\n"
        "    def find_spec(self, name, path, target=None):\n"
        "        if name == 'pkg_resources': raise ModuleNotFoundError(name)\n"
        "sys.meta_path.insert(0, Gone())\n"
        "from broadcast.text import measure\n"
        "print(measure.weighted('😀 a.com'), 'pkg_resources' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-X", "utf8", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "26 False\n"


def test_a_word_that_no_post_has_room_for_is_counted_without_its_urls() -> None:
    assert measure.weighted("ü.com/" + "a" * 10_000) == 10_006


@pytest.mark.parametrize(
    ("text", "graphemes"),
    [
        ("👨‍👩‍👧‍👦", 1),
        ("🇩🇪🇫🇷", 2),
        ("👍🏽", 1),
        ("1\ufe0f\u20e3", 1),
        ("क्षत्रिय", 3),
        ("\u1112\u1161\u11ab\u1100\u1173\u11af", 2),  # Hangul as jamo: 한글
        ("각", 1),
        ("🏴󠁧󠁢󠁥󠁮󠁧󠁿", 1),
        ("🐦‍🔥", 1),  # Emoji 15.1
        ("🧑‍🧑‍🧒‍🧒", 1),  # Emoji 15.1
        ("🙂‍↕️", 1),
        ("e\u0301", 1),
        ("a\r\nb", 3),
        ("ไทย", 3),
        ("", 0),
    ],
)
def test_graphemes(text: str, graphemes: int) -> None:
    assert measure.graphemes(text) == graphemes


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("Hi https://example.com/a/very/long/path?with=a&query=string#fragment", 26),
        ("https://t.co", 23),
        ("example.com", 11),  # no scheme, no link
        ("http://localhost:8080/x", 23),
        ("http://localhost:8080/xy", 24),  # no domain, no link: counted in full
        ("gemini://example.com/a/b/c/d/e/f/g/h", 23),
        ("@ada@social.example.org", 4),
        ("@ada.lovelace@social.example.org, hello", 20),
        ("@ada", 4),
        ("ada@example.com", 15),
        ("https://mastodon.social/@ada@example.com", 23),
        ("(https://en.wikipedia.org/wiki/A_(b))", 25),
        ("https://example.com/a.", 24),
        ("https://example.com/a,b", 23),
        ("https://example.com/日本語", 23),
        ("日本語https://example.com/x", 26),
        ("xhttps://example.com/xyz", 24),
        ("👨‍👩‍👧‍👦 https://example.com", 25),
        ("https://a.de\nhttps://b.de", 47),
    ],
)
def test_mastodon(text: str, length: int) -> None:
    assert measure.mastodon()(text) == length


def test_a_server_says_what_it_reserves_for_a_url() -> None:
    assert measure.mastodon(40)("https://a.de x") == 42


@pytest.mark.parametrize(
    ("text", "links"),
    [
        ("see file.py, node.js and v2.0", ["file.py"]),  # .py is Paraguay; .js is nobody's
        ("ci.jenkins.io is down", ["ci.jenkins.io"]),
        ("ada@example.com", []),
        ("https://example.com/a_(b)_c, and", ["https://example.com/a_(b)_c"]),
    ],
)
def test_what_x_makes_a_link_of(text: str, links: list[str]) -> None:
    assert [text[start:end] for start, end in measure.x_links(text)] == links
