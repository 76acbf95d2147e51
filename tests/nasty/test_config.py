"""Whatever `broadcast.toml`, a template, the environment or the command line holds: an error in our words."""

from __future__ import annotations

import io
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from broadcast import config
from kit import Desk, incident

HUGE = "9" * 5000
DEEP = 3_000
CHANNEL = '[channels.x]\nplatform = "x"\n'
KEYS = {
    "huge number": f"a = {HUGE}",
    "huge max_posts": f"{CHANNEL}max_posts = {HUGE}",
    "large max_posts": f"{CHANNEL}max_posts = {'9' * 4000}",
    "hexadecimal": f"{CHANNEL}max_posts = 0x{'f' * 10_000}",
    "hexadecimal at the top": f"a = 0x{'f' * 10_000}",
    "infinite": f"{CHANNEL}max_posts = inf",
    "not a number": f"{CHANNEL}max_posts = nan",
    "long float": f"{CHANNEL}max_posts = 1e{HUGE}",
    "deep lists": f"a = {'[' * DEEP}",
    "closed deep lists": f"a = {'[' * 300}{']' * 300}",
    "deep list of a channel": f"{CHANNEL}max_posts = {'[' * 300}{']' * 300}",
    "deep tables": f"a = {'{a = ' * DEEP}",
    "dotted key": f"a{'.a' * DEEP} = 1",
    "dotted key of a channel": f"[channels.x]\nplatform{'.a' * DEEP} = 1",
    "dotted table": f"[a{'.a' * DEEP}]",
    "dotted table of channels": f"[channels{'.a' * DEEP}]",
    "dotted table of abbreviations": f"[abbreviations{'.a' * DEEP}]",
    "table of a table": '[channels]\nx = "x"',
    "tables": "[[channels]]",
    "deep place of a mistake": f"[cadence]\nmajor{'.a' * 200} = 1",
    "late date": "stale_after = 9999-12-31T23:59:59-23:59",
    "no date": "stale_after = 0000-00-00",
    "time": "stale_after = 10:00:00",
    "long time": 'stale_after = "999d9999h99999m"',
    "huge time": f'stale_after = "{HUGE}d"',
    "url": 'url = "http://[::1"',
    "url of odd characters": 'url = "https://\u2100.example"',
    "url with a NUL": 'url = "https://a.example/\\u0000"',
    "url with a port": 'url = "https://a.example:99999999"',
    "url with a password": 'url = "https://a:b@c.example"',
    "service": '[channels.b]\nplatform = "bluesky"\nhandle = "a"\nservice = "https://[::1"',
    "handle": '[channels.b]\nplatform = "bluesky"\nhandle = "\\u0000"',
    "mastodon's url": '[channels.m]\nplatform = "mastodon"\napi_base_url = "https://[x]:y"',
    "folder with a NUL": 'incidents = "a\\u0000b"',
    "long folder": f'incidents = "{"a" * 300}"',
    "very long folder": f'incidents = "{"a/" * 5000}"',
    "folder of a file": 'incidents = "broadcast.toml"',
    "folder of a loop": 'incidents = "loop"',
    "folder in a loop": 'incidents = "loop/a"',
    "templates with a NUL": 'templates = "a\\u0000b"',
    "long templates": f'templates = "{"a" * 300}"',
    "templates of a file": 'templates = "broadcast.toml"',
    "templates of a loop": 'templates = "loop"',
    "output with a NUL": '[channels.site]\nplatform = "site"\noutput = "a\\u0000b"',
    "long output": f'[channels.site]\nplatform = "site"\noutput = "{"a" * 300}"',
    "output of a loop": '[channels.site]\nplatform = "site"\noutput = "loop"',
    "output of a file": '[channels.site]\nplatform = "site"\noutput = "broadcast.toml"',
    "output in a file": '[channels.site]\nplatform = "site"\noutput = "broadcast.toml/a"',
    "platform": f'[channels.x]\nplatform = "{"x" * 5000}"',
    "platform's path": '[channels.x]\nplatform = "../x"',
    "name of a channel": f'[channels."{"x" * 5000}"]\nplatform = "x"',
    "name of no channel": '[channels.""]\nplatform = "x"',
    "route": 'routes = [1, "a", []]',
    "route of a mapping": "[routes]\na = 1",
    "abbreviations": f'[abbreviations.en]\n"{"(" * 5000}" = "{")" * 5000}"\n"" = ""\n"\\u0000" = "\\\\1"',
    "abbreviation of itself": '[abbreviations.en]\na = "a a"',
    "ledger": 'ledger = "git:"',
    "ledger of a path": 'ledger = "git:../../a"',
    "long ledger": f'ledger = "git:{"a" * 5000}"',
    "ledger with a NUL": 'ledger = "sqlite:///a\\u0000b"',
    "ledger in a loop": 'ledger = "sqlite:///loop/a.db"',
    "long SQL ledger": f'ledger = "sqlite:///{"a" * 300}"',
    "ledger on a port": 'ledger = "postgresql+psycopg://a@127.0.0.1:99999999/a"',
    "ledger on a bad host": 'ledger = "postgresql+psycopg://[::1/a"',
    "ledger of options": 'ledger = "sqlite:///a.db?a=%00&b=%ff"',
    "language": f'language = "en{"-a1" * 1000}"',
    "key of dots": '"a.b"."c" = 1',
    "empty key": '"" = 1',
    "quotes": 'a = """' + '"' * 5000,
    "escape": 'a = "\\uD800"',
    "surrogate": 'a = "\\UFFFFFFFF"',
}
COMMANDS = (
    "check",
    "plan",
    "preview --json",
    "status",
    "channels",
    "site",
    "ledger show",
    "new incident Title -m text",
    "publish --yes",
)


def _refused_or_done(desk: Desk, *commands: str) -> dict[str, int]:
    codes = {}
    for command in commands:
        done = desk.run(*command.split())
        codes[command] = done.code
        assert "Traceback" not in done.err + done.out, (command, done.err)
        assert "defect" not in done.err + done.out, (command, done.err)
        assert done.code in (0, 1, 2, 3, 5, 6), (command, done.err)
    return codes


@pytest.mark.parametrize("name", KEYS)
def test_nasty_values_of_the_configuration(desk: Desk, name: str) -> None:
    desk.write("incidents/good.md", incident(("Investigating", 30, "a")))
    (desk.root / "loop").symlink_to("loop")
    desk.write("broadcast.toml", KEYS[name])
    _refused_or_done(desk, *COMMANDS)


@pytest.mark.parametrize("data", [b"\xff", b"\0", b"\xef\xbb\xbf", b"\xed\xa0\x80", "a = 1".encode("utf-16")])
def test_a_configuration_of_nasty_bytes(desk: Desk, data: bytes) -> None:
    (desk.root / "broadcast.toml").write_bytes(data)
    _refused_or_done(desk, *COMMANDS)


@pytest.mark.parametrize("make", [Path.mkdir, lambda path: path.symlink_to(path.name), os.mkfifo])
def test_a_configuration_that_is_no_file(desk: Desk, make: Callable[[Path], object]) -> None:
    make(desk.root / "broadcast.toml")
    assert _refused_or_done(desk, "check") == {"check": 5}


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.just("30m") | st.just("x"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
NAMES = st.sampled_from([*config.File.model_fields, "channels.x", "channels.site", "routes", "a"])
TABLES = st.dictionaries(st.sampled_from([*config.ChannelTable.model_fields, "handle", "output"]), VALUES, max_size=4)


def _toml(value: object) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(key)} = {_toml(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    if value is None:
        return '"~"'
    return str(value) if isinstance(value, float) else json.dumps(value)


@settings(
    max_examples=150, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.dictionaries(NAMES, VALUES | TABLES, max_size=5))
def test_any_configuration_is_read_or_refused(tmp_path: Path, values: dict[str, object]) -> None:
    text = "\n".join(f"{name} = {_toml(value)}" for name, value in values.items())
    (tmp_path / "broadcast.toml").write_text(text.encode("utf-8", "replace").decode())
    found, problems = config.load(tmp_path)
    assert found is not None or problems
    assert "defect" not in {problem.code for problem in problems}


TEMPLATES = {
    "deep parentheses": "{{ " + "(" * DEEP + "1" + ")" * DEEP + " }}",
    "deep lists": "{{ " + "[" * 300 + "]" * 300 + " }}",
    "deep ifs": "{% if 1 %}" * 500 + "{% endif %}" * 500,
    "deep blocks": "".join(f"{{% block a{n} %}}" for n in range(200)) + "{% endblock %}" * 200,
    "deep nots": "{{ " + "not " * DEEP + "1 }}",
    "sum": "{{ " + "1+" * DEEP + "1 }}",
    "attributes": "{{ update" + ".a" * DEEP + " }}",
    "filters": "{{ 1" + "|string" * DEEP + " }}",
    "itself": "{% include 'default.md.j2' %}",
    "child of itself": "{% extends 'default.md.j2' %}",
    "macro of itself": "{% macro a() %}{{ a() }}{% endmacro %}{{ a() }}",
    "huge number": "{{ " + HUGE + " }}",
    "huge power": "{{ 9 ** 99999 }}",
    "huge text": "{{ 'a' * 99999999999 }}",
    "huge shift": "{{ 10 ** 4000 * 10 ** 4000 }}",
    "division": "{{ 1 / 0 }}",
    "huge format": "{{ '%0999999999d' % 1 }}",
    "bad format": "{{ '%y' % 1 }}{{ '{0.__class__}'.format(1) }}",
    "range": "{% for a in range(999999999) %}a{% endfor %}",
    "none": "{{ none.a }}",
    "undefined": "{{ a.b.c }}",
    "bad filter": "{{ 1|nonsense }}",
    "bad test": "{{ 1 is nonsense }}",
    "clock of nothing": "{{ clock }}{{ none|clock }}",
    "include of a path": "{% include '../broadcast.toml' %}",
    "include of a NUL": "{% include 'a\0b' %}",
    "include of a long name": "{% include '" + "a" * 5000 + "' %}",
    "include of a number": "{% include 1 %}",
    "include of a list": "{% include [1, none, []] %}",
    "include of nothing": "{% include '' %}",
    "include of a folder": "{% include 'incident' %}",
    "include of a loop": "{% include 'loop.j2' %}",
    "include of a pipe": "{% include 'pipe.j2' %}",
    "include of bytes": "{% include 'bytes.j2' %}",
    "surrogate": "{{ '\\ud800' }}",
    "sort of everything": "{{ [1, 'a', none]|sort }}",
    "time out of range": "{{ update.time.replace(year=9999) }}",
    "statement": "{% nonsense %}",
    "not closed": "{% if 1 %}",
    "NULs": "\0" * 1000,
    "marks": "\x02\x03\x04\x02",
    "deep quotes": ">" * DEEP + " a",
}


@pytest.mark.parametrize("name", TEMPLATES)
def test_nasty_templates(desk: Desk, name: str) -> None:
    desk.write("broadcast.toml", CHANNEL + '[channels.site]\nplatform = "site"\n')
    desk.write("incidents/good.md", incident(("Investigating", 30, "a")))
    desk.write("templates/default.md.j2", TEMPLATES[name])
    desk.write("templates/incident/investigating.x.md.j2", TEMPLATES[name])
    desk.write("templates/site/announcement.html.j2", TEMPLATES[name])
    (desk.root / "templates/loop.j2").symlink_to("loop.j2")
    os.mkfifo(desk.root / "templates/pipe.j2")
    (desk.root / "templates/bytes.j2").write_bytes(b"\xff")
    _refused_or_done(desk, "check", "plan", "preview", "status", "site", "publish --yes --channel site")


def _loop(path: Path) -> None:
    path.symlink_to(path.name)


@pytest.mark.parametrize("make", [Path.mkdir, os.mkfifo, _loop])
@pytest.mark.parametrize("name", ["default.md.j2", "site/index.html.j2", "site"])
def test_a_template_that_is_no_file(desk: Desk, name: str, make: Callable[[Path], object]) -> None:
    desk.write("broadcast.toml", CHANNEL)
    desk.write("incidents/good.md", incident(("Investigating", 30, "a")))
    path = desk.root / "templates" / name
    path.parent.mkdir(parents=True)
    make(path)
    _refused_or_done(desk, "check", "plan", "preview", "site")


WORDS = {
    "long": "a" * 300,
    "very long": "a/" * 5000,
    "NUL": "a\0b",
    "surrogate": "\udcff",
    "newline": "a\nb",
    "escape": "\x1b[2J",
    "loop": "loop",
    "in a loop": "loop/a",
    "in a file": "broadcast.toml/a",
    "address": "http://[::1",
    "huge": HUGE,
    "brackets": "[" * 1000,
    "parentheses": "a" + "()" * 5000 + ": ",
    "format": "{0.__class__} %s %(a)s",
    "option": "--",
    "zone": f"2026-01-01 10:00 {'A/' * 299}A",
    "markup": "[link=a][/red]",
}
LINES = (
    ("check", "{}"),
    ("plan", "{}"),
    ("preview", "{}"),
    ("preview", "--html", "{}"),
    ("status", "{}"),
    ("publish", "{}", "--yes"),
    ("publish", "--yes", "--channel", "{}"),
    ("publish", "--yes", "--deadline", "{}"),
    ("new", "incident", "{}", "-m", "a"),
    ("new", "incident", "a", "-m", "{}"),
    ("new", "incident", "a", "-m", "a", "--at", "{}"),
    ("new", "maintenance", "a", "-m", "a", "--starts", "{}"),
    ("new", "release", "a", "-m", "a", "--version", "{}"),
    ("new", "incident", "a", "-m", "a", "--tag", "{}", "--component", "{}"),
    ("update", "{}", "-m", "a"),
    ("update", "good", "-m", "{}"),
    ("update", "good", "-m", "a", "--status", "{}"),
    ("resolve", "good", "-m", "a", "--at", "{}"),
    ("retract", "{}", "--yes"),
    ("measure", "{}"),
    ("measure", "a", "--platform", "{}"),
    ("site", "--output", "{}"),
    ("ledger", "show", "{}"),
    ("ledger", "settle", "{}", "--update", "2026-01-01T00:00:00Z", "--channel", "{}", "--posted"),
    ("ledger", "settle", "good", "--update", "{}", "--channel", "x", "--posted"),
    ("ledger", "settle", "good", "--update", "2026-01-01T00:00:00Z", "--channel", "x", "--part", "{}", "--posted"),
    ("ledger", "move", "{}", "{}"),
    ("ledger", "copy", "{}", "sqlite:///a.db"),
    ("ledger", "copy", "git:broadcast/ledger", "{}"),
    ("ledger", "copy", "git:broadcast/ledger", "sqlite:///{}"),
    ("import", "cstate", "{}"),
    ("-C", "{}", "check"),
    ("{}",),
)


@pytest.mark.parametrize("word", WORDS)
def test_nasty_words_on_the_command_line(desk: Desk, monkeypatch: pytest.MonkeyPatch, word: str) -> None:
    # As the program has them, see `streams.py`.
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO()))
    for stream in (sys.stdout, sys.stderr):
        assert isinstance(stream, io.TextIOWrapper)
        stream.reconfigure(errors="backslashreplace")
    desk.write("broadcast.toml", CHANNEL)
    desk.write("incidents/good.md", incident(("Investigating", 30, "a")))
    (desk.root / "loop").symlink_to("loop")
    for line in LINES:
        done = desk.run(*(part.format(WORDS[word]) if "{}" in part else part for part in line))
        assert "Traceback" not in done.err + done.out, (line, done.err)
        assert "defect" not in done.err + done.out, (line, done.err)
        assert done.code in (0, 1, 2, 3, 5, 6), (line, done.err)


SECRETS = {
    "bytes that are no text": "\udcff",
    "a newline in it": "a\nb",
    "a header in it": "a\r\nX-Evil: 1",
    "other characters": "пароль",
    "long": "a" * 100_000,
    "a NUL": "a\x01b",
}


@pytest.mark.parametrize("name", SECRETS)
def test_nasty_secrets(live: Desk, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    live.write("incidents/good.md", incident(("Investigating", 30, "a")))
    for variable in [variable for variable in os.environ if variable.startswith("BROADCAST_")]:
        monkeypatch.setenv(variable, SECRETS[name])
    done = live.run("publish", "--yes", "--json")
    assert done.code in (3, 5), done.err
    assert "defect" not in done.err + done.out
    assert SECRETS[name] not in done.err + done.out
    assert {one["channel"]: one["state"] for one in done.json()["results"]}["site"] == "posted"


@pytest.mark.parametrize("path", ["/dev/zero", "/", "a" * 300, "/proc/self/mem", "\udcff", "loop"])
def test_nasty_files_of_secrets(live: Desk, monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    live.write("incidents/good.md", incident(("Investigating", 30, "a")))
    for variable in [variable for variable in os.environ if variable.startswith("BROADCAST_")]:
        monkeypatch.delenv(variable)
        monkeypatch.setenv(f"{variable}_FILE", path)
    done = live.run("publish", "--yes", "--json")
    assert done.code in (3, 5), done.err
    assert "defect" not in done.err + done.out
    assert {one["channel"]: one["state"] for one in done.json()["results"]}["site"] == "posted"
