"""Where cases begin: the project's own examples, real files where they lie beside it, and known trouble."""

from __future__ import annotations

import io
import json
import os
import struct
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Literal

from PIL import Image

from broadcast import pipeline
from broadcast.ledger.base import Log
from broadcast.ledger.codec import Entry, encode
from broadcast.model import Event, Receipt, Ref, Verdict
from broadcast.templates import packaged
from fuzz import answers, records
from fuzz.documents import ANNOUNCEMENT, CONFIG, NOW, folder
from fuzz.holds import intent

ROOT = Path(__file__).parents[2]
SHARED = Path(os.environ.get("BROADCAST_SHARED") or ROOT.parent / "shared")
MOST = 16_000
"""Bytes of a file that is a seed."""

HEADINGS = (
    "Investigating - 2026-11-22 14:05 UTC",
    "**Resolved** @ 2026-11-22T15:40:30Z",
    "In progress · 2026-11-22 at 14:05 Europe/Berlin",
    "Completed — 2026-03-29 02:30 +01:00",
    "Resolvd on 2026-11-22 14:05 GMT",
    "Update | 2026-11-22 14:05 CET",
    "Scheduled - 2026-11-22",
    "Postmortem",
    "1h30m",
    "2026-10-25 02:30 Europe/Berlin",
    "Investigating - 2026-11-22 14:05 " + "A/" * 300 + "A",
    "Investigating - 2026-11-22 14:05 " + "A-" * 300,
    "Monitoring" + " -" * 90 + " 2026",
)
HOSTILE = (
    "()" * 18,
    "(" * 400,
    "[" * 300 + "](" * 300,
    "> " * 200 + "deep",
    "- " * 200 + "deep",
    "*" * 500 + "a" + "_" * 500,
    "`" * 200 + "a" + "`" * 199,
    "https://a.io/" + "()" * 18 + "!" * 40,
    "https://a.io/" + "(" * 60 + ")" * 60,
    "<" * 300 + ">" * 10,
    "<<<<<<< HEAD\nours\n=======\ntheirs\n>>>>>>> main",
    "## Investigting - 2026-11-22 14:05 UTC\ntext",
    "🇩🇪" * 200,
    "👨\u200d👩\u200d👧" * 80,
    "e" + "\u0301" * 300,
    "\u202eabc\u2066def",
    "ﷺ" * 300,
    "word " * 700,
    "a" * 4000,
    "日本語のテキスト。" * 60,
    "| a | b |\n|---|---|\n" + "| 1 | 2 |\n" * 60,
    "1. one\n\n   ```\n   code\n   ```\n2. two\n   - three\n     > four\n\n       five",
    '![a](errors.png) ![b](../../etc/passwd) ![c](https://a.example/b.png "title")',
    "[a](javascript:alert(1)) <https://a.io> <b onclick=x>bold</b> &lt;script&gt;",
    "a[^1] b\n\n[^1]: note\n[a]: https://a.io 'x'",
    "```post x\nMy own words\n```\n\n```private\nfor us\n```",
    "<details><summary>More</summary>\n\ntext\n\n</details>",
)
IDS = {
    "x": "1991234567890123456",
    "bluesky": "at://did:plc:ewvi7nxzyoun6zhxrhs64oiz/app.bsky.feed.post/3lbktzpqxfs2a",
    "mastodon": "113512345678901234",
    "site": "api-errors#u-20261122T140500Z",
}
FRONTS = (
    "title: a\nkind: maintenance\nstarts: 2026-11-23T02:00Z\nends: 2026-11-23T04:00Z\nchannels: [x]",
    "title: a\ndate: 2026-11-22 14:05 UTC\nupdate_every: 1h30m",
    "title: &a [*a, *a]\ntags: " + "[" * 300,
    "title: a\nlink: http://[::1\ndate: 2026-11-22T14:05 Europe/Berlin\nlanguage: fr",
    "title: |\n  a\n  b\nversion: 2.10\nkind: release\ndate: 2026-11-22 14:05 UTC",
    "? [a, b]\n: c\ntitle: !!binary aGVsbG8=",
    "title: " + "x" * 400 + "\nseverity: Major\ncomponents: {API: down}\n<<: {a: b}",
    "title: a\ntags: [" + "a, " * 300 + "]",
)


def announcements() -> Iterator[bytes]:
    yield ANNOUNCEMENT.encode()
    yield from _files(ROOT / "incidents", "*.md")
    yield from _files(SHARED / "cases", "*/incidents/*.md")
    for front in FRONTS:
        yield f"---\n{front}\n---\n\nText.\n".encode()
    for text in HOSTILE:
        yield ANNOUNCEMENT.replace("- Reads: 3 % fail", text).encode()
    for heading in HEADINGS:
        yield f"{ANNOUNCEMENT}\n## {heading}\nText.\n".encode()


def posts() -> Iterator[bytes]:
    for number, text in enumerate(HOSTILE):
        yield bytes([number % 12]) + text.encode()
    for number, data in enumerate(announcements()):
        yield bytes([number % 12]) + data.rpartition(b"\n---\n")[2]


def projects() -> Iterator[bytes]:
    yield from announcements()
    french = ANNOUNCEMENT.replace("Elevated", "Taux").encode()
    yield b"\n".join([ANNOUNCEMENT.encode(), b"%% incidents/a.fr.md", french, b"%% incidents/A.md", french])
    for config in configs():
        yield b"\n".join([ANNOUNCEMENT.encode(), b"%% broadcast.toml", config])
    for template in list(templates())[:6]:
        yield b"\n".join([ANNOUNCEMENT.encode(), b"%% templates/default.md.j2", template])


def configs() -> Iterator[bytes]:
    yield CONFIG.encode()
    yield from _files(ROOT, "broadcast.toml")
    yield from _files(SHARED / "cases", "*/broadcast.toml")
    more = """stale_after = "24h"
language = "fr"
ledger = "sqlite:///a/b.db"
incidents = "incidents"
[cadence]
critical = "30m"
[channels.team]
platform = "mastodon"
api_base_url = "https://m.example:8443/x"
fit = "single"
max_posts = 3
link = "every"
numbering = false
language = "de"
dry = true
spoiler_text = "Störung"
[abbreviations.fr]
information = "info"
[[routes]]
kinds = ["incident"]
severities = ["critical", "major"]
channels = ["*"]
"""
    yield (more + CONFIG.partition("\n")[2]).encode()
    yield b"a = " + b"[" * 900
    yield b"a." * 800 + b"b = 1"
    yield b'url = "https://[::1"\nledger = "postgresql+psycopg://a:b@[/c"\n'
    yield b"[channels.x]\nplatform = 1979-05-27T07:32:00Z\nmax_posts = 1e400\n[[channels]]\n"


def headings() -> Iterator[bytes]:
    yield from (heading.encode() for heading in HEADINGS)


def templates() -> Iterator[bytes]:
    yield from _files(packaged(), "**/*.j2")
    yield b"{% block body %}{% for a in update.body %}{{ a * 9 }}{% endfor %}{% endblock %}"
    yield b"{{ 'a'.__class__.__mro__ }}{{ ''.join(['a'] * 99999) }}"
    yield b"{% include 'default.md.j2' %}"
    yield b"{% macro a(b) %}{{ a(b ~ b) }}{% endmacro %}{{ a('x') }}{{ '%99999d' % 1 }}"
    yield b"{{ " + b"(" * 300 + b")" * 300 + b" }}"
    yield b"{{ " + b"1 if 1 else " * 200 + b"2 }}"


def issues() -> Iterator[bytes]:
    yield from _files(SHARED / "data" / "jenkins-status", "*.md")
    yield from _files(SHARED / "cases", "import-*/**/*.md")
    yield (
        b"---\ntitle: Database upgrade\ndate: 2021-04-14 10:00:00\nresolved: true\nresolvedWhen: 2021-04-14 12:00:00\n"
        b"severity: disrupted\naffected:\n  - API\nsection: issue\n---\n"
        b'*Monitoring* - after 3 hours {{< track "2021-04-14 11:00:00" >}}\n\n*Investigating* - it is slow.\n'
    )
    yield b'+++\ntitle = "a"\ndate = 2021-04-14T10:00:00Z\nresolved = false\n+++\n\n**10:15 UTC**: text\n'
    yield b'{"title": "a", "date": "2021-04-14", "informational": true}\n\nWill be down.\n'
    for text in HOSTILE:
        yield f"---\ntitle: a\ndate: 2021-04-14\n---\n{text}\n".encode()


def updates() -> Iterator[bytes]:
    for text in HOSTILE:
        yield f"{ANNOUNCEMENT}\n%%\n{text}".encode()
    yield b"---\ntitle: a\nkind: release\nversion: 1\ndate: 2026-11-22 14:05 UTC\n---\r\nText\n%%\nMore"


def ledgers() -> Iterator[bytes]:
    """Ledgers of the example: begun, posted, in doubt, refused, retracted."""
    with folder() as root:
        (root / "incidents").mkdir()
        (root / "incidents" / "api-errors.md").write_text(ANNOUNCEMENT, encoding="utf-8")
        (root / "broadcast.toml").write_text(CONFIG, encoding="utf-8")
        plan = pipeline.planner(pipeline.read(root), now=NOW, backfill=True)(Log("none", {}))
    intents: list[Event] = [intent(action, "run-1", NOW) for action in plan.actions]
    receipts: list[Event] = [
        Receipt(one.announcement, one.update, one.channel, one.part, NOW, "run-1", Ref(IDS[one.channel]))
        for one in intents
    ]
    words: tuple[Literal["absent", "posted", "retracted"], ...] = ("absent", "posted", "retracted")
    verdicts: list[Event] = [
        Verdict(one.announcement, one.update, one.channel, part, NOW + timedelta(minutes=5), "run-2", word, by)
        for one in intents[:4]
        for part in (0, 1)
        for word in words
        for by in ("reconcile", "baseline", "replies-refused")
    ]
    yield b""
    told: tuple[Sequence[Event], ...] = (
        *(intents, [*intents, *receipts], [*intents, *receipts[:2], *verdicts]),
        *(verdicts, [*receipts, *verdicts], [*verdicts, *intents]),
    )
    for events in told:
        yield b"".join(encode(Entry(f"{number:016x}", each)) for number, each in enumerate(events))
    yield b'{"v":1,"a":' + b"[" * 5000
    yield b'{"v":2}\n{"v":' + b"1" * 5000 + b"}\n"


COLUMNS = (
    *("lines set number", "lines set key", "lines set announcement", "lines set line"),
    *("ledger set schema_version", "ledger set lines", "ledger set tip"),
)
VALUES = ("x'80'", "''", "2", "-1", "1e400", "'b' || char(0)")


def databases() -> Iterator[bytes]:
    yield records.blank_database()
    yield b""
    for column in COLUMNS:
        for value in VALUES:
            yield records.SCRIPT + f"update broadcast_{column} = {value}".encode()
    for table in (b"broadcast_lines", b"broadcast_ledger"):
        yield records.SCRIPT + b"delete from %s; drop table %s; create table %s (id, line);" % (table, table, table)


def events() -> Iterator[bytes]:
    yield bytes(range(256))
    yield "🇩🇪\ud800é\u2028".encode("utf-8", "surrogatepass") * 9


def images() -> Iterator[bytes]:
    for form, mode in (
        ("PNG", "RGBA"),
        ("PNG", "I;16"),
        ("PNG", "P"),
        ("JPEG", "RGB"),
        ("JPEG", "CMYK"),
        ("GIF", "P"),
        ("WEBP", "RGB"),
    ):
        file = io.BytesIO()
        frames = [Image.new("RGBA", (12, 9), color) for color in ("red", "blue")]
        if mode == "I;16":
            Image.new("I;16", (12, 9), 500).save(file, form)
        elif form in {"GIF", "WEBP"}:
            frames[0].save(file, form, save_all=True, append_images=frames[1:], duration=40)
        else:
            frames[0].convert(mode).save(file, form)
        yield file.getvalue()
    yield b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sIIBBBBB", 13, b"IHDR", 60_000, 60_000, 8, 2, 0, 0, 0) + b"\0" * 4


def videos() -> Iterator[bytes]:
    header = struct.pack(">40s9iII", b"\0", 0, 65536, 0, -65536, 0, 0, 0, 0, 1 << 30, 640 << 16, 480 << 16)
    track = _box(b"trak", _box(b"tkhd", header))
    yield _box(b"ftyp", b"isom\0\0\0\0") + _box(b"moov", track + track)
    yield _box(b"ftyp", b"isom") + struct.pack(">I4sQ", 1, b"moov", 16 + len(track)) + track
    yield struct.pack(">I4s", 0, b"moov") + track


def _box(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I4s", len(data) + 8, kind) + data


def conversations(platform: str) -> Iterator[bytes]:
    told = answers.recorded(platform)
    yield told
    good = answers.read(told)
    for status in (302, 400, 401, 403, 404, 429, 500):
        for route in {one.route for one in good}:
            body = json.dumps({"error": "RecordNotFound", "message": "no", "detail": "duplicate content"}).encode()
            bad = answers.Answer(route, status, [("Retry-After", "3"), ("Location", "https://b.example/")], body)
            yield answers.written(bad) + b"".join(answers.written(one) for one in good if one.route != route)


def _files(folder: Path, pattern: str) -> Iterator[bytes]:
    for path in sorted(folder.glob(pattern)):
        if path.is_file() and path.stat().st_size <= MOST:
            yield path.read_bytes()
