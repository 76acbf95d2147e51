"""Times and durations as people write them. Nothing here knows what time it is."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

EXAMPLE = "2026-11-22 14:05 UTC"

_TIME = re.compile(
    r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})(?:[Tt]|\s+(?:at\s+)?)([0-9]{1,2}):([0-9]{2})(?::([0-9]{2}))?\s*(.*)",
    re.DOTALL,
)
_DATE = re.compile(r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}")
_OFFSET = re.compile(r"(?:UTC|GMT)?\s*([+-])([0-9]{1,2}):?([0-9]{2})", re.IGNORECASE)
# Not `posix/` and `right/`, which are copies of the whole tree, the latter with leap seconds.
_AREA = re.compile(r"(?!posix/|right/)[A-Za-z][A-Za-z0-9_+-]{0,31}(?:/[A-Za-z0-9_+-]{1,31}){1,2}")
_DURATION = re.compile(r"(?:([0-9]{1,3})d)?(?:([0-9]{1,4})h)?(?:([0-9]{1,5})m)?", re.IGNORECASE)


def parse_time(text: str) -> datetime:
    """A date, a time and a zone (`UTC`, `GMT`, `Z`, `+01:00`, `Europe/Berlin`), in UTC, to the second.

    Raises `ValueError` with what to write instead: a time that is read in the wrong zone is worse than none.
    """
    text = text.strip()
    match = _TIME.fullmatch(text)
    if match is None:
        if _DATE.fullmatch(text):
            raise ValueError(f"`{text}` has no time of day: write `{text} 14:05 UTC`")
        raise ValueError(f"`{text[:60]}` is not a time: write it like `{EXAMPLE}`")
    year, month, day, hour, minute, second = (int(part or 0) for part in match.groups()[:6])
    try:
        local = datetime(year, month, day, hour, minute, second)  # noqa: DTZ001 - its zone is set below
    except ValueError as error:
        raise ValueError(f"`{text}` is not a time: {error}") from None
    zone = _zone(match[7].strip(), text)
    try:
        time = local.replace(tzinfo=zone).astimezone(UTC)
        back = time.astimezone(zone).replace(tzinfo=None)
        second_time = local.replace(tzinfo=zone, fold=1).astimezone(UTC)
    except OverflowError:
        raise ValueError(f"`{text}` is out of range") from None
    if not 1970 <= time.year <= 9000:
        raise ValueError(f"`{text}` is out of range: no announcement is of that year")
    if back != local:
        raise ValueError(f"`{text}` does not exist: clocks are put forward over it; write it in UTC")
    if second_time != time:
        raise ValueError(f"`{text}` happens twice, because clocks are put back; write it in UTC")
    return time


def _zone(name: str, text: str) -> tzinfo:
    if not name:
        raise ValueError(f"`{text}` has no time zone: write `{text} UTC`, or an offset such as `+01:00`")
    if name.upper() in {"UTC", "GMT", "Z"}:
        return UTC
    if offset := _OFFSET.fullmatch(name):
        hours, minutes = int(offset[2]), int(offset[3])
        if hours > 14 or minutes > 59:
            raise ValueError(f"`{name}` is not an offset from UTC: write one such as `+01:00`")
        delta = timedelta(hours=hours, minutes=minutes)
        return timezone(delta if offset[1] == "+" else -delta)
    if _AREA.fullmatch(name):
        try:
            return ZoneInfo(name)
        except (KeyError, ValueError, OSError):
            raise ValueError(f"`{name}` is not a time zone that is known here: write the time in UTC") from None
    if re.fullmatch(r"[A-Za-z]{2,5}", name):
        raise ValueError(
            f"`{name}` means different zones in different places: write UTC, an offset such as `+01:00` "
            "or a name such as `Europe/Berlin`"
        )
    raise ValueError(f"`{name[:60]}` is not a time zone: write it like `{EXAMPLE}`")


def format_time(time: datetime) -> str:
    """As it stands in a heading, `2026-11-22 14:05 UTC`: with seconds only where it has some."""
    time = time.astimezone(UTC)
    return time.strftime("%Y-%m-%d %H:%M:%S UTC" if time.second else "%Y-%m-%d %H:%M UTC")


def parse_duration(text: str) -> timedelta:
    """`30m`, `4h`, `1d`, `1h30m`. Raises `ValueError` with what to write instead."""
    match = _DURATION.fullmatch(text.strip())
    days, hours, minutes = (int(part or 0) for part in match.groups()) if match else (0, 0, 0)
    if not (days or hours or minutes):
        unit = f"; did you mean `{text.strip()}m`?" if re.fullmatch(r"[1-9][0-9]{0,4}", text.strip()) else ""
        raise ValueError(f"`{text[:60]}` is not a duration: write 30m, 4h, 1d or 1h30m{unit}")
    return timedelta(days=days, hours=hours, minutes=minutes)
