"""Jinja2 environments for templates that users may write: always in the sandbox, always with `StrictUndefined`.

A project's own folder is looked up first, the packaged templates after.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from jinja2 import ChoiceLoader, FileSystemLoader, StrictUndefined
from jinja2.exceptions import SecurityError
from jinja2.nodes import Template as TemplateNode
from jinja2.sandbox import ImmutableSandboxedEnvironment

MAX_REPEATED = 100_000
"""Most characters or items that `*` and `**` in a template may make: a template in a pull request is hostile."""


class Sandbox(ImmutableSandboxedEnvironment):
    """Jinja2's sandbox, with the two operators that turn a short template into gigabytes bounded."""

    intercepted_binops = frozenset({"*", "**"})

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        if operator == "**" or not (isinstance(left, int | float) and isinstance(right, int | float)):
            sizes = [value if isinstance(value, int) else len(value) for value in (left, right)]
            if operator == "**" or sizes[0] * sizes[1] > MAX_REPEATED:
                raise SecurityError(f"`{operator}` would make too large a value")
        return super().call_binop(context, operator, left, right)


def packaged() -> Path:
    """The templates that come with broadcast: in the wheel, or at the root of a checkout."""
    here = Path(__file__).parent
    installed = here / "_templates"
    return installed if installed.is_dir() else here.parents[1] / "templates"


def environment(
    folder: Path | None,
    *,
    autoescape: bool,
    finalize: Callable[[Any], Any] | None = None,
    prepare: Callable[[TemplateNode], TemplateNode] | None = None,
) -> Sandbox:
    """A sandbox that loads from `folder` (may be absent) and then from the packaged templates.

    `prepare` may rewrite a template's syntax tree before it is compiled.
    """

    class Prepared(Sandbox):
        def compile(self, source: Any, name: Any = None, filename: Any = None, *args: Any, **kwargs: Any) -> Any:
            if prepare is not None:
                tree = self.parse(source, name, filename) if isinstance(source, str) else source
                source = prepare(tree)
            return super().compile(source, name, filename, *args, **kwargs)

    folders = [path for path in (folder, packaged()) if path is not None]
    return Prepared(
        loader=ChoiceLoader([FileSystemLoader(path) for path in folders]),
        autoescape=autoescape,
        undefined=StrictUndefined,
        finalize=finalize,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=False,
    )
