"""How much an announcement may be: one more is an error with its place, and no work is done for it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from time import process_time

import pytest
from PIL import Image

from broadcast import config, pipeline
from broadcast.ledger.base import Log
from broadcast.model import Problem
from broadcast.source import bounds
from broadcast.source.read import MAX_BYTES
from broadcast.source.yamltext import MAX_LENGTH, MAX_VALUES
from broadcast.text.markdown import NESTING

NOW = datetime(2026, 11, 22, tzinfo=UTC)
TABLE = '[channels.x]\nplatform = "x"\n'
HEAD = "---\ntitle: a\n---\n"
FIRST = "## Investigating - 2020-01-01 00:00 UTC\nText.\n"


def read(root: Path, files: Mapping[str, str], table: str = TABLE) -> pipeline.Project:
    for name, text in {"broadcast.toml": table, **files}.items():
        path = root / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    return pipeline.read(root)


def errors(project: pipeline.Project) -> list[Problem]:
    return [one for one in project.problems if one.severity == "error"]


def chain(updates: int) -> str:
    further = (
        f"## Update - 2020-01-{1 + n // 1440:02}T{n // 60 % 24:02}:{n % 60:02}Z\nText.\n" for n in range(1, updates)
    )
    return HEAD + FIRST + "".join(further)


def posts(project: pipeline.Project) -> int:
    return len(pipeline.planner(project, now=NOW, backfill=True)(Log("none", {})).actions)


def names(key: str, amount: int) -> str:
    return f"---\ntitle: a\n{key}:\n" + "".join(f"- x{n}\n" for n in range(amount)) + f"---\n{FIRST}"


def test_updates(tmp_path: Path) -> None:
    assert errors(read(tmp_path, {"incidents/a.md": chain(bounds.UPDATES)})) == []
    project = read(tmp_path, {"incidents/a.md": chain(bounds.UPDATES + 1)})
    (found,) = errors(project)
    assert (found.code, found.place.line) == ("too-many", 2 * bounds.UPDATES + 4)
    assert found.message == "this is update 1,001 of 1,001: a file may have 1,000"
    assert posts(project) == 0


def test_characters(tmp_path: Path) -> None:
    assert errors(read(tmp_path, {"incidents/a.md": HEAD + FIRST + "x" * (bounds.TEXT - 6)})) == []
    project = read(tmp_path, {"incidents/a.md": HEAD + FIRST + "x" * (bounds.TEXT - 5)})
    (found,) = errors(project)
    assert (found.code, found.place.line) == ("too-long", 5)
    assert posts(project) == 0
    (found,) = errors(read(tmp_path, {"incidents/a.md": f"{HEAD}{'x' * (bounds.TEXT + 1)}\n\n{FIRST}"}))
    assert (found.code, found.place.line) == ("too-long", 4)


@pytest.mark.parametrize(
    ("unit", "most"), [("![a](e.png)\n", bounds.IMAGES), ("[a](https://b.c)\n", bounds.LINKS // 2)]
)
def test_images_and_links(tmp_path: Path, unit: str, most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounds, "LINKS", most)
    (tmp_path / "incidents").mkdir()
    Image.new("L", (1, 1)).save(tmp_path / "incidents/e.png")
    assert errors(read(tmp_path, {"incidents/a.md": HEAD + FIRST + unit * most})) == []
    project = read(tmp_path, {"incidents/a.md": HEAD + FIRST + unit * (most + 1)})
    (found,) = errors(project)
    assert (found.code, found.place.line, found.place.column) == ("too-many", most + 6, 1)
    assert posts(project) == 0


@pytest.mark.parametrize("key", ["components", "tags", "channels"])
def test_names(tmp_path: Path, key: str) -> None:
    found = errors(read(tmp_path, {"incidents/a.md": names(key, bounds.NAMES)}))
    assert [one.code for one in found if one.code != "unknown-channel"] == []
    (problem,) = errors(read(tmp_path, {"incidents/a.md": names(key, bounds.NAMES + 1)}))
    assert (problem.code, problem.message) == ("bad-value", f"`{key}`: more than 100 of them")
    assert problem.place.line == 4


def test_translations(tmp_path: Path) -> None:
    codes = [f"{one}{two}" for one in "abcdefgh" for two in "abcdefgh"][: bounds.TRANSLATIONS]
    files = {f"incidents/a.{code}.md": HEAD + FIRST for code in codes}
    project = read(tmp_path, {"incidents/a.md": HEAD + FIRST, **files})
    assert (errors(project), len(project.announcements)) == ([], bounds.TRANSLATIONS + 1)
    project = read(tmp_path, {"incidents/a.zz.md": HEAD + FIRST})
    (found,) = errors(project)
    assert (found.code, found.place.path) == ("too-many", "incidents/a.md")
    assert [one.path for one in project.announcements] == ["incidents/a.md"]


def test_channels(tmp_path: Path) -> None:
    tables = [f'[channels.c{number}]\nplatform = "x"\n' for number in range(config.MAX_CHANNELS + 1)]
    (tmp_path / "broadcast.toml").write_text("".join(tables[:-1]))
    assert config.load(tmp_path)[1] == ()
    (tmp_path / "broadcast.toml").write_text("".join(tables))
    (found,) = config.load(tmp_path)[1]
    assert (found.code, found.place.line) == ("bad-value", 2 * config.MAX_CHANNELS + 1)
    assert found.message == "channel 'c100' is one more than the 100 that there may be"


@pytest.mark.parametrize(
    ("made", "key"),
    [
        ('[[routes]]\nchannels = ["x"]\n' * 101, "routes"),
        ("[[routes]]\nchannels = [" + '"x", ' * 101 + "]\n", "channels"),
        ("[abbreviations.en]\n" + "".join(f'a{n} = "a"\n' for n in range(1_001)), "abbreviations"),
    ],
)
def test_tables(tmp_path: Path, made: str, key: str) -> None:
    (tmp_path / "broadcast.toml").write_text(TABLE + made)
    found = config.load(tmp_path)[1]
    assert [(one.code, key in one.message, "are too many" in one.message) for one in found] == [
        ("bad-value", True, True)
    ]


def test_a_dotted_key_is_not_followed_into_the_depth(tmp_path: Path) -> None:
    """tomllib takes minutes for it."""
    (tmp_path / "broadcast.toml").write_text(f"{'a.' * 100_000}a = 1\n")
    before = process_time()
    (found,) = config.load(tmp_path)[1]
    assert (found.code, found.message) == ("config-syntax", "it is nested too deeply")
    assert process_time() - before < 2


def test_what_is_over_a_bound_is_refused_before_the_work(tmp_path: Path) -> None:
    for text in (chain(40_000), HEAD + FIRST + "[a](b) " * 250_000, HEAD + FIRST + "![" * 900_000):
        before = process_time()
        project = read(tmp_path, {"incidents/a.md": text})
        assert (len(errors(project)), posts(project)) == (1, 0)
        assert process_time() - before < 6


def test_the_documented_bounds_are_those() -> None:
    documented = Path(__file__, "../../../docs/announcements.md").resolve().read_text()
    rows = dict(
        re.findall(
            r"^\| (.+?) \| (.+?) \|$", documented.partition("\n## Bounds")[2].partition("\n## ")[0], re.MULTILINE
        )
    )
    told = [int(number.replace(",", "")) for row in list(rows.values())[2:] for number in re.findall(r"[\d,]*\d", row)]
    assert told == [
        *(MAX_BYTES // 1024, MAX_LENGTH, MAX_VALUES, 300, bounds.NAMES, bounds.UPDATES, bounds.TEXT),
        *(bounds.IMAGES, bounds.LINKS, NESTING, bounds.TRANSLATIONS),
    ]
