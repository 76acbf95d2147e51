from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from broadcast.rehearsal.base import Request
from broadcast.rehearsal.forms import BodyError, Upload, read


def as_sent(**kwargs: Any) -> Request:
    """A request as the library of the SDKs encodes it."""
    sent = requests.Request("POST", "http://127.0.0.1/", **kwargs).prepare()
    body = sent.body.encode() if isinstance(sent.body, str) else sent.body or b""
    return Request("POST", "/", "", headers={name.lower(): value for name, value in sent.headers.items()}, body=body)


def raw(kind: str, body: bytes) -> Request:
    return Request("POST", "/", "", headers={"content-type": kind}, body=body)


@given(st.binary(max_size=300), st.text(st.characters(exclude_categories=["Cs"]), max_size=50))
def test_multipart_keeps_every_byte(data: bytes, text: str) -> None:
    form = read(as_sent(files={"media": ("a.png", data, "image/png")}, data={"description": text, "ids[]": ["1", "2"]}))
    assert form == {"media": Upload(data, "image/png"), "description": text, "ids": ["1", "2"]}


@pytest.mark.parametrize("data", [b"\r\n", b"--", b"\r\n--", b"\n\n", b"\r\n\r\n", b"a\r\n"])
def test_multipart_keeps_line_ends(data: bytes) -> None:
    assert read(as_sent(files={"media": data}))["media"].data == data


@given(st.dictionaries(st.text("abc", min_size=1), st.text(st.characters(exclude_categories=["Cs"]))))
def test_forms_and_json(values: dict[str, str]) -> None:
    assert read(as_sent(data=values)) == values
    assert read(as_sent(json=values)) == values


def test_a_request_without_a_body() -> None:
    assert read(raw("", b"")) == {}


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("text/plain", b"x"),
        ("application/json", b"{"),
        ("application/json", b"[]"),
        ("application/json", b'{"a": "\\ud800"}'),
        ("application/json", b"[" * 100_000),
        ("application/json", b"\xff"),
        ("application/x-www-form-urlencoded", b"\xff"),
        ("application/x-www-form-urlencoded", b"a=1&" * 1001),
        ("multipart/form-data", b"x"),
        ("multipart/form-data; boundary=b", b"x"),
        ("multipart/form-data; boundary=b", b"--b\r\n\r\n--b\r\n"),
        ("multipart/form-data; boundary=b", b"--b\r\n\r\nno name\r\n--b--\r\n"),
    ],
)
def test_bodies_that_say_nothing(kind: str, body: bytes) -> None:
    with pytest.raises(BodyError):
        read(raw(kind, body))


@given(
    st.sampled_from(["application/json", "application/x-www-form-urlencoded", "multipart/form-data; boundary=b"]),
    st.lists(
        st.sampled_from([b"--b", b"\r\n", b"--", b'name="a"', b";", b"[]", b"=", b"{", b'"', b"\xff", b"filename="])
    ),
)
def test_no_body_breaks_it(kind: str, pieces: list[bytes]) -> None:
    with suppress(BodyError):
        assert isinstance(read(raw(kind, b"".join(pieces))), dict)
