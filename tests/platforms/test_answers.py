"""A server may answer anything: an id of another form is a lost answer and goes into no request, and an address that is
not the server's own is not kept."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest

from broadcast.errors import LostAnswerError, SendError, UnprovableError
from broadcast.model import Media, Ref
from broadcast.platforms import guard
from broadcast.platforms.base import Connection, Workspace
from broadcast.rehearsal.base import Request
from broadcast.rehearsal.server import Fault
from kit import sent

if TYPE_CHECKING:
    from platforms.conftest import Bench, Open

WAY = "5/../../../v1/profile/header?x="
IDS = [WAY, "..", "5?x", "5\r\nx", "5 6", "\x1b[2J", "", "5" * 600]
POSTED: dict[str, Any] = {"x": lambda value: {"data": {"id": value}}, "mastodon": lambda value: {"id": value}}


def connected(bench: Bench) -> Connection:
    """As publishing is connected."""
    connection = guard.connect(bench.channel, bench.secrets, Workspace(bench.root, datetime.now(UTC)))
    bench.stack.callback(connection.close)
    return connection


@pytest.mark.parametrize("name", POSTED)
@pytest.mark.parametrize("value", IDS)
def test_an_id_of_another_form_is_a_lost_answer(open_bench: Open, name: str, value: str) -> None:
    bench = open_bench(name)
    connection = connected(bench)
    intents = bench.intents(connection, [bench.post("One"), bench.post("Two")])
    bench.fail(bench.answer(200, POSTED[name](value)))
    before = len(bench.server.log)
    with pytest.raises(LostAnswerError):
        sent(connection, intents)
    assert len(bench.server.log) == before + 1  # nothing answers a post that nobody knows


def test_an_id_of_another_form_in_a_list_proves_nothing(open_bench: Open) -> None:
    bench = open_bench("x")
    connection = connected(bench)
    intents = bench.intents(connection, [bench.post("One")])
    bench.fail(
        bench.answer(200, {"data": [{"id": WAY, "text": "One", "conversation_id": WAY}], "meta": {}}),
        method="GET",
        path="/2/users",
    )
    with pytest.raises(UnprovableError):
        connection.find(intents, None)


@pytest.mark.parametrize("name", POSTED)
def test_the_id_of_an_upload_is_no_way_to_somewhere_else(open_bench: Open, name: str) -> None:
    bench = open_bench(name)
    connection = connected(bench)
    intents = bench.intents(connection, [bench.post("One", Media("errors.jpg", "Errors"))])
    path = {"x": "/2/media/upload", "mastodon": "/api/v2/media"}[name]
    bench.fail(bench.answer(200, POSTED[name](WAY)), path=path)
    with pytest.raises(SendError):
        sent(connection, intents)
    assert not any("profile" in entry.path for entry in bench.server.log)
    assert bench.standing() == []


LOGINS: dict[str, tuple[str, str, list[Any]]] = {
    "x": ("GET", "/2/users/me", [{"data": {"id": WAY, "username": "a"}}, {"data": {"id": "5", "username": "a/../b"}}]),
    "mastodon": ("GET", "/api/v1/accounts/verify_credentials", [{"id": WAY, "username": "a"}]),
    "bluesky": (
        "POST",
        "/xrpc/com.atproto.server.createSession",
        [
            {"did": "did:plc:x/../y", "handle": "a.test", "accessJwt": "a.b.c", "refreshJwt": "a.b.c"},
            {"did": "did:plc:" + "a" * 24, "handle": "a.test/../b", "accessJwt": "a.b.c", "refreshJwt": "a.b.c"},
        ],
    ),
}


@pytest.mark.parametrize("name", LOGINS)
def test_who_an_account_is_has_its_form_too(open_bench: Open, name: str) -> None:
    method, path, answers = LOGINS[name]
    bench = open_bench(name)
    for answer in answers:
        bench.fail(bench.answer(200, answer), method=method, path=path)
        with pytest.raises(SendError):
            connected(bench)


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        ("javascript:alert(1)", False),
        ("https://evil.example/@a/1", False),
        ("http://127.0.0.1/\x1b]8;;x", False),
        (["http://127.0.0.1/"], False),
        ("http://localhost/@a/1", True),
    ],
)
def test_an_address_that_a_server_tells_is_kept_only_where_it_is_its_own(
    open_bench: Open, url: object, kept: bool
) -> None:
    bench = open_bench("mastodon")
    connection = connected(bench)
    bench.fail(bench.answer(200, {"id": "5", "content": "One", "url": url}))
    (ref,) = sent(connection, bench.intents(connection, [bench.post("One")])).values()
    assert (ref.id, ref.url) == ("5", url if kept else None)
    account = {"id": "5", "username": "a", "url": url}
    bench.fail(bench.answer(200, account), method="GET", path="/api/v1/accounts/verify_credentials")
    assert connected(bench).verify().url == (url if kept else None)


def test_an_id_is_quoted_where_it_goes_into_a_path(open_bench: Open) -> None:
    """Below the check: even an id that passed it would stay one segment."""
    bench = open_bench("mastodon")
    connection = bench.connect()
    urls: list[str] = []

    def note(request: Request, number: int) -> Fault | None:
        urls.append(request.url)
        return None

    bench.server.faults = note
    assert list(connection.delete([Ref(WAY)])) == [[Ref(WAY)]]  # there is no such post
    assert [url.rpartition("/")[2] for url in urls] == [quote(WAY, safe="")]
