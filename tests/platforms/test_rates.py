"""What a server says of the requests that it still takes: in its own words, or nothing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from broadcast.platforms import rates
from broadcast.platforms.base import RateLimit
from broadcast.rehearsal.base import Request, Response
from broadcast.rehearsal.server import Fault

if TYPE_CHECKING:
    from platforms.conftest import Bench, Open

RESET = datetime(2026, 11, 22, 14, 5, tzinfo=UTC)
EPOCH = str(int(RESET.timestamp()))


@pytest.mark.parametrize("written", [EPOCH, "2026-11-22T14:05:00Z", "2026-11-22T15:05:00.000+01:00"])
def test_a_limit_is_read_as_the_platforms_write_it(written: str) -> None:
    headers = {"ratelimit-remaining": "29", "ratelimit-limit": "30", "ratelimit-reset": written}
    assert rates.told(headers, "ratelimit", "logins") == (RateLimit("logins", 29, 30, RESET),)


HOSTILE = ["", "-1", "1e9", "nan", "\x1b[31m5", "5\r\n6", "9" * 400, "5, 5", "١٢", "0x10", "None", "٠" * 11, "5 "]


@pytest.mark.parametrize("value", HOSTILE)
def test_what_is_no_number_is_not_told(value: str) -> None:
    good = {"r-remaining": "5", "r-limit": "30", "r-reset": EPOCH}
    assert rates.told(good | {"r-remaining": value}, "r", "all") == ()
    assert rates.told(good | {"r-limit": value}, "r", "all") == (RateLimit("all", 5, None, RESET),)
    (told,) = rates.told(good | {"r-reset": value}, "r", "all")
    assert told.reset is None


@pytest.mark.parametrize("value", ["300", "9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00", "99999999999"])
def test_a_reset_that_is_no_time_of_ours_does_no_harm(value: str) -> None:
    (told,) = rates.told({"r-remaining": "5", "r-reset": value}, "r", "all")
    assert told.remaining == 5
    assert told.reset is None or told.reset.tzinfo is UTC


def test_x_tells_of_the_one_request_that_was_made(open_bench: Open) -> None:
    (told,) = open_bench("x").connect().verify().rate_limits
    assert (told.requests, told.remaining, told.limit) == ("GET /2/users/me", 74, 75)
    assert told.reset is not None
    assert timedelta(minutes=13) < told.reset - datetime.now(UTC) <= timedelta(minutes=15)


def test_x_tells_of_the_day_where_it_does(open_bench: Open) -> None:
    bench = open_bench("x")
    user = {"data": {"id": "1", "username": "news"}}
    day = {"remaining": "24", "limit": "25", "reset": EPOCH}
    headers = {f"x-user-limit-24hour-{name}": value for name, value in day.items()}
    bench.fail(bench.answer(200, user, headers), method="GET", path="/2/users/me")
    (told,) = bench.connect().verify().rate_limits
    assert told == RateLimit("GET /2/users/me of this user in 24 hours", 24, 25, RESET)


def test_mastodon_tells_of_every_request(open_bench: Open) -> None:
    bench = open_bench("mastodon")
    (told,) = bench.connect().verify().rate_limits
    assert (told.requests, told.remaining, told.limit) == ("every request of the account", 298, 300)
    assert told.reset is not None


@pytest.mark.parametrize("name", ["bluesky", "bluesky-pds"])
def test_bluesky_tells_of_logins_where_limits_are_kept(name: str, open_bench: Open) -> None:
    (told,) = open_bench(name, rate_limited=True).connect().verify().rate_limits
    assert (told.requests, told.remaining, told.limit) == ("com.atproto.server.createSession", 29, 30)
    assert told.reset is not None
    assert timedelta(minutes=4) < told.reset - datetime.now(UTC) <= timedelta(minutes=5, seconds=2)
    assert open_bench(name).connect().verify().rate_limits == ()


HEADERS = {
    "x": ("x-rate-limit-remaining", "x-rate-limit-limit", "x-rate-limit-reset"),
    "bluesky": ("ratelimit-remaining", "ratelimit-limit", "ratelimit-reset"),
    "mastodon": ("X-RateLimit-Remaining", "X-RateLimit-Limit", "X-RateLimit-Reset"),
}


@pytest.mark.parametrize("value", ["abc", "\x1b]0;owned\x07", "9" * 1000, ""])
@pytest.mark.parametrize("bench", ["x", "bluesky", "mastodon"], indirect=True)
def test_hostile_headers_neither_stop_a_login_nor_lose_a_post(bench: Bench, value: str) -> None:
    world = bench.server.world

    def spoiled(request: Request, number: int) -> Fault:
        answer = world.handle(request)
        told = dict.fromkeys(HEADERS[bench.name], value) | {"deprecation": "@1"}
        return Fault(effect=False, answer=Response(answer.status, answer.body, {**answer.headers, **told}))

    bench.server.faults = spoiled
    connection = bench.connect()
    assert connection.verify().rate_limits == ()
    (ref,) = bench.publish(connection, [bench.post("one")])
    assert [seen.id for seen in bench.standing()] == [ref.id]
