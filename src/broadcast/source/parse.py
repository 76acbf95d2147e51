"""One file becomes one announcement, with every problem that can be seen in it alone."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice

from broadcast.conflicts import WHAT_TO_DO, markers
from broadcast.model import Announcement, Place, Problem, Update
from broadcast.source.frontmatter import LANGUAGE, FrontMatter, Read, read_front_matter
from broadcast.source.problems import problem
from broadcast.source.statuses import CHAINS
from broadcast.source.updates import Chain, read_updates

MAX_SLUG = 120
_SLUG = re.compile(r"[A-Za-z0-9]+(?:[._-]+[A-Za-z0-9]+)*")
_RESERVED = {"index"}
# C0 and C1 controls (without tab and newline), surrogates and noncharacters: they reach terminals and logs.
CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_BIDI = re.compile("[\u202a-\u202e\u2066-\u2069]")
_MOST = 20
"""How many problems of one sort are listed."""


def parse(
    text: str, path: str, *, language: str = "en", translation: bool = False
) -> tuple[Announcement | None, tuple[Problem, ...]]:
    """Read the text of the file at `path` (POSIX, relative to the project's root).

    `language` is the project's own. With `translation`, the last dotted piece of the file's stem is a language instead
    (`slug.fr.md`). Whatever is wrong is reported, and an announcement is returned wherever enough is known for further
    checks: one that comes with an error must not be published.
    """
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    problems = list(_characters(text, path))
    lines = CONTROL.sub("\ufffd", text).split("\n")
    if conflicts := list(_conflicts(lines, path)):
        # Both sides of a conflict stand in the file, so that all else that is wrong with it may come from that.
        return None, _sorted([*problems, *conflicts])
    slug, piece = split_name(path, translation=translation)
    if wrong := wrong_slug(slug):
        problems.append(problem("bad-slug", Place(path), wrong))
    end = next((number for number, line in enumerate(lines[1:], 1) if line.rstrip() == "---"), None)
    if lines[0].rstrip() != "---" or end is None:
        problems.append(problem("no-front-matter", Place(path), _no_front_matter(lines[0])))
        return None, tuple(problems)
    front = read_front_matter("\n".join(lines[1:end]), path, 2)
    problems += front.problems
    if front.meta is None:
        return None, _sorted(problems)
    if piece and front.meta.language not in {None, piece}:
        message = f"the file's name says `{piece}`: remove `language`, or rename the file"
        problems.append(problem("language-mismatch", front.place("language"), message))
    chain = read_updates(front.meta.kind, lines[end + 1 :], path, end + 2)
    problems += chain.problems
    updates = chain.updates or _only_update(front, front.meta, chain, problems)
    if chain.updates and front.meta.date and all(update.time != front.meta.date for update in updates):
        message = "`date` has no effect: every update has its time in its heading"
        problems.append(problem("unused-date", front.place("date"), message))
    if wrong or not updates or chain.unbounded:
        return None, _sorted(problems)
    spoken = piece or front.meta.language or language
    announcement = _announcement(slug, path, spoken, front.meta, chain.intro, updates)
    places = {".".join(map(str, key)): place for key, place in front.fields.places.items()}
    return replace(announcement, translation=translation, places=places), _sorted(problems)


def split_name(path: str, *, translation: bool) -> tuple[str, str]:
    """The slug in a file's name, and the language in it (empty without `translation`)."""
    stem = posixpath.basename(path).removesuffix(".md")
    if not translation:
        return stem, ""
    slug, _, language = stem.rpartition(".")
    return slug, language


def looks_translated(stem: str) -> str | None:
    """The stem of the file that this would be a translation of, if there is one."""
    base, _, language = stem.rpartition(".")
    return base if base and LANGUAGE.fullmatch(language) else None


def wrong_slug(slug: str) -> str:
    """Why a slug cannot be a file's name, a URL and a path of the ledger at once; empty when it can."""
    if slug.lower() in _RESERVED:
        return f"`{slug}` is the name of a page of its own: rename the file"
    if len(slug) > MAX_SLUG:
        return f"the file's name is longer than {MAX_SLUG} characters"
    if not _SLUG.fullmatch(slug):
        return "the file's name becomes a URL: use only A-Z, a-z, 0-9, and `-`, `_` or `.` between them"
    return ""


def _characters(text: str, path: str) -> Iterator[Problem]:
    for pattern, code, what in (
        (CONTROL, "control-character", "an invisible control character"),
        (_BIDI, "bidi-control", "an invisible character that makes text read differently than it is written"),
    ):
        for match in islice(pattern.finditer(text), _MOST):
            at = match.start()
            place = Place(path, text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at))
            yield problem(code, place, f"U+{ord(match[0]):04X} is {what}: remove it")


def _conflicts(lines: Sequence[str], path: str) -> Iterator[Problem]:
    for number, marker in islice(markers(lines), _MOST):
        message = (
            f"`{marker}` is a conflict marker of git: {WHAT_TO_DO}; with the line `*.md merge=union` in "
            f"`{posixpath.join(posixpath.dirname(path), '.gitattributes')}`, git puts two appended updates in a row"
        )
        yield problem("conflict", Place(path, number), message)


def _no_front_matter(first: str) -> str:
    if first.rstrip() == "---":
        return "the front matter is never closed: end it with a line `---`"
    if first.startswith(("+++", "{")):
        return "the front matter must be YAML between two lines `---`; `broadcast import cstate` converts other forms"
    return "the file must begin with front matter: a line `---`, `title: ...`, and a line `---`"


def _only_update(front: Read, meta: FrontMatter, chain: Chain, problems: list[Problem]) -> tuple[Update, ...]:
    """A file without an update's heading is one update, dated by `date`."""
    first = CHAINS[meta.kind][0]
    if chain.rest is None or meta.date is None:
        if not chain.refused and "date" not in front.fields.values:
            message = f"no update: write a heading `## {first.capitalize()} - 2026-11-22 14:05 UTC`, or `date:` above"
            problems.append(problem("missing-date", front.place("title"), message))
        return ()
    rest = chain.rest
    return (Update(first, meta.date, rest.text, front.place("date"), rest.line, rest.overrides, rest.places),)


def _announcement(
    slug: str, path: str, language: str, meta: FrontMatter, intro: str, updates: tuple[Update, ...]
) -> Announcement:
    return Announcement(
        slug=slug,
        path=path,
        title=meta.title,
        kind=meta.kind,
        language=language,
        updates=updates,
        severity=meta.severity,
        components=meta.components,
        starts=meta.starts,
        ends=meta.ends,
        version=meta.version,
        tags=meta.tags,
        channels=meta.channels,
        link=meta.link,
        update_every=meta.update_every,
        draft=meta.draft,
        intro=intro,
    )


def _sorted(problems: list[Problem]) -> tuple[Problem, ...]:
    return tuple(sorted(problems, key=lambda each: (each.place, each.code)))
