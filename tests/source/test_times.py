from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broadcast.source.times import format_time, parse_duration, parse_time

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-22 12:00 UTC",
        "2026-11-22 12:00 utc",
        "2026-11-22 12:00 GMT",
        "2026-11-22 12:00Z",
        "2026-11-22T12:00Z",
        "2026-11-22T12:00:00Z",
        "2026-11-22 13:00 +01:00",
        "2026-11-22T13:00+0100",
        "2026-11-22 13:00 UTC+01:00",
        "2026-11-22 07:00 -05:00",
        "2026-11-22 13:00 Europe/Berlin",
        "2026-11-22 09:00 America/Argentina/Buenos_Aires",
        "2026-11-22 at 12:00 UTC",
    ],
)
def test_every_way_to_write_a_time(text: str) -> None:
    assert parse_time(text) == NOON
    assert parse_time(text).tzinfo is UTC


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ("2026-11-22 12:00", "no time zone: write `2026-11-22 12:00 UTC`"),
        ("2026-11-22", "no time of day: write `2026-11-22 14:05 UTC`"),
        ("2026-11-22 12:00 CST", "different zones in different places"),
        ("2026-11-22 12:00 BST", "different zones in different places"),
        ("2026-11-22 12:00 +15:00", "not an offset"),
        ("2026-11-22 12:00 Europe/Atlantis", "not a time zone that is known"),
        ("2026-11-22 12:00 America/Argentina", "not a time zone that is known"),
        ("2026-11-22 12:00 ../etc/passwd", "not a time zone"),
        ("2026-02-30 12:00 UTC", "is not a time"),
        ("2026-11-22 24:00 UTC", "is not a time"),
        ("0000-01-01 12:00 UTC", "is not a time"),
        ("0001-01-01 00:00 +14:00", "out of range"),
        ("9999-12-31 23:00 -14:00", "out of range"),
        ("noon", "write it like `2026-11-22 14:05 UTC`"),
        ("٢٠٢٦-١١-٢٢ 12:00 UTC", "is not a time"),
        ("2026-10-25 02:30 Europe/Berlin", "happens twice"),
        ("2026-03-29 02:30 Europe/Berlin", "does not exist"),
    ],
)
def test_what_is_no_time_says_what_to_write(text: str, advice: str) -> None:
    with pytest.raises(ValueError, match=advice):
        parse_time(text)


@given(st.datetimes(datetime(1970, 1, 2), datetime(9000, 12, 30)))  # noqa: DTZ001 - Hypothesis wants them naive
def test_what_is_written_is_read_back(time: datetime) -> None:
    time = time.replace(microsecond=0, tzinfo=UTC)
    assert parse_time(f"{time:%Y}".rjust(4, "0") + format_time(time)[format_time(time).index("-") :]) == time


def test_seconds_are_written_only_where_there_are_some() -> None:
    assert format_time(NOON) == "2026-11-22 12:00 UTC"
    assert format_time(NOON.replace(second=5)) == "2026-11-22 12:00:05 UTC"


@pytest.mark.parametrize(
    ("text", "minutes"), [("30m", 30), ("4h", 240), ("1d", 1440), ("1h30m", 90), ("1d2h3m", 1563), ("60M", 60)]
)
def test_durations(text: str, minutes: int) -> None:
    assert parse_duration(text) == timedelta(minutes=minutes)


@pytest.mark.parametrize("text", ["", "60", "0m", "-5m", "1.5h", "30s", "m", "1h 30m", "9" * 400 + "m"])
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(ValueError, match="write 30m, 4h, 1d or 1h30m"):
        parse_duration(text)


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("2026-11-22 14:05:09.284 UTC", "2026-11-22 14:05:09"),
        ("2026-11-22T14:05:09,284Z", "2026-11-22 14:05:09"),
        ("2026-11-22 14:05 UTC+2", "2026-11-22 12:05:00"),
        ("2026-11-22 14:05 GMT+1", "2026-11-22 13:05:00"),
        ("2026-11-22 14:05 UTC-03:30", "2026-11-22 17:35:00"),
        ("2026-11-22 14:05 +01", "2026-11-22 13:05:00"),
        ("2026-11-22 14:05 −05:00", "2026-11-22 19:05:00"),
        ("2026-11-22 14:05 utc", "2026-11-22 14:05:00"),
        ("2026-11-22 14:05 (UTC)", "2026-11-22 14:05:00"),
        ("2026-11-22 14:05 America/Argentina/Buenos_Aires", "2026-11-22 17:05:00"),
        ("2026-11-22, 14:05 UTC", "2026-11-22 14:05:00"),
    ],
)
def test_more_ways_to_write_a_time(text: str, utc: str) -> None:
    assert f"{parse_time(text):%Y-%m-%d %H:%M:%S}" == utc


@pytest.mark.parametrize(
    ("text", "first", "second"),
    [
        ("2026-11-22 2:05 PM UTC", "`2026-11-22 14:05 UTC` (p.m.)", "`2026-11-22 02:05 UTC`"),
        ("2026-11-22 2:05pm UTC", "`2026-11-22 14:05 UTC` (p.m.)", "`2026-11-22 02:05 UTC`"),
        (
            "2026-11-22 12:30 a.m. Europe/Berlin",
            "`2026-11-22 00:30 Europe/Berlin` (a.m.)",
            "`2026-11-22 12:30 Europe/Berlin`",
        ),
        ("2026-11-22 at 9 am", "`2026-11-22 09:00 UTC` (a.m.)", "`2026-11-22 21:00 UTC`"),
    ],
)
def test_a_12_hour_clock_is_told_both_readings(text: str, first: str, second: str) -> None:
    with pytest.raises(ValueError, match="12-hour clock") as caught:
        parse_time(text)
    assert first in str(caught.value)
    assert second in str(caught.value)


def test_long_durations() -> None:
    assert parse_duration("3650d") == timedelta(days=3650)
    assert parse_duration("36500d") == timedelta(days=36500)
    for text in ("36501d", "876001h", "99999999999m", "9999d9999999h"):
        with pytest.raises(ValueError, match="the longest duration is 36500d"):
            parse_duration(text)
