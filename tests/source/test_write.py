from __future__ import annotations

import os
import stat
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from broadcast.errors import BroadcastError, ProblemsFoundError, UsageError
from broadcast.model import Announcement, Kind
from broadcast.source import files
from broadcast.source.parse import parse
from broadcast.source.write import append, new

NOW = datetime(2026, 11, 22, 14, 5, 33, 123456, tzinfo=UTC)
STORY = "---\ntitle: x\n---\n\n## Investigating - 2026-11-22 13:00 UTC\nWe look.\n"


def announced(text: str, path: str = "a.md") -> Announcement:
    announcement, problems = parse(text, path)
    assert announcement is not None, problems
    assert [each for each in problems if each.severity == "error"] == []
    return announcement


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("Élevated API errors: EU & US #1", "2026-11-22-elevated-api-errors-eu-us-1.md"),
        ("No", "2026-11-22-no.md"),
        ("2026", "2026-11-22-2026.md"),
        ("  spaces\n and lines ", "2026-11-22-spaces-and-lines.md"),
        ("停电", "2026-11-22-incident.md"),
        ("\"quoted\" \\ 'it': [x] {y} @z *a &b !c", "2026-11-22-quoted-it-x-y-z-a-b-c.md"),
        ("word " * 40, "2026-11-22-" + "-".join(["word"] * 12) + ".md"),
        ("x" * 200, "2026-11-22-" + "x" * 60 + ".md"),
    ],
)
def test_a_new_announcement_is_read_back(title: str, name: str) -> None:
    made, text = new(
        "incident", title, now=NOW, body="\n\nWe look.\n\n- a\n\n", severity="major", components=["a, b", "2.10"]
    )
    assert made == name
    told = announced(text, f"incidents/{made}")
    assert told.title == " ".join(title.split())
    assert (told.severity, told.components) == ("major", ("a, b", "2.10"))
    (update,) = told.updates
    assert (update.status, update.time, update.body) == (
        "investigating",
        datetime(2026, 11, 22, 14, 5, tzinfo=UTC),
        "We look.\n\n- a",
    )


def test_each_kind_has_its_own_keys_and_first_status() -> None:
    _, text = new("release", "Out", now=NOW, body="x", version="2.10", tags=["release"])
    told = announced(text)
    assert (told.kind, told.version, told.tags, told.updates[0].status) == ("release", "2.10", ("release",), "released")
    starts = datetime(2026, 11, 23, 2, tzinfo=UTC)
    _, text = new("maintenance", "x", now=NOW, body="x", starts=starts, ends=starts + timedelta(hours=2))
    told = announced(text)
    assert (told.starts, told.ends, told.updates[0].status) == (starts, starts + timedelta(hours=2), "scheduled")


def test_a_new_announcement_may_be_left_for_an_editor() -> None:
    _, text = new("incident", "x", now=NOW)
    assert text.endswith("---\n\n## Investigating - 2026-11-22 14:05 UTC\n")


def test_names_that_are_taken() -> None:
    taken = {"2026-11-22-x", "2026-11-22-X-2"}
    assert new("incident", "x", now=NOW, taken=taken, body="x")[0] == "2026-11-22-x-3.md"


@pytest.mark.parametrize(
    "write",
    [
        lambda: new("incident", "", now=NOW, body="x"),
        lambda: new("incident", "x" * 301, now=NOW, body="x"),
        lambda: new("incident", "x", now=NOW, body="x", severity="huge"),
        lambda: new("incident", "x", now=NOW, body="x", status="completed"),
        lambda: new("incident", "x\x07", now=NOW, body="x"),
        lambda: new("incident", "x", now=NOW, body="x", components=["\x1b[2J"]),
        lambda: new("maintenance", "x", now=NOW, body="x", starts=NOW, ends=NOW),
        lambda: new("incident", "x", now=NOW, body="a\n\n## Resolved - 2026-11-22 15:00 UTC\nb"),
        lambda: new("incident", "x", now=NOW, body="```\nopen"),
    ],
)
def test_what_would_not_be_read_back_is_not_written(write: Callable[[], tuple[str, str]]) -> None:
    with pytest.raises(UsageError):
        write()


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
@pytest.mark.parametrize("end", ["", "\n", "\n\n\n", "\n  \n"])
def test_an_update_is_appended_and_the_rest_stays(line_end: str, end: str) -> None:
    before = "\ufeff" + (STORY.rstrip("\n") + end).replace("\n", line_end)
    after = append(before, "Resolved", NOW, "Fixed.\r\n\n- a\n")
    assert after.startswith(before)
    added = after[len(before) :]
    assert added.strip() == line_end.join(["## Resolved - 2026-11-22 14:05 UTC", "Fixed.", "", "- a"])
    assert after.endswith(f"- a{line_end}")
    assert (line_end == "\n") == ("\r" not in after)
    assert [(each.status, each.body) for each in announced(after).updates] == [
        ("investigating", "We look."),
        ("resolved", "Fixed.\n\n- a"),
    ]


def test_updates_of_one_minute_get_seconds() -> None:
    text = append(append(append(STORY, "identified", NOW, "a"), "monitoring", NOW, "b"), "update", NOW, "c")
    assert [each.time.second for each in announced(text).updates] == [0, 0, 33, 34]
    assert "## Monitoring - 2026-11-22 14:05:33 UTC\n" in text


def test_an_update_may_bring_a_text_for_one_channel() -> None:
    text = append(STORY, "resolved", NOW, "Fixed, all of it.\n\n```post x\nFixed.\n```")
    assert announced(text).updates[-1].overrides == {"x": "Fixed."}


@pytest.mark.parametrize("kind", ["release", "maintenance", "incident"])
def test_a_file_with_one_update_without_a_heading_gets_one(kind: Kind) -> None:
    text = f"---\ntitle: x\nkind: {kind}\ndate: 2026-11-01 10:00 UTC\n---\n\nIt is out.\n\n```post x\nOut.\n```\n"
    before = announced(text)
    after = announced(append(text, "update", NOW, "More."))
    assert [(each.status, each.time, each.body, each.overrides) for each in after.updates[:1]] == [
        (each.status, each.time, each.body, each.overrides) for each in before.updates
    ]
    assert (after.updates[1].status, after.updates[1].body) == ("update", "More.")
    again = append(append(text, "update", NOW, "More."), "update", NOW + timedelta(hours=1), "Still.")
    assert again.count("## ") == 3


@pytest.mark.parametrize(
    ("text", "status", "body", "error", "words"),
    [
        (STORY, "done", "x", UsageError, "not a status"),
        (STORY, "resolvd", "x", UsageError, "Did you mean `resolved`?"),
        (STORY, "completed", "x", UsageError, "not a status of kind incident"),
        (STORY, "resolved", " \n ", UsageError, "no text"),
        (STORY, "resolved", "a\n\n## Update - 2026-11-22 15:00 UTC\nb", UsageError, "line 3 of the text"),
        (STORY, "resolved", "## Update - 2026-11-22 15:00 UTC\nb", UsageError, "line 1 of the text"),
        (STORY, "resolved", "a\n\n```\nb", UsageError, "line 3 of the text: this code block is never closed"),
        (STORY, "resolved", "a <!--\n\n<!-- b", UsageError, "never closed"),
        (STORY, "resolved", "a\x1b[2J", UsageError, "U+001B"),
        (STORY, "resolved", "a\n```post\nb\n```", UsageError, "name of one channel"),
        (STORY + "\n```\nopen\n", "resolved", "x", ProblemsFoundError, "line 8: this code block is never closed"),
        (STORY + "\n<!-- open\n", "resolved", "x", ProblemsFoundError, "line 8: this comment"),
        ("---\ntitle: x\nkind: nope\n---\n", "resolved", "x", ProblemsFoundError, "must be one of"),
        ("hello", "resolved", "x", ProblemsFoundError, "front matter"),
    ],
)
def test_updates_that_are_refused(text: str, status: str, body: str, error: type[BroadcastError], words: str) -> None:
    with pytest.raises(error) as caught:
        append(text, status, NOW, body)
    assert words in caught.value.message


@settings(deadline=None)
@given(
    st.text(st.characters(codec="utf-8"), max_size=60)
    | st.lists(st.sampled_from("`~-#> \n*=|<!\t"), max_size=30).map("".join)
)
def test_any_text_is_read_back_or_refused(body: str) -> None:
    for file in (STORY, STORY + "\n- item", STORY + "\n> quote", STORY + "\n<div>"):
        try:
            text = append(file, "resolved", NOW, body)
        except (ProblemsFoundError, UsageError):
            continue
        told = announced(text)
        assert text.startswith(file)
        assert len(told.updates) == 2
        normal = body.replace("\r\n", "\n").replace("\r", "\n")
        assert told.updates[1].body.split() == normal.split()


def test_a_file_is_replaced_at_once_and_keeps_its_mode(tmp_path: Path) -> None:
    path = tmp_path / "a.md"
    path.write_bytes(b"old\r\n")
    path.chmod(0o640)
    link = tmp_path / "link.md"
    link.symlink_to("a.md")
    inode = path.stat().st_ino
    files.save(tmp_path, "link.md", files.load(tmp_path, "link.md") + "new\r\n")
    assert path.read_bytes() == b"old\r\nnew\r\n"
    assert link.is_symlink()
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert path.stat().st_ino != inode
    assert sorted(each.name for each in tmp_path.iterdir()) == ["a.md", "link.md"]


def test_a_new_file_overwrites_nothing(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "a.md"
    files.create(tmp_path, "deep/a.md", "é\n")
    assert path.read_bytes() == "é\n".encode()
    umask = os.umask(0)
    os.umask(umask)
    assert stat.S_IMODE(path.stat().st_mode) == 0o666 & ~umask
    with pytest.raises(UsageError, match="exists already"):
        files.create(tmp_path, "deep/a.md", "other")
    (tmp_path / "dangling.md").symlink_to("nowhere")
    with pytest.raises(UsageError, match="exists already"):
        files.create(tmp_path, "dangling.md", "other")
    assert path.read_bytes() == "é\n".encode()


def test_files_that_cannot_be_read_or_written_are_named(tmp_path: Path) -> None:
    (tmp_path / "latin.md").write_bytes(b"caf\xe9")
    for name, words in (("gone.md", "cannot be read"), ("latin.md", "not UTF-8")):
        with pytest.raises(UsageError, match=words):
            files.load(tmp_path, name)
    with pytest.raises(UsageError, match="cannot be written"):
        files.save(tmp_path, "gone.md", "x")
    with pytest.raises(UsageError, match="cannot be made"):
        files.create(tmp_path, "latin.md/x.md", "x")
