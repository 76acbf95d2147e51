"""Servers that tell less than the description of their API says: what stands is found all the same."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from broadcast.errors import RefusedError, UnprovableError
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


@pytest.mark.parametrize("v2", [True, False])
def test_mastodon_that_knows_addresses_only_as_they_are_written(open_bench: Open, v2: bool) -> None:
    bench = open_bench("mastodon", has_instance_v2=v2, max_characters=300)
    strict = bench.answer(404, {"error": "Not Found"})
    bench.server.faults = lambda request, number: strict if request.path.endswith("/") else None
    with pytest.raises(RefusedError, match="takes 300 characters"):
        bench.connect()


@pytest.mark.parametrize("url", ["https://example.com/?a=1&copy=2&lt=3", "https://example.com/?a=%26amp;b&amp;c"])
def test_x_finds_a_post_whose_link_looks_like_html(open_bench: Open, url: str) -> None:
    bench = open_bench("x")
    connection = bench.connect()
    intents = bench.intents(connection, [bench.post(f"AT&T &copy <b> &amp; {url}"), bench.post("two")])
    there = sent(connection, intents)
    assert {part: ref.id for part, ref in connection.find(intents, None).items()} == {
        part: ref.id for part, ref in there.items()
    }


def test_x_whose_short_links_begin_with_each_other(open_bench: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    bench = open_bench("x")
    connection = bench.connect()
    links = [f"https://example.com/{10 - number}" for number in range(11)]
    intents = bench.intents(connection, [bench.post(" ".join(links))])
    there = sent(connection, intents)

    def counted(_: Request, page: Any) -> Any:
        for post in page["data"]:
            urls = [{"url": f"https://t.co/{number}", "expanded_url": link} for number, link in enumerate(links)]
            post |= {"text": " ".join(one["url"] for one in urls), "entities": {"urls": urls}}
        return page

    terse(bench, monkeypatch, "/tweets", counted)
    assert connection.find(intents, None)[1].id == there[1].id
