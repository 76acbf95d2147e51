from __future__ import annotations

import os
from pathlib import Path

import pytest

from broadcast.source.read import MAX_BYTES, read

TEXT = "---\ntitle: x\n---\n## Investigating - 2026-11-22 14:05 UTC\nHello\n"


def put(root: Path, files: dict[str, str | bytes]) -> None:
    for name, text in files.items():
        path = root / "incidents" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())


def found(root: Path) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    announcements, problems = read(root, "incidents", "en")
    return [(each.slug, each.language) for each in announcements], [(each.place.path, each.code) for each in problems]


def test_files_are_found_in_every_folder_and_sorted(tmp_path: Path) -> None:
    put(tmp_path, {"b.md": TEXT, "2026/a.md": TEXT, "2026/11/c.md": TEXT, "notes.txt": "x"})
    put(
        tmp_path, {"README.md": "# About", "2026/readme.md": "x", ".hidden.md": "x", ".git/d.md": "x", "x.png": b"\xff"}
    )
    assert found(tmp_path) == ([("a", "en"), ("b", "en"), ("c", "en")], [])
    announcements, _ = read(tmp_path, "incidents", "en")
    assert [each.path for each in announcements] == ["incidents/2026/a.md", "incidents/b.md", "incidents/2026/11/c.md"]


def test_files_that_are_nearly_announcements_are_named(tmp_path: Path) -> None:
    names = ["a.markdown", "deep/b.MD", "c.mdx", "d.txt", "e.md.txt", "f.Markdown", "g.md.bak", "h.mkd"]
    put(tmp_path, dict.fromkeys(names, TEXT))
    put(tmp_path, {"README.MD": TEXT, "notes.txt": "x", "LICENSE.txt": "---", "x.yml": "a: b"})
    announcements, problems = read(tmp_path, "incidents", "en")
    assert announcements == ()
    assert [(each.place.path, each.code, each.severity) for each in problems] == [
        (f"incidents/{name}", "unseen-file", "warning") for name in sorted(names)
    ]
    assert "rename it `b.md`" in next(each.message for each in problems if "b.MD" in each.place.path)


def test_a_base_comes_before_its_translations_whatever_they_are_called(tmp_path: Path) -> None:
    put(tmp_path, dict.fromkeys(["a.md", "a.de.md", "a.zh.md"], TEXT))
    announcements, _ = read(tmp_path, "incidents", "en")
    assert [(each.path, each.translation) for each in announcements] == [
        ("incidents/a.md", False),
        ("incidents/a.de.md", True),
        ("incidents/a.zh.md", True),
    ]


def test_a_draft_makes_drafts_of_its_translations(tmp_path: Path) -> None:
    put(tmp_path, {"a.md": TEXT.replace("---\n", "---\ndraft: true\n", 1), "a.de.md": TEXT, "b.md": TEXT})
    announcements, _ = read(tmp_path, "incidents", "en")
    assert [(each.path, each.draft) for each in announcements] == [
        ("incidents/a.md", True),
        ("incidents/a.de.md", True),
        ("incidents/b.md", False),
    ]


def test_a_translation_stands_beside_the_file_that_it_translates(tmp_path: Path) -> None:
    names = ["a.md", "a.fr.md", "a.pt-BR.md", "ci.jenkins.io.md", "ci.jenkins.io-oom.md", "deep/a.de.md"]
    put(tmp_path, dict.fromkeys(names, TEXT))
    slugs, problems = found(tmp_path)
    assert problems == []
    assert slugs == [
        ("a", "en"),
        ("a", "fr"),
        ("a", "pt-BR"),
        ("a.de", "en"),
        ("ci.jenkins.io", "en"),
        ("ci.jenkins.io-oom", "en"),
    ]


def test_one_announcement_has_one_file(tmp_path: Path) -> None:
    put(tmp_path, {"a.md": TEXT, "a.fr.md": TEXT, "old/a.md": TEXT, "old/A.md": TEXT})
    assert found(tmp_path)[1] == [("incidents/a.md", "duplicate-slug"), ("incidents/old/a.md", "duplicate-slug")]


def test_what_cannot_be_read_is_a_problem_and_the_rest_is_read(tmp_path: Path) -> None:
    put(
        tmp_path,
        {"good.md": TEXT, "latin.md": TEXT.encode() + b"\n\xc3\xa9 caf\xe9\n", "big.md": b"x" * (MAX_BYTES + 1)},
    )
    os.mkfifo(tmp_path / "incidents" / "pipe.md")
    (tmp_path / "incidents" / "folder.md").mkdir()
    (tmp_path / "incidents" / "dangling.md").symlink_to("nowhere")
    (tmp_path / "incidents" / "loop.md").symlink_to("loop.md")
    slugs, problems = found(tmp_path)
    assert slugs == [("good", "en")]
    assert problems == [
        ("incidents/big.md", "too-large"),
        ("incidents/dangling.md", "unreadable"),
        ("incidents/latin.md", "not-utf8"),
        ("incidents/loop.md", "unreadable"),
        ("incidents/pipe.md", "unreadable"),
    ]
    places = {each.place.path: each.place for each in read(tmp_path, "incidents", "en")[1]}
    assert (places["incidents/latin.md"].line, places["incidents/latin.md"].column) == (7, 6)


def test_links_are_followed_inside_of_the_project_only(tmp_path: Path) -> None:
    root = tmp_path / "project"
    put(root, {"a.md": TEXT})
    (tmp_path / "secret.md").write_text(TEXT)
    (root / "elsewhere.md").write_text(TEXT)
    (root / "incidents" / "out.md").symlink_to(tmp_path / "secret.md")
    (root / "incidents" / "in.md").symlink_to("../elsewhere.md")
    (root / "incidents" / "round").symlink_to("..")
    slugs, problems = found(root)
    assert slugs == [("a", "en"), ("in", "en")]
    assert problems == [("incidents/out.md", "outside-root"), ("incidents/round", "folder-link")]


def test_the_folder_itself(tmp_path: Path) -> None:
    root = tmp_path / "project"
    root.mkdir()
    assert found(root) == ([], [("incidents", "missing-folder")])
    (tmp_path / "outside").mkdir()
    (root / "incidents").symlink_to("../outside")
    assert found(root) == ([], [("incidents", "outside-root")])


def test_names_that_are_no_text(tmp_path: Path) -> None:
    put(tmp_path, {"a.md": TEXT})
    try:
        Path(os.fsdecode(os.fsencode(tmp_path / "incidents") + b"/caf\xe9.md")).write_text(TEXT)
    except OSError:
        pytest.skip("this file system takes only names in UTF-8")
    slugs, problems = found(tmp_path)
    assert slugs == [("a", "en")]
    assert problems == [("incidents/caf\ufffd.md", "bad-slug")]


def test_a_folder_that_may_not_be_opened(tmp_path: Path) -> None:
    put(tmp_path, {"a.md": TEXT, "closed/b.md": TEXT})
    closed = tmp_path / "incidents" / "closed"
    closed.chmod(0)
    try:
        if os.access(closed, os.R_OK):
            pytest.skip("root opens every folder")
        assert found(tmp_path) == ([("a", "en")], [("incidents/closed", "unreadable")])
    finally:
        closed.chmod(0o755)
