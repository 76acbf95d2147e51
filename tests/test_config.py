from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from broadcast import config
from broadcast.errors import ConfigError
from broadcast.model import Announcement, Problem, Update
from broadcast.model import Place as At

CHANNELS = """
[channels.x]
platform = "x"
[channels.sky]
platform = "bluesky"
handle = "status.example.com"
"""


def load(tmp_path: Path, text: str) -> tuple[config.Config | None, tuple[Problem, ...]]:
    (tmp_path / config.FILE).write_text(text, encoding="utf-8")
    return config.load(tmp_path)


def valid(tmp_path: Path, text: str) -> config.Config:
    found, problems = load(tmp_path, text)
    assert problems == ()
    assert found is not None
    return found


def announcement(**changes: object) -> Announcement:
    update = Update("investigating", datetime(2026, 11, 22, 14, 5, tzinfo=UTC), "Text.", At("a.md"))
    values: dict[str, object] = {
        "slug": "a",
        "path": "incidents/a.md",
        "title": "T",
        "kind": "incident",
        "language": "en",
        "updates": (update,),
    }
    return Announcement(**(values | changes))  # type: ignore[arg-type]  # the fields are given by name


def test_an_empty_file_has_the_defaults_of_the_design(tmp_path: Path) -> None:
    file = valid(tmp_path, "").file
    assert (file.incidents, file.templates, file.ledger, file.language) == (
        "incidents",
        "templates",
        "git:broadcast/ledger",
        "en",
    )
    assert file.stale_after == timedelta(hours=24)
    assert file.cadence.major == timedelta(minutes=60)


@pytest.mark.parametrize(
    ("text", "code", "line", "column", "says"),
    [
        ("url = 3", "bad-value", 1, 1, "url"),
        ('url = "https://a.example"\nurk = 1', "unknown-key", 2, 1, "did you mean 'url'"),
        ("[cadence]\ncritical = '30 minutes'", "bad-value", 2, 1, "30m"),
        ("[channels.x]\nplatform = 'x'\n  fitt = 'auto'", "unknown-key", 3, 3, "did you mean 'fit'"),
        ("[channels.x]\nplatform = 'y'", "unknown-platform", 2, 1, "bluesky"),
        ("[channels.x]\nfit = 'auto'", "missing-key", 1, 1, "platform"),
        ("\ufeff[cadence]\nmajr = '1h'", "unknown-key", 2, 1, "major"),
        ("[channels.sky]\nplatform = 'bluesky'", "missing-key", 1, 1, "handle"),
        ("[channels.X]\nplatform = 'x'", "channel-name", 1, 1, "lower-case"),
        (CHANNELS + "[[routes]]\nchannels = ['*']\n[[routes]]\nchannels = ['skye']", "unknown-channel", 10, 1, "'sky'"),
        ("[channels.x]\nplatform='x'\naccess_token='hunter2'", "secret-in-config", 3, 1, "BROADCAST_X_ACCESS_TOKEN"),
        ("url = 1\na = = 2", "config-syntax", 2, 5, "value"),
        ("a = 1\nb = [", "config-syntax", 2, 5, "end of document"),
        ("[channels.a-b]\nplatform='x'\n[channels.a_b]\nplatform='x'", "channel-name", 3, 1, "secrets"),
    ],
)
def test_each_problem_has_its_place_and_says_what_to_do(
    tmp_path: Path, text: str, code: str, line: int, column: int, says: str
) -> None:
    found, problems = load(tmp_path, text)
    assert found is None
    (problem,) = problems
    assert (problem.code, problem.place) == (code, At(config.FILE, line, column))
    assert says in problem.message
    assert "hunter2" not in problem.message


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("stale_after = 5", "'stale_after': write a duration in quotes"),
        ("stale_after = true", "'stale_after': write a duration in quotes"),
        ('stale_after = "-3h"', "write 30m, 4h, 1d or 1h30m"),
        ("stale_after = 2026-01-01", "write 30m, 4h, 1d or 1h30m"),
        ("[cadence]\ncritical = 0", "'cadence.critical': write a duration in quotes"),
        ("cadence = 5", "write a table: [cadence]"),
        ("channels = 3", "write a table: [channels.NAME]"),
        ("[channels]\nx = 5", "write a table: [channels.x]"),
        ("[channels.x]\nplatform = 5", "'channels.x.platform': write a text in quotes"),
        ("url = 5", "'url': write a text in quotes"),
        ('url = "status.example.com"', "write an address such as"),
        ("language = 5", "write a text in quotes"),
        ('language = "English"', "write one such as `en`"),
        ("routes = 5", "write each route as a table: [[routes]]"),
        ("routes = [5]", "write each route as a table: [[routes]]"),
        ('[[routes]]\nchannels = "*"', 'write a list, such as ["*"]'),
        ('[[routes]]\nkinds = "incident"\nchannels = ["*"]', 'write a list, such as ["incident"]'),
        ('[[routes]]\nkinds = ["outage"]\nchannels = ["*"]', "write 'incident', 'maintenance' or 'release'"),
        ("abbreviations = 5", "write a table: [abbreviations.NAME]"),
        ("[abbreviations.en]\na = 5", "write a text in quotes"),
        ('incidents = "/etc"', "write the name of a folder inside the project"),
        ('incidents = "../.."', "write the name of a folder inside the project"),
        ('templates = "/etc"', "write the name of a folder inside the project"),
        ('templates = ""', "write the name of a folder inside the project"),
        *(
            (f"[channels.x]\nplatform = 'x'\n{line}", says)
            for line, says in (
                ('numbering = "yes"', "'channels.x.numbering': write true or false"),
                ("dry = 1", "'channels.x.dry': write true or false"),
                ("max_posts = 0", "'channels.x.max_posts': write a whole number from 1 to 100"),
                ("max_posts = true", "write a whole number from 1 to 100"),
                ('max_posts = "3"', "write a whole number from 1 to 100"),
                ("max_posts = 2.5", "write a whole number from 1 to 100"),
                ('fit = "short"', "write 'auto', 'thread' or 'single'"),
                ("api_url = 5", "write a text in quotes"),
            )
        ),
        (
            "[channels.m]\nplatform = 'mastodon'\napi_base_url = 'https://a.example'\nmax_characters = true",
            "write a whole number from 100 to",
        ),
        ("ledger = 5", "write a text in quotes"),
        ('ledger = "broadcast/ledger"', "has no scheme"),
        ('ledger = "git:"', "cannot be the name of a branch"),
        ('ledger = "git:a..b"', "cannot be the name of a branch"),
        ('ledger = "git:a@"', "no remote is named"),
        ('ledger = "mysql://me:hunter2@a/b"', "of the kind 'mysql' is not known"),
        ('ledger = "sqlite://a.db"', "not that of a file"),
        ('ledger = "sqlite:///"', "not that of a file"),
        ('ledger = "postgresql+psycopg:/a"', "not that of a database"),
        ('ledger = "postgresql+psycopg://me:hunter2@host:99999999/a"', "not that of a database"),
        ("a = " + "[" * 5000, "nested too deeply"),
        ("a = " + "[" * 5000 + "]" * 5000, "nested too deeply"),
        ("#" * 300_000, "larger than 256 KiB"),
    ],
)
def test_what_may_be_written_instead_is_said_in_plain_words(tmp_path: Path, text: str, says: str) -> None:
    found, (problem,) = load(tmp_path, text)
    assert found is None
    assert says in problem.message
    assert problem.severity == "error"
    assert problem.place.line in (1, text.count("\n") + 1, 2)
    for jargon in ("input", "dictionary", "instance", "tuple", "string", "pattern", "hunter2"):
        assert jargon not in problem.message


@pytest.mark.parametrize(
    "ledger",
    ["git:a/b", "git:a@origin", "sqlite:///a.db", "postgresql+psycopg://me@host:5432/db", "postgresql+psycopg://"],
)
def test_every_kind_of_ledger_may_be_named(tmp_path: Path, ledger: str) -> None:
    assert valid(tmp_path, f'ledger = "{ledger}"').file.ledger == ledger


def test_a_ledger_whose_library_is_missing_is_a_warning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("broadcast.ledger.address.find_spec", lambda name: None if name == "psycopg" else object())
    found, (problem,) = load(tmp_path, '\nledger = "postgresql+psycopg://me@host/db"')
    assert found is not None
    assert (problem.severity, problem.code, problem.place.line) == ("warning", "missing-extra", 2)
    assert "broadcast-cli[postgres]" in problem.message


def test_long_lines_take_no_time(tmp_path: Path) -> None:
    began = time.process_time()
    problems = load(tmp_path, "routes = [\n[" + " " * 200_000 + "\n1]]\nurk = 1")[1]
    assert time.process_time() - began < 1
    assert {problem.code for problem in problems} == {"bad-value", "unknown-key"}


def test_every_problem_is_found_at_once(tmp_path: Path) -> None:
    text = "[channels.x]\nplatform = 'x'\nfitt = 1\nlimk = 2\n[channels.y]\nplatform = 'nope'"
    assert [problem.place.line for problem in load(tmp_path, text)[1]] == [3, 4, 6]


def test_the_first_route_that_matches_wins(tmp_path: Path) -> None:
    routes = """
[[routes]]
kinds = ["incident"]
severities = ["critical", "major"]
channels = ["*"]
[[routes]]
kinds = ["incident"]
channels = ["sky"]
"""
    found = valid(tmp_path, CHANNELS + routes)
    assert [one.name for one in found.channels_for(announcement(severity="major"))] == ["x", "sky"]
    assert [one.name for one in found.channels_for(announcement(severity="minor"))] == ["sky"]
    assert [one.name for one in found.channels_for(announcement())] == ["sky"]
    assert found.channels_for(announcement(kind="release")) == ()
    assert [one.name for one in found.channels_for(announcement(kind="release", channels=("x",)))] == ["x"]


def test_without_routes_every_channel_is_meant(tmp_path: Path) -> None:
    assert [one.name for one in valid(tmp_path, CHANNELS).channels_for(announcement())] == ["x", "sky"]


def test_the_cadence_follows_the_severity_unless_the_announcement_has_its_own(tmp_path: Path) -> None:
    found = valid(tmp_path, '[cadence]\ncritical = "10m"')
    assert found.cadence_of(announcement(severity="critical")) == timedelta(minutes=10)
    assert found.cadence_of(announcement()) == timedelta(hours=4)
    assert found.cadence_of(announcement(update_every=timedelta(minutes=5))) == timedelta(minutes=5)


def test_the_file_is_found_from_below(tmp_path: Path) -> None:
    valid(tmp_path, "")
    (tmp_path / "a" / "b").mkdir(parents=True)
    assert config.find(tmp_path / "a" / "b") == tmp_path


def test_without_a_file_the_next_command_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        config.find(tmp_path)
    assert "broadcast init" in caught.value.hint


def test_a_misspelled_platform_is_found(tmp_path: Path) -> None:
    problems = load(tmp_path, "[channels.x]\nplatfrom = 'x'")[1]
    assert [(problem.code, problem.place.line) for problem in problems] == [("missing-key", 1), ("unknown-key", 2)]
    assert "did you mean 'platform'" in problems[1].message
