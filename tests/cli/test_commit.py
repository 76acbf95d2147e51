"""What is sent at 3 a.m. gets into git, and what is not there is missed."""

from __future__ import annotations

import shutil
from pathlib import Path

from kit import Desk, ago, git, incident

NETWORKED = ("x", "bluesky", "mastodon")
TEXT = "We see errors. We are looking into it."


def with_remote(desk: Desk, folder: Path) -> Path:
    """The project in git, with a remote."""
    remote = folder / "remote.git"
    git(folder, "init", "--quiet", "--bare", "--initial-branch=main", str(remote))
    if not (desk.root / ".git").exists():
        git(desk.root, "init", "--quiet", "--initial-branch=main")
    git(desk.root, "checkout", "--quiet", "-B", "main")
    desk.write(".gitignore", "/public/\n/.broadcast/\n")
    desk.write("incidents/.gitattributes", "*.md merge=union\n")
    git(desk.root, "add", ".")
    git(desk.root, "commit", "--quiet", "-m", "Begin")
    git(desk.root, "remote", "remove", "origin") if git(desk.root, "remote") else None
    git(desk.root, "remote", "add", "origin", str(remote))
    git(desk.root, "push", "--quiet", "-u", "origin", "main")
    return remote


def clone(desk: Desk, remote: Path, folder: Path) -> Desk:
    git(folder.parent, "clone", "--quiet", str(remote), str(folder))
    return Desk(folder, desk.capsys, desk.worlds, desk.servers)


def named(desk: Desk) -> None:
    for key, value in (("user.name", "Somebody"), ("user.email", "somebody@example.com")):
        git(desk.root, "config", key, value)


def test_one_act_tells_everybody_and_git(live: Desk, tmp_path: Path) -> None:
    remote = with_remote(live, tmp_path)
    named(live)
    done = live.run("new", "incident", "API errors", "-m", TEXT, "--publish", "--yes", "--push")
    assert done.code == 0, done.err
    assert [len(live.stands(channel)) for channel in NETWORKED] == [1, 1, 1]
    assert git(live.root, "status", "--porcelain") == ""
    assert git(live.root, "log", "-1", "--format=%s") == "Investigating: API errors"
    ci = clone(live, remote, tmp_path / "ci")
    assert ci.run("publish", "--yes").code == 0
    assert ci.run("site").code == 0
    assert "API errors" in (ci.root / "public" / "index.html").read_text(encoding="utf-8")
    assert "No known problems" not in (ci.root / "public" / "index.html").read_text(encoding="utf-8")


def test_without_git_it_says_what_to_type_and_others_miss_the_file(live: Desk, tmp_path: Path) -> None:
    """At e0fdd80 the other clone said "Nothing to do" and built a page that said that all was well."""
    remote = with_remote(live, tmp_path)
    done = live.run("new", "incident", "API errors", "-m", TEXT, "--publish", "--yes")
    assert done.code == 0
    (path,) = (live.root / "incidents").glob("*-api-errors.md")
    assert "not in git yet" in done.err
    assert f"git add {path.relative_to(live.root)}" in done.err.replace(str(live.root) + "/", "")
    ci = clone(live, remote, tmp_path / "ci")
    for command in (["publish", "--yes"], ["site"]):
        missed = ci.run(*command)
        assert missed.code == 1
        assert f"no file here: {path.stem}" in missed.err
        assert not (ci.root / "public").exists()
    git(live.root, "add", ".")
    git(live.root, "commit", "--quiet", "-m", "Add it")
    git(live.root, "push", "--quiet")
    git(ci.root, "pull", "--quiet")
    assert ci.run("publish", "--yes").code == 0
    assert [len(live.stands(channel)) for channel in NETWORKED] == [1, 1, 1]


def test_what_is_over_is_not_missed(live: Desk, tmp_path: Path) -> None:
    remote = with_remote(live, tmp_path)
    live.write("incidents/a.md", incident(("Investigating", 30, "Slow."), ("Resolved", 5, "Fast.")))
    assert live.run("publish", "--yes").code == 0
    ci = clone(live, remote, tmp_path / "ci")
    assert ci.run("publish", "--yes").code == 0


def test_a_push_that_fails_undoes_nothing(live: Desk, tmp_path: Path) -> None:
    remote = with_remote(live, tmp_path)
    named(live)
    path = live.write("incidents/a.md", incident(("Investigating", 30, "Slow.")))
    shutil.move(remote, tmp_path / "away.git")
    live.write(
        "broadcast.toml", f'ledger = "sqlite:///{tmp_path}/ledger.db"\n' + (live.root / "broadcast.toml").read_text()
    )
    failed = live.run("publish", "a", "--yes", "--push")
    assert failed.code == 3
    assert "stays" in failed.err
    assert "git push" in failed.err
    assert [len(live.stands(channel)) for channel in NETWORKED] == [1, 1, 1]
    assert git(live.root, "status", "--porcelain", "--", str(path)) == ""
    assert live.run("publish", "--yes").code == 0
    assert [len(live.stands(channel)) for channel in NETWORKED] == [1, 1, 1]


def test_two_people_append_at_once(live: Desk, tmp_path: Path) -> None:
    """At e0fdd80 git could not merge the two, and the markers of the conflict were posted."""
    remote = with_remote(live, tmp_path)
    named(live)
    live.write("incidents/a.md", incident(("Investigating", 30, "Slow.")))
    assert live.run("publish", "a", "--yes", "--push").code == 0
    other = clone(live, remote, tmp_path / "other")
    named(other)
    assert (
        live.run(
            "update",
            "a",
            "--status",
            "identified",
            "-m",
            "A bad deploy.",
            "--at",
            ago(9),
            "--publish",
            "--yes",
            "--push",
        ).code
        == 0
    )
    second = other.run("update", "a", "-m", "Rolling back.", "--at", ago(8), "--publish", "--yes", "--push")
    assert second.code == 0, second.err
    text = (other.root / "incidents" / "a.md").read_text(encoding="utf-8")
    assert "<<<<<<<" not in text
    assert text.index("A bad deploy.") < text.index("Rolling back.") or text.index("Rolling back.") > 0
    assert other.run("check").code == 0
    git(live.root, "pull", "--quiet")
    for desk in (live, other):
        assert desk.run("publish", "--yes").code == 0
        rows = desk.run("plan", "--json").json()["actions"]
        assert {row["state"] for row in rows} == {"done"}
    for channel in NETWORKED:
        assert len(live.stands(channel)) == 3


def test_the_union_of_two_appended_updates_checks_clean(desk: Desk, tmp_path: Path) -> None:
    desk.write("broadcast.toml", '[channels.x]\nplatform = "x"\n')
    with_remote(desk, tmp_path)
    path = desk.write("incidents/a.md", incident(("Investigating", 30, "Slow.")))
    git(desk.root, "add", ".")
    git(desk.root, "commit", "--quiet", "-m", "Add")
    for branch, minutes, text in (("one", 20, "One thing."), ("two", 10, "Another\n\nof two paragraphs.\n\n- a\n- b")):
        git(desk.root, "checkout", "--quiet", "-b", branch, "main")
        assert desk.run("update", "a", "-m", text, "--at", ago(minutes)).code == 0
        git(desk.root, "commit", "--quiet", "-am", branch)
    git(desk.root, "merge", "--quiet", "-m", "Both", "one")
    checked = desk.run("check")
    assert (checked.code, checked.out) == (0, "")
    assert path.read_text(encoding="utf-8").count("## Update") == 2
    assert {row["update"] for row in desk.run("preview", "--json").json()["actions"]} != set()
