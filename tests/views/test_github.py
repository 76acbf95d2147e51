from __future__ import annotations

from broadcast.model import Place, Problem
from broadcast.views.github import annotate


def test_one_command_for_each_problem() -> None:
    problems = [
        Problem("error", "bad-status", Place("incidents/a, b:c.md", 3, 7), "100% wrong: a,b\nsecond line"),
        Problem("warning", "no-alt", Place("x.md"), "describe it"),
    ]
    assert annotate(problems) == (
        "::error file=incidents/a%2C b%3Ac.md,line=3,col=7,title=bad-status::100%25 wrong: a,b%0Asecond line\n"
        "::warning file=x.md,line=1,col=1,title=no-alt::describe it\n"
    )


def test_a_message_cannot_start_a_command_of_its_own() -> None:
    hostile = "x\r\n::set-output name=a::b\r::stop-commands::c\u2028::error::d"
    made = annotate([Problem("error", "c", Place("a\n::b.md"), hostile)])
    assert made.count("\n") == 1
    assert "\r" not in made
    assert annotate([]) == ""
