"""What a request's body says: JSON, a URL-encoded form, or multipart/form-data."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from broadcast.rehearsal.base import Request

MAX_FIELDS = 1000


class BodyError(ValueError):
    """The body is not what its content type says, or its content type is none of ours."""


@dataclass(frozen=True, slots=True)
class Upload:
    """A file of a multipart form."""

    data: bytes = field(repr=False)
    mime: str


Form = dict[str, Any]
"""Values by name: a string, an `Upload`, or, for a name that ends in `[]` (without it here), a list."""


def content_type(request: Request) -> str:
    """The media type without its parameters, lower case; empty when there is none."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def read(request: Request) -> Form:
    """The body of a request as one mapping. Raises `BodyError`."""
    kind = content_type(request)
    if not request.body:
        return {}
    if kind == "application/json":
        value = parse_json(request.body)
        if not isinstance(value, dict):
            raise BodyError("the body is not a JSON object")
        return value
    if kind == "application/x-www-form-urlencoded":
        return _fold(_urlencoded(request.body))
    if kind == "multipart/form-data":
        return _fold(_multipart(request.headers["content-type"], request.body))
    raise BodyError(f"cannot read a body of type {kind or '(none)'}")


def parse_json(body: bytes) -> Any:
    """Raises `BodyError`, also for half a surrogate pair, which JSON can name and no text can hold."""
    try:
        value = json.loads(body)
        json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise BodyError("the body is not JSON") from error
    return value


def _urlencoded(body: bytes) -> list[tuple[str, Any]]:
    try:
        return [*parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=MAX_FIELDS)]
    except ValueError as error:
        raise BodyError("the body is not a form") from error


def _fold(pairs: list[tuple[str, Any]]) -> Form:
    form: Form = {}
    for name, value in pairs:
        if name.endswith("[]"):
            form.setdefault(name[:-2], []).append(value)
        else:
            form[name] = value
    return form


def _multipart(header: str, body: bytes) -> list[tuple[str, Any]]:
    """RFC 7578. Parts without a file name are text; a transfer encoding is not allowed there."""
    boundary = re.search(r'boundary="?([^";,]{1,70})', header, re.IGNORECASE)
    if boundary is None:
        raise BodyError("a multipart body without a boundary")
    chunks = (b"\r\n" + body).split(b"\r\n--" + boundary[1].encode())
    if len(chunks) < 2 or not chunks[-1].startswith(b"--") or len(chunks) > MAX_FIELDS:
        raise BodyError("the multipart body is cut off")
    return [_part(chunk) for chunk in chunks[1:-1]]


def _part(chunk: bytes) -> tuple[str, Any]:
    head, gap, data = chunk.removeprefix(b"\r\n").partition(b"\r\n\r\n")
    text = head.decode("utf-8", "replace")
    name = re.search(r';\s*name="([^"]*)"', text, re.IGNORECASE)
    if not gap or name is None:
        raise BodyError("a part of the multipart body has no name")
    if re.search(r";\s*filename\*?=", text, re.IGNORECASE):
        kind = re.search(r"^content-type:\s*([^\s;]+)", text, re.IGNORECASE | re.MULTILINE)
        return name[1], Upload(data, kind[1].lower() if kind else "application/octet-stream")
    return name[1], data.decode("utf-8", "replace")
