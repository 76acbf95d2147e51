"""How a PDS reads requests and refuses them (https://atproto.com/specs/xrpc)."""

from __future__ import annotations

from typing import Any, cast

from broadcast.rehearsal import forms, lexicon
from broadcast.rehearsal.base import Refusal, Request, json_response
from broadcast.rehearsal.limits import Standing

MAX_JSON = 150 * 1024
"""Bytes of the largest JSON body that a PDS takes."""


def refused(status: int, name: str, message: str) -> Refusal:
    return Refusal(json_response({"error": name, "message": message}, status))


def invalid(message: str) -> Refusal:
    return refused(400, "InvalidRequest", message)


def too_large(name: str) -> Refusal:
    return refused(413, name, "request entity too large")


def too_many() -> Refusal:
    return refused(429, "RateLimitExceeded", "Rate Limit Exceeded")


def encoding(request: Request) -> str:
    """The content type of an upload. Raises `Refusal` when there is none."""
    kind = forms.content_type(request)
    if not kind:
        raise invalid("Request encoding (Content-Type) required but not provided")
    return kind


def body(request: Request, schema: lexicon.Check) -> dict[str, Any]:
    """A JSON object that fits the schema. Raises `Refusal`."""
    if (kind := encoding(request)) != "application/json":
        raise invalid(f"Wrong request encoding (Content-Type): {kind}")
    if len(request.body) > MAX_JSON:
        raise too_large("PayloadTooLargeError")
    try:
        value = forms.parse_json(request.body)
        schema(value, "$")
    except forms.BodyError as error:
        raise refused(400, "SyntaxError", str(error)) from error
    except lexicon.InvalidError as error:
        raise invalid(str(error)) from error
    return cast(dict[str, Any], value)


def limit_headers(standing: Standing) -> dict[str, str]:
    return {
        "RateLimit-Limit": str(standing.limit),
        "RateLimit-Remaining": str(standing.remaining),
        "RateLimit-Reset": str(int(standing.reset.timestamp())),
        "RateLimit-Policy": f"{standing.limit};w={int(standing.length.total_seconds())}",
    }
