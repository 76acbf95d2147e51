from __future__ import annotations

import io
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from rich.console import Console

from broadcast.model import ChannelStanding, Media, Place, Plan, Problem, ReplyTo, Result, Standing
from broadcast.views import groups, terminal
from samples import act

TIME = datetime(2026, 11, 22, 14, 5, tzinfo=UTC)
ESCAPES = re.compile(r"\x1b\[[0-9;]*m")
BOXES = re.compile("[\u2500-\u257f]")


def plain(view: Callable[..., None], *arguments: Any, **more: Any) -> str:
    file = io.StringIO()
    view(Console(file=file, force_terminal=False, width=40, _environ={}), *arguments, **more)
    return file.getvalue()


def colored(view: Callable[..., None], *arguments: Any, width: int = 60, environ: dict[str, str] | None = None) -> str:
    file = io.StringIO()
    view(
        Console(file=file, force_terminal=True, width=width, _environ=environ or {"TERM": "xterm-256color"}), *arguments
    )
    return file.getvalue()


def test_posts_by_announcement_update_and_channel() -> None:
    plan = Plan(
        (
            act("First part 1/2", "x", part=1, parts=2),
            act("Second part 2/2", "x", part=2, parts=2),
            act("Whole", "bluesky", limit=300, media=[Media("a.png", "A graph")], links=[("Whole", "https://a.b")]),
            act("Fixed", "x", update="2026-11-22T15:00", status="resolved", state="scheduled"),
        )
    )
    assert plain(terminal.preview, plan) == (
        "api-errors · Investigating · 2026-11-22 14:05 UTC\n"
        "  x 1/2 · todo · 14/280\n"
        "    First part 1/2\n"
        "  x 2/2 · todo · 15/280\n"
        "    Second part 2/2\n"
        "  bluesky · todo · 5/300\n"
        "    Whole\n"
        "    Link: Whole → https://a.b\n"
        "    Image: a.png — A graph\n"
        "\n"
        "api-errors · Resolved · 2026-11-22 15:00 UTC\n"
        "  x · scheduled · 5/280\n"
        "    Fixed\n"
        "\n"
    )


def test_a_pipe_gets_whole_lines_without_boxes_or_colors() -> None:
    text = "word " * 200 + "https://example.com/" + "a" * 300
    for view in (terminal.preview, terminal.plan):
        shown = plain(view, Plan((act(text, note="n" * 200),)))
        assert not BOXES.search(shown)
        assert "\x1b" not in shown
        assert "n" * 200 in shown
    assert text in plain(terminal.preview, Plan((act(text),)))


def test_a_terminal_gets_panels_as_wide_as_it_is_and_loses_no_text() -> None:
    text = "https://example.com/" + "abcdefghij" * 30
    shown = colored(terminal.preview, Plan((act(text),)), width=50)
    lines = ESCAPES.sub("", shown).splitlines()
    assert "╭" in shown
    assert all(len(line) <= 50 for line in lines)
    assert "".join(line.strip("│ ") for line in lines if line.startswith("│")) == text


def test_links_are_underlined() -> None:
    shown = colored(terminal.preview, Plan((act("see docs now", links=[("docs", "https://a.b")]),)))
    assert "\x1b[4mdocs\x1b[0m" in shown


def test_no_color_is_respected() -> None:
    problem = Problem("error", "bad", Place("a.md"), "x")
    environ = {"TERM": "xterm-256color", "NO_COLOR": "1"}
    assert not re.search(r"\x1b\[[0-9;]*3[0-9]", colored(terminal.problems, [problem], environ=environ))
    assert re.search(r"\x1b\[[0-9;]*3[0-9]", colored(terminal.problems, [problem]))


@pytest.mark.parametrize("form", [plain, colored])
def test_user_text_never_acts(form: Any) -> None:
    bad = "[bold red]x[/bold red] [/] :warning: \x1b]0;title\x07\x1b[2J\x9b31m\r\u202e"
    plan = Plan(
        (act(bad, "x", slug=bad, status=bad, note=bad, media=[Media(bad, bad)], links=[("x[/bold", bad)]),),
        (Problem("error", bad, Place(bad), bad),),
        {bad: 0.2},
    )
    shown = form(terminal.preview, plan) + form(terminal.plan, plan)
    shown += form(terminal.results, [Result(bad, TIME, bad, 1, "failed", url=bad, error=bad)])
    rest = ESCAPES.sub("", shown)
    assert not set(rest) & set("\x1b\x07\x9b\r\u202e")
    assert "[bold red]x[/bold red]" in rest
    assert ":warning:" in rest
    assert "\x1b[2J" not in shown


def test_the_plan_tells_what_is_to_do_and_sums_the_rest() -> None:
    plan = Plan(
        (
            act(state="done"),
            act(channel="bluesky", limit=300, part=1, parts=2),
            act(channel="bluesky", limit=300, part=2, parts=2, reply_to=ReplyTo(TIME, 1)),
            act(
                update="2026-11-22T15:00", status="resolved", reply_to=ReplyTo(TIME, 1), state="uncertain", note="lost"
            ),
        ),
        (Problem("warning", "no-alt", Place("a.md", 3, 4), "describe it"),),
        {"x": 0.215, "bluesky": 0.0},
    )
    assert plain(terminal.plan, plan) == (
        "api-errors · Investigating · 2026-11-22 14:05 UTC\n"
        "  todo       bluesky 1/2     16/300\n"
        "  todo       bluesky 2/2     16/300  replies to part 1\n"
        "\n"
        "api-errors · Resolved · 2026-11-22 15:00 UTC\n"
        "  uncertain  x               16/280  replies to 2026-11-22 14:05 UTC #1  lost\n"
        "\n"
        "4 posts: 2 to do, 1 uncertain, 1 done already.\n"
        "Cost: x $0.215\n"
        "a.md:3:4: warning[no-alt] describe it\n"
    )


def test_results_channel_by_channel() -> None:
    results = [
        Result("a", TIME, "x", 1, "posted", url="https://x.example/1"),
        Result("a", TIME, "x", 2, "posted", url="https://x.example/2"),
        Result("a", TIME, "mastodon", 1, "failed", error="429"),
    ]
    assert plain(terminal.results, results) == (
        "x\n"
        "  posted    a 2026-11-22 14:05 UTC #1  https://x.example/1\n"
        "  posted    a 2026-11-22 14:05 UTC #2  https://x.example/2\n"
        "mastodon\n"
        "  failed    a 2026-11-22 14:05 UTC  429\n"
        "2 posted, 1 failed\n"
    )
    assert plain(terminal.progress, results[2]) == "mastodon: failed    a 2026-11-22 14:05 UTC  429\n"
    assert plain(terminal.results, []) == "Nothing to do.\n"


def test_where_announcements_stand() -> None:
    standing = Standing(
        "api",
        "API errors",
        "incident",
        "identified",
        True,
        TIME,
        TIME + timedelta(hours=1),
        True,
        {"x": ChannelStanding("done", ("https://x.example/1", "https://x.example/2"))},
    )
    assert plain(terminal.status, [standing], now=TIME + timedelta(minutes=95)) == (
        "API errors · api\n"
        "  identified, updated 1 h 35 min ago (2026-11-22 14:05 UTC), next update overdue since 2026-11-22 15:05 UTC\n"
        "  x: done  https://x.example/1  https://x.example/2\n"
    )
    assert plain(terminal.status, [], now=TIME) == "No announcement is open.\n"


def test_updates_of_one_minute_are_told_apart() -> None:
    actions = tuple(replace(act("Short", "x"), update=TIME + timedelta(seconds=second)) for second in (0, 29))
    shown = plain(terminal.plan, Plan(actions))
    assert " 2026-11-22 14:05 UTC\n" in shown
    assert " 2026-11-22 14:05:29 UTC\n" in shown


@pytest.mark.parametrize(
    ("usd", "words"), [(0.215, "$0.215"), (0.2, "$0.20"), (3.0, "$3.00"), (0.0155, "$0.0155"), (12.5, "$12.50")]
)
def test_prices(usd: float, words: str) -> None:
    assert groups.dollars(usd) == words
