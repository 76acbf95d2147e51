"""The status page as a channel: sending an update rebuilds the whole site, so that it always shows what the files say.

A page cannot stand half: the site is built beside the old one and renamed into its place.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict

from broadcast.errors import ConfigError, RefusedError
from broadcast.model import Announcement, Channel, Intent, Limits, Post, Ref
from broadcast.paths import LONGEST_PATH, real
from broadcast.platforms.base import Account, Ours, Prepared, Workspace
from broadcast.platforms.forms import Forms, host_of
from broadcast.site import folder
from broadcast.site.build import build
from broadcast.site.links import anchor, page_name, permalink
from broadcast.site.pages import translation_of
from broadcast.site.state import without


def _inside(output: str) -> str:
    path = PurePosixPath(output)
    wrong = path.is_absolute() or not path.parts or {"..", ".git"} & set(path.parts)
    if wrong or "\0" in output or len(output) > LONGEST_PATH:
        raise ValueError("must be a folder inside the project, `public` for one")
    return output


class Options(BaseModel):
    """Where the site is built, relative to the folder of `broadcast.toml`, and what it is called."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    output: Annotated[str, AfterValidator(_inside)] = "public"
    title: str | None = None


OPTIONS = Options
SECRETS: tuple[str, ...] = ()
EDITS = True

OTHER_UPDATE = "it is the page of another update"


def forms(options: Options, url: str | None) -> Forms:
    """An id is the name of a page and of an update on it."""
    return Forms(id=r"[^/\\#]+#u-[0-9]{8}T[0-9]{6}Z", hosts=("file:", *host_of(url)))


def limits(options: Options) -> Limits:
    """A page takes anything; the numbers only stop what no reader would want."""
    return Limits(length=1_000_000, measure=len, facets=True, images=100, alt=10_000, videos="any")


def cost(post: Post) -> float | None:
    return None


def connect(channel: Channel, secrets: Mapping[str, str], workspace: Workspace) -> Site:
    """Needs no network and no secrets. Raises `RefusedError` where the output is not ours to replace."""
    options = channel.options if isinstance(channel.options, Options) else Options()
    output = real(workspace.root / options.output)
    if not output.is_relative_to(real(workspace.root)) or output == real(workspace.root):
        why = f"`output` leads out of the project, to {output}: name a folder inside of it"
        raise RefusedError(f"channel {channel.name}: {why}")
    return Site(output, options.title, workspace)


class Site:
    """A connection: the folder of a site, built at most once for everything that is sent."""

    def __init__(self, output: Path, title: str | None, workspace: Workspace) -> None:
        self.output = output
        self.title = title
        self.workspace = workspace
        self._built = False
        self._withdrawn: set[str] = set()
        self._anchors: dict[Path, str] = {}
        self._translations = {
            (announcement.slug, announcement.language): translation_of(announcement)
            for announcement in workspace.announcements
        }

    def verify(self) -> Account:
        try:
            folder.check(self.output)
        except ConfigError as error:
            raise RefusedError(f"{error.message}: {error.hint}") from error
        return Account(self.output.name, self.workspace.url)

    def prepare(
        self, posts: Sequence[Post], language: str, parent: Ref | None, earlier: Sequence[Mapping[str, Any]] = ()
    ) -> list[Prepared]:
        return [Prepared() for _ in posts]

    def send(self, intents: Sequence[Intent], parent: Ref | None) -> Iterator[Mapping[int, Ref]]:
        if not self._built:
            self._build()
        for intent in intents:
            ref = self._ref(intent)
            if not self._stands(ref):
                raise RefusedError(f"the site has no update of {intent.update:%Y-%m-%d %H:%M} UTC: is it in the file?")
            yield {intent.part: ref}

    def find(self, intents: Sequence[Intent], parent: Ref | None) -> Mapping[int, Ref]:
        return {intent.part: ref for intent in intents if self._stands(ref := self._ref(intent))}

    def differing(self, posts: Sequence[Ours]) -> Mapping[str, str]:
        """A page says what the files say. What can be wrong is which update of it is meant."""
        return {one.ref.id: OTHER_UPDATE for one in posts if one.ref.id not in _names(one.intent)}

    def edit(self, ref: Ref, intent: Intent) -> Ref:
        self._build()
        return self._ref(intent)

    def delete(self, refs: Sequence[Ref]) -> Iterator[Sequence[Ref]]:
        self._withdrawn.update(ref.id for ref in refs)
        self._build()
        yield refs

    def close(self) -> None:
        """Nothing is held open."""

    def _build(self) -> None:
        workspace = self.workspace
        try:
            build(
                without(workspace.announcements, self._gone()),
                self.output,
                url=workspace.url,
                root=workspace.root,
                templates=workspace.templates,
                now=workspace.now,
                title=self.title,
            )
        except ConfigError as error:
            raise RefusedError(f"{error.message}: {error.hint}" if error.hint else error.message) from error
        self._built = True
        self._anchors.clear()

    def _gone(self) -> set[tuple[str, datetime]]:
        """The updates that were withdrawn. What is taken back in one language is taken back in all."""
        return {
            (announcement.slug, item.time)
            for announcement in self.workspace.announcements
            for item in announcement.updates
            if f"{_page(announcement)}#{anchor(item.time)}" in self._withdrawn
        }

    def _ref(self, intent: Intent) -> Ref:
        slug = intent.announcement
        language = self._translations.get((slug, intent.language))
        mark = anchor(intent.update)
        page = page_name(slug, language)
        url = permalink(self.workspace.url, slug, language) if self.workspace.url else (self.output / page).as_uri()
        return Ref(f"{page.removesuffix('.html')}#{mark}", f"{url}#{mark}")

    def _stands(self, ref: Ref) -> bool:
        page, _, mark = ref.id.partition("#")
        file = self.output / f"{page}.html"
        if file not in self._anchors:
            ours = (self.output / folder.MARKER).is_file() and file.is_file()
            self._anchors[file] = file.read_text(encoding="utf-8") if ours else ""
        return f'id="{mark}"' in self._anchors[file]


def _names(intent: Intent) -> set[str]:
    """How an update can be known on the site, as itself or as a translation, which may have no file any more."""
    pages = {page_name(intent.announcement), page_name(intent.announcement, intent.language)}
    return {f"{page.removesuffix('.html')}#{anchor(intent.update)}" for page in pages}


def _page(announcement: Announcement) -> str:
    return page_name(announcement.slug, translation_of(announcement)).removesuffix(".html")
