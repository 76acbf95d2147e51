"""The front matter of a Hugo page: YAML between `---`, TOML between `+++`, or a JSON object."""

from __future__ import annotations

import json
import re
import tomllib
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone

from broadcast.source import tomltext
from broadcast.source.yamltext import MAX_LENGTH, read_fields

_TIME = re.compile(
    r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})"
    r"(?:[Tt]|[ \t]+(?:-[ \t]+|at[ \t]+)?)([0-9]{1,2})[:h]([0-9]{2})(?::([0-9]{2}))?(?:\.[0-9]+)?"
    r"[ \t]*(?:([Zz]|UTC|GMT)|([+-])([0-9]{2}):?([0-9]{2}))?"
)


@dataclass(frozen=True, slots=True)
class Page:
    """A page's values as texts and lists of texts, its body, and the keys whose values have an inner structure."""

    values: dict[str, str | list[str]]
    body: str
    nested: tuple[str, ...] = ()


def read_page(text: str) -> Page:
    """Take a page apart. Raises `ValueError` with the reason where it has no front matter that can be read."""
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    if text.startswith("{"):
        return _json_page(text)
    lines = text.split("\n")
    fence = lines[0].rstrip()
    end = next((number for number, line in enumerate(lines[1:], 1) if line.rstrip() == fence), None)
    if fence not in {"---", "+++"} or end is None:
        raise ValueError("it has no front matter")
    front, body = "\n".join(lines[1:end]), "\n".join(lines[end + 1 :])
    if len(front) > MAX_LENGTH:
        raise ValueError("its front matter is too long")
    if fence == "+++":
        try:
            return _page(tomltext.loads(front), body)
        except (tomllib.TOMLDecodeError, RecursionError) as error:
            raise ValueError(f"its front matter is not TOML: {error}") from None
    fields = read_fields(front, "", 2)
    for wrong in fields.problems:
        if wrong.code == "bad-yaml":
            raise ValueError(f"its front matter is not YAML: line {wrong.place.line}: {wrong.message}")
    return _page(fields.values, body)


def _json_page(text: str) -> Page:
    try:
        found, end = json.JSONDecoder().raw_decode(text[:MAX_LENGTH])
    except (ValueError, RecursionError):
        raise ValueError("its front matter is not JSON") from None
    return _page(found, text[end:])


def _page(found: object, body: str) -> Page:
    values: dict[str, str | list[str]] = {}
    nested: list[str] = []
    for key, value in found.items() if isinstance(found, dict) else ():
        items = value if isinstance(value, list) else [value]
        texts = [each for each in map(_as_text, items) if each is not None]
        if len(texts) < len(items):
            nested.append(key)
        elif value is not None:
            values[key] = texts if isinstance(value, list) else texts[0]
    return Page(values, body, tuple(nested))


def _as_text(value: object) -> str | None:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str | int | float):
        return str(value)
    if isinstance(value, date):
        return value.isoformat()
    return "" if value is None else None


def read_time(text: str) -> tuple[datetime, bool]:
    """A time as Hugo takes them, in UTC, and whether it has a zone; without one it is UTC, Hugo's default.

    Raises `ValueError`.
    """
    match = _TIME.fullmatch(text.strip())
    if match is None:
        day = re.fullmatch(r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})", text.strip())
        if day is None:
            raise ValueError(f"`{text[:40]}` is not a time")
        return read_time(f"{day[0]} 00:00")
    numbers = [int(part or 0) for part in match.groups()[:6]]
    offset = timedelta(hours=int(match[9] or 0), minutes=int(match[10] or 0))
    if offset >= timedelta(days=1):
        raise ValueError(f"`{text[:40]}` has no offset that exists")
    year, month, day_number, hour, minute, second = numbers
    if not 1970 <= year < 3000:
        raise ValueError(f"`{text[:40]}` is in a year that cannot be right")
    try:
        zone = timezone(-offset if match[8] == "-" else offset)
        local = datetime(year, month, day_number, hour, minute, second, tzinfo=zone)
        return local.astimezone(UTC), bool(match[7] or match[8])
    except (ValueError, OverflowError) as error:
        raise ValueError(f"`{text[:40]}` is not a time: {error}") from None
