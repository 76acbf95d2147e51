"""Announcements become files: a new one, or one update more. What is written is read back before it is handed out."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta

import yaml

from broadcast.errors import ProblemsFoundError, UsageError
from broadcast.model import Announcement, Kind, Problem, Update
from broadcast.source import statuses
from broadcast.source.parse import parse
from broadcast.source.problems import did_you_mean, shown
from broadcast.source.times import format_time

_MAX_WORDS = 60
_PLAIN = re.compile(r"[A-Za-z](?:[A-Za-z0-9 ./()+-]*[A-Za-z0-9()])?")
_YAML_WORDS = {"yes", "no", "true", "false", "on", "off", "null", "y", "n"}


def new(
    kind: Kind,
    title: str,
    *,
    now: datetime,
    taken: Collection[str] = (),
    body: str = "",
    status: str | None = None,
    severity: str | None = None,
    components: Sequence[str] = (),
    tags: Sequence[str] = (),
    starts: datetime | None = None,
    ends: datetime | None = None,
    version: str | None = None,
) -> tuple[str, str]:
    """The name and the text of a new announcement's file, with its first update at `now` (to the minute).

    `taken` are the slugs that exist. An empty `body` is left for an editor to fill. Raises `UsageError` where the file
    would not be read back as it is meant, or would be wrong.
    """
    if starts is not None and ends is not None and ends <= starts:
        raise UsageError("the maintenance would end before it starts")
    status = _status(kind, status or statuses.CHAINS[kind][0])
    slug = _slug(kind, title, now, {each.lower() for each in taken})
    fields: dict[str, str | Sequence[str]] = {"title": " ".join(title.split())}
    if kind != "incident":
        fields["kind"] = kind
    for key, value in (("version", version), ("severity", severity), ("starts", starts), ("ends", ends)):
        if value is not None:
            fields[key] = format_time(value) if isinstance(value, datetime) else value
    for key, values in (("components", components), ("tags", tags)):
        if values:
            fields[key] = list(values)
    heading = _heading(status, now.astimezone(UTC).replace(second=0, microsecond=0))
    meant = _meant(kind, heading, body)
    text = f"{front_matter(fields)}\n{heading}\n" + (f"{_trimmed(body)}\n" if body.strip() else "")
    announcement, problems = parse(text, f"{slug}.md")
    for each in problems:
        if each.severity == "error":
            raise UsageError(each.message, "nothing was written; change it, and try again")
    if announcement is None or [_content(update) for update in announcement.updates] != [_content(meant)]:
        raise UsageError("the announcement would not be read back as it is written", "write it by hand")
    return f"{slug}.md", text


def append(text: str, status: str, time: datetime, body: str) -> str:
    """The text of a file with one update more at its end; all that stood there stays, byte for byte.

    The update has the time to the minute, or to the second where that minute is taken. A file whose only update has no
    heading gets one for it, above its text. Raises `UsageError` for a status that the announcement does not have and a
    `body` that is empty or wrong, and `ProblemsFoundError` where the file is.
    """
    before, problems = parse(text, "announcement.md")
    if before is None:
        _refuse_errors(problems)
        raise ProblemsFoundError("the file has no update that could be read", "broadcast check")
    if not body.strip():
        raise UsageError("the update has no text", "give it with -m")
    status = _status(before.kind, status)
    time = _free(time.astimezone(UTC).replace(microsecond=0), {update.time for update in before.updates})
    heading = _heading(status, time)
    meant = _meant(before.kind, heading, body)
    line_end = "\r\n" if "\r\n" in text else "\n"
    base = text if _has_headings(before) else _with_heading(text, before.updates[0])
    parts = [base]
    if not base.endswith(("\n", "\r")):
        parts.append(line_end)
    if base.splitlines()[-1].strip():
        parts.append(line_end)
    parts.append(f"{heading}\n{_trimmed(body)}\n".replace("\n", line_end))
    result = "".join(parts)
    _check_appended(before, meant, result)
    return result


def front_matter(fields: Mapping[str, str | Sequence[str]]) -> str:
    """The front matter with these values, each in quotes where YAML would take it for something else."""
    lines = ["---"]
    for key, value in fields.items():
        if isinstance(value, str):
            lines.append(f"{key}: {_scalar(value)}")
        elif len(value) <= 4:
            lines.append(f"{key}: [{', '.join(_scalar(item) for item in value)}]")
        else:
            lines += [f"{key}:", *(f"  - {_scalar(item)}" for item in value)]
    return "\n".join([*lines, "---", ""])


def _scalar(text: str) -> str:
    if (_PLAIN.fullmatch(text) and text.lower() not in _YAML_WORDS) or re.fullmatch(
        r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9:]+ UTC", text
    ):
        return text
    dumped: str = yaml.safe_dump(text, default_style='"', allow_unicode=True, width=10**9)
    return dumped.strip()


def _slug(kind: Kind, title: str, now: datetime, taken: Collection[str]) -> str:
    folded = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    words = "-".join(re.findall(r"[a-z0-9]+", folded))
    if len(words) > _MAX_WORDS:
        words = words[: _MAX_WORDS + 1].rpartition("-")[0] or words[:_MAX_WORDS]
    slug = f"{now.astimezone(UTC):%Y-%m-%d}-{words or kind}"
    number, free = 1, slug
    while free in taken:
        number += 1
        free = f"{slug}-{number}"
    return free


def _status(kind: Kind, text: str) -> str:
    status = statuses.status(text)
    known = statuses.STATUSES[kind]
    if status is None or status not in known:
        meant = did_you_mean(text, known)
        raise UsageError(f"`{shown(text)}` is not a status of kind {kind}.{meant}", f"there are: {', '.join(known)}")
    return status


def _heading(status: str, time: datetime) -> str:
    return f"## {status.capitalize()} - {format_time(time)}"


def _trimmed(body: str) -> str:
    """A body with one sort of line end, without blank lines at its ends."""
    return re.sub(r"\A(?:[ \t]*\n)+", "", body.replace("\r\n", "\n").replace("\r", "\n")).rstrip()


def _free(time: datetime, taken: Collection[datetime]) -> datetime:
    minute = time.replace(second=0)
    in_minute = {each for each in taken if each.replace(second=0) == minute}
    if not in_minute:
        return minute
    while time in taken:
        time += timedelta(seconds=1)
    return time


def _has_headings(announcement: Announcement) -> bool:
    return announcement.updates[0].place != announcement.places.get("date")


def _with_heading(text: str, update: Update) -> str:
    """Put the heading of a file's only update above its text, just below the front matter."""
    match = re.search(r"(?:\r\n|\r|\n)---[ \t]*(\r\n|\r|\n)", text)
    if match is None:  # the front matter is all there is: the update has no text
        raise ProblemsFoundError("the file's only update has no text", "write it first")
    line_end = match[1]
    heading = line_end + _heading(update.status, update.time) + line_end
    return text[: match.end()] + heading + text[match.end() :]


def _meant(kind: Kind, heading: str, body: str) -> Update:
    """The update that a heading and a body make where nothing else stands."""
    lines_before = 5
    announcement, problems = parse(f"---\ntitle: x\nkind: {kind}\n---\n{heading}\n{_trimmed(body)}\n", "text.md")
    for each in problems:
        if each.severity == "error":
            line = max(each.place.line - lines_before, 1)
            raise UsageError(f"line {line} of the text: {each.message}", "change the text, and try again")
    updates = announcement.updates if announcement else ()
    if len(updates) != 1:
        lines = [update.place.line - lines_before for update in updates if update.place.line > lines_before]
        where = f"line {min(lines)} of the text" if lines else "the text"
        raise UsageError(f"{where} would begin an update of its own", "write it without `##`")
    return updates[0]


def _check_appended(before: Announcement, meant: Update, text: str) -> None:
    after, problems = parse(text, "announcement.md")
    for each in problems:
        if each.code == "unclosed-block":
            raise ProblemsFoundError(f"line {each.place.line}: {each.message}", "close it, and try again")
    expected = {update.time: _content(update) for update in (*before.updates, meant)}
    found = {update.time: _content(update) for update in (after.updates if after else ())}
    if found != expected:
        raise ProblemsFoundError("the file would not be read back with this update and its old ones", "broadcast check")


def _content(update: Update) -> tuple[object, ...]:
    return (update.status, update.time, update.body, dict(update.overrides))


def _refuse_errors(problems: Sequence[Problem]) -> None:
    for each in problems:
        if each.severity == "error":
            raise ProblemsFoundError(f"line {each.place.line}: {each.message}", "broadcast check")
