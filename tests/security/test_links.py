"""No command reads or writes outside of the project through a link, whoever put it there and whenever."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from broadcast import reach
from kit import Desk, git, incident

TOML = 'url = "https://status.example.com"\n\n[channels.site]\nplatform = "site"\noutput = "public"\n'
NEW = ("new", "incident", "Late mail", "-m", "Mail is late.")


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    folder = tmp_path / "outside"
    folder.mkdir()
    (folder / "slow.md").write_text(incident(("Investigating", 30, "The secret of another project.")), encoding="utf-8")
    return folder


@pytest.fixture
def project(desk: Desk) -> Desk:
    desk.write("broadcast.toml", TOML)
    return desk


def content(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): path.read_text("utf-8") for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("where", ["incidents", "a/incidents"])
def test_new_does_not_write_through_a_folder_that_is_a_link(project: Desk, outside: Path, where: str) -> None:
    """On e0fdd80 the file was written there."""
    project.write("broadcast.toml", f'incidents = "{where}"\n{TOML}')
    (project.root / where.partition("/")[0]).symlink_to(outside)
    before = content(outside)
    done = project.run(*NEW)
    assert done.code != 0
    assert "leads out of the project" in done.err
    assert content(outside) == before


@pytest.mark.parametrize(
    "command",
    [("update", "slow", "-m", "x"), ("resolve", "slow", "-m", "x"), ("check",), ("preview",), ("plan",), ("status",)],
)
@pytest.mark.parametrize("link", ["incidents", "incidents/slow.md"])
def test_nothing_outside_is_read_or_changed(project: Desk, outside: Path, link: str, command: tuple[str, ...]) -> None:
    target = project.root / link
    target.parent.mkdir(exist_ok=True)
    target.symlink_to(outside if link == "incidents" else outside / "slow.md")
    before = content(outside)
    done = project.run(*command)
    assert "secret" not in done.out + done.err
    assert content(outside) == before
    assert done.code != 0 or command[0] == "status"


def test_init_writes_nothing_through_a_link(desk: Desk, outside: Path) -> None:
    (desk.root / ".github").symlink_to(outside)
    (desk.root / "incidents").symlink_to(outside)
    before = content(outside)
    assert desk.run("init").code != 0
    assert content(outside) == before


def test_the_site_is_not_built_through_a_link(project: Desk, outside: Path) -> None:
    (project.root / "public").symlink_to(outside)
    for file in outside.iterdir():
        file.unlink()
    project.write("incidents/slow.md", incident(("Investigating", 30, "Slow.")))
    for command in (("site",), ("publish", "--yes")):
        assert project.run(*command).code != 0
        assert content(outside) == {}


def test_templates_are_not_read_through_a_link(project: Desk, outside: Path) -> None:
    (outside / "default.md.j2").write_text("{% block body %}A secret of theirs{% endblock %}", encoding="utf-8")
    (project.root / "templates").symlink_to(outside)
    project.write("incidents/slow.md", incident(("Investigating", 30, "Slow.")))
    done = project.run("check")
    assert done.code == 1
    assert "leads out of the project" in done.out
    assert "secret" not in done.out + done.err


def test_a_page_of_a_preview_is_not_written_through_a_link_of_the_project(project: Desk, outside: Path) -> None:
    project.write("incidents/slow.md", incident(("Investigating", 30, "Slow.")))
    (project.root / "build").symlink_to(outside)
    before = content(outside)
    assert project.run("preview", "--html", "build/page.html").code == 2
    assert content(outside) == before
    assert project.run("preview", "--html", str(outside / "page.html")).code == 0  # what a user names may be anywhere
    assert "Slow." in (outside / "page.html").read_text(encoding="utf-8")


def test_a_project_that_is_itself_reached_through_a_link_works(project: Desk, tmp_path: Path) -> None:
    git(project.root, "add", "-A")
    (tmp_path / "here").symlink_to(project.root)
    through = Desk(tmp_path / "here", project.capsys)
    assert through.run(*NEW).code == 0
    (file,) = (project.root / "incidents").iterdir()
    assert through.run("resolve", file.stem, "-m", "Fixed.").code == 0
    assert through.run("check").code == 0
    assert "## Resolved" in file.read_text(encoding="utf-8")


def test_a_link_inside_of_the_project_is_followed_and_stays_a_link(project: Desk) -> None:
    real = project.write("shared/slow.md", incident(("Investigating", 30, "Slow.")))
    (project.root / "incidents").mkdir()
    (project.root / "incidents" / "slow.md").symlink_to(os.path.join("..", "shared", "slow.md"))  # noqa: PTH118
    assert project.run("update", "slow", "-m", "Still slow.").code == 0
    assert (project.root / "incidents" / "slow.md").is_symlink()
    assert "Still slow." in real.read_text(encoding="utf-8")


def test_a_folder_that_is_swapped_for_a_link_while_it_is_used_leads_nowhere(tmp_path: Path, outside: Path) -> None:
    """In both directions: whatever it is when it is looked at, and whatever when it is used."""
    root = tmp_path / "root"
    (root / "real").mkdir(parents=True)
    (root / "link").symlink_to(outside)
    (root / "real" / "slow.md").write_text("ours", encoding="utf-8")
    before = content(outside)
    over = threading.Event()

    def swap() -> None:
        while not over.is_set():
            for name in ("real", "link"):
                new = root / f"new-{name}"
                new.symlink_to("real" if name == "real" else outside)
                new.replace(root / "incidents")

    (root / "incidents").symlink_to("real")
    swapper = threading.Thread(target=swap)
    swapper.start()
    read: set[str] = set()
    refused = 0
    try:
        for number in range(2000):
            try:
                read.add(reach.read(root, "incidents/slow.md").decode())
                with reach.folder(root, "incidents") as folder:
                    folder.create(f"{number}.md", b"x")
            except reach.OutsideError:
                refused += 1
    finally:
        over.set()
        swapper.join()
    assert read == {"ours"}
    assert refused > 0
    assert content(outside) == before
