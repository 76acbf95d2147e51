"""A folder of files becomes announcements. What cannot be read is a problem like any other."""

from __future__ import annotations

import os
import posixpath
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from broadcast import reach
from broadcast.model import Announcement, Place, Problem
from broadcast.paths import real
from broadcast.source import bounds
from broadcast.source.parse import looks_translated, parse
from broadcast.source.problems import isolated, problem

_NEARLY = re.compile(r"(.+?)(\.(?:markdown|mdown|mdwn|mkdn?|mdx|md|rst|txt|text|yaml|yml|md\.\w{1,8}))", re.IGNORECASE)
MAX_BYTES = 2 * 1024 * 1024
"""No announcement is longer; a file in a pull request may be anything."""


def read(root: Path, folder: str, language: str) -> tuple[tuple[Announcement, ...], tuple[Problem, ...]]:
    """Every announcement of the `*.md` files in `folder` (relative to `root`) and below it, sorted by slug, each before
    its translations, and every problem. `language` is the project's own.

    Hidden files and folders and READMEs are left alone; links to folders are not followed, and links to files only
    inside of `root`. Files that look like announcements under another name are problems.
    """
    root = real(root)
    found: list[Announcement] = []
    problems: list[Problem] = []
    for file in _files(root, folder, problems):
        with isolated(Place(file.shown), problems):
            text = _text(root, file, problems)
            if text is not None:
                announcement, wrong = parse(text, file.shown, language=language, translation=file.translation)
                problems += wrong
                if announcement is not None:
                    found.append(announcement)
    found.sort(key=lambda each: (each.slug, each.translation, each.language, each.path))
    drafts = {each.slug for each in found if each.draft and not each.translation}
    found = [replace(each, draft=True) if each.slug in drafts else each for each in found]
    problems += _duplicates(found)
    found = list(_bounded(found, problems))
    return tuple(found), tuple(sorted(problems, key=lambda each: (each.place, each.code)))


@dataclass(frozen=True, slots=True)
class _File:
    path: str
    shown: str
    translation: bool


def _files(root: Path, folder: str, problems: list[Problem]) -> Iterator[_File]:
    waiting = [folder]
    while waiting:
        here = waiting.pop()
        try:
            with reach.folder(root, here) as opened, os.scandir(opened.fd) as entries:
                found = {entry.name: entry for entry in entries if not entry.name.startswith(".")}
        except OSError as error:
            problems.append(_closed(here, error, top=here == folder))
            continue
        stems = {name.removesuffix(".md") for name in found if name.endswith(".md")}
        for name in sorted(found):
            path = posixpath.join(here, name)
            if found[name].is_dir(follow_symlinks=False):
                waiting.append(path)
            elif _leads_to_folder(root, path, found[name]):
                message = "links to folders are not followed: nothing in it is an announcement"
                problems.append(problem("folder-link", Place(_shown(path)), message))
            elif name.endswith(".md") and name.lower() != "readme.md":
                yield _File(path, _shown(path), looks_translated(name.removesuffix(".md")) in stems)
            elif meant := _meant(root, path):
                message = f"only files that end with `.md` are announcements: rename it `{meant}`, or move it away"
                problems.append(problem("unseen-file", Place(_shown(path)), message))


def _meant(root: Path, path: str) -> str:
    """The name that a file should have, if it is an announcement in all but its name."""
    name = posixpath.basename(path)
    found = _NEARLY.fullmatch(name)
    if found is None or found[1].lower() in {"readme", "license", "changelog"} or name.endswith(".md"):
        return ""
    if found[2].lower() not in {".markdown", ".md", ".mdx"}:  # these may be anything else, too
        try:
            if not reach.read(root, path, 3).startswith(b"---"):
                return ""
        except OSError:
            return ""
    return _shown(f"{found[1]}.md")


def _closed(folder: str, error: OSError, *, top: bool) -> Problem:
    """Why a folder cannot be looked into. That `top`, the folder of all announcements, is not there is no error."""
    if top and isinstance(error, FileNotFoundError | NotADirectoryError):
        return problem("missing-folder", Place(folder), "there is no such folder: `broadcast new` makes it")
    if isinstance(error, reach.OutsideError):
        return problem("outside-root", Place(_shown(folder)), "the folder of announcements must be inside the project")
    return problem("unreadable", Place(_shown(folder)), f"the folder cannot be opened: {error.strerror}")


def _leads_to_folder(root: Path, path: str, entry: os.DirEntry[str]) -> bool:
    if not entry.is_symlink():
        return False
    try:
        with reach.folder(root, path):
            return True
    except reach.OutsideError:
        return not path.endswith(".md")
    except OSError:
        return False


def _shown(path: str) -> str:
    """A path for messages: a file's name may be bytes that are no text."""
    return os.fsencode(posixpath.normpath(path)).decode("utf-8", "replace")


def _text(root: Path, file: _File, problems: list[Problem]) -> str | None:
    try:
        data = reach.read(root, file.path, MAX_BYTES + 1)
    except reach.OutsideError:
        why = "this link leads out of the project: put the file itself there"
        problems.append(problem("outside-root", Place(file.shown), why))
        return None
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
    translated = Counter(each.slug for each in announcements if each.translation)
    for each in announcements:
        if translated[each.slug] <= bounds.TRANSLATIONS:
            yield each
        elif not each.translation:
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
