"""Entrances for what a ledger holds: its lines, a journal, a database; and everything that is written to one."""

from __future__ import annotations

import io
import json
import sqlite3
from collections.abc import Sequence
from contextlib import closing, suppress
from functools import cache, partial
from pathlib import Path
from typing import Any

from rich.console import Console

from broadcast import pipeline
from broadcast.errors import BroadcastError, LedgerError
from broadcast.ledger import verify
from broadcast.ledger.base import Log
from broadcast.ledger.codec import Entry, decode, decode_lines, encode
from broadcast.ledger.history import beginning, fold, standalone
from broadcast.ledger.journal import Journal
from broadcast.ledger.open import open_ledger
from broadcast.model import Card, Event, Facet, Intent, Media, Place, Post, Receipt, Ref, Verdict
from broadcast.standing import standings
from broadcast.views import data as views
from broadcast.views import html, markdown, terminal
from fuzz import holds
from fuzz.documents import ANNOUNCEMENT, CONFIG, NOW, folder


def ledger(data: bytes) -> None:
    """Lines are decoded, folded, planned against, shown, and written again."""
    try:
        entries = decode_lines(data, "ledger, a.jsonl")
    except LedgerError as error:
        holds.shown(error.message)
        return
    again = b"".join(map(encode, entries))
    assert decode_lines(again, "again") == entries
    project = _project()
    try:
        entries = decode_lines(data, "ledger, a.jsonl", partial(pipeline.believed, project))
    except LedgerError as error:
        holds.shown(error.message)
        return
    events: dict[str, list[Event]] = {}
    for entry in entries:
        events.setdefault(entry.event.announcement, []).append(entry.event)
    log = Log("version", events)
    for mine in events.values():
        for sent in fold(mine).values():
            assert [part.part for part in sent.parts] == sorted({part.part for part in sent.parts})
            beginning(sent)
    standalone(event for mine in events.values() for event in mine)
    for told in verify.against_files(log, {"api-errors"}, {"x", "site"}):
        assert told
    plan = pipeline.planner(project, now=NOW, backfill=True)(log)
    for action in plan.actions:
        if action.state == "todo":  # what was sent is as the ledger tells it
            holds.post(action.post, project.config.channels[action.channel].limits)
        pipeline.workspace(project, NOW, action.channel, log)
        pipeline.channel(project, action.channel, log)
    stand = standings(project.config, project.announcements, plan, NOW)
    out = io.StringIO()
    console = Console(file=out, width=100, color_system=None)
    terminal.plan(console, plan)
    terminal.preview(console, plan)
    terminal.status(console, stand, now=NOW)
    holds.shown(out.getvalue())
    holds.shown(markdown.preview(plan))
    holds.page(html.preview(plan, Path("/nonexistent")))
    json.dumps([views.plan(plan), views.standings(stand)], allow_nan=False)


@cache
def _project() -> pipeline.Project:
    with folder() as root:
        (root / "incidents").mkdir()
        (root / "incidents" / "api-errors.md").write_text(ANNOUNCEMENT, encoding="utf-8")
        (root / "broadcast.toml").write_text(CONFIG, encoding="utf-8")
        return pipeline.read(root)


def journal(data: bytes) -> None:
    """A journal in any state takes an event, and gives it back or says why not."""
    with folder() as root:
        home = root / "a" / "b"
        home.mkdir(parents=True)
        (home / "journal.jsonl").write_bytes(data)
        mine = Journal(home)
        receipt = Receipt("a", NOW, "x", 1, NOW, "run", Ref("1"))
        with suppress(LedgerError):
            before = mine.pending()
            mine.add(receipt)
            after = mine.pending()
            assert after[:-1] == before
            assert after[-1].event == receipt
            mine.discard([after[-1].key])
            assert mine.pending() == before


def database(data: bytes) -> None:
    """A file that should be an SQLite ledger; or SQL that somebody has run on one."""
    with folder() as root:
        file = root / "ledger.db"
        if data.startswith(SCRIPT):
            file.write_bytes(blank_database())
            _run(file, data.removeprefix(SCRIPT).decode("utf-8", "replace"))
        else:
            file.write_bytes(data)
        book = open_ledger(f"sqlite:///{file}", root)
        more = [Receipt("a", NOW, "x", 1, NOW, "run", Ref("2"))]
        for use in (lambda: book.append(more, book.read().version), lambda: book.append(more, None), book.entries):
            with suppress(BroadcastError):
                use()


SCRIPT = b"-- "
STEPS = 10_000


@cache
def blank_database() -> bytes:
    """The file of a ledger with two lines."""
    with folder() as root:
        book = open_ledger(f"sqlite:///{root}/ledger.db", root)
        receipt = Receipt("a", NOW, "x", 1, NOW, "run", Ref("1"))
        book.append([receipt, Verdict("a", NOW, "x", 2, NOW, "run", "absent", "settle")], None)
        return (root / "ledger.db").read_bytes()


def _run(file: Path, script: str) -> None:
    """Statement by statement, as far as they are right, none of them for long; no other file is touched."""
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        connection.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
        connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, 1_000_000)
        connection.set_progress_handler(lambda: 1, STEPS)
        for statement in script.split(";"):
            with suppress(sqlite3.Error, sqlite3.Warning, ValueError):
                connection.execute(statement)


def event(data: bytes) -> None:
    """Whatever is to be recorded can be read again."""
    for made in _Dice(data).events():
        item = Entry("0123456789abcdef", made)
        line = encode(item)
        assert line.count(b"\n") == 1
        assert line.endswith(b"\n")
        assert decode(line, "here") == item


class _Dice:
    """Events by the bytes of a case; when these are used up, everything is empty."""

    def __init__(self, data: bytes) -> None:
        self._data = io.BytesIO(data)

    def number(self, most: int) -> int:
        byte = self._data.read(1)
        return byte[0] % (most + 1) if byte else 0

    def text(self) -> str:
        size = self.number(40)
        raw = self._data.read(size)
        return raw.decode("utf-8", "surrogatepass" if self.number(1) else "replace") if _decodes(raw) else repr(raw)

    def value(self, depth: int = 0) -> Any:
        match self.number(6 if depth < 4 else 4):
            case 0:
                return self.text()
            case 1:
                return self.number(255) * 10 ** self.number(30)
            case 2:
                return self.number(255) / 7
            case 3:
                return self.number(1) == 1
            case 4:
                return None
            case 5:
                return [self.value(depth + 1) for _ in range(self.number(3))]
            case _:
                return {self.text(): self.value(depth + 1) for _ in range(self.number(3))}

    def ref(self) -> Ref:
        return Ref(self.text(), self.text() if self.number(1) else None, {self.text(): self.value()})

    def events(self) -> Sequence[Event]:
        here = (self.text(), NOW.replace(microsecond=self.number(255)), self.text())
        part = self.number(200) + 1
        post = Post(
            self.text(),
            self.number(255),
            tuple(Facet("link", self.text(), self.number(9), self.number(99)) for _ in range(self.number(2))),
            tuple(Media(self.text(), self.text(), Place(self.text(), 1, 2)) for _ in range(self.number(2))),
            Card(self.text(), self.text(), self.text()) if self.number(1) else None,
        )
        audience = tuple(self.text() for _ in range(self.number(3)))
        rest = (self.text(), self.text(), post, self.text(), self.text())
        run, status, post, language, source = rest
        intent = Intent(
            *(*here, part, part + self.number(9), NOW, run, status, post, language, source),
            {self.text(): self.value()},
            self.ref() if self.number(1) else None,
            self.ref() if self.number(1) else None,
            audience,
        )
        verdict = Verdict(*here, part - 1, NOW, run, "absent", self.text())
        return intent, Receipt(*here, part, NOW, run, self.ref()), verdict


def _decodes(raw: bytes) -> bool:
    try:
        raw.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return False
    return True
