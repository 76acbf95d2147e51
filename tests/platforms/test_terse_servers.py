"""Servers that tell less than the description of their API says: what stands is found all the same."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from broadcast.errors import UnprovableError
from broadcast.model import Media
from broadcast.platforms import mastodon_api
from broadcast.rehearsal.base import Request, Response
from kit import sent

if TYPE_CHECKING:
    from platforms.conftest import Bench, Open


def terse(bench: Bench, monkeypatch: pytest.MonkeyPatch, path: str, edit: Callable[[Request, Any], Any]) -> None:
    """Let the server leave something out of its answers to GET requests for this path."""
    whole = bench.server.exchange

    def exchange(request: Request) -> tuple[Response | None, bool]:
        response, later = whole(request)
        if response and request.method == "GET" and path in request.path:
            body = json.dumps(edit(request, json.loads(response.body))).encode()
            response = Response(response.status, body, {**response.headers, "Content-Type": "application/json"})
        return response, later

    monkeypatch.setattr(bench.server, "exchange", exchange)


def test_x_that_does_not_tell_what_a_post_answers(open_bench: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    bench = open_bench("x")
    connection = bench.connect()
    intents = bench.intents(connection, [bench.post(text) for text in ("one", "two", "three")])
    there = sent(connection, intents)

    def bare(_: Request, page: Any) -> Any:
        return {"data": [{"id": post["id"], "text": post["text"]} for post in page["data"]]}

    terse(bench, monkeypatch, "/tweets", bare)
    assert {part: ref.id for part, ref in connection.find(intents, None).items()} == {
        part: ref.id for part, ref in there.items()
    }
    other = bench.intents(connection, [bench.post(text) for text in ("four", "two")])
    with pytest.raises(UnprovableError, match="part 2 stands, but a part before it does not"):
        bench.connect().find(other, None)
    assert connection.find(bench.intents(connection, [bench.post("five")]), None) == {}


def test_mastodon_that_does_not_turn_pages(open_bench: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    bench = open_bench("mastodon")
    connection = bench.connect()
    intents = bench.intents(connection, [bench.post("one"), bench.post("two")])
    there = sent(connection, intents)
    first: list[Any] = []

    def same(_: Request, page: Any) -> Any:
        first[:] = first or page
        return first

    terse(bench, monkeypatch, "/statuses", same)
    assert connection.find(intents, None) == there
    absent = bench.intents(connection, [bench.post("three")])
    assert connection.find(absent, None) == {}
    monkeypatch.setattr(mastodon_api, "PAGE", len(first))  # a full page: there may be more
    with pytest.raises(UnprovableError, match="more than"):
        connection.find(absent, None)


def test_mastodon_that_does_not_tell_where_a_file_is(open_bench: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    bench = open_bench("mastodon", media_polls=2)
    asked: list[str] = []

    def bare(request: Request, media: Any) -> Any:
        asked.append(request.path)
        return {"id": media["id"], "type": media["type"]}

    terse(bench, monkeypatch, "/media", bare)
    bench.publish(bench.connect(), [bench.post("one", Media("errors.jpg", "A line"))])
    assert len(asked) == 2
    assert [item.alt for item in bench.standing()[0].media] == ["A line"]
