"""Jinja2 environments for templates that users may write: always in the sandbox, always with `StrictUndefined`.

A project's own folder is looked up first, the packaged templates after.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from jinja2 import ChoiceLoader, Environment, FileSystemLoader, StrictUndefined
from jinja2.exceptions import TemplateNotFound, TemplateSyntaxError
from jinja2.loaders import split_template_path
from jinja2.nodes import Template as TemplateNode

from broadcast.conflicts import WHAT_TO_DO, markers
from broadcast.paths import is_file, real
from broadcast.sandbox import Sandbox

MAX_SOURCE = 100_000
"""Most bytes of a template."""


_Source = tuple[str, str, Callable[[], bool]]


class _Folder(FileSystemLoader):
    """Templates of a folder, none of them large, none of them a link to somewhere else. Each is looked for once."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._missing: set[str] = set()

    def get_source(self, environment: Environment, template: str) -> _Source:
        if template in self._missing:
            raise TemplateNotFound(template)
        try:
            self._refuse(template)
            return _merged(super().get_source(environment, template), template)
        except UnicodeDecodeError:
            raise TemplateSyntaxError("it is not UTF-8: save it in that encoding", 1, template) from None
        except TemplateNotFound:
            self._missing.add(template)
            raise
        except OSError as error:
            raise TemplateSyntaxError(f"it cannot be read: {error.strerror}", 1, template) from None

    def _refuse(self, template: str) -> None:
        pieces = split_template_path(template)
        for folder in map(Path, self.searchpath):
            path = folder.joinpath(*pieces)
            if is_file(path):
                why = ""
                if not real(path).is_relative_to(real(folder)):
                    why = "this link leads out of the folder of templates"
                elif path.stat().st_size > MAX_SOURCE:
                    why = f"it is larger than {MAX_SOURCE:,} bytes"
                if why:
                    raise TemplateSyntaxError(why, 1, template, str(path))


def _merged(source: _Source, template: str) -> _Source:
    for line, marker in markers(source[0].splitlines()):
        raise TemplateSyntaxError(f"`{marker}` is a conflict marker of git: {WHAT_TO_DO}", line, template, source[1])
    return source


def packaged() -> Path:
    """The templates that come with broadcast: in the wheel, or at the root of a checkout."""
    here = Path(__file__).parent
    installed = here / "_templates"
    return installed if installed.is_dir() else here.parents[1] / "templates"


def environment(
    folder: Path | None,
    *,
    autoescape: bool,
    filters: Mapping[str, Callable[..., Any]] | None = None,
    finalize: Callable[[Any], Any] | None = None,
    prepare: Callable[[TemplateNode], TemplateNode] | None = None,
) -> Sandbox:
    """A sandbox that loads from `folder` (may be absent) and then from the packaged templates. See `Sandbox`."""
    folders = [path for path in (folder, packaged()) if path is not None]
    return Sandbox(
        loader=ChoiceLoader([_Folder(path) for path in folders]),
        autoescape=autoescape,
        undefined=StrictUndefined,
        filters=filters or {},
        finalize=finalize,
        prepare=prepare,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=False,
    )
