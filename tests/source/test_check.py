from __future__ import annotations

import io
import re
from pathlib import Path

import pytest
from PIL import Image

from broadcast.model import Problem
from broadcast.source import read as reading
from broadcast.source.check import check
from broadcast.source.parse import parse
from broadcast.source.problems import CODES
from broadcast.text import rich

SOURCES = Path(reading.__file__).parent


def project(root: Path, **files: str) -> tuple[Problem, ...]:
    """The problems of a project with these files (`a_fr` is `a.fr.md`), with the channels `x` and `news`."""
    (root / "incidents").mkdir(exist_ok=True)
    for name, text in files.items():
        (root / "incidents" / f"{name.replace('_', '.')}.md").write_text(text)
    announcements, problems = reading.read(root, "incidents", "en")
    assert [each for each in problems if each.severity == "error"] == []
    return check(announcements, root=root, channels={"x", "news"}, platforms={"x", "bluesky", "mastodon"})


def incident(*updates: str, head: str = "severity: major\n") -> str:
    body = "\n\n".join(f"## {update} - 2026-11-22 14:0{number} UTC\nText" for number, update in enumerate(updates))
    return f"---\ntitle: x\n{head}---\n{body}\n"


def codes(problems: tuple[Problem, ...]) -> list[tuple[str, int, int]]:
    return [(each.code, each.place.line, each.place.column) for each in problems]


def test_a_whole_story_has_no_problem(tmp_path: Path) -> None:
    text = incident("Investigating", "Update", "Identified", "Monitoring", "Resolved", "Postmortem", "Reopened")
    assert project(tmp_path, a=text) == ()


def test_the_order_of_statuses(tmp_path: Path) -> None:
    text = incident("Investigating", "Resolved", "Monitoring", "Resolved", "Reopened", "Identified")
    problems = project(tmp_path, a=text)
    assert codes(problems) == [("backwards", 11, 1), ("backwards", 14, 1)]
    assert "`monitoring` cannot follow `resolved`" in problems[0].message
    assert "it is `resolved` already: write `reopened`" in problems[1].message


@pytest.mark.parametrize(
    ("head", "found"),
    [
        ("kind: incident\nstarts: 2026-11-22 10:00 UTC\nversion: 1\n", [("wrong-kind", 4, 9), ("wrong-kind", 5, 10)]),
        ("kind: maintenance\n", [("missing-starts", 2, 8)]),
        ("kind: maintenance\nseverity: minor\nstarts: 2026-11-22T10:00Z\n", [("wrong-kind", 4, 11)]),
        ("kind: maintenance\nstarts: 2026-11-22T10:00Z\nends: 2026-11-22T10:00Z\n", [("ends-before-starts", 5, 7)]),
        ("kind: release\n", [("missing-version", 2, 8)]),
        ("kind: release\nversion: 2.10\n", []),
        ("channels: [x, nwes, '*']\n", [("unknown-channel", 3, 15)]),
        ("channels: [bluesky]\n", [("unknown-channel", 3, 12)]),
    ],
)
def test_keys_that_do_not_fit(tmp_path: Path, head: str, found: list[tuple[str, int, int]]) -> None:
    first = "Scheduled" if "maintenance" in head else "Released" if "release" in head else "Investigating"
    assert codes(project(tmp_path, a=incident(first, head=head))) == found


def test_names_of_channels_are_near_misses_or_listed(tmp_path: Path) -> None:
    text = (
        incident("Investigating") + "\n```post mastodonn\nx\n```\n\n```post bluesky\nx\n```\n\n```post news\nx\n```\n"
    )
    (problem,) = project(tmp_path, a=text)
    assert (problem.code, problem.place.line) == ("unknown-channel", 8)
    assert "Did you mean `mastodon`?" in problem.message
    (problem,) = project(tmp_path, a=incident("Investigating", head="channels: [zzz]\n"))
    assert "There are: news, x." in problem.message


def test_without_a_configuration_names_are_not_checked(tmp_path: Path) -> None:
    announcement, _ = parse(incident("Investigating", head="channels: [zzz]\n"), "incidents/a.md")
    assert announcement is not None
    assert check([announcement], root=tmp_path, channels=None, platforms=()) == ()


@pytest.mark.parametrize(
    "body", ["", "<!-- later -->", "<!--\na\n-->\n\n<!-- b -->", "```post x\nShort\n```", "---", "#"]
)
def test_an_update_that_says_nothing(tmp_path: Path, body: str) -> None:
    text = f"---\ntitle: x\n---\n## Investigating - 2026-11-22 14:05 UTC\n{body}\n"
    assert codes(project(tmp_path, a=text)) == [("empty-update", 4, 1)]


@pytest.mark.parametrize(
    "body", ["`x`", "- a", "> a", "```\na\n```", "# a", "<b>a</b>", "<div>\na\n</div>", "a|b\n-|-\nc|d"]
)
def test_an_update_that_says_something(tmp_path: Path, body: str) -> None:
    text = f"---\ntitle: x\n---\n## Investigating - 2026-11-22 14:05 UTC\n{body}\n"
    assert project(tmp_path, a=text) == ()


def picture(form: str) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (4, 3), "white").save(file, form)
    return file.getvalue()


PNG, JPEG = picture("PNG"), picture("JPEG")


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.png", PNG, ""),
        ("a.JPG", JPEG, ""),
        ("a.jpeg", JPEG, ""),
        ("a.gif", picture("GIF"), ""),
        ("a.webp", picture("WEBP"), ""),
        ("a.mp4", b"\0\0\0\x18ftypmp42", ""),
        ("a.png", JPEG, ""),
        ("a.txt", b"\xff\xd8\xff\xe0", "image/jpeg: give it a name that ends in `.jpg`"),
        ("a.mp4", PNG, "image/png"),
        ("a.png", b"", "is an empty file"),
        ("a.svg", b"<svg/>", "is not a PNG"),
        ("a.avif", b"\0\0\0\x18ftypavif", "is not a PNG"),
        ("a.mov", b"\0\0\0\x18ftypqt  ", "is not a PNG"),
    ],
)
def test_media_are_known_by_their_content(tmp_path: Path, name: str, content: bytes, said: str) -> None:
    (tmp_path / "incidents").mkdir()
    (tmp_path / "incidents" / name).write_bytes(content)
    text = f"---\ntitle: x\n---\n## Investigating - 2026-11-22 14:05 UTC\nLook: ![a]({name})\n"
    problems = project(tmp_path, a=text)
    assert codes(problems) == ([("bad-media", 5, 7)] if said else [])
    assert all(said in one.message for one in problems)


def test_media_that_are_far_too_large(tmp_path: Path) -> None:
    (tmp_path / "incidents").mkdir()
    with (tmp_path / "incidents" / "a.png").open("wb") as file:
        file.write(PNG)
        file.truncate(33 * 1024**2)
    text = "---\ntitle: x\n---\n## Investigating - 2026-11-22 14:05 UTC\nLook: ![a](a.png)\n"
    (problem,) = project(tmp_path, a=text)
    assert (problem.code, problem.severity) == ("bad-media", "error")
    assert "larger than 32 MB" in problem.message


def test_images(tmp_path: Path) -> None:
    folder = tmp_path / "incidents"
    folder.mkdir()
    for name in ("ok.png", "two words.png"):
        (folder / name).write_bytes(PNG)
    (tmp_path / "shared.png").write_bytes(PNG)
    (folder / "passwd.png").symlink_to("/etc/passwd")
    (folder / "loop.png").symlink_to("loop.png")
    lines = [
        "![fine](ok.png) ![fine](two%20words.png) ![fine](<two words.png>) ![fine](../shared.png)",
        "![](ok.png) and ![ ](ok.png)",
        "Here ![a\nb](gone.png) ![c](https://example.com/a.png) ![d](data:image/png;base64,x) ![e](//x/y.png)",
        "![f](../../../etc/passwd) ![g](passwd.png) ![h](/etc/passwd) ![i](..)",
        "![j](loop.png) ![k](" + "x" * 5000 + ".png) ![l](a%00b.png)",
        "`![m](gone.png)` \\![n](gone.png)",
        "```\n![o](gone.png)\n```",
        "> - ![p][ref]\n\n[ref]: gone.png",
    ]
    body = "\n\n".join(lines)
    problems = project(tmp_path, a=f"---\ntitle: x\n---\n## Investigating - 2026-11-22 14:05 UTC\n{body}\n")
    assert [(code, line, column) for code, line, column in codes(problems) if code != "bad-link"] == [
        ("missing-alt", 7, 1),
        ("missing-alt", 7, 17),
        ("missing-media", 9, 6),
        ("missing-media", 10, 14),
        ("missing-media", 10, 46),
        ("missing-media", 10, 76),
        ("missing-media", 12, 1),
        ("missing-media", 12, 27),
        ("missing-media", 12, 44),
        ("missing-media", 12, 62),
        ("missing-media", 14, 1),
        ("missing-media", 14, 16),
        ("missing-media", 14, 5027),
        ("missing-media", 22, 5),
    ]
    said = "\n".join(each.message for each in problems)
    assert "outside of the project" in said
    assert "download it" in said
    assert "no file `gone.png` beside this file" in said


@pytest.mark.parametrize(
    ("link", "good"),
    [
        ("[a](https://example.com/x?y#z)", True),
        ("<https://example.com>", True),
        ("[a](http://example.com)", True),
        ("[a](mailto:help@example.com)", True),
        ("https://example.com and [not a link]", True),
        ("[a](/status)", False),
        ("[a](page.md)", False),
        ("[a](#top)", False),
        ("[a]()", False),
        ("[a](https://)", False),
        ("[a](ftp://example.com)", False),
        ("[a](//example.com)", False),
        ("[a][b]\n\n[b]: TODO", False),
    ],
)
def test_links(tmp_path: Path, link: str, *, good: bool) -> None:
    text = f"---\ntitle: x\n---\n## Investigating - 2026-11-22 14:05 UTC\nOne\ntwo {link}\n"
    assert codes(project(tmp_path, a=text)) == ([] if good else [("bad-link", 6, 5)])


@pytest.mark.parametrize(
    ("body", "deep"),
    [
        ("> " * 99 + "said", False),
        ("> " * 100 + "lost", True),
        ("\n".join(f"{'  ' * depth}- item{depth}" for depth in range(49)), False),
        ("\n".join(f"{'  ' * depth}- item{depth}" for depth in range(60)), True),
    ],
)
def test_what_is_nested_too_deeply_to_be_read_is_an_error(tmp_path: Path, body: str, *, deep: bool) -> None:
    text = f"---\ntitle: x\n---\n## Investigating - 2026-11-22 14:05 UTC\nOne\n\n{body}\n"
    found = codes(project(tmp_path, a=text))
    assert [code for code, _, _ in found] == (["too-deep"] if deep else [])
    last = body.split()[-1]
    assert (last in rich.plain(rich.parse(f"One\n\n{body}")[0])) is not deep


def test_notes_are_no_links(tmp_path: Path) -> None:
    text = "---\ntitle: x\n---\n## Investigating - 2026-11-22 14:05 UTC\nSee [^1].\n\n[^1]: Fixed.\n"
    assert codes(project(tmp_path, a=text)) == []


def test_translations_follow_their_file(tmp_path: Path) -> None:
    base = incident("Investigating", "Identified")
    assert project(tmp_path, a=base, a_fr=base.replace("title: x", "title: y").replace("Text", "Texte")) == ()
    problems = project(tmp_path, a_fr=incident("Investigating"))
    assert codes(problems) == [("translation-behind", 5, 1)]
    assert problems[0].place.path == "incidents/a.fr.md"
    assert "`## Identified - 2026-11-22 14:01 UTC` is missing here" in problems[0].message
    problems = project(tmp_path, a_fr=incident("Investigating", "Monitoring", head="severity: minor\n"))
    assert codes(problems) == [("translation-differs", 3, 11), ("translation-differs", 8, 1)]
    problems = project(tmp_path, a_fr=incident("Investigating", "Identified", "Monitoring"))
    assert "it has no further update" in problems[0].message


def test_every_code_that_is_used_is_in_the_table_and_the_other_way_round() -> None:
    text = "\n".join(
        path.read_text().partition("\n}\n" if path.name == "problems.py" else "\n")[2] for path in SOURCES.glob("*.py")
    )
    assert {code for code in CODES if f'"{code}"' not in text} == set()
    used = re.findall(r'(?:problem|report|Doubt)\(\s*"([a-z0-9-]+)"', text)
    assert len(used) > 30
    assert set(used) <= set(CODES)
    assert all(re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", code) for code in CODES)
