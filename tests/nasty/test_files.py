"""Whatever one file holds, or is: it is that file's problem, in our words, and its neighbor goes its way."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from kit import Desk, incident

GOOD = incident(("Investigating", 30, "We look into it."), title="Good")
TIME = "2026-11-22 14:05 UTC"
DEEP = 3_000
HUGE = "9" * 5000

FRONT = {
    "zone of many pieces": f"date: 2026-01-01 10:00 {'A/' * 299}A",
    "zone that is a folder": "date: 2026-01-01 10:00 America/Argentina",
    "zone with a path": "date: 2026-01-01 10:00 Europe/../../../etc/passwd",
    "zone of another tree": "date: 2026-01-01 10:00 right/Europe/Berlin",
    "zone that is a list": "date: 2026-01-01 10:00 Etc/zone.tab",
    "zone of a package": "date: 2026-01-01 10:00 __init__/__init__",
    "zone that is empty": 'date: "2026-01-01 10:00 /"',
    "zone of NULs": 'date: "2026-01-01 10:00 Europe/\\0"',
    "zone of surrogates": 'date: "2026-01-01 10:00 Europe/\\ud800"',
    "last year": "date: 9999-12-31 23:59 -14:00",
    "first year": "date: 0001-01-01 00:00 +14:00",
    "no year": "date: 0000-00-00 00:00 UTC",
    "latest year there is": "date: 9000-12-31 23:59 UTC\nupdate_every: 999d9999h99999m",
    "other digits": "date: ٢٠٢٦-٠١-٠١ ١٠:٠٠ UTC",
    "huge number": f"date: {HUGE}",
    "huge duration": f"update_every: {HUGE}m",
    "not a number": "update_every: .nan",
    "surrogates": 'title: "\\ud800\\udfff"',
    "NUL": 'title: "a\\0b"',
    "deep lists": f"tags: {'[' * DEEP}",
    "closed deep lists": f"tags: {'[' * 900}a{']' * 900}",
    "deep mappings": f"tags: {'{a: ' * DEEP}",
    "deep questions": f"{'? ' * DEEP}a",
    "deep dashes": f"tags:\n{'- ' * DEEP}a",
    "billion laughs": "a: &a [x, x]\nb: &b [*a, *a]\ntags: [*b, *b]",
    "python object": "title: !!python/object/apply:os.system [id]",
    "directive": "%YAML 9.9",
    "document": "--- a\n... b",
    "tag": "title: !<tag:yaml.org,2002:int> 1",
    "list for a key": "[title]: a",
    "empty key": ": a",
    "null": "title: ~\nkind: ~\ntags: ~\ncomponents: [~, ~]",
    "kind that is a list": "kind: [incident]",
    "kind that is a mapping": "kind: {a: b}",
    "link that is no address": "link: http://[::1",
    "link with a port": f"link: https://a.example:{HUGE}/",
    "link of odd characters": "link: https://\u2100.example/",
    "link with a NUL": 'link: "https://a.example/\\0"',
    "language": f"language: en{'-a1' * 1000}",
    "tab": "\ttitle: a",
    "many values": f"tags: [{'a, ' * 3000}]",
    "channels": 'channels: ["\\0", "..", "*", "' + "a" * 5000 + '"]',
}
BODY = {
    "heading with a bad zone": f"## Investigating - 2026-01-01 10:00 {'A/' * 90}A\na",
    "heading with a huge time": f"## Investigating - {HUGE}\na",
    "quotes": ">" * DEEP + " a",
    "lists": "- " * DEEP + "a",
    "brackets": "[" * 1500 + "a" + "]" * 1500,
    "images": "![" * 1000 + "a" + "](b)" * 1000,
    "emphasis": "*a " * DEEP,
    "strong": "**" * DEEP + "a" + "**" * DEEP,
    "links": "[a](" * 5000 + "b" + ")" * 5000,
    "tags": "<a>" * 5000 + "</a>" * 5000,
    "table": "|" * 5000 + "\n" + "|-" * 5000,
    "entity": "&#x110000; &#99999999; &#0; &#xd800; &" + "a" * 5000 + ";",
    "footnotes": "[^a]" * 3000 + "\n\n[^a]: [^a]",
    "image of a long name": f"![a]({'a' * 300}.png)",
    "image of a long path": f"![a]({'a/' * 3000}b.png)",
    "image with a NUL": "![a](a%00.png)",
    "image of bytes": "![a](%ff%fe.png)",
    "image of a surrogate": "![a](%ed%a0%80.png)",
    "image of a folder": "![a](.)",
    "image of a bad address": "![a](http://[::1)",
    "image of itself": "![a](bad.md)",
    "image of a loop": "![a](loop.png)",
    "image of a pipe": "![a](pipe.png)",
    "image with nothing in it": "![a](empty.png)",
    "image that lies": "![a](lies.png)",
    "video that lies": "![a](lies.mp4)",
    "link of a bad address": "[a](http://[::1) [b](https://\u2100.example)",
    "link of a bad port": "[a](https://a.example:99999999/) https://a.example:99999999/ <https://a.example:9x/>",
    "mention": "@" + "a" * 5000 + "@" + "b" * 5000 + " @a@" + "." * 300,
    "post block": f"a\n\n```post {'x' * 5000}\na\n```",
    "post block of a mapping": "a\n\n```post __class__\na\n```",
    "joined emoji": "👩" + "\u200d👩" * 3000,
    "marks": "a" + "\u0301" * 5000,
    "directions": "\u202e" * 5000,
    "braces": "{{ 7 * 7 }} {% for a in b %} {#",
    "marks of blocks": "\x02\x03\x04a",
    "escapes": "\\" * DEEP,
    "ticks": "`" * 4999 + " a " + "`" * 5000,
}


def _head(more: str) -> bytes:
    return f"---\n{more}\ntitle: Bad\n---\n\n## Investigating - {TIME}\nBad.\n".encode("utf-8", "surrogatepass")


def _body(body: str) -> bytes:
    return f"---\ntitle: Bad\n---\n\n## Investigating - {TIME}\n{body}\n".encode("utf-8", "surrogatepass")


BYTES = {
    **{f"front matter: {name}": _head(more) for name, more in FRONT.items()},
    **{f"body: {name}": _body(body) for name, body in BODY.items()},
    "nothing": b"",
    "only a mark": b"\xef\xbb\xbf",
    "NULs": b"\0" * 1000,
    "UTF-16": _head("").decode().encode("utf-16"),
    "an image": b"\x89PNG\r\n\x1a\n" + os.urandom(16) * 0 + b"\xff" * 100,
    "surrogates in UTF-8": _head("tags: [\ud800]"),
    "too large": b"a" * 3_000_000,
    "line ends": b"\r" * 10_000,
    "lines of front matter": b"---\n" * 5_000,
}


def _make(folder: Path) -> None:
    """What the bodies above refer to."""
    (folder / "loop.png").symlink_to("loop.png")
    os.mkfifo(folder / "pipe.png")
    (folder / "empty.png").touch()
    (folder / "lies.png").write_bytes(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + b"\xff" * 50)
    (folder / "lies.mp4").write_bytes(b"\xff\xff\xff\xffftypisom" + b"\xff" * 50)


@pytest.fixture
def project(desk: Desk) -> Desk:
    desk.write("broadcast.toml", '[channels.x]\nplatform = "x"\n[channels.site]\nplatform = "site"\n')
    desk.write("incidents/good.md", GOOD)
    return desk


def _neighbor_is_well(project: Desk, *, clean: bool) -> None:
    """Every command that reads takes the bad file for what it is, and the good one as if nothing were."""
    codes = {}
    for command in ("check", "plan --json", "preview --json", "status --json --all"):
        done = project.run(*command.split())
        codes[command] = done.code
        assert "Traceback" not in done.err + done.out, done.err
        if "--json" in command:
            rows = done.json().get("actions", done.json().get("announcements", ()))
            assert "good" in {row["announcement"] for row in rows}, command
    assert set(codes.values()) <= {0, 1}, codes
    if not clean:
        assert codes["check"] == 1, codes
    published = project.run("publish", "good", "--yes", "--channel", "site", "--dry-run", "--json")
    assert published.code == 0, published.err
    assert {row["announcement"] for row in published.json()["results"]} == {"good"}
    for command in ("site", "new incident Title -m text", "publish --yes --dry-run", "publish bad --yes --dry-run"):
        done = project.run(*command.split())
        assert done.code in (0, 1, 2), (command, done.err)
        assert "Traceback" not in done.err + done.out
        assert "defect" not in done.err, done.err


@pytest.mark.parametrize("name", BYTES)
def test_a_file_of_nasty_bytes_is_its_own_problem(project: Desk, name: str) -> None:
    (project.root / "incidents" / "bad.md").write_bytes(BYTES[name])
    _make(project.root / "incidents")
    checked = project.run("check", "incidents/bad.md")
    assert checked.code in (0, 1)
    assert "defect" not in checked.out, checked.out
    _neighbor_is_well(project, clean=checked.code == 0)


def _loop(path: Path) -> None:
    path.symlink_to(path.name)


def _dangling(path: Path) -> None:
    path.symlink_to("nowhere.md")


def _unreadable(path: Path) -> None:
    path.symlink_to("/proc/self/mem")


KINDS: dict[str, Callable[[Path], object]] = {
    "a folder": Path.mkdir,
    "a pipe": os.mkfifo,
    "a link to itself": _loop,
    "a link to nothing": _dangling,
    "a link to memory": _unreadable,
}
NAMES = {
    "a long name": b"a" * 252 + b".md",
    "a newline": b"a\nb.md",
    "bytes that are no text": b"\xff\xfe.md",
    "an escape": b"\x1b[2J.md",
    "a name of dots": b"...md",
    "a language": b"bad.fr.md",
    "many languages": b"bad.fr.fr.fr.fr.md",
    "a percent": b"%s%n{}.md",
    "a surrogate": b"\xed\xa0\x80.md",
    "a direction": "\u202egood.md".encode(),
}


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_no_file_is_its_own_problem(project: Desk, kind: str) -> None:
    KINDS[kind](project.root / "incidents" / "bad.md")
    clean = project.run("check").code == 0
    _neighbor_is_well(project, clean=clean)


@pytest.mark.parametrize("name", NAMES)
def test_a_nasty_name_is_its_own_problem(project: Desk, name: str) -> None:
    path = os.path.join(os.fsencode(project.root / "incidents"), NAMES[name])  # noqa: PTH118 - bytes
    with open(path, "wb") as file:  # noqa: PTH123
        file.write(_body("Bad."))
    _neighbor_is_well(project, clean=project.run("check").code == 0)
