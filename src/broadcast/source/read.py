"""A folder of files becomes announcements. What cannot be read is a problem like any other."""

from __future__ import annotations

import os
import stat
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from broadcast.model import Announcement, Place, Problem
from broadcast.paths import is_folder, real
from broadcast.source import bounds
from broadcast.source.parse import looks_translated, parse
from broadcast.source.problems import isolated, problem

MAX_BYTES = 2 * 1024 * 1024
"""No announcement is longer; a file in a pull request may be anything."""


def read(root: Path, folder: str, language: str) -> tuple[tuple[Announcement, ...], tuple[Problem, ...]]:
    """Every announcement of the `*.md` files in `folder` (relative to `root`) and below it, sorted by slug and
    language, and every problem. `language` is the project's own.

    Hidden files and folders and READMEs are left alone; links to folders are not followed, and links to files only
    inside of `root`.
    """
    root = real(root)
    top = root / folder
    if not is_folder(top):
        place = Place(folder)
        return (), (problem("missing-folder", place, "there is no such folder: `broadcast new` makes it"),)
    if not real(top).is_relative_to(root):
        return (), (problem("outside-root", Place(folder), "the folder of announcements must be inside the project"),)
    found: list[Announcement] = []
    problems: list[Problem] = []
    for file in _files(root, top, problems):
        with isolated(Place(file.shown), problems):
            text = _text(file, problems)
            if text is not None:
                announcement, wrong = parse(text, file.shown, language=language, translation=file.translation)
                problems += wrong
                if announcement is not None:
                    found.append(announcement)
    found.sort(key=lambda each: (each.slug, each.language, each.path))
    problems += _duplicates(found)
    found = list(_bounded(found, problems))
    return tuple(found), tuple(sorted(problems, key=lambda each: (each.place, each.code)))


@dataclass(frozen=True, slots=True)
class _File:
    path: Path
    shown: str
    translation: bool


def _files(root: Path, top: Path, problems: list[Problem]) -> Iterator[_File]:
    def refuse(error: OSError) -> None:
        place = Place(_shown(root, Path(error.filename)))
        problems.append(problem("unreadable", place, f"the folder cannot be opened: {error.strerror}"))

    for here, folders, names in os.walk(top, onerror=refuse):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in folders:
            path = Path(here, name)
            if path.is_symlink():
                message = "links to folders are not followed: nothing in it is an announcement"
                problems.append(problem("folder-link", Place(_shown(root, path)), message))
        stems = {name.removesuffix(".md") for name in names if name.endswith(".md")}
        for name in sorted(names):
            if name.startswith(".") or not name.endswith(".md") or name.lower() == "readme.md":
                continue
            path = Path(here, name)
            place = Place(_shown(root, path))
            if not real(path).is_relative_to(root):
                problems.append(problem("outside-root", place, "this link leads out of the project"))
                continue
            yield _File(path, place.path, looks_translated(name.removesuffix(".md")) in stems)


def _shown(root: Path, path: Path) -> str:
    """A path for messages: a file's name may be bytes that are no text."""
    return os.fsencode(path.relative_to(root).as_posix()).decode("utf-8", "replace")


def _text(file: _File, problems: list[Problem]) -> str | None:
    try:
        # Not opened before it is known to be a file: opening a pipe waits for ever.
        if not stat.S_ISREG(file.path.stat().st_mode):
            problems.append(problem("unreadable", Place(file.shown), "this is not a regular file"))
            return None
        with file.path.open("rb") as stream:
            data = stream.read(MAX_BYTES + 1)
    except OSError as error:
        problems.append(problem("unreadable", Place(file.shown), f"it cannot be opened: {error.strerror}"))
        return None
    if len(data) > MAX_BYTES:
        problems.append(problem("too-large", Place(file.shown), f"it is larger than {MAX_BYTES // 1024} KiB"))
        return None
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        before = data[: error.start]
        column = len(before.rpartition(b"\n")[2].decode("utf-8", "replace")) + 1
        place = Place(file.shown, before.count(b"\n") + 1, column)
        problems.append(problem("not-utf8", place, "this is not UTF-8: save the file in that encoding"))
        return None


def _bounded(announcements: Sequence[Announcement], problems: list[Problem]) -> Iterator[Announcement]:
    """The announcements without the translations of those that have too many, which are problems."""
    translated = Counter(each.slug for each in announcements if Path(each.path).stem != each.slug)
    for each in announcements:
        if translated[each.slug] <= bounds.TRANSLATIONS:
            yield each
        elif Path(each.path).stem == each.slug:
            yield each
            message = f"it has {translated[each.slug]:,} translations, and may have {bounds.TRANSLATIONS}"
            problems.append(problem("too-many", Place(each.path), message))


def _duplicates(announcements: Sequence[Announcement]) -> Iterator[Problem]:
    """Slugs are names of files and parts of URLs, which some systems compare without regard to case."""
    seen: dict[tuple[str, str], Announcement] = {}
    for each in announcements:
        first = seen.setdefault((each.slug.lower(), each.language.lower()), each)
        if first is not each:
            message = f"`{first.path}` has the same name and language: rename one of them"
            yield problem("duplicate-slug", Place(each.path), message)
