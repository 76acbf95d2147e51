"""Which function of a stand-in answers a request."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from broadcast.rehearsal.base import Request, Response

Handler = Callable[..., Response]
"""Takes the request and the values of the route's `{names}`, in order."""


class Routes:
    """A table of `"METHOD /path/{name}"` to handler. A `{name}` is one segment; a last `/` does not matter."""

    def __init__(self, table: Mapping[str, Handler]) -> None:
        self._table: list[tuple[str, re.Pattern[str], Handler]] = []
        for route, handler in table.items():
            method, path = route.split(" ")
            pattern = "".join(
                "([^/]+)" if part.startswith("{") else re.escape(part) for part in re.split(r"(\{\w+\})", path)
            )
            self._table.append((method, re.compile(pattern), handler))

    def find(self, request: Request) -> Callable[[], Response] | None:
        """The handler with its arguments, or None for a request that the real server does not know."""
        path = request.path.rstrip("/")
        for method, pattern, handler in self._table:
            if method == request.method and (match := pattern.fullmatch(path)):
                arguments = match.groups()
                return lambda: handler(request, *arguments)
        return None
