"""Servers that speak only part of Mastodon's API, as their own sources say: the same promises hold on each."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import pytest

from broadcast.errors import LostAnswerError, RefusedError
from broadcast.model import Media
from broadcast.rehearsal import mastodon
from broadcast.rehearsal.base import Request, Response, Seen, json_response
from broadcast.rehearsal.server import LOST, Server
from kit import sent

if TYPE_CHECKING:
    from platforms.conftest import Bench, Open

IMAGE = Media("errors.jpg", "Error rate since 14:00")
IDS = ("id", "in_reply_to_id", "in_reply_to_account_id")


@dataclass(frozen=True)
class Kind:
    """A server. `instance` is what it answers on v1 or v2 of that endpoint, `lacks` the requests that it does not
    know; `id` is how it writes an id (which is a number on the stand-in behind it); `hidden` are the fields of a
    status, `hidden_account` those of an account, that it leaves out."""

    options: Mapping[str, int]
    instance: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    id: str = "{}"
    lacks: tuple[str, ...] = ()
    hidden: tuple[str, ...] = ()
    hidden_account: tuple[str, ...] = ()
    idempotency: bool = True


def configuration(characters: int, url: int, **media: int) -> dict[str, Any]:
    statuses = {"max_characters": characters, "characters_reserved_per_url": url}
    return {"configuration": {"statuses": statuses, "media_attachments": media}}


KINDS = {
    "akkoma": Kind(
        {"max_characters": 5000, "description_limit": 5000},
        {
            "v1": {
                "version": "2.7.2 (compatible; Akkoma 3.19.0)",
                "max_toot_chars": 5000,
                "description_limit": 5000,
                "upload_limit": 16_000_000,
            }
        },
        id="Ajk{}Flake",
    ),
    "pleroma": Kind(
        {"max_characters": 5000},
        {"v2": {"version": "2.7.2 (compatible; Pleroma 2.10.0)"} | configuration(5000, 0, image_size_limit=16_000_000)},
        id="Ajk{}Flake",
    ),
    "gotosocial": Kind(
        {"max_characters": 5000, "characters_reserved_per_url": 25},
        {"v2": {"version": "0.20.0+git-57cb4fe"} | configuration(5000, 25, description_limit=5000)},
        id="01J{}ULID",
        idempotency=False,
    ),
    "hollo": Kind(
        {"max_characters": 10_000, "characters_reserved_per_url": 256},
        {"v2": {"version": "0.10.0"} | configuration(10_000, 256, image_size_limit=33_554_432)},
        id="0198f1c2-7a3b-7c4d-{}-9e8f7a6b5c4d",
    ),
    "snac2": Kind(
        {"max_characters": 100_000, "characters_reserved_per_url": 32},
        {
            "v1": {"version": "4.0.0 (not true; really snac/2.85)"}
            | configuration(100_000, 32, image_size_limit=1 << 24)
        },
        id="d41d{}8cd98f",
        lacks=("/source", "/api/v1/apps/"),
        idempotency=False,
    ),
    "almost nothing": Kind(
        {},
        id="x{}",
        lacks=("/source", "/api/v1/apps/", "/api/v1/instance", "/api/v2/instance"),
        hidden=("created_at", "edited_at", "language", "url", "uri", "visibility", "account", "application", "tags"),
        hidden_account=("created_at", "acct", "url", "uri", "fields", "emojis", "note", "bot", "source"),
        idempotency=False,
    ),
}


class Reduced:
    """Mastodon's stand-in as such a server would answer."""

    def __init__(self, kind: Kind) -> None:
        self.kind = kind
        self._world = mastodon.create(mastodon.Options(idempotency="replay" if kind.idempotency else "none"))
        before, after = map(re.escape, kind.id.split("{}"))
        self._written = re.compile(f"{before}([0-9]+){after}")
        self.options, self.secrets = self._world.options, self._world.secrets

    def timeline(self) -> tuple[Seen, ...]:
        return tuple(
            replace(seen, id=self._id(seen.id), reply_to=seen.reply_to and self._id(seen.reply_to))
            for seen in self._world.timeline()
        )

    def handle(self, request: Request) -> Response:
        version = re.fullmatch(r"/api/(v[12])/instance", request.path)
        if version and version[1] in self.kind.instance:
            return json_response(self.kind.instance[version[1]])
        if version or any(part in request.path for part in self.kind.lacks):
            return json_response({"error": "Not Found"}, 404)
        answer = self._world.handle(self._plain(request))
        headers = {name: value for name, value in answer.headers.items() if not name.startswith("X-RateLimit")}
        try:
            body = json.dumps(self._reduced(json.loads(answer.body))).encode()
        except ValueError:
            body = answer.body
        return Response(answer.status, body, headers)

    def _id(self, number: str) -> str:
        return self.kind.id.format(number)

    def _plain(self, request: Request) -> Request:
        """With the ids that the stand-in knows."""

        def number(text: str) -> str:
            return self._written.sub(r"\1", text)

        body = self._written.sub(r"\1", request.body.decode("latin-1")).encode("latin-1")
        query = {name: tuple(map(number, values)) for name, values in request.query.items()}
        return replace(request, path=number(request.path), url=number(request.url), query=query, body=body)

    def _reduced(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self._reduced(one) for one in value]
        if not isinstance(value, dict):
            return value
        hidden = self.kind.hidden if "content" in value else self.kind.hidden_account if "username" in value else ()
        kept = {name: self._reduced(one) for name, one in value.items() if name not in hidden}
        if "language" in kept:
            kept["language"] = None
        return kept | {name: self._id(kept[name]) for name in IDS if isinstance(kept.get(name), str)}


@pytest.fixture(params=KINDS)
def bench(request: pytest.FixtureRequest, open_bench: Open) -> Bench:
    bench = open_bench("mastodon")
    bench.server = bench.stack.enter_context(Server(Reduced(KINDS[request.param])))
    bench.secrets = bench.server.world.secrets()
    bench.options = dict(KINDS[request.param].options)
    return bench


def test_a_thread_an_update_an_edit_and_the_retraction(bench: Bench) -> None:
    connection = bench.connect()
    assert connection.verify().name.startswith("@")
    assert connection.verify().rate_limits == ()
    first = bench.publish(connection, [bench.post("one https://example.com", IMAGE), bench.post("two")])
    second = bench.publish(connection, [bench.post("three")], first[-1])
    seen = bench.standing()
    assert [one.id for one in seen] == [ref.id for ref in (*first, *second)]
    assert [one.reply_to for one in seen] == [None, first[0].id, first[1].id]
    assert [item.alt for item in seen[0].media] == [IMAGE.alt]
    connection.edit(second[0], bench.intents(connection, [bench.post("third")])[0])
    assert bench.standing()[2].text == "third"
    list(connection.delete([*second, *first[::-1]]))
    assert not bench.standing()


def test_a_lost_answer_is_settled_and_nothing_stands_twice(bench: Bench) -> None:
    connection = bench.connect()
    texts = ("Elevated errors & <b>more</b> #outage https://status.example.com/a?b=1&c=2", "two", "three")
    intents = bench.intents(connection, [bench.post(text) for text in texts])
    bench.fail(LOST)
    with pytest.raises(LostAnswerError):
        list(connection.send(intents, None))
    found = bench.connect().find(intents, None)
    assert list(found) == [1]
    refs = sent(connection, intents[1:], found[1])
    assert [seen.text for seen in bench.standing()] == list(texts)
    assert connection.find(intents, None) == {**found, **refs}


def test_what_the_server_tells_of_its_limits_is_held_against_the_configuration(bench: Bench) -> None:
    told = dict(bench.options)
    for key in ("max_characters", "characters_reserved_per_url"):
        if key in told:
            worse = told[key] + 1 if key == "max_characters" else told[key] - 1
            bench.options = told | {key: worse}
            with pytest.raises(RefusedError, match=f"set {key} = {told[key]} "):
                bench.connect()
    bench.options = told
    bench.connect()


def test_akkoma_tells_descriptions_and_sizes_under_names_of_its_own(open_bench: Open) -> None:
    bench = open_bench("mastodon")
    bench.server = bench.stack.enter_context(Server(Reduced(KINDS["akkoma"])))
    bench.secrets = bench.server.world.secrets()
    bench.options = {"max_characters": 5000, "description_limit": 5001}
    with pytest.raises(RefusedError, match="set description_limit = 5000"):
        bench.connect()
    bench.options = {"max_characters": 5000}
    connection: Any = bench.connect()
    assert (connection._max_image, connection._max_video) == (16_000_000, 16_000_000)
