from __future__ import annotations

import json

import pytest

from broadcast.errors import CredentialsError, LostAnswerError, RefusedError, UnprovableError
from broadcast.platforms.failures import GoneError, detail, field, harmless, judge, proving, redactor, retry_after

DATE = {"date": "Sun, 22 Nov 2026 14:05:00 GMT"}


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "30"}, 30.0),
        ({"retry-after": "Sun, 22 Nov 2026 14:06:00 GMT", **DATE}, 60.0),
        ({"x-rate-limit-reset": "1795356300", **DATE}, 0.0),
        ({"x-rate-limit-reset": "1795357200", **DATE}, 900.0),
        ({"ratelimit-reset": "1795356360", **DATE}, 60.0),
        ({"x-ratelimit-reset": "2026-11-22T14:10:00.123456Z", **DATE}, 300.123456),
        ({"x-rate-limit-reset": "99999999999", **DATE}, 86400.0),
        ({"retry-after": "999999999"}, 86400.0),
        ({"x-rate-limit-reset": "1795357200"}, None),
        ({"x-rate-limit-reset": "soon", **DATE}, None),
        ({"retry-after": "-1", **DATE}, None),
        (DATE, None),
        ({}, None),
    ],
)
def test_when_to_come_back(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after(headers) == seconds


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"error": "Validation failed"}, "Validation failed"),
        ({"error": "InvalidRequest", "message": "too big"}, "InvalidRequest: too big"),
        ({"title": "Forbidden", "detail": "duplicate content."}, "duplicate content."),
        (
            {"errors": [{"message": "text is too long"}], "title": "Invalid Request"},
            "Invalid Request: text is too long",
        ),
        ({"error": {"nested": 1}, "errors": [1, None]}, ""),
        ([], ""),
    ],
)
def test_the_servers_own_words(body: object, words: str) -> None:
    assert detail(json.dumps(body).encode()) == words


@pytest.mark.parametrize("body", [b"<html>", b"", b"\xff\xfe", b"[" * 100_000])
def test_no_words(body: bytes) -> None:
    assert detail(body) == ""


def test_words_are_made_fit_to_be_shown() -> None:
    clean = redactor(["s3cret/+", "", "s3cret/+more"])
    assert clean("a s3cret/+more b s3cret%2F%2B\n\x1b[31mc") == "a *** b *** [31mc"
    assert len(clean("x" * 1000)) == 300
    assert "s3cret" not in clean("x" * 290 + " s3cret/+")
    assert "s3c" not in clean(" " * 100_000 + "s3cret/+")


@pytest.mark.parametrize(
    ("status", "kind", "wait"),
    [
        (400, RefusedError, None),
        (401, CredentialsError, None),
        (404, GoneError, None),
        (408, LostAnswerError, None),
        (410, GoneError, None),
        (429, RefusedError, 5.0),
        (500, LostAnswerError, None),
        (599, LostAnswerError, None),
    ],
)
def test_what_a_status_means(status: int, kind: type[Exception], wait: float | None) -> None:
    error = judge("X")(status, "words", 5.0)
    assert type(error) is kind
    assert str(status) in str(error)
    assert getattr(error, "retry_after", None) == wait


def test_lost_answer_of_what_posts_nothing_is_a_refusal() -> None:
    with pytest.raises(RefusedError, match="gone"), harmless():
        raise LostAnswerError("gone")


@pytest.mark.parametrize("error", [LostAnswerError("a"), CredentialsError("b"), RefusedError("c"), KeyError("id")])
def test_nothing_is_proved_without_an_answer(error: Exception) -> None:
    with pytest.raises(UnprovableError, match="the posts could not be read"), proving("the posts"):
        raise error


def test_value_that_is_missing_leaves_it_open() -> None:
    assert field("X", {"data": {"id": 0}}, "data", "id") == 0
    answers: list[object] = [{}, {"data": None}, {"data": []}, [], "x", None]
    for answer in answers:
        with pytest.raises(LostAnswerError, match="data"):
            field("X", answer, "data", "id")
