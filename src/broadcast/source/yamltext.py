"""As much of YAML as front matter needs: keys with texts or lists of texts, each with its place.

Values are taken as they are written (`version: 2.10` stays `2.10`, `title: No` stays `No`); what they mean is decided
by who knows the key. The events of the C parser are read directly, so nothing deep, aliased or tagged is ever built.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

from broadcast.model import Place, Problem
from broadcast.source.problems import problem, shown

MAX_LENGTH = 64 * 1024
MAX_VALUES = 2000

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Nested:
    """Stands for a value that has an inner structure of its own, which no key takes."""


Value = str | list[str | Nested] | Nested


@dataclass(slots=True)
class Fields:
    """What stands in a front matter. A key without a value is left out of `values` but has its place in `keys`.

    `places` holds where values stand; those of a list's items have the key and the item's number.
    """

    values: dict[str, Value] = field(default_factory=dict)
    keys: dict[str, Place] = field(default_factory=dict)
    places: dict[tuple[str | int, ...], Place] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)


class _RefusedError(Exception):
    def __init__(self, event: Any, message: str) -> None:
        super().__init__(message)
        self.event = event


def read_fields(text: str, path: str, first_line: int) -> Fields:
    """Read the YAML of a front matter whose text begins on `first_line` of its file."""
    fields = Fields()

    def place(mark: Any) -> Place:
        return Place(path, first_line + mark.line, mark.column + 1) if mark is not None else Place(path, first_line)

    if len(text) > MAX_LENGTH:
        fields.problems.append(
            problem("bad-yaml", Place(path), f"the front matter is longer than {MAX_LENGTH} characters")
        )
        return fields
    try:
        _read(_events(text), fields, place)
        _comment(text, fields, first_line)
    except _RefusedError as error:
        fields.problems.append(problem("bad-yaml", place(error.event.start_mark), str(error)))
    except yaml.MarkedYAMLError as error:
        why = error.problem or "it cannot be read"
        fields.problems.append(
            problem("bad-yaml", place(error.problem_mark), f"this is not YAML: {why}; put the value in quotes?")
        )
    except yaml.YAMLError as error:
        fields.problems.append(problem("bad-yaml", Place(path, first_line), f"this is not YAML: {shown(str(error))}"))
    return fields


def _comment(text: str, fields: Fields, first_line: int) -> None:
    """Report a title without quotes that ends where ` #` begins a comment."""
    title, place = fields.values.get("title"), fields.places.get(("title",))
    if not isinstance(title, str) or place is None:
        return
    line = text.split("\n")[place.line - first_line]
    rest = line[place.column - 1 :].removeprefix(title)
    if line[place.column - 1 :].startswith(title) and re.match(r"\s+#", rest):
        message = f"YAML takes what follows ` #` for a comment, so the title is `{shown(title)}`: put it in quotes"
        fields.problems.append(problem("cut-title", place, message))


def _events(text: str) -> Iterator[Any]:
    for number, event in enumerate(yaml.parse(text, Loader=_LOADER)):
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None) is not None:
            raise _RefusedError(
                event, "anchors (`&name`) and aliases (`*name`) are not used here; put the text in quotes"
            )
        if getattr(event, "tag", None) not in {None, "!"}:
            raise _RefusedError(event, "tags (`!name`) are not used here; put the text in quotes")
        if number > MAX_VALUES:
            raise _RefusedError(event, "the front matter has too many values")
        if not isinstance(event, yaml.StreamStartEvent | yaml.StreamEndEvent | yaml.DocumentEndEvent):
            yield event


def _read(events: Iterator[Any], fields: Fields, place: Any) -> None:
    if next(events, None) is None:
        return
    root = next(events)
    if isinstance(root, yaml.ScalarEvent) and not root.value:
        return
    if not isinstance(root, yaml.MappingStartEvent):
        raise _RefusedError(root, "the front matter is a list of keys: write `title: ...`")
    for event in events:
        if isinstance(event, yaml.MappingEndEvent):
            break
        if not isinstance(event, yaml.ScalarEvent):
            raise _RefusedError(event, "a key must be a word")
        key, value = event.value, next(events)
        if key in fields.keys:
            first = fields.keys[key].line
            fields.problems.append(
                problem("duplicate-key", place(event.start_mark), f"`{shown(key)}` stands in line {first} already")
            )
        else:
            fields.keys[key] = place(event.start_mark)
        _read_value(key, value, events, fields, place)
    for event in events:
        raise _RefusedError(event, "the front matter is one document: remove what follows")


def _read_value(key: str, value: Any, events: Iterator[Any], fields: Fields, place: Any) -> None:
    if isinstance(value, yaml.ScalarEvent):
        if value.value or value.style:
            fields.values[key] = value.value
            fields.places[key,] = place(value.start_mark)
        return
    fields.places[key,] = place(value.start_mark)
    if not isinstance(value, yaml.SequenceStartEvent):
        _skip(events)
        fields.values[key] = Nested()
        return
    items: list[str | Nested] = []
    for item in events:
        if isinstance(item, yaml.SequenceEndEvent):
            break
        fields.places[key, len(items)] = place(item.start_mark)
        if isinstance(item, yaml.ScalarEvent):
            items.append(item.value)
        else:
            _skip(events)
            items.append(Nested())
    fields.values[key] = items


def _skip(events: Iterator[Any]) -> None:
    depth = 1
    for event in events:
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
            if depth == 0:
                return
