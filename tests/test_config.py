from __future__ import annotations

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
