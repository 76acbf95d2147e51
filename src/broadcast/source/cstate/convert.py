"""A cState issue, or a folder of them, becomes announcements."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from broadcast.errors import UsageError
from broadcast.model import Kind
from broadcast.source import files
from broadcast.source.check import check
from broadcast.source.cstate.front import Page, read_page, read_time
from broadcast.source.cstate.messages import split_messages
from broadcast.source.cstate.story import Entry, Frame, in_order, tell
from broadcast.source.cstate.words import kind_of
from broadcast.source.parse import CONTROL, MAX_SLUG, parse
from broadcast.source.read import MAX_BYTES
from broadcast.source.times import format_time
from broadcast.source.write import front_matter

SEVERITIES = {"down": "critical", "disrupted": "major", "notice": "minor"}
_USED = {"title", "date", "resolved", "resolvedWhen", "severity", "affected", "informational", "section", "draft"}


@dataclass(frozen=True, slots=True)
class Conversion:
    """What became of one issue: the announcement's `text`, or None where `notes` say why there is none.

    `notes` say what could not be kept or had to be guessed.
    """

    filename: str
    text: str | None
    notes: tuple[str, ...] = ()


def convert(text: str, name: str, *, language: str = "en") -> Conversion:
    """Turn the issue in the file called `name` into an announcement in `language`."""
    notes: list[str] = []
    filename = _filename(name, notes)
    if CONTROL.search(text):
        notes.append("invisible control characters were left out")
        text = CONTROL.sub("", text)
    try:
        page = read_page(text)
    except ValueError as error:
        return Conversion(filename, None, (str(error),))
    if _flag(page, "draft"):
        return Conversion(filename, None, ("it is a draft",))
    start = _start(page, name, notes)
    if start is None:
        return Conversion(filename, None, ("it has no date that can be read",))
    left_out = [key for key in (*page.values, *page.nested) if key not in _USED]
    if left_out:
        notes.append(f"not kept: {', '.join(f'`{key}`' for key in left_out)}")
    title = " ".join(_text(page, "title").split())[:300] or filename.removesuffix(".md")
    resolved, severity = _flag(page, "resolved"), _text(page, "severity").strip().lower()
    end = _end(page, start, notes) if resolved else None
    messages = in_order(split_messages(page.body), resolved=resolved)
    kind = kind_of(title, messages[0].text, notice=severity == "notice" or _flag(page, "informational"))
    entries = tell(kind, title, messages, Frame(start, end, resolved), notes)
    fields = _fields(page, kind, title, start, end, language, notes)
    updates = [
        f"## {entry.status.capitalize()} - {format_time(entry.time or start)}\n{entry.text}\n" for entry in entries
    ]
    result = "\n".join([front_matter(fields), *updates])
    return _read_back(Conversion(filename, result, tuple(dict.fromkeys(notes))), entries, language)


def import_folder(folder: Path, root: Path, target: str) -> list[Conversion]:
    """Convert every issue of a cState site, or of a folder of issues, and write the announcements into the folder
    `target` of the project at `root`.

    Nothing is overwritten, and no link of the site is followed out of its folder. Raises `UsageError` where there are
    no issues.
    """
    here = next((path for path in (folder / "content" / "issues", folder / "issues", folder) if path.is_dir()), None)
    found = sorted(_issues(here)) if here else []
    if not found:
        raise UsageError(
            f"{folder}: there are no issues of a cState site", "name the site's folder or its content/issues"
        )
    done: list[Conversion] = []
    for path in found:
        name = path.name if path.name != "index.md" else f"{path.parent.name}.md"
        try:
            size = path.stat().st_size
            conversion = (
                convert(files.load(folder, path.relative_to(folder).as_posix()), name)
                if size <= MAX_BYTES
                else Conversion(name, None, (f"it is larger than {MAX_BYTES // 1024} KiB",))
            )
            if conversion.text is not None:
                files.create(root, posixpath.join(target, conversion.filename), conversion.text)
        except (UsageError, OSError) as error:
            conversion = Conversion(name, None, (getattr(error, "message", str(error)),))
        done.append(conversion)
    return done


def _issues(folder: Path) -> Iterator[Path]:
    for path in folder.rglob("*.md"):
        hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        if not hidden and path.is_file() and path.name.lower() not in {"_index.md", "readme.md"}:
            yield path


def _filename(name: str, notes: list[str]) -> str:
    stem = name.removesuffix(".md")
    slug = re.sub(r"[^A-Za-z0-9._-]+", "-", stem)[:MAX_SLUG].strip("._-") or "issue"
    if slug != stem:
        notes.append(f"the file's name became `{slug}.md`, because it becomes a URL")
    return f"{slug}.md"


def _text(page: Page, key: str) -> str:
    value = page.values.get(key, "")
    return value if isinstance(value, str) else " ".join(value)


def _flag(page: Page, key: str) -> bool:
    return _text(page, key).strip().lower() in {"true", "yes", "on"}


def _time(page: Page, key: str, notes: list[str]) -> datetime | None:
    written = _text(page, key)
    if not written.strip():
        return None
    try:
        time, has_zone = read_time(written)
    except ValueError as error:
        notes.append(f"`{key}`: {error}")
        return None
    if not has_zone:
        notes.append("times without a zone were read as UTC")
    return time


def _start(page: Page, name: str, notes: list[str]) -> datetime | None:
    time = _time(page, "date", notes)
    day = re.match(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", name)
    if time is None and day is not None:
        try:
            time, _ = read_time(day[0])
            notes.append(f"`date` cannot be read: the day in the file's name was taken, {format_time(time)}")
        except ValueError:
            return None
    return time


def _end(page: Page, start: datetime, notes: list[str]) -> datetime | None:
    time = _time(page, "resolvedWhen", notes)
    if time is not None and time > start:
        return time
    why = "missing" if time is None else "before `date`" if time < start else "the same as `date`"
    notes.append(f"`resolvedWhen` is {why}: the end was set one minute after what came before it")
    return None


def _fields(
    page: Page, kind: Kind, title: str, start: datetime, end: datetime | None, language: str, notes: list[str]
) -> dict[str, str | Sequence[str]]:
    fields: dict[str, str | Sequence[str]] = {"title": title, "kind": kind}
    severity = _text(page, "severity").strip().lower()
    if kind == "incident":
        if severity in SEVERITIES:
            fields["severity"] = SEVERITIES[severity]
        elif severity:
            notes.append(f"the severity `{severity}` is not known")
    elif severity not in {"", "notice"}:
        notes.append(f"not kept: the severity `{severity}`, which only incidents have")
    affected = page.values.get("affected", [])
    names = [affected] if isinstance(affected, str) else affected
    components = list(dict.fromkeys(" ".join(name.split())[:300] for name in names if name.strip()))
    if components:
        fields["components"] = components
    if language != "en":
        fields["language"] = language
    if kind == "maintenance":
        fields["starts"] = format_time(start)
        if end is not None and end > start:
            fields["ends"] = format_time(end)
    return fields


def _read_back(conversion: Conversion, entries: Sequence[Entry], language: str) -> Conversion:
    """Make sure that the announcement says what it should, and add what `check` will say of it."""
    announcement, problems = parse(conversion.text or "", conversion.filename, language=language)
    meant = [(entry.status, entry.time, entry.text) for entry in entries]
    found = [(each.status, each.time, each.body) for each in announcement.updates] if announcement else []
    if announcement is None or found != meant:
        why = next((each.message for each in problems if each.severity == "error"), "its text cannot be taken apart")
        return replace(conversion, text=None, notes=(f"it would not be read back as it is: {why}",))
    problems += check([announcement], root=Path(), channels=None, platforms=())
    wrong = [f"line {each.place.line}: {each.message}" for each in problems if each.severity == "error"]
    return replace(conversion, notes=(*conversion.notes, *wrong))
