"""Events to lines and back: the format of the ledger, version 1.

A line is one JSON object in UTF-8, ended by a line feed. Every line has

- `v`: 1. A change that an older reader would misunderstand raises it; readers refuse what they do not know.
- `key`: 16 hexadecimal digits, drawn at random when the event is first written down. A line that is carried twice
  (from a journal, after a push whose answer was lost) is known by it and counts once.
- `event`: `intent`, `receipt` or `verdict`, and then the fields of `broadcast.model.Intent`, `Receipt` or `Verdict` by
  their own names. Times are UTC, `2026-11-22T14:05:00Z`, with six more digits only where there are microseconds.

Inside an intent, `post` is `{"text", "length", "facets": [{"kind", "value", "start", "end"}], "media": [{"path",
"alt", "place": {"path", "line", "column"}}], "card": {"url", "title", "description"}}`; `ref` and `parent` of an intent
and `ref` of a receipt are `{"id", "url", "data"}`. An intent's `payload`, `ref`, `parent` and `audience`, and all
`facets`, `media`, `card`, `place`, `url` and `data`, are left out where they are empty. Nothing else may be left out or
added.
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Literal, Never, TypeVar, cast

from broadcast.errors import LedgerError
from broadcast.model import Card, Event, Facet, Intent, Media, Place, Post, Receipt, Ref, Verdict

VERSION = 1

_KEY = re.compile(r"[0-9a-f]{16}")
_Choice = TypeVar("_Choice", bound=str)
_Json = Mapping[str, Any]

_FACETS: tuple[Literal["link", "tag", "mention"], ...] = ("link", "tag", "mention")
_VERDICTS: tuple[Literal["absent", "posted", "retracted"], ...] = ("absent", "posted", "retracted")


Check = Callable[[Event], Event]
"""What an event that was read may be used as. Raises `ValueError` for one that cannot be believed."""


def unchecked(event: Event) -> Event:
    return event


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the ledger or of a journal."""

    key: str
    event: Event


def entry(event: Event) -> Entry:
    """The event, with a key that no other line has."""
    return Entry(secrets.token_hex(8), event)


def encode(item: Entry) -> bytes:
    """One line, with its line feed. Raises `ValueError` for a time without a zone and for what JSON does not know."""
    event = item.event
    record: dict[str, Any] = {
        "v": VERSION,
        "key": item.key,
        "event": type(event).__name__.lower(),
        "announcement": event.announcement,
        "update": _stamp(event.update),
        "channel": event.channel,
        "part": event.part,
        "at": _stamp(event.at),
        "run": event.run,
    }
    match event:
        case Intent():
            record |= {"parts": event.parts, "status": event.status, "language": event.language}
            record |= {"source": event.source, "post": _post(event.post)}
            record |= _unless_empty(payload=event.payload, ref=_ref(event.ref), parent=_ref(event.parent))
            record |= _unless_empty(audience=list(event.audience))
        case Receipt():
            record["ref"] = _ref(event.ref)
        case Verdict():
            record |= {"verdict": event.verdict, "by": event.by}
    text = json.dumps(record, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    # What UTF-8 cannot hold, a lone surrogate, is written as `\ud800`: for JSON that is the same character.
    return text.encode("utf-8", "backslashreplace") + b"\n"


def decode(line: bytes, where: str, check: Check = unchecked) -> Entry:
    """The entry of one line. `where` names the ledger, the file and the line, for the `LedgerError` of a bad one."""
    try:
        fields = _Fields(json.loads(line.decode("utf-8"), parse_constant=_no_constant), "the line")
        version = fields.count("v")
        if version != VERSION:
            raise LedgerError(
                f"{where}: version {version} of the ledger's format is not known to this version of broadcast",
                "upgrade broadcast",
            )
        item = _entry(fields)
        fields.close()
        item = replace(item, event=check(item.event))
    except (ValueError, RecursionError) as error:
        raise LedgerError(f"{where}: {_reason(error)}", "look at the line, and at who changed it") from None
    return item


def decode_lines(data: bytes, where: str, check: Check = unchecked) -> list[Entry]:
    """The entries of a whole file. `where` names the ledger and the file."""
    return [
        decode(line, f"{where}, line {number}", check)
        for number, line in enumerate(data.removesuffix(b"\n").split(b"\n"), start=1)
        if data
    ]


def _stamp(time: datetime) -> str:
    if time.tzinfo is None:
        raise ValueError(f"a time without a zone: {time}")
    return time.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"


def _unless_empty(**fields: object) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None and value != {} and value != []}


def _post(post: Post) -> dict[str, Any]:
    facets = [{"kind": f.kind, "value": f.value, "start": f.start, "end": f.end} for f in post.facets]
    media = [{"path": m.path, "alt": m.alt} | _unless_empty(place=_place(m.place)) for m in post.media]
    card = {"url": post.card.url, "title": post.card.title, "description": post.card.description} if post.card else None
    return {"text": post.text, "length": post.length} | _unless_empty(facets=facets, media=media, card=card)


def _ref(ref: Ref | None) -> dict[str, Any] | None:
    return None if ref is None else {"id": ref.id} | _unless_empty(url=ref.url, data=ref.data)


def _place(place: Place | None) -> dict[str, Any] | None:
    return None if place is None else {"path": place.path, "line": place.line, "column": place.column}


def _no_constant(name: str) -> Never:
    raise ValueError(f"{name} is not JSON")


def _reason(error: Exception) -> str:
    match error:
        case json.JSONDecodeError():
            return f"not JSON: {error.msg} at character {error.pos + 1}"
        case UnicodeDecodeError():
            return f"not UTF-8 at byte {error.start + 1}"
        case RecursionError():
            return "nested too deeply"
        case _:
            return str(error)


class _Fields:
    """The fields of one JSON object, taken one by one; `close` refuses what was not asked for. All raise ValueError."""

    def __init__(self, value: object, name: str) -> None:
        if not isinstance(value, dict):
            raise ValueError(f"{name} is not an object")  # noqa: TRY004 - one kind of error for a malformed line
        self._name = name
        self._rest: dict[str, Any] = dict(value)

    def _take(self, name: str, kind: type, default: object = None) -> Any:
        if name not in self._rest and default is not None:
            return default
        if name not in self._rest:
            raise ValueError(f"{self._name} has no {name!r}")
        value = self._rest.pop(name)
        if type(value) is not kind:  # not isinstance: True is no number here
            raise ValueError(f"{name!r} in {self._name} is not {_KINDS[kind]}")
        return value

    def text(self, name: str) -> str:
        return cast(str, self._take(name, str))

    def maybe_text(self, name: str) -> str | None:
        return self.text(name) if name in self._rest else None

    def count(self, name: str, least: int = 0) -> int:
        value = cast(int, self._take(name, int))
        if value < least:
            raise ValueError(f"{name!r} in {self._name} is less than {least}")
        return value

    def time(self, name: str) -> datetime:
        text = self.text(name)
        try:
            time = datetime.fromisoformat(text)
            exact = _stamp(time) == text
        except (ValueError, OverflowError):
            exact = False
        if not exact:
            raise ValueError(f"{name!r} in {self._name} is not a time like 2026-11-22T14:05:00Z: {text[:40]!r}")
        return time

    def choice(self, name: str, choices: Sequence[_Choice]) -> _Choice:
        text = self.text(name)
        for known in choices:
            if known == text:
                return known
        raise ValueError(f"{name!r} in {self._name} is {text[:40]!r}; known are: {', '.join(choices)}")

    def mapping(self, name: str) -> _Json:
        return cast(_Json, self._take(name, dict, {}))

    def object(self, name: str) -> _Fields:
        return _Fields(self._take(name, dict), repr(name))

    def maybe_object(self, name: str) -> _Fields | None:
        return self.object(name) if name in self._rest else None

    def objects(self, name: str) -> list[_Fields]:
        return [_Fields(value, f"{name}[{index}]") for index, value in enumerate(self._take(name, list, []))]

    def texts(self, name: str) -> list[str]:
        found = cast(list[Any], self._take(name, list, []))
        if any(type(item) is not str for item in found):
            raise ValueError(f"{name!r} in {self._name} is not a list of texts")
        return found

    def close(self) -> None:
        if self._rest:
            raise ValueError(f"{self._name} has an unknown field {min(self._rest)[:40]!r}")


_KINDS = {str: "a text", int: "a whole number", dict: "an object", list: "a list"}


def _entry(fields: _Fields) -> Entry:
    key = fields.text("key")
    if not _KEY.fullmatch(key):
        raise ValueError(f"'key' is not 16 hexadecimal digits: {key[:40]!r}")
    event = fields.choice("event", ("intent", "receipt", "verdict"))
    announcement, channel, run = fields.text("announcement"), fields.text("channel"), fields.text("run")
    update, at = fields.time("update"), fields.time("at")
    part = fields.count("part", least=0 if event == "verdict" else 1)
    if event == "receipt":
        return Entry(key, Receipt(announcement, update, channel, part, at, run, _read_ref(fields.object("ref"))))
    if event == "verdict":
        verdict, by = fields.choice("verdict", _VERDICTS), fields.text("by")
        return Entry(key, Verdict(announcement, update, channel, part, at, run, verdict, by))
    return Entry(
        key,
        Intent(
            announcement=announcement,
            update=update,
            channel=channel,
            part=part,
            parts=fields.count("parts", least=part),
            at=at,
            run=run,
            status=fields.text("status"),
            post=_read_post(fields.object("post")),
            language=fields.text("language"),
            source=fields.text("source"),
            payload=fields.mapping("payload"),
            ref=_maybe_ref(fields.maybe_object("ref")),
            parent=_maybe_ref(fields.maybe_object("parent")),
            audience=tuple(fields.texts("audience")),
        ),
    )


def _read_ref(fields: _Fields) -> Ref:
    ref = Ref(fields.text("id"), fields.maybe_text("url"), fields.mapping("data"))
    fields.close()
    return ref


def _maybe_ref(fields: _Fields | None) -> Ref | None:
    return None if fields is None else _read_ref(fields)


def _read_post(fields: _Fields) -> Post:
    post = Post(
        text=fields.text("text"),
        length=fields.count("length"),
        facets=tuple(_read_facet(facet) for facet in fields.objects("facets")),
        media=tuple(_read_media(media) for media in fields.objects("media")),
        card=_read_card(fields.maybe_object("card")),
    )
    fields.close()
    return post


def _read_card(fields: _Fields | None) -> Card | None:
    if fields is None:
        return None
    card = Card(fields.text("url"), fields.text("title"), fields.text("description"))
    fields.close()
    return card


def _read_facet(fields: _Fields) -> Facet:
    kind = fields.choice("kind", _FACETS)
    facet = Facet(kind, fields.text("value"), fields.count("start"), fields.count("end"))
    fields.close()
    return facet


def _read_media(fields: _Fields) -> Media:
    media = Media(fields.text("path"), fields.text("alt"), _read_place(fields.maybe_object("place")))
    fields.close()
    return media


def _read_place(fields: _Fields | None) -> Place | None:
    if fields is None:
        return None
    place = Place(fields.text("path"), fields.count("line"), fields.count("column"))
    fields.close()
    return place
