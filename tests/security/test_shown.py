"""What users, servers and ledgers write is shown, and acts on nobody: neither on a terminal nor on a host of CI that
takes lines of a log for commands.

On e0fdd80 a channel's name began a line with `::error`, and so did a title, a receipt's URL and a template's name;
what servers say and what is typed was harmless there, and is held to that.
"""

from __future__ import annotations

import ast
import io
import json
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

import broadcast
from broadcast.ledger.open import open_ledger
from broadcast.model import Receipt, Ref, Verdict
from broadcast.rehearsal.base import Response
from broadcast.rehearsal.server import Fault
from broadcast.streams import MARKERS as BEGINNINGS
from broadcast.streams import Shown
from kit import Desk, incident

INSIDE = "Down ##[add-mask]x ##vso[task.complete]y ##teamcity[z"
EVIL = f"::error file=x::{INSIDE}\x1b[2J\x1b]0;x\x07\u202egnihton\u2066\r::set-output name=a::b\x9b1A"
MARKERS = [
    "::error::x",
    "::add-mask::x",
    "section_start:1:x",
    "travis_fold:start:x",
    "--- x",
    "+++ x",
    "~~~ x",
    "^^^ +++",
]


def shown(*writes: str) -> str:
    below = io.StringIO()
    stream = Shown(below)
    for text in writes:
        stream.write(text)
    stream.flush()
    return below.getvalue()


@pytest.mark.parametrize("marker", MARKERS)
@pytest.mark.parametrize("before", ["", "  ", "\t", "\u00a0", "\u3000", "\ufeff", "\u200b", "fine\n", "\n\n ", "\r\n"])
def test_no_line_begins_with_what_a_host_obeys(marker: str, before: str) -> None:
    said = shown(f"{before}{marker}\nnext\n")
    assert f"\\{marker}" in said
    assert said.replace("\\", "", 1) == f"{before}{marker}\nnext\n".replace("\r\n", "\n")


@pytest.mark.parametrize("marker", MARKERS)
def test_nor_does_a_line_that_is_written_piece_by_piece(marker: str) -> None:
    assert shown(*f" {marker}\n") == f" \\{marker}\n"
    assert shown("a\n", *marker) == f"a\n\\{marker}"


@pytest.mark.parametrize(
    "text", ["a :: b", "a::error::", "- item", "-- x", "# heading", "## heading", ": x", "---\n", "é\n\n"]
)
def test_other_lines_stay_as_they_are(text: str) -> None:
    assert shown(text) == text
    assert shown(*text) == text


@pytest.mark.parametrize("word", ["##", "##vso", "##teamcity"])
@pytest.mark.parametrize("before", ["", "  ", "Down ", "a\n", "\\", "###"])
def test_what_is_obeyed_anywhere_in_a_line_is_broken(word: str, before: str) -> None:
    broken = f"{before}{word}\\[add-mask]x\n"
    assert shown(f"{before}{word}[add-mask]x\n") == broken
    assert shown(*f"{before}{word}[add-mask]x\n") == broken
    assert shown(f"{before}{word}", "[add-mask]x\n") == broken


def test_json_with_it_says_the_same(live: Desk) -> None:
    title = "Down ##[add-mask]x ##vso[task.complete]"
    live.write("incidents/slow.md", incident(("Investigating", 30, title), title=json.dumps(title)))
    done = live.run("status", "--all", "--json")
    assert "##[" not in done.out
    assert done.json()["announcements"][0]["title"] == title


def test_a_prompt_is_shown_at_once() -> None:
    below = io.StringIO()
    stream = Shown(below)
    stream.write("Send? ")
    stream.flush()
    assert below.getvalue() == "Send? "


def test_lines_for_a_host_are_written_as_they_are() -> None:
    below = io.StringIO()
    stream = Shown(below)
    stream.own("::error file=a.md::x\n")
    stream.write("::error\n")
    assert below.getvalue() == "::error file=a.md::x\n\\::error\n"


def harmless(text: str) -> None:
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", text), ascii(text)
    assert not re.search(r"##(vso|teamcity)?\[", text), ascii(text)
    for line in re.split(r"[\n\r\x0b\x0c\x85\u2028\u2029]", text):
        assert not line.strip().startswith(BEGINNINGS), ascii(line)


COMMANDS = [
    ("check",),
    ("preview",),
    ("preview", "--markdown"),
    ("plan",),
    ("plan", "--json"),
    ("status", "--all"),
    ("status", "--json"),
    ("channels",),
    ("channels", "--verify"),
    ("publish", "--yes"),
    ("publish", "--yes", "--json"),
    ("ledger", "show"),
    ("ledger", "verify"),
    ("retract", "slow", "--yes"),
    ("site",),
    ("rehearse",),
]


@pytest.mark.parametrize("width", ["40", "80", "200"])
def test_whatever_files_say_acts_on_nobody(live: Desk, monkeypatch: pytest.MonkeyPatch, width: str) -> None:
    monkeypatch.setenv("COLUMNS", width)
    title = json.dumps(EVIL.replace("\x1b", "").replace("\x07", "").replace("\r", "").replace("\x9b", ""))
    body = "\n".join((EVIL, *MARKERS, "", f"```\n{EVIL}\n{MARKERS[0]}\n```", f"[{MARKERS[0]}](https://example.com)"))
    live.write("incidents/slow.md", incident(("Investigating", 30, "Slow."), ("Update", 20, body), title=title))
    live.write("incidents/worse.md", f"---\ntitle: {title}\n{EVIL}: x\nkind: {title}\ntags: [{title}]\n---\n{EVIL}\n")
    live.write("incidents/::error::x.md", incident(("Investigating", 30, "Slow.")))
    live.write("incidents/a\n::error::x.md", incident(("Investigating", 30, "Slow.")))
    for command in COMMANDS:
        done = live.run(*command)
        harmless(done.out)
        harmless(done.err)


def test_whatever_a_ledger_says_acts_on_nobody(live: Desk) -> None:
    live.write("incidents/slow.md", incident(("Investigating", 30, "Slow.")))
    assert live.run("publish", "--yes").code == 0
    ledger, at = open_ledger("git:broadcast/ledger", live.root), datetime(2026, 11, 22, 14, 5, tzinfo=UTC)
    named = f"a\n{MARKERS[0]}\u202e\x1b[2J"
    ledger.append([Verdict("slow", at, named, 1, at, named, "posted", named)], None)
    ledger.append([Receipt("slow", at, named, 1, at, named, Ref("1", f"https://x.com/{named}", {"note": named}))], None)
    for command in COMMANDS:
        done = live.run(*command)
        harmless(done.out)
        harmless(done.err)


def test_whatever_a_server_says_acts_on_nobody(live: Desk) -> None:
    live.write("incidents/slow.md", incident(("Investigating", 30, "Slow.")))
    for status in (401, 403, 422, 429, 500):
        for server in live.servers.values():
            said = json.dumps({"error": EVIL, "detail": EVIL, "message": EVIL, "title": MARKERS[0]}).encode()
            answer = Response(status, said, {"x-evil": "::error::x", "retry-after": "::error::"})
            server.faults = lambda request, number, answer=answer: Fault(effect=False, answer=answer)
        for command in (("publish", "--yes"), ("channels", "--verify"), ("publish", "--yes", "--json")):
            done = live.run(*command)
            harmless(done.out)
            harmless(done.err)


STYLES = ("\x1b[38;5;77m", "\x1b]8;;https://evil.example\x1b\\")


def test_where_there_are_colors_they_are_our_own(live: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """A style, or a link, of a stranger's: from a file, the ledger, a server, the configuration and what is typed."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    evil = "".join(f"a{style}b" for style in STYLES)
    live.write("incidents/slow.md", incident(("Investigating", 30, f"Slow. {evil}"), title=json.dumps(f"Slow {evil}")))
    live.write(f"incidents/{STYLES[0]}.md", incident(("Investigating", 30, "Slow.")))
    live.write("incidents/worse.md", f"---\ntitle: x\n{evil}: x\nkind: {evil}\n---\n{evil}\n")
    colored = False
    for round_ in range(2):
        for command in (*COMMANDS, ("update", evil, "-m", evil), (evil,)):
            done = live.run(*command)
            colored |= "\x1b[" in done.out + done.err
            assert not [style for style in STYLES if style in done.out + done.err], command
            harmless(re.sub(r"\x1b\[[0-9;]*m|\x1b\]8;[^\x1b]*\x1b\\", "", done.out + done.err))
        if round_ == 0:
            (live.root / "incidents" / "worse.md").unlink()
            (live.root / "incidents" / f"{STYLES[0]}.md").unlink()
            ledger, at = open_ledger("git:broadcast/ledger", live.root), datetime(2026, 11, 22, 14, 5, tzinfo=UTC)
            ledger.append([Verdict("slow", at, evil, 1, at, evil, "posted", evil)], None)
            said = json.dumps({"error": evil, "detail": evil, "message": evil}).encode()
            for server in live.servers.values():
                answer = Response(403, said, {"Content-Type": "application/json"})
                server.faults = lambda request, number, answer=answer: Fault(effect=False, answer=answer)
    assert colored


@pytest.mark.parametrize(
    "toml",
    [
        '[channels."a\\n::error::x\\u001b[2J"]\nplatform = "x"\n',
        '[channels.x]\nplatform = "a\\n::error::x\\u202e"\n',
        '"a\\n::error::x\\u001b[2J" = 1\n',
        'incidents = "a\\n::error::x\\u001b[2J"\n',
        'templates = "::error::x"\nledger = "::error::x"\n',
        "::error::x\n",
    ],
)
def test_whatever_the_configuration_says_acts_on_nobody(desk: Desk, toml: str) -> None:
    desk.write("broadcast.toml", toml)
    for command in COMMANDS:
        done = desk.run(*command)
        harmless(done.out)
        harmless(done.err)


@pytest.mark.parametrize("name", ["default.md.j2", "site/page.html.j2"])
def test_whatever_a_template_says_acts_on_nobody(live: Desk, name: str) -> None:
    live.write("incidents/slow.md", incident(("Investigating", 30, "Slow.")))
    for text in (
        '{% include "\\n::error::x\\u001b[2J" %}',
        "\n::error::x {% x",
        f"{{% block a %}}{EVIL}{{% endblock %}}",
    ):
        live.write(f"templates/{name}", text)
        for command in COMMANDS:
            done = live.run(*command)
            harmless(done.out)
            harmless(done.err)


@pytest.mark.parametrize(
    "words",
    [("plan", "\n::error::x"), ("::error::x",), ("check", "--format", "::error::x"), ("update", EVIL, "-m", EVIL)],
)
def test_whatever_is_typed_acts_on_nobody(live: Desk, words: tuple[str, ...]) -> None:
    done = live.run(*words)
    assert done.code != 0
    harmless(done.out)
    harmless(done.err)


def test_only_the_commands_of_check_for_github_begin_lines_with_commands(live: Desk) -> None:
    live.write("incidents/slow.md", f"---\ntitle: a\n{MARKERS[0]}%0A::x: y\n---\n")
    lines = live.run("check", "--format", "github").out.splitlines()
    assert lines
    assert all(
        re.match(r"::(error|warning) file=incidents/slow\.md,line=\d+,col=\d+,title=[a-z-]+::", one) for one in lines
    )


def test_nothing_goes_around_the_one_place() -> None:
    """Whoever prints, prints to `sys.stdout` and `sys.stderr`, which are `Shown` while a command runs."""
    around = re.compile(r"sys\.__std|\bstd(?:out|err)\.buffer|os\.write\(|os\.fdopen\([012]\b|/dev/(?:tty|std)")
    for path in Path(broadcast.__path__[0]).rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        if path.name not in ("streams.py", "interrupt.py", "journal.py"):
            assert not around.search(text), path
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Attribute) and node.attr == "own" and path.name != "streams.py":
                assert path.name == "desk.py", path
