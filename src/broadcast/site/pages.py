"""Announcements as their pages show them at one moment: what a template may use, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

from markupsafe import Markup

from broadcast.errors import ConfigError
from broadcast.model import Announcement, Kind, Place, Problem, Severity, Update
from broadcast.site import languages
from broadcast.site.gallery import Gallery
from broadcast.site.links import anchor, page_name, permalink
from broadcast.site.markdown import ALLOWED_LINK, Resolve, images, to_html, to_text
from broadcast.site.state import WAITING, Phase, Tone, phase, promised, tone, visible
from broadcast.source.problems import isolated
from broadcast.source.statuses import FINAL, current, states
from broadcast.text.clean import clean

SUMMARY = 200
"""Characters of the newest update that search engines and link cards show."""
LABELS = {"postmortem": "Post-mortem"}


@dataclass(frozen=True, slots=True)
class Entry:
    """An update on a page. `status` is for people ("In progress"); `body` is its Markdown, `html` that for the page;
    with it goes the `window` of a maintenance that it tells."""

    anchor: str
    status: str
    tone: Tone
    time: datetime
    body: str
    html: Markup
    window: bool = False


@dataclass(frozen=True, slots=True)
class Translation:
    """The same announcement in another language."""

    language: str
    name: str
    file: str
    address: str | None


@dataclass(frozen=True, slots=True)
class Page:
    """An announcement on its page. `path` is its Markdown file, `file` its page, `address` that page's URL where the
    site has one; `translation` is the language of a translation. `entries` are newest first. `due` is when followers of
    what is open are owed word; `overdue` says that this has passed."""

    slug: str
    path: str
    file: str
    address: str | None
    title: str
    kind: Kind
    severity: Severity | None
    components: tuple[str, ...]
    tags: tuple[str, ...]
    version: str | None
    link: str | None
    language: str
    direction: str
    translation: str | None
    status: str
    phase: Phase
    tone: Tone
    starts: datetime | None
    ends: datetime | None
    began: datetime
    over: datetime | None
    due: datetime | None
    overdue: bool
    entries: tuple[Entry, ...]
    intro: Markup
    summary: str
    image: str | None
    translations: tuple[Translation, ...] = ()

    @property
    def newest(self) -> Entry:
        return self.entries[0]

    @property
    def lasted(self) -> str:
        """How long it took, from its beginning to its final status: `2 h 5 min`, or nothing where that says little."""
        if self.over is None or self.over <= self.began or self.kind == "release" or self.tone == "withdrawn":
            return ""
        return duration(self.over - self.began)


def pages(announcements: Sequence[Announcement], gallery: Gallery, *, url: str | None, now: datetime) -> list[Page]:
    """A page for each announcement with something to show at `now`, the one that began last first. Raises `ConfigError`
    where one cannot be made."""
    made: list[Page] = []
    problems: list[Problem] = []
    for announcement in announcements:
        with isolated(Place(announcement.path), problems):
            if visible(announcement, now):
                made.append(_page(announcement, gallery, url, now))
    if problems:  # what is left out would vanish from the page
        raise ConfigError("\n".join(f"{one.place.path}: {one.message}" for one in problems), "the site is as it was")
    versions: dict[str, list[Page]] = {}
    for page in made:
        versions.setdefault(page.slug, []).append(page)
    linked = [replace(page, translations=_others(page, versions[page.slug])) for page in made]
    return sorted(linked, key=lambda page: (page.began, page.file), reverse=True)


def translation_of(announcement: Announcement) -> str | None:
    """The language of a file such as `slug.fr.md`; None for the announcement itself, `slug.md`."""
    return announcement.language if announcement.translation else None


def label(status: str) -> str:
    """A status for people."""
    return LABELS.get(status, clean(status[:1].upper() + status[1:]))


def duration(span: timedelta) -> str:
    """The two largest units of a time that are not zero: `3 d 2 h`, `45 min`."""
    minutes = max(round(span.total_seconds() / 60), 1)
    days, rest = divmod(minutes, 24 * 60)
    hours, minutes = divmod(rest, 60)
    units = [f"{count} {unit}" for count, unit in ((days, "d"), (hours, "h"), (minutes, "min")) if count]
    return " ".join(units[:2])


def _page(announcement: Announcement, gallery: Gallery, url: str | None, now: datetime) -> Page:
    shown = visible(announcement, now)
    resolve = partial(gallery.address, announcement.path)
    entries = tuple(_entries(announcement, shown, resolve))
    status = current(announcement.kind, (update.status for update in shown)) or shown[0].status
    translation = translation_of(announcement)
    starts = announcement.starts
    stands = phase(announcement, status, now)
    due = promised(announcement, status, shown) if stands == "open" else None
    over = next((update.time for update in reversed(shown) if update.status in FINAL), None)
    return Page(
        slug=announcement.slug,
        path=announcement.path,
        file=page_name(announcement.slug, translation),
        address=permalink(url, announcement.slug, translation) if url else None,
        title=clean(announcement.title),
        kind=announcement.kind,
        severity=announcement.severity,
        components=tuple(map(clean, announcement.components)),
        tags=tuple(map(clean, announcement.tags)),
        version=clean(announcement.version) if announcement.version else None,
        link=announcement.link if announcement.link and ALLOWED_LINK.match(announcement.link) else None,
        language=announcement.language,
        direction=languages.direction(announcement.language),
        translation=translation,
        status=label(status),
        phase=stands,
        tone=tone(announcement, status),
        starts=starts,
        ends=announcement.ends,
        began=starts if starts is not None and starts <= now else shown[0].time,
        over=over if status in FINAL else None,
        due=due,
        overdue=due is not None and due <= now,
        entries=entries,
        intro=to_html(announcement.intro, resolve),
        summary=to_text(entries[0].body, SUMMARY),
        image=_first_image(entries, gallery, announcement.path, url),
    )


def _entries(announcement: Announcement, shown: Sequence[Update], resolve: Resolve) -> Iterator[Entry]:
    """Newest first; each has the color of the state that it left the announcement in."""
    left_in = list(states(announcement.kind, (update.status for update in shown)))
    for update, state in zip(reversed(shown), reversed(left_in), strict=True):
        body = update.overrides.get("site", update.body)
        tells_window = update is shown[-1] and update.status in WAITING
        yield Entry(
            anchor=anchor(update.time),
            status=label(update.status),
            tone=tone(announcement, state or update.status),
            time=update.time,
            body=body,
            html=to_html(body, resolve),
            window=tells_window,
        )


def _first_image(entries: Sequence[Entry], gallery: Gallery, path: str, url: str | None) -> str | None:
    """The newest image as an absolute address, for link cards."""
    if url is None:
        return None
    for entry in entries:
        for source in images(entry.body):
            address = gallery.address(path, source)
            if address is not None and not address.endswith((".mp4", ".webm")):
                return f"{url.rstrip('/')}/{address}"
    return None


def _others(page: Page, versions: Sequence[Page]) -> tuple[Translation, ...]:
    others = sorted((other for other in versions if other.file != page.file), key=lambda other: other.language)
    return tuple(
        Translation(other.language, languages.name(other.language), other.file, other.address) for other in others
    )
