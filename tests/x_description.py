"""Requests to X held against X's own OpenAPI description, where that is at hand."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from openapi_core import Config, OpenAPI
from openapi_core.datatypes import RequestParameters
from openapi_core.exceptions import OpenAPIError
from werkzeug.datastructures import Headers, ImmutableMultiDict

from broadcast.rehearsal.base import Request

SHARED = Path(os.environ.get("BROADCAST_SHARED") or Path(__file__).parents[2] / "shared")
DESCRIPTION = SHARED / "data" / "x-openapi.json"


class Described:
    """A request as openapi-core reads it; its host is the one that the description names."""

    host_url = "https://api.x.com"

    def __init__(self, request: Request) -> None:
        self.path = urlsplit(request.url).path
        self.method = request.method.lower()
        self.content_type = request.headers.get("content-type", "")
        self.body = request.body or None
        query = ImmutableMultiDict([(name, value) for name, values in request.query.items() for value in values])
        self.parameters = RequestParameters(query=query, header=Headers(list(request.headers.items())))


@cache
def _description() -> OpenAPI:
    # The description repeats values of enumerations, which its own validation would stop at.
    found = _readable(json.loads(DESCRIPTION.read_text(encoding="utf-8")))
    return OpenAPI.from_dict(found, config=Config(spec_validator_cls=None))


def _readable(value: Any, key: str = "") -> Any:
    """Without repeated values of enumerations, without OAuth 2 (which openapi-core does not know and we not use), and
    with schemes of authorization in lower case (openapi-core compares them, RFC 9110 does not mind)."""
    if isinstance(value, dict):
        return {name: _readable(item, name) for name, item in value.items()}
    if key == "scheme" and isinstance(value, str):
        return value.lower()
    if not isinstance(value, list):
        return value
    if key == "enum":
        return list(dict.fromkeys(value))
    if key == "security":
        return [one for one in value if "OAuth2UserToken" not in one]
    return [_readable(item) for item in value]


def violations(requests: Iterable[Request]) -> Iterator[str]:
    """What is wrong with these requests, by the description."""
    for request in requests:
        try:
            _description().validate_request(Described(request))
        except OpenAPIError as error:
            causes = [str(error), *(str(one) for one in getattr(error.__cause__, "schema_errors", ()))]
            yield f"{request.method} {request.path}: {error.__cause__ or error}: {' / '.join(causes)}"
