"""The JSON of `--json`. Its shapes carry `"schema": 1` and change only with that number."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from broadcast.model import Action, Plan, Problem, Result, Standing

SCHEMA = 1
Data = dict[str, Any]


def utc(time: datetime) -> str:
    """`2026-11-22T14:05:00Z`."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ")


def problems(found: Iterable[Problem]) -> Data:
    return {"schema": SCHEMA, "problems": [_problem(problem) for problem in found]}


def plan(value: Plan) -> Data:
    """Every post that should exist. `start` and `end` of a link are UTF-8 byte offsets in `text`."""
    return {
        "schema": SCHEMA,
        "actions": [_action(action) for action in value.actions],
        "problems": [_problem(problem) for problem in value.problems],
        "cost": {channel: {"usd": usd} for channel, usd in value.cost.items()},
    }


def results(found: Iterable[Result]) -> Data:
    return {
        "schema": SCHEMA,
        "results": [
            {
                "announcement": result.announcement,
                "update": utc(result.update),
                "channel": result.channel,
                "part": result.part,
                "state": result.state,
                "id": result.id,
                "url": result.url,
                "error": result.error,
            }
            for result in found
        ],
    }


def standings(found: Sequence[Standing], problems: Iterable[Problem] = ()) -> Data:
    return {
        "schema": SCHEMA,
        "problems": [_problem(problem) for problem in problems],
        "announcements": [
            {
                "announcement": one.announcement,
                "title": one.title,
                "kind": one.kind,
                "status": one.status,
                "open": one.open,
                "updated": utc(one.updated),
                "next_update_due": utc(one.next_update_due) if one.next_update_due else None,
                "overdue": one.overdue,
                "channels": {
                    name: {"state": channel.state, "urls": list(channel.urls)} for name, channel in one.channels.items()
                },
            }
            for one in found
        ],
    }


def channels(rows: Iterable[Mapping[str, Any]]) -> Data:
    return {"schema": SCHEMA, "channels": [dict(row) for row in rows]}


def measures(rows: Iterable[Mapping[str, Any]]) -> Data:
    return {"schema": SCHEMA, "measures": [dict(row) for row in rows]}


def _problem(problem: Problem) -> Data:
    return {
        "severity": problem.severity,
        "code": problem.code,
        "path": problem.place.path,
        "line": problem.place.line,
        "column": problem.place.column,
        "message": problem.message,
    }


def _action(action: Action) -> Data:
    reply = action.reply_to
    return {
        "announcement": action.announcement,
        "update": utc(action.update),
        "status": action.status,
        "channel": action.channel,
        "platform": action.platform,
        "part": action.part,
        "parts": action.parts,
        "text": action.post.text,
        "length": action.post.length,
        "limit": action.limit,
        "links": [
            {"url": facet.value, "start": facet.start, "end": facet.end}
            for facet in action.post.facets
            if facet.kind == "link"
        ],
        "media": [{"path": media.path, "alt": media.alt} for media in action.post.media],
        "language": action.language,
        "reply_to": reply and {"update": utc(reply.update), "part": reply.part, "id": reply.id, "url": reply.url},
        "state": action.state,
    }
