"""`channels --verify`, and a video on its way to every channel, as a user meets them."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import pytest

from broadcast.platforms import bluesky_video
from broadcast.rehearsal import mastodon
from broadcast.rehearsal.base import Response
from broadcast.rehearsal.server import Fault, Server
from kit import Desk, incident, table

MP4 = b"\0\0\0\x18ftypmp42" + bytes(500)
VIDEO = incident(("Investigating", 5, "Searches are slow. ![The dashboard](slow.mp4)"))


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bluesky_video, "POLL_PAUSE", 0.01)


def test_verify_tells_what_is_left_and_for_which_requests(live: Desk) -> None:
    rows = {row["channel"]: row for row in live.run("channels", "--verify", "--json").json()["channels"]}
    (x,) = rows["x"]["rate_limits"]
    assert set(x) == {"requests", "remaining", "limit", "reset"}
    assert (x["requests"], x["remaining"], x["limit"]) == ("GET /2/users/me", 74, 75)
    assert datetime.strptime(x["reset"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC) > datetime.now(UTC)
    assert rows["mastodon"]["rate_limits"][0]["requests"] == "every request of the account"
    assert rows["bluesky"]["rate_limits"] == rows["site"]["rate_limits"] == []
    shown = live.run("channels", "--verify").out
    assert re.search(r"73 of 75 requests left until \S+Z: GET /2/users/me", shown)
    assert "every request of the account" in shown


def test_verify_tells_what_an_account_may_not_do(live: Desk) -> None:
    world: Any = live.worlds["mastodon"]
    app = Response(200, b'{"name": "broadcast", "scopes": ["read", "write:statuses"]}')
    live.servers["mastodon"].faults = lambda request, number: (
        Fault(effect=False, answer=app) if "/apps/" in request.path else None
    )
    rows = {row["channel"]: row for row in live.run("channels", "--verify", "--json").json()["channels"]}
    assert rows["mastodon"]["verified"]
    assert "write:media" in rows["mastodon"]["notes"][0]
    assert "images and videos will be refused" in live.run("channels", "--verify").out
    assert world.timeline() == ()


def test_a_server_cannot_write_to_the_terminal(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    evil = "\x1b]0;owned\x07\x1b[31m"
    with Server(mastodon.create()) as server:
        world = server.world
        told = {f"X-RateLimit-{name}": evil for name in ("Limit", "Remaining", "Reset")}

        def spoiled(request: Any, number: int) -> Fault:
            answer = world.handle(request)
            body = answer.body.replace(b'"acct":"broadcast_rehearsal"', b'"acct":"\\u001b[31mnews"')
            return Fault(effect=False, answer=Response(answer.status, body, {**answer.headers, **told}))

        server.faults = spoiled
        desk.write("broadcast.toml", table("mastodon", world.options(server.url)))
        monkeypatch.setenv("BROADCAST_MASTODON_ACCESS_TOKEN", world.secrets()["ACCESS_TOKEN"])
        shown = desk.run("channels", "--verify")
    assert shown.code == 0, shown.err
    assert "\x1b]" not in shown.out
    assert "\x1b[31mnews" not in shown.out
    assert "news" in shown.out


def test_a_video_goes_to_every_channel(live: Desk) -> None:
    live.write("incidents/slow.md", VIDEO)
    (live.root / "incidents" / "slow.mp4").write_bytes(MP4)
    done = live.run("publish", "--yes", "--json")
    assert done.code == 0, done.err
    for name in ("x", "bluesky", "mastodon"):
        assert [[item.mime for item in seen.media] for seen in live.stands(name)] == [["video/mp4"]], name


def test_a_video_that_bluesky_refuses_holds_nothing_up(live: Desk) -> None:
    world: Any = live.worlds["bluesky"]
    world.videos.mood = "unconfirmed"
    live.write("incidents/slow.md", VIDEO)
    (live.root / "incidents" / "slow.mp4").write_bytes(MP4)
    done = live.run("publish", "--yes", "--json")
    assert done.code == 0, done.err
    rows = {row["channel"]: row for row in done.json()["results"]}
    assert rows["bluesky"]["state"] == "posted"
    assert "it stands without its video" in rows["bluesky"]["error"]
    (seen,) = live.stands("bluesky")
    assert (seen.media, seen.card) == ((), "https://status.example.com/slow.html")
    again = live.run("publish", "--yes", "--json")
    assert {row["state"] for row in again.json()["results"]} == {"done"}


def test_a_rehearsal_never_asks_the_real_service(desk: Desk) -> None:
    desk.write("broadcast.toml", table("bluesky", {"handle": "status.example.com"}))
    desk.write("incidents/slow.md", VIDEO)
    (desk.root / "incidents" / "slow.mp4").write_bytes(MP4)
    done = desk.run("rehearse", "--json")
    assert done.code == 0, done.err
    assert [row["error"] for row in done.json()["results"]] == [None]


@pytest.mark.parametrize("seed", range(4))
def test_chaos_around_a_video_ends_well(desk: Desk, seed: int) -> None:
    desk.write("broadcast.toml", table("bluesky", {"handle": "status.example.com"}))
    desk.write("incidents/slow.md", VIDEO)
    (desk.root / "incidents" / "slow.mp4").write_bytes(MP4)
    done = desk.run("rehearse", "--chaos", str(seed))
    assert done.code == 0, done.out + done.err
