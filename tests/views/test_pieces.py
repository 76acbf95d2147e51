from __future__ import annotations

import time

from hypothesis import given
from hypothesis import strategies as st

from broadcast.model import Facet, Post
from broadcast.views.groups import size
from broadcast.views.pieces import named_links, pieces
from broadcast.visible import line, visible


def test_offsets_are_bytes() -> None:
    text = "🔴 süß here"
    start = len("🔴 ".encode())
    assert list(pieces(text, [(start, start + len("süß".encode()), "u")])) == [
        ("🔴 ", None),
        ("süß", "u"),
        (" here", None),
    ]


def test_marks_that_overlap_or_reach_too_far_are_passed_over() -> None:
    assert list(pieces("abcdef", [(0, 3, "a"), (2, 4, "b"), (5, 9, "c"), (4, 4, "d")])) == [("abc", "a"), ("def", None)]


@given(st.text(), st.lists(st.tuples(st.integers(-2, 40), st.integers(-2, 40), st.just("u"))))
def test_no_text_is_lost(text: str, marks: list[tuple[int, int, str]]) -> None:
    data = b"".join(words.encode() for words, _ in pieces(text, marks) if "\ufffd" not in words)
    if all("\ufffd" not in words for words, _ in pieces(text, marks)):
        assert data.decode() == text.encode(errors="replace").decode()


def test_many_links_take_linear_time() -> None:
    marks = [(index * 10, index * 10 + 5, "u") for index in range(100_000)]
    start = time.perf_counter()
    assert sum(1 for _ in pieces("x" * 1_000_000, marks)) == 200_000
    assert time.perf_counter() - start < 5


def test_named_links() -> None:
    post = Post("see docs https://a.b", 20, (Facet("link", "https://d.e", 4, 8), Facet("link", "https://a.b", 9, 20)))
    assert named_links(post) == [("docs", "https://d.e")]


@given(st.text())
def test_nothing_that_a_terminal_obeys_is_left(text: str) -> None:
    shown = visible(text)
    assert not any(character < " " and character not in "\n\t" for character in shown)
    assert not any("\x7f" <= character <= "\x9f" or "\u202a" <= character <= "\u202e" for character in shown)
    assert "\n" not in line(text)


def test_what_was_hidden_is_shown() -> None:
    assert visible("a\x1b[31m\x07\x7f\x9b\r\nb\u202ec") == "a␛[31m␇␡\ufffd\nb\ufffdc"


def test_a_limit_that_nobody_reaches_is_not_told() -> None:
    assert size(264, 280) == "264/280"
    assert size(264, 1_000_000) == "264"
