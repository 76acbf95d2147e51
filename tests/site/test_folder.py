from __future__ import annotations

import threading
from pathlib import Path

import pytest

from broadcast.errors import ConfigError
from broadcast.site.folder import MARKER, replaced


def put(output: Path, text: str) -> None:
    with replaced(output) as new:
        (new / "index.html").write_text(text)


def test_a_site_takes_the_place_of_the_old_one(tmp_path: Path) -> None:
    put(tmp_path / "deep/public", "one")
    (tmp_path / "deep/public/stale.html").write_text("x")
    put(tmp_path / "deep/public", "two")
    assert sorted(path.name for path in (tmp_path / "deep/public").iterdir()) == [MARKER, "index.html"]
    assert (tmp_path / "deep/public/index.html").read_text() == "two"
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["public"]


def test_an_empty_folder_may_be_taken(tmp_path: Path) -> None:
    (tmp_path / "public").mkdir()
    put(tmp_path / "public", "one")
    assert (tmp_path / "public/index.html").exists()


@pytest.mark.parametrize("problem", [OSError("disk full"), KeyboardInterrupt()])
def test_a_crash_leaves_the_old_site(tmp_path: Path, problem: BaseException) -> None:
    put(tmp_path / "public", "one")

    def crash() -> None:
        with replaced(tmp_path / "public") as new:
            (new / "index.html").write_text("half")
            raise problem

    with pytest.raises(type(problem)):
        crash()
    assert (tmp_path / "public/index.html").read_text() == "one"
    assert [path.name for path in tmp_path.iterdir()] == ["public"]


def test_a_crash_between_the_two_renames_leaves_the_old_site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path / "public", "one")
    rename = Path.rename

    def interrupted(self: Path, target: Path) -> Path:
        if ".new-" in self.name:
            raise KeyboardInterrupt
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", interrupted)
    with pytest.raises(KeyboardInterrupt):
        put(tmp_path / "public", "two")
    assert (tmp_path / "public/index.html").read_text() == "one"
    assert [path.name for path in tmp_path.iterdir()] == ["public"]


def test_what_is_not_ours_is_never_replaced(tmp_path: Path) -> None:
    (tmp_path / "public").mkdir()
    (tmp_path / "public/thesis.txt").write_text("years of work")
    with pytest.raises(ConfigError, match="did not make"):
        put(tmp_path / "public", "x")
    assert (tmp_path / "public/thesis.txt").read_text() == "years of work"
    with pytest.raises(ConfigError, match="is a file"):
        put(tmp_path / "public/thesis.txt", "x")
    with pytest.raises(ConfigError, match=r"inside \.git"):
        put(tmp_path / ".git/public", "x")


def test_racing_builds_each_leave_a_whole_site(tmp_path: Path) -> None:
    failures: list[BaseException] = []

    def builds(text: str) -> None:
        try:
            for _ in range(50):
                put(tmp_path / "public", text)
        except BaseException as error:  # noqa: BLE001 - the test reports whatever it is
            failures.append(error)

    threads = [threading.Thread(target=builds, args=(text,)) for text in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert (tmp_path / "public/index.html").read_text() in "abcd"
    assert [path.name for path in tmp_path.iterdir()] == ["public"]
