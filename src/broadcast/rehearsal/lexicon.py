"""A small checker for AT Protocol records, and the schema of a post.

https://atproto.com/specs/lexicon and https://github.com/bluesky-social/atproto/tree/main/lexicons/app/bsky; the
messages follow what `@atproto/pds` 0.4.217 answers. Like a real one it takes fields and union members that it does not
know, facets whose range lies outside the text, and an empty text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

import libipld
import regex

MAX_DEPTH = 64
MAX_VIDEO = 100_000_000
MAX_INTEGER = 2**53 - 1
Check = Callable[[Any, str], None]
"""Takes a value and where it stands (`$.record.text`)."""


class InvalidError(ValueError):
    """A value is not what the schema says; the message ends with where it stands."""

    def __init__(self, why: str, where: str) -> None:
        super().__init__(f"{why} at {where}")


class UnsafeError(ValueError):
    """A record that no repository can hold, though its schema does not mind: the server fails on it."""


def is_cid(value: str) -> bool:
    try:
        return value.startswith("b") and bool(libipld.decode_cid(value))
    except ValueError:
        return False


_DID = r"did:[a-z]+:[a-zA-Z0-9._:%-]{0,2000}[a-zA-Z0-9._-]"
_HANDLE = r"([a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?\.)+[a-zA-Z]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?"
_NSID = r"[a-zA-Z][a-zA-Z0-9-]{0,62}(\.[a-zA-Z0-9-]{1,63})+\.[a-zA-Z][a-zA-Z0-9]{0,62}"
_KEY = r"(?!\.\.?$)[A-Za-z0-9._:~-]{1,512}"
_PATTERNS = {
    "datetime": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,20})?(Z|(?!-00:00)[+-]\d\d:\d\d)",
    "language": r"(i-[a-z-]+|[a-z]{2,3}(-[A-Za-z0-9]{1,8})*)",
    "uri": r"\w+:(//)?[^\s/]\S*",
    "at-uri": rf"at://({_DID}|{_HANDLE})(/{_NSID}(/{_KEY})?)?",
    "DID": _DID,
    "NSID": _NSID,
    "TID string": r"[234567abcdefghij][234567abcdefghijklmnopqrstuvwxyz]{12}",
    "record key": _KEY,
}
_FORMATS: dict[str, Callable[[str], object]] = {
    "CID string": is_cid,
    **{name: re.compile(pattern).fullmatch for name, pattern in _PATTERNS.items()},
}


def anything(value: Any, where: str) -> None:
    """Takes every value."""


def string(form: str = "", most_bytes: int = 0, most_graphemes: int = 0) -> Check:
    def check(value: Any, where: str) -> None:
        if not isinstance(value, str):
            raise InvalidError(f"Expected string value type (got {shown(value)})", where)
        size = len(value.encode("utf-8", "surrogatepass"))
        if most_bytes and size > most_bytes:
            raise InvalidError(f"string too big (maximum {most_bytes}, got {size})", where)
        if most_graphemes and (count := len(regex.findall(r"\X", value))) > most_graphemes:
            raise InvalidError(f"grapheme too big (maximum {most_graphemes}, got {count})", where)
        if form and not _FORMATS[form](value):
            raise InvalidError(f'Invalid {form} (got "{value}")', where)

    return check


def boolean(value: Any, where: str) -> None:
    if not isinstance(value, bool):
        raise InvalidError(f"Expected boolean value type (got {shown(value)})", where)


def integer(least: int) -> Check:
    def check(value: Any, where: str) -> None:
        if not isinstance(value, int) or isinstance(value, bool):
            raise InvalidError(f"Expected integer value type (got {shown(value)})", where)
        if value < least:
            raise InvalidError(f"integer too small (minimum {least}, got {value})", where)

    return check


def array(item: Check, most: int | None = None) -> Check:
    def check(value: Any, where: str) -> None:
        if not isinstance(value, list):
            raise InvalidError(f"Expected array value type (got {shown(value)})", where)
        if most is not None and len(value) > most:
            raise InvalidError(f"array too big (maximum {most}, got {len(value)})", where)
        for index, one in enumerate(value):
            item(one, f"{where}[{index}]")

    return check


def record(required: Mapping[str, Check], optional: Mapping[str, Check] | None = None) -> Check:
    def check(value: Any, where: str) -> None:
        if not isinstance(value, dict):
            raise InvalidError(f"Expected object value type (got {shown(value)})", where)
        for name, checked in {**required, **(optional or {})}.items():
            if name in value:
                checked(value[name], f"{where}.{name}")
            elif name in required:
                raise InvalidError(f'Missing required key "{name}"', where)

    return check


def union(members: Mapping[str, Check], *, closed: bool = False) -> Check:
    """One of the members, by its `$type`; an open union takes any other as it is."""

    def check(value: Any, where: str) -> None:
        if not isinstance(value, dict) or not isinstance(value.get("$type"), str):
            what = 'Expected an object which includes the "$type" property value type'
            raise InvalidError(f"{what} (got {shown(value)})", where)
        member = members.get(value["$type"])
        if member is None and closed:
            names = [f'"{name}"' for name in members]
            expected = f"{', '.join(names[:-1])} or {names[-1]}"
            raise InvalidError(f'Expected one of {expected} (got "{value["$type"]}")', f"{where}.$type")
        if member is not None:
            member(value, where)

    return check


def is_blob(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and value.get("$type") == "blob"
        and isinstance(value.get("mimeType"), str)
        and type(value.get("size")) is int
        and isinstance(value.get("ref"), dict)
        and isinstance(value["ref"].get("$link"), str)
        and is_cid(value["ref"]["$link"])
    )


def blob(accept: str, most: int) -> Check:
    def check(value: Any, where: str) -> None:
        if not is_blob(value):
            raise InvalidError(f"Expected blob value type (got {shown(value)})", where)
        if not value["mimeType"].startswith(accept.removesuffix("*")):
            raise InvalidError(f'Expected "{accept}" (got "{value["mimeType"]}")', f"{where}.mimeType")
        if value["size"] > most:
            raise InvalidError(f"blob too big (maximum {most}, got {value['size']})", where)

    return check


def unknown(value: Any, where: str) -> None:
    """Any object of the data model, which has no floating-point numbers (https://atproto.com/specs/data-model)."""
    if not isinstance(value, dict):
        raise InvalidError(f"Expected object value type (got {shown(value)})", where)
    _data_model(value, where, 0)


def _data_model(value: Any, where: str, depth: int) -> None:
    if isinstance(value, float):
        kinds = "null, boolean, integer, string, cid, bytes, array or object"
        raise InvalidError(f"Expected one of {kinds} value type (got {value})", where)
    if isinstance(value, int) and abs(value) > MAX_INTEGER:
        raise UnsafeError
    if depth > MAX_DEPTH:
        raise InvalidError("Too deeply nested", where[:80])
    if isinstance(value, dict):
        for name, one in value.items():
            _data_model(one, f"{where}.{name}", depth + 1)
    elif isinstance(value, list):
        for index, one in enumerate(value):
            _data_model(one, f"{where}[{index}]", depth + 1)


def shown(value: Any) -> str:
    """A value as an error message shows it: short."""
    if isinstance(value, dict):
        names = [f'"{name}": ...' for name in list(value)[:2]] + ["..."] * (len(value) > 2)
        return "{" + ", ".join(names) + "}"
    if isinstance(value, list):
        return "[...]" if value else "[]"
    return json.dumps(value[:60] if isinstance(value, str) else value, ensure_ascii=False)


def post(most_image: int) -> Check:
    """`app.bsky.feed.post`. `most_image` is the bytes of an image, which depends on the release of the PDS."""
    reference = record({"uri": string("at-uri"), "cid": string("CID string")})
    facet = record(
        {
            "index": record({"byteStart": integer(0), "byteEnd": integer(0)}),
            "features": array(
                union(
                    {
                        "app.bsky.richtext.facet#link": record({"uri": string("uri")}),
                        "app.bsky.richtext.facet#mention": record({"did": string("DID")}),
                        "app.bsky.richtext.facet#tag": record({"tag": string("", 640, 64)}),
                    }
                )
            ),
        }
    )
    image = record(
        {"image": blob("image/*", most_image), "alt": string()},
        {"aspectRatio": record({"width": integer(1), "height": integer(1)})},
    )
    card = record(
        {"uri": string("uri"), "title": string(), "description": string()}, {"thumb": blob("image/*", 1_000_000)}
    )
    video = record(
        {"video": blob("video/mp4", MAX_VIDEO)},
        {"alt": string("", 10_000, 1000), "aspectRatio": record({"width": integer(1), "height": integer(1)})},
    )
    embeds = {
        "app.bsky.embed.images": record({"images": array(image, 4)}),
        "app.bsky.embed.video": video,
        "app.bsky.embed.external": record({"external": card}),
        "app.bsky.embed.record": record({"record": reference}),
    }
    return record(
        {"text": string("", 3000, 300), "createdAt": string("datetime")},
        {
            "facets": array(facet),
            "reply": record({"root": reference, "parent": reference}),
            "embed": union(embeds),
            "langs": array(string("language"), 3),
            "tags": array(string("", 640, 64), 8),
        },
    )
