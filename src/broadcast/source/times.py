"""Times and durations as people write them. Nothing here knows what time it is."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

EXAMPLE = "2026-11-22 14:05 UTC"

_TIME = re.compile(
    r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})(?:[Tt]|,?\s+(?:at\s+)?)([0-9]{1,2}):([0-9]{2})(?::([0-9]{2})(?:[.,][0-9]{1,9})?)?\s*(.*)",
    re.DOTALL,
)
_DATE = re.compile(r"([0-9]{4}-[0-9]{1,2}-[0-9]{1,2})(?:\s*(?:UTC|GMT|Z))?", re.IGNORECASE)
_HALF_DAY = re.compile(
    r"([0-9]{4}-[0-9]{1,2}-[0-9]{1,2})[,\s]+(?:at\s+)?([0-9]{1,2})(?:[:.]([0-9]{2}))?\s*([ap])\.?\s?m\b\.?\s*(.*)",
    re.DOTALL | re.IGNORECASE,
)
_OFFSET = re.compile(r"(?:UTC|GMT|Z)?\s*([+\u2212-])([0-9]{1,2})(?::?([0-9]{2}))?", re.IGNORECASE)
# Not `posix/` and `right/`, which are copies of the whole tree, the latter with leap seconds.
_AREA = re.compile(r"(?!posix/|right/)[A-Za-z][A-Za-z0-9_+-]{0,31}(?:/[A-Za-z0-9_+-]{1,31}){1,2}")
_DURATION = re.compile(r"(?:([0-9]+)d)?(?:([0-9]+)h)?(?:([0-9]+)m)?", re.IGNORECASE)
LONGEST = timedelta(days=36_500)
"""A hundred years: no duration is longer, so that no time is out of range because of one."""


def parse_time(text: str) -> datetime:
    """A date, a time and a zone (`UTC`, `GMT`, `Z`, `+01:00`, `Europe/Berlin`), in UTC, to the second.

    Raises `ValueError` with what to write instead: a time that is read in the wrong zone is worse than none.
    """
    text = text.strip()
    match = _TIME.fullmatch(text)
    if match is None:
        if date := _DATE.fullmatch(text):
            raise ValueError(f"`{text}` has no time of day: write `{date[1]} 14:05 UTC`")
        if half := _HALF_DAY.fullmatch(text):
            raise ValueError(_twelve_hours(half))
        raise ValueError(f"`{text[:60]}` is not a time: write it like `{EXAMPLE}`")
    if half := _HALF_DAY.fullmatch(text):
        raise ValueError(_twelve_hours(half))
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


def _twelve_hours(match: re.Match[str]) -> str:
    """What to write for a time with `am` or `pm`: both readings, for people mix up those of noon and midnight."""
    hour, minute, zone = int(match[2]) % 12, match[3] or "00", match[5] or "UTC"
    readings = {half: f"{match[1]} {hour + hours:02}:{minute} {zone}" for half, hours in (("a", 0), ("p", 12))}
    meant, other = match[4].lower(), "p" if match[4].lower() == "a" else "a"
    return (
        f"`{match[0][:60]}` is a time of a 12-hour clock: write `{readings[meant]}` ({meant}.m.), "
        f"or `{readings[other]}` if {other}.m. is meant"
    )


def _zone(name: str, text: str) -> tzinfo:
    name = name.strip("()[] ")
    if not name:
        raise ValueError(f"`{text}` has no time zone: write `{text} UTC`, or an offset such as `+01:00`")
    if name.upper() in {"UTC", "GMT", "Z"}:
        return UTC
    if offset := _OFFSET.fullmatch(name):
        hours, minutes = int(offset[2]), int(offset[3] or 0)
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
    if len(text) > 30:
        match = None
    days, hours, minutes = (int(part or 0) for part in match.groups()) if match else (0, 0, 0)
    if days > LONGEST.days or hours > LONGEST.days * 24 or minutes > LONGEST.days * 24 * 60:
        raise ValueError(f"`{text.strip()}` is too long: the longest duration is {LONGEST.days}d")
    if not (days or hours or minutes):
        unit = f"; did you mean `{text.strip()}m`?" if re.fullmatch(r"[1-9][0-9]{0,4}", text.strip()) else ""
        raise ValueError(f"`{text[:60]}` is not a duration: write 30m, 4h, 1d or 1h30m{unit}")
    return timedelta(days=days, hours=hours, minutes=minutes)
