"""The bodies of X's refusals (https://docs.x.com/x-api/fundamentals/response-codes-and-errors)."""

from __future__ import annotations

from typing import Any

from broadcast.rehearsal.base import Refusal, json_response

_PROBLEMS = "https://api.x.com/2/problems"
_TITLES = {401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 429: "Too Many Requests"}


def refused(status: int, detail: str = "") -> Refusal:
    """A refusal without a problem type of its own."""
    title = _TITLES[status]
    return _problem(status, {"detail": detail or title, "type": "about:blank", "title": title, "status": status})


def invalid(parameter: str, value: str, message: str) -> Refusal:
    """400: a parameter that is missing, unknown or not in its range."""
    body = {
        "errors": [{"parameters": {parameter: [value]}, "message": f"{parameter} {message}"}],
        "title": "Invalid Request",
        "detail": "One or more parameters to your request was invalid.",
        "type": f"{_PROBLEMS}/invalid-request",
    }
    return _problem(400, body)


def no_credits() -> Refusal:
    """402: a pay-per-use account that is empty."""
    body = {
        "title": "CreditsDepleted",
        "detail": "Your enrolled account does not have any credits to fulfill this request.",
        "type": f"{_PROBLEMS}/credits",
    }
    return _problem(402, body)


def missing(resource: str, parameter: str, value: str) -> dict[str, Any]:
    """The entry of `errors` for something that does not exist."""
    return {
        "value": value,
        "detail": f"Could not find {resource} with {parameter}: [{value}].",
        "title": "Not Found Error",
        "resource_type": resource,
        "parameter": parameter,
        "resource_id": value,
        "type": f"{_PROBLEMS}/resource-not-found",
    }


def not_found(resource: str, parameter: str, value: str) -> Refusal:
    """404 for something that does not exist, where X does not answer 200 with `errors` instead."""
    return _problem(404, missing(resource, parameter, value) | {"status": 404})


def _problem(status: int, body: dict[str, Any]) -> Refusal:
    return Refusal(json_response(body, status, {"Content-Type": "application/problem+json"}))
