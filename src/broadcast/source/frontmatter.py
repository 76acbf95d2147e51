"""The keys of an announcement's front matter: which there are, and what each takes."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any, get_args
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, WithJsonSchema
from pydantic_core import ErrorDetails

from broadcast.model import Kind, Place, Problem, Severity
from broadcast.source import bounds
from broadcast.source.problems import did_you_mean, problem, shown
from broadcast.source.times import EXAMPLE, parse_duration, parse_time
from broadcast.source.yamltext import Fields, read_fields

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
LANGUAGE = re.compile(r"[a-z]{2,3}(?:-[A-Za-z0-9]{2,8})*")
"""A language tag as BCP 47 has it, without the rare forms."""


def is_web_address(text: str) -> bool:
    """Whether followers can open it: `http` or `https`, with a host and without spaces or controls."""
    try:
        parts = urlsplit(text)
        there = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
        return there and not re.search(r"[\s\x00-\x1f\x7f]", text)
    except ValueError:
        return False


def _one_line(text: str) -> str:
    line = " ".join(text.split())
    if not line:
        raise ValueError("it is empty")
    if control := _CONTROL.search(line):
        raise ValueError(f"U+{ord(control[0]):04X} is an invisible control character: remove it")
    return line


def language_tag(text: str) -> str:
    """The text, which is a language tag. Raises `ValueError` with what to write instead."""
    if not LANGUAGE.fullmatch(text):
        raise ValueError(f"`{shown(text)}` is not a language tag: write one such as `en`, `fr` or `pt-BR`")
    return text


def _address(text: str) -> str:
    if not is_web_address(text):
        raise ValueError(f"`{shown(text)}` is not an address that followers can open: write https://...")
    return text


def _lower(text: Any) -> Any:
    return text.strip().lower() if isinstance(text, str) else text


def _truth(text: Any) -> Any:
    return {"true": True, "yes": True, "false": False, "no": False}.get(_lower(text), text)


def _read_with(read: Callable[[str], Any]) -> BeforeValidator:
    def validate(value: Any) -> Any:
        return read(value) if isinstance(value, str) else value

    return BeforeValidator(validate)


# Editors check a file as YAML types it, where 2.10 is a number; here everything is text as it was written.
_AS_WRITTEN = {"type": ["string", "number", "boolean"]}
Line = Annotated[str, Field(max_length=300), AfterValidator(_one_line)]
Names = Annotated[tuple[Line, ...], Field(max_length=bounds.NAMES)]
Time = Annotated[
    datetime, _read_with(parse_time), WithJsonSchema({"type": "string", "description": f"with a zone: {EXAMPLE}"})
]


class FrontMatter(BaseModel):
    """The front matter of an announcement."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    title: Annotated[Line, WithJsonSchema(_AS_WRITTEN)]
    kind: Annotated[Kind, BeforeValidator(_lower)] = "incident"
    severity: Annotated[Severity, BeforeValidator(_lower)] | None = None
    components: Names = ()
    language: Annotated[str, AfterValidator(language_tag)] | None = None
    starts: Time | None = None
    ends: Time | None = None
    version: Annotated[Line, WithJsonSchema(_AS_WRITTEN)] | None = None
    tags: Names = ()
    channels: Names | None = None
    link: Annotated[str, AfterValidator(_address)] | None = None
    update_every: (
        Annotated[
            timedelta,
            _read_with(parse_duration),
            WithJsonSchema({"type": "string", "description": "30m, 4h, 1d or 1h30m"}),
        ]
        | None
    ) = None
    date: Time | None = None
    draft: Annotated[bool, BeforeValidator(_truth)] = False


def schema() -> dict[str, Any]:
    """The JSON Schema of the front matter, for editors."""
    return FrontMatter.model_json_schema()


@dataclass(frozen=True, slots=True)
class Read:
    """A front matter that was read: what is right in it (None where that is not enough to go on), where everything
    stands, and what is wrong."""

    meta: FrontMatter | None
    path: str
    fields: Fields
    problems: tuple[Problem, ...]

    def place(self, key: str) -> Place:
        """Where a key's value stands, or else the key, or else the file."""
        return self.fields.places.get((key,)) or self.fields.keys.get(key) or Place(self.path)


def read_front_matter(text: str, path: str, first_line: int) -> Read:
    """Read and validate. A value that is wrong is reported and left out, so that everything else is still checked;
    with a kind that does not exist there is nothing to go on with."""
    fields = read_fields(text, path, first_line)
    problems = list(fields.problems)
    if any(each.code == "bad-yaml" for each in problems):
        return Read(None, path, fields, tuple(problems))
    values: dict[str, object] = dict(fields.values)
    try:
        return Read(FrontMatter.model_validate(values), path, fields, tuple(problems))
    except ValidationError as error:
        errors = error.errors(include_url=False)
    for each in errors:
        problems.append(_problem(each, fields, path))
        values.pop(str(each["loc"][0]), None)
    if any(each["loc"][0] == "kind" for each in errors):
        return Read(None, path, fields, tuple(problems))
    return Read(FrontMatter.model_validate({"title": "untitled", **values}), path, fields, tuple(problems))


def _problem(error: ErrorDetails, fields: Fields, path: str) -> Problem:
    loc = error["loc"]
    key = str(loc[0])
    if error["type"] == "missing":
        message = f"`{key}` is missing: write `{key}: ...` in the front matter"
        return problem("missing-key", fields.keys.get(key, Place(path)), message)
    if error["type"] == "extra_forbidden":
        known = FrontMatter.model_fields
        return problem(
            "unknown-key",
            fields.keys[key],
            f"there is no key `{shown(key)}`.{did_you_mean(key, known) or ' There are: ' + ', '.join(known) + '.'}",
        )
    where = tuple(part for part in loc if isinstance(part, int))
    place = fields.places.get((key, *where[:1])) or fields.places.get((key,)) or fields.keys.get(key) or Place(path)
    return problem("bad-value", place, f"`{key}`: {_reason(error, key)}")


def _reason(error: ErrorDetails, key: str) -> str:
    value = error.get("input")
    match error["type"]:
        case "value_error":
            return str(error["ctx"]["error"])
        case "bool_type" | "bool_parsing":
            return "write true or false"
        case "literal_error" if isinstance(value, str):
            known = get_args(Kind if key == "kind" else Severity)
            return f"`{shown(value)}` must be one of {', '.join(known)}.{did_you_mean(value, known)}"
        case "tuple_type":
            return f"a list is needed: write `[{shown(value) if isinstance(value, str) else '...'}]`"
        case "too_long":
            return f"more than {error['ctx']['max_length']} of them"
        case "string_too_long":
            return f"more than {error['ctx']['max_length']} characters"
        case _:
            return "one text is needed: put it in quotes if it has brackets or braces"
