"""Announcements to a folder of static pages and feeds. The same input makes the same bytes."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from jinja2 import TemplateSyntaxError
from markupsafe import Markup

from broadcast.errors import ConfigError
from broadcast.model import Announcement
from broadcast.paths import real
from broadcast.sandbox import Sandbox
from broadcast.site import feeds, folder
from broadcast.site.gallery import Gallery
from broadcast.site.overview import Overview, overview
from broadcast.site.pages import Entry, Page, pages
from broadcast.templates import environment

ALLOWANCE = 200_000_000
"""Units (see `metering`) that a template may spend on one page; a front page of 10,000 announcements takes a tenth."""
MEND = "mend the template"
FILES = ("index.html", "feed.atom", "feed.json")
FILTERS: dict[str, Callable[..., Any]] = {
    "iso": lambda time: f"{time:%Y-%m-%dT%H:%M:%SZ}",
    "when": lambda time: f"{time.day} {time:%b %Y, %H:%M} UTC",
    "date": lambda time: f"{time.day} {time:%b}",
    "clock": lambda time: f"{time:%H:%M} UTC",
    "markdown": str,
}
"""How templates write a time: for machines, whole, and in part where the rest stands beside it. `markdown` is for the
words that they share with those of posts."""


def build(
    announcements: Sequence[Announcement],
    output: Path,
    *,
    url: str | None,
    root: Path,
    templates: Path | None,
    now: datetime,
    title: str | None = None,
) -> list[Path]:
    """Replace the folder `output` by the site at `now`, and return its files.

    `url` is where the site is served: without it, feeds and pages name no absolute address. `root` is the project's
    folder, below which images are looked up; `templates` holds the user's own, found by `site/NAME.html.j2`. Raises
    `ConfigError` where `output` is not ours to replace, cannot be written, or a template fails.
    """
    output = real(output)
    if real(root).is_relative_to(output):
        raise ConfigError(f"the site would replace {output}, which holds the project", "choose another `output`")
    name = title or (urlsplit(url).hostname if url else None) or "Status"
    try:
        with folder.replaced(output) as new:
            gallery = Gallery(root, new)
            made = pages(announcements, gallery, url=url, now=now)
            site = _Site(environment(templates, autoescape=True, filters=FILTERS), name, url)
            found = feeds.items(made, gallery, url, site.entry)
            (new / "feed.atom").write_bytes(feeds.atom(found, name, url))
            (new / "feed.json").write_text(feeds.json_feed(found, name, url), encoding="utf-8")
            _write(new, made, site, overview([page for page in made if page.translation is None], now))
            files = sorted(path.relative_to(new) for path in new.rglob("*") if path.is_file())
    except OSError as error:
        raise ConfigError(f"the site cannot be written to {output}: {error.strerror or error}") from error
    return [output / file for file in files]


def _write(new: Path, made: Sequence[Page], site: _Site, whole: Overview) -> None:
    archive = whole.years[0].file if whole.years else None
    taken = dict.fromkeys(FILES, "the front page or a feed")
    for page in made:
        key = page.file.casefold()
        if key in taken:
            raise ConfigError(f"{page.path} would become {page.file}, and so would {taken[key]}", "rename it")
        taken[key] = page.path
        (new / page.file).write_text(site.render("announcement", page=page, archive=archive), encoding="utf-8")
    (new / "index.html").write_text(site.render("index", overview=whole, archive=archive), encoding="utf-8")
    for year in whole.years:
        (new / year.file).parent.mkdir(exist_ok=True)
        text = site.render("history", overview=whole, year=year, archive=archive)
        (new / year.file).write_text(text, encoding="utf-8")


class _Site:
    """What all pages share: the environment, the style sheet and the policy that allows nothing else."""

    def __init__(self, templates: Sandbox, title: str, url: str | None) -> None:
        self.templates = templates
        self.title = title
        self.url = url.rstrip("/") if url else None
        self.style = self._template("style.css", {})
        digest = base64.b64encode(hashlib.sha256(self.style.encode()).digest()).decode()
        # `self` means nothing for a page opened from disk, so images may come from `file:` too.
        self.policy = (
            f"default-src 'none'; style-src 'sha256-{digest}'; img-src 'self' file:; media-src 'self' file:; "
            "base-uri 'none'; form-action 'none'"
        )

    def render(self, name: str, **values: Any) -> str:
        """The page of template `name`. Its `base` leads to the site's top: the archive lies one folder down."""
        base = "../" if name == "history" else ""
        shared = {"title": self.title, "url": self.url, "base": base, "current": name, "policy": self.policy}
        style = Markup(self.style)  # noqa: S704 - the style sheet is a template of ours or of the site's owner
        return self._template(f"{name}.html", {**shared, "style": style, **values}) + "\n"

    def entry(self, page: Page, entry: Entry, html: Markup) -> str:
        """An update as feeds show it, with what is promised and planned."""
        return self._template("entry.html", {"page": page, "entry": entry, "html": html}).strip()

    def _template(self, name: str, values: dict[str, Any]) -> str:
        try:
            with self.templates.meter.allowance(ALLOWANCE):
                made = str(self.templates.get_template(f"site/{name}.j2").render(values))
                return made.encode("utf-8", "replace").decode()
        except TemplateSyntaxError as error:
            where = f"{error.filename or error.name}:{error.lineno}"
            raise ConfigError(f"{where}: {error.message}", MEND) from error
        except RecursionError as error:
            raise ConfigError(f"template site/{name}.j2: it is nested or included without end", MEND) from error
        except Exception as error:
            raise ConfigError(f"template site/{name}.j2: {str(error) or type(error).__name__}", MEND) from error
