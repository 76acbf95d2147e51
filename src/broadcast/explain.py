"""What pydantic finds wrong with `broadcast.toml`, in our words: where it stands, and what to write instead."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from difflib import get_close_matches
from typing import Literal

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from broadcast.model import Place, Problem
from broadcast.source.tomltext import Path, Places, nearest

FILE = "broadcast.toml"


def explain(
    error: ValidationError,
    model: type[BaseModel],
    prefix: Path,
    places: Places,
    known: Callable[[Path], Collection[str]],
    secrets: Sequence[str] = (),
) -> Iterator[Problem]:
    """Every problem. `prefix` leads to the table; `known` gives the keys of the table at a path in it; `secrets` are
    names that must not be keys. Quotes no value of a wrong type: it might be a secret in the wrong place."""
    for item in error.errors(include_url=False, include_input=False):
        if item["type"] == "json_invalid":
            yield problem("config-syntax", at(places, prefix), "it is nested too deeply")
            continue
        path = (*prefix, *item["loc"])
        key, dotted = str(path[-1]), ".".join(map(str, path))
        if item["type"] == "extra_forbidden":
            if key.upper() in secrets:
                variable = f"BROADCAST_{str(prefix[-1]).upper().replace('-', '_')}_{key.upper()}"
                message = f"secrets never stand in this file: take {key!r} out and set {variable} in the environment"
                yield problem("secret-in-config", at(places, path), message)
                continue
            message = f"unknown key {dotted!r}{suggestion(key, known(item['loc'][:-1]))}"
            yield problem("unknown-key", at(places, path), message)
        elif item["type"] == "missing":
            yield problem("missing-key", at(places, path[:-1]), f"{dotted!r} is missing")
        else:
            yield problem("bad-value", at(places, path), f"{dotted!r}: {_reason(item, model, path)}")


def _reason(item: ErrorDetails, model: type[BaseModel], path: Path) -> str:
    """What to write instead."""
    match item["type"]:
        case "string_type":
            return "write a text in quotes"
        case "bool_type":
            return "write true or false"
        case "int_type" | "int_from_float" | "greater_than_equal" | "less_than_equal":
            field = model.model_json_schema()["properties"].get(str(item["loc"][0]), {})
            bounds = [f"from {field['minimum']}"] if "minimum" in field else []
            bounds += [f"to {field['maximum']}"] if "maximum" in field else []
            return " ".join(["write a whole number", *bounds])
        case "literal_error":
            return f"write {item['ctx']['expected']}"
        case "too_long":
            return f"more than {item['ctx']['max_length']:,} are too many"
        case _ if path[0] == "routes" and len(path) <= 2:
            return "write each route as a table: [[routes]]"
        case "tuple_type" | "list_type":
            return 'write a list, such as ["incident"]' if path[-1] == "kinds" else 'write a list, such as ["*"]'
        case "dict_type" | "model_type":
            names = (*path, "NAME") if path in (("channels",), ("abbreviations",)) else path
            return f"write a table: [{'.'.join(map(str, names))}]"
        case _:
            message = item["msg"].removeprefix("Value error, ")
            return message[:1].lower() + message[1:]


def suggestion(name: str, names: Collection[str]) -> str:
    """What to append to a message about a name that is not one of `names`."""
    close = get_close_matches(name, list(names), n=1, cutoff=0.5)
    return f"; did you mean {close[0]!r}?" if close else f"; known are: {', '.join(sorted(names)) or 'none'}"


def problem(code: str, place: Place, message: str, severity: Literal["error", "warning"] = "error") -> Problem:
    return Problem(severity, code, place, message)


def at(places: Places, path: Path) -> Place:
    """Where a value stands in the file."""
    return Place(FILE, *nearest(places, path))
