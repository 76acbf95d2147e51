"""How many requests a fixed announcement takes on each platform: five posts, one of them with an image; an update of
two; then all of it is read back and taken back. The table of docs/platforms.md is held to these numbers."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from broadcast.model import Media
from broadcast.platforms.base import Ours

if TYPE_CHECKING:
    from platforms.conftest import Bench

IMAGE = Media("errors.jpg", "Error rate since 14:00")
PAGE = Path(__file__).parents[2] / "docs" / "platforms.md"

REQUESTS: dict[str, dict[str, int]] = {
    "x": {
        "GET /2/users/me": 1,
        "POST /2/media/upload": 1,
        "POST /2/media/metadata": 1,
        "POST /2/tweets": 7,
        "GET /2/tweets": 1,
        "DELETE /2/tweets/ID": 7,
    },
    "bluesky": {
        "com.atproto.server.createSession": 1,
        "com.atproto.repo.uploadBlob": 1,
        "com.atproto.repo.applyWrites": 3,
        "com.atproto.repo.listRecords": 1,
    },
    "mastodon": {
        "GET /api/v2/instance": 1,
        "GET /api/v1/accounts/verify_credentials": 1,
        "POST /api/v2/media": 1,
        "POST /api/v1/statuses": 7,
        "GET /api/v1/statuses/ID": 7,
        "DELETE /api/v1/statuses/ID": 7,
    },
}


def made(bench: Bench) -> dict[str, int]:
    names = (re.sub(r"/[0-9]+$", "/ID", f"{entry.method} {entry.path}".rstrip("/")) for entry in bench.server.log)
    return dict(Counter(re.sub(r"^\w+ /xrpc/", "", name) for name in names))


def test_a_fixed_announcement(bench: Bench) -> None:
    connection = bench.connect()
    connection.verify()
    thread = [bench.post("one https://status.example.com/a", IMAGE), *(bench.post(text) for text in "2345")]
    first = bench.publish(connection, thread)
    update = [bench.post("six"), bench.post("seven")]
    second = bench.publish(connection, update, first[-1])
    intents = bench.intents(connection, [*thread, *update])[::-1]
    refs = [*first, *second][::-1]
    assert (
        connection.differing([Ours(ref, intent, (intent.post,)) for ref, intent in zip(refs, intents, strict=True)])
        == {}
    )
    list(connection.delete(refs))
    assert not bench.standing()
    assert made(bench) == REQUESTS[bench.name]


@pytest.mark.parametrize("name", REQUESTS)
def test_the_documented_table_says_the_same(name: str) -> None:
    section = PAGE.read_text(encoding="utf-8").partition("### Requests")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (\w+) \| `([^`]+)` \| (\d+) \|", section, re.MULTILINE)
    documented = {request: int(count) for platform, request, count in rows if platform.lower() == name}
    assert documented == REQUESTS[name]
