from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from broadcast.text import measure
from kit import Desk, ago, git, incident

CHANNELS = """
url = "https://status.example.com"
[channels.x]
platform = "x"
[channels.bluesky]
platform = "bluesky"
handle = "status.example.com"
[channels.mastodon]
platform = "mastodon"
api_base_url = "https://mastodon.example"
"""


@pytest.fixture
def project(desk: Desk) -> Desk:
    desk.write("broadcast.toml", CHANNELS)
    return desk


def test_the_plan_has_the_shape_of_the_design(project: Desk) -> None:
    (project.root / "incidents").mkdir()
    (project.root / "incidents/a.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    body = "See [the docs](https://docs.example.com/ä). Bitte warten. " + "Wir prüfen das 👩‍👩‍👧 gerade. " * 20
    project.write("incidents/slow.md", incident(("Investigating", 30, body)))
    shown = project.run("plan", "--json")
    assert shown.code == 0, shown.err
    plan = shown.json()
    assert (set(plan), plan["schema"]) == ({"schema", "actions", "problems", "cost"}, 1)
    assert {row["platform"] for row in plan["actions"]} == {"x", "bluesky", "mastodon"}
    for row in plan["actions"]:
        assert set(row) == {
            *("announcement", "update", "status", "channel", "platform", "part", "parts", "text", "length", "limit"),
            *("links", "media", "language", "reply_to", "state"),
        }
        assert row["length"] <= row["limit"]
        assert row["update"].endswith("Z")
        raw = row["text"].encode()
        for link in row["links"]:
            words = raw[link["start"] : link["end"]].decode()
            assert words == link["url"] or row["platform"] == "bluesky"
    counts = {"x": measure.weighted, "bluesky": measure.graphemes, "mastodon": measure.mastodon(23)}
    assert all(row["length"] == counts[row["platform"]](row["text"]) for row in plan["actions"])
    docs = [link["url"] for row in plan["actions"] for link in row["links"] if "docs.example" in link["url"]]
    assert len(docs) == 3
    assert plan["cost"]["x"]["usd"] > 0


def test_check_finds_every_problem_at_once_with_its_place(project: Desk) -> None:
    project.write("incidents/slow.md", incident(("Investigating", 30, "![](gone.png)"), more="colour: red\n"))
    project.write("incidents/fast.md", incident(("Resolved", 30, ""), more="severity: huge\n"))
    found = project.run("check", "--json")
    assert found.code == 1
    problems = found.json()["problems"]
    assert {problem["path"] for problem in problems} == {"incidents/slow.md", "incidents/fast.md"}
    assert {"unknown-key", "missing-alt"} <= {problem["code"] for problem in problems}
    assert all(problem["line"] > 0 and problem["column"] > 0 for problem in problems)
    text = project.run("check")
    assert text.code == 1
    assert "incidents/slow.md:4:1" in text.out
    annotated = project.run("check", "--format", "github").out
    assert "::error file=incidents/slow.md,line=4,col=1" in annotated


def test_check_of_one_path_leaves_the_others_out(project: Desk) -> None:
    project.write("incidents/slow.md", incident(("Investigating", 30, "a"), more="colour: red\n"))
    project.write("incidents/fast.md", incident(("Investigating", 30, "a")))
    assert project.run("check", "incidents/fast.md").code == 0
    assert project.run("check", "incidents/slow.md").code == 1
    assert project.run("check", "incidents/none.md").code == 2


def test_check_says_what_does_not_fit_and_where(project: Desk) -> None:
    body = f"Short.\n\n```post x\n{'too long ' * 40}\n```"
    project.write("incidents/slow.md", incident(("Investigating", 30, body)))
    (problem,) = project.run("check", "--json").json()["problems"]
    assert (problem["code"], problem["line"]) == ("does-not-fit", 9)
    assert "280" in problem["message"]


def test_a_broken_configuration_exits_with_5_and_is_listed(project: Desk) -> None:
    project.write("broadcast.toml", '[channels.x]\nplatform = "x"\nfitt = "auto"\n')
    found = project.run("check", "--json")
    assert found.code == 5
    (problem,) = found.json()["problems"]
    assert (problem["path"], problem["line"]) == ("broadcast.toml", 3)
    assert project.run("plan").code == 5
    assert "broadcast.toml:3:1" in project.run("plan").err


def test_without_a_project_the_next_command_is_named(desk: Desk) -> None:
    nothing = desk.run("check")
    assert nothing.code == 5
    assert "broadcast init" in nothing.err


def test_a_template_that_fails_is_a_problem_and_no_traceback(project: Desk) -> None:
    project.write("incidents/slow.md", incident(("Investigating", 30, "a")))
    for source, says in (
        ("{% block body %}{{ nope.x }}{% endblock %}", "nope"),
        ("{% block body %}{{ ''.__class__ }}{% endblock %}", "unsafe"),
        ("{% block", "default.md.j2"),
        ("{% block body %}{{ 'a' * 10**9 }}{% endblock %}", "too large"),
        ("{% block body %}{{ 1 / 0 }}{% endblock %}", "division"),
        ("{% block body %}{{ cycler() }}{% endblock %}", "RuntimeError"),
    ):
        project.write("templates/incident/default.md.j2", source)
        found = project.run("check", "--json")
        assert found.code == 1, source
        assert all(problem["code"] == "template" for problem in found.json()["problems"])
        assert says in found.out, found.out


def test_own_templates_are_used_first_and_values_are_escaped(project: Desk) -> None:
    project.write(
        "incidents/slow.md", incident(("Investigating", 30, "It is **slow**."), title='"*a* [b] https://a.example/c_d"')
    )
    project.write(
        "templates/incident/default.x.md.j2",
        "{% extends 'default.md.j2' %}{% block headline %}X: {{ announcement.title }}{% endblock %}"
        "{% block body %}{{ super() }} Really.{% endblock %}",
    )
    rows = {row["channel"]: row for row in project.run("plan", "--json").json()["actions"]}
    assert rows["x"]["text"].startswith("X: *a* [b] https://a.example/c_d\n")
    assert "It is slow. Really." in rows["x"]["text"]
    assert rows["mastodon"]["text"].startswith("Investigating: *a* [b]")


def test_a_channel_takes_its_language_and_others_never_do(project: Desk) -> None:
    project.write(
        "broadcast.toml",
        CHANNELS + '[channels.fr]\nplatform = "mastodon"\napi_base_url = "https://m.example"\nlanguage = "fr"\n',
    )
    english = incident(("Investigating", 30, "Search is slow."))
    project.write("incidents/slow.md", english)
    project.write("incidents/slow.fr.md", english.replace("Search is slow.", "La recherche est lente."))
    rows = {row["channel"]: row for row in project.run("plan", "--json").json()["actions"]}
    assert rows["fr"]["language"] == "fr"
    assert "La recherche est lente." in rows["fr"]["text"]
    assert all("Search is slow." in rows[name]["text"] for name in ("x", "bluesky", "mastodon"))


def test_preview_shows_every_post_in_every_form(project: Desk, tmp_path: Path) -> None:
    project.write("incidents/slow.md", incident(("Investigating", 30, "A long story. " * 60)))
    rows = project.run("preview", "--json").json()["actions"]
    last = [row for row in rows if row["channel"] == "x"][-1]
    assert last["parts"] > 2
    words = last["text"].split()[0]
    page = tmp_path / "preview.html"
    assert project.run("preview", "--html", str(page)).code == 0
    for shown in (
        project.run("preview").out,
        project.run("preview", "--markdown").out,
        page.read_text(encoding="utf-8"),
    ):
        assert f"{last['part']}/{last['parts']}" in shown
        assert words in shown


def test_planning_works_without_a_repository_and_says_so(project: Desk, tmp_path: Path) -> None:
    project.write("incidents/slow.md", incident(("Investigating", 30, "a")))
    (project.root / ".git").rename(tmp_path / "gone")
    shown = project.run("plan", "--json")
    assert shown.code == 0
    assert {row["state"] for row in shown.json()["actions"]} == {"todo"}
    (problem,) = shown.json()["problems"]
    assert (problem["severity"], problem["code"], problem["path"]) == (
        "warning",
        "ledger-unreachable",
        "broadcast.toml",
    )
    assert "as if nothing had been published, which may be wrong" in problem["message"]
    assert "warning[ledger-unreachable]" in project.run("plan").out


@pytest.mark.parametrize("ledger", ["git:broadcast/ledger", "postgresql+psycopg://me@127.0.0.1:1/a"])
def test_a_ledger_that_was_never_read_is_a_warning_in_every_view(project: Desk, ledger: str) -> None:
    project.write("broadcast.toml", f'ledger = "{ledger}"\n{CHANNELS}')
    project.write("incidents/slow.md", incident(("Investigating", 30, "a")))
    git(project.root, "remote", "add", "origin", str(project.root.parent / "gone.git"))
    for command in ("plan", "status"):
        shown = project.run(command, "--json")
        assert shown.code == 0, shown.err
        assert [problem["code"] for problem in shown.json()["problems"]] == ["ledger-unreachable"]
        assert "warning[ledger-unreachable]" in project.run(command).out
    assert project.run("publish", "--yes").code == 6


def test_status_knows_what_is_overdue(project: Desk) -> None:
    project.write("incidents/slow.md", incident(("Investigating", 61, "a")))
    project.write("incidents/done.md", incident(("Investigating", 300, "a"), ("Resolved", 200, "b")))
    shown = project.run("status", "--json")
    assert shown.code == 0
    slow, done = shown.json()["announcements"]
    assert (slow["announcement"], slow["status"], slow["open"], slow["overdue"]) == (
        "slow",
        "investigating",
        True,
        True,
    )
    assert (done["status"], done["open"], done["overdue"], done["next_update_due"]) == ("resolved", False, False, None)
    due = datetime.fromisoformat(slow["next_update_due"])
    assert due - datetime.fromisoformat(slow["updated"]) == timedelta(minutes=60)
    assert set(slow["channels"]) == {"x", "bluesky", "mastodon"}
    assert slow["channels"]["x"] == {"state": "todo", "urls": []}
    failed = project.run("status", "--fail-overdue")
    assert failed.code == 1
    assert "slow" in failed.out
    assert "done" not in failed.out

    project.write("incidents/slow.md", incident(("Investigating", 59, "a")))
    assert project.run("status", "--fail-overdue").code == 0


def test_a_maintenance_owes_word_when_it_starts_and_ends(project: Desk) -> None:
    def maintenance(starts: float, *updates: tuple[str, float, str]) -> None:
        text = incident(*updates, more=f"kind: maintenance\nstarts: {ago(starts)}\nends: {ago(starts - 60)}\n")
        project.write("incidents/m.md", text.replace("severity: major\n", ""))

    def overdue() -> bool:
        (one,) = project.run("status", "--json").json()["announcements"]
        return bool(one["overdue"])

    maintenance(-10, ("Scheduled", 100, "a"))
    assert not overdue()
    maintenance(10, ("Scheduled", 100, "a"))
    assert overdue()
    maintenance(10, ("Scheduled", 100, "a"), ("In progress", 10, "b"))
    assert not overdue()
    maintenance(70, ("Scheduled", 100, "a"), ("In progress", 70, "b"))
    assert overdue()
    maintenance(70, ("Scheduled", 100, "a"), ("In progress", 70, "b"), ("Completed", 8, "c"))
    assert not overdue()


def test_channels_name_limits_and_variables_but_no_values(project: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BROADCAST_X_API_KEY", "hunter2")
    shown = project.run("channels", "--json")
    rows = {row["channel"]: row for row in shown.json()["channels"]}
    assert (rows["x"]["limit"], rows["bluesky"]["limit"], rows["mastodon"]["limit"]) == (280, 300, 500)
    assert "BROADCAST_X_API_KEY" in rows["x"]["secrets"]
    assert "hunter2" not in shown.out + project.run("channels").out


def test_channels_verify_logs_in(live: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = live.run("channels", "--verify", "--json")
    assert shown.code == 0, shown.err
    assert all(row["verified"] for row in shown.json()["channels"])
    monkeypatch.setenv("BROADCAST_BLUESKY_APP_PASSWORD", "wrong")
    failed = live.run("channels", "--verify", "--json")
    assert failed.code == 5
    assert {row["channel"]: row["verified"] for row in failed.json()["channels"]} == {
        "site": True,
        "x": True,
        "bluesky": False,
        "mastodon": True,
    }


def test_review_commands_leave_the_repository_alone(project: Desk) -> None:
    project.write("incidents/slow.md", incident(("Investigating", 30, "a")))
    git(project.root, "add", "-A")
    git(project.root, "commit", "--quiet", "-m", "x")
    for command in ("check", "preview", "plan", "status", "channels"):
        assert project.run(command).code == 0
    assert git(project.root, "status", "--porcelain") == ""
    assert git(project.root, "for-each-ref", "--format=%(refname)") == "refs/heads/main"


def test_measure_counts_as_each_platform_does(desk: Desk) -> None:
    text = "See https://example.com/a/very/long/path/that/counts/as/23 👩‍👩‍👧"
    rows = {row["platform"]: row for row in desk.run("measure", text, "--json").json()["measures"]}
    assert (rows["x"]["length"], rows["mastodon"]["length"], rows["bluesky"]["length"]) == (30, 29, 60)
    assert rows["bluesky"]["bytes"] == len(text.encode())
    only = desk.run("measure", "x" * 281, "--platform", "x")
    assert (only.code, "281/280" in only.out, "does not fit" in only.out) == (0, True, True)
    assert desk.run("measure", "x", "--platform", "y").code == 2


def test_an_unreachable_ledger_is_shown_as_it_was_last_read(live: Desk, tmp_path: Path) -> None:
    live.write("incidents/slow.md", incident(("Investigating", 30, "a")))
    git(tmp_path, "init", "--quiet", "--bare", "remote.git")
    git(live.root, "remote", "add", "origin", str(tmp_path / "remote.git"))
    assert live.run("publish", "--yes").code == 0
    (tmp_path / "remote.git").rename(tmp_path / "gone.git")
    shown = live.run("plan", "--json")
    assert shown.code == 0
    assert {row["state"] for row in shown.json()["actions"]} == {"done"}
    (problem,) = shown.json()["problems"]
    assert (problem["severity"], problem["code"]) == ("warning", "ledger-unreachable")
    assert "as it was when the ledger was last read" in problem["message"]
    assert problem in live.run("status", "--json").json()["problems"]
    assert live.run("publish", "--yes").code == 6


def test_a_page_that_cannot_be_written_is_named(project: Desk, tmp_path: Path) -> None:
    project.write("incidents/slow.md", incident(("Investigating", 30, "a")))
    refused = project.run("preview", "--html", str(tmp_path / "none" / "page.html"))
    assert refused.code == 2
    assert "page.html" in refused.err


def test_urls_stay_whole_and_deep_lists_lose_nothing(project: Desk) -> None:
    urls = ["https://example.com/a_b_c_", "https://example.com/?q=a|b", "https://example.com/%zz"]
    deep = "\n".join(f"{'  ' * depth}- item{depth}" for depth in range(30))
    project.write(
        "incidents/slow.md", incident(("Investigating", 30, f"See {urls[0]} {urls[1]} {urls[2]} ok\n\n{deep}"))
    )
    for channel in ("x", "bluesky", "mastodon"):
        rows = [row for row in project.run("plan", "--json").json()["actions"] if row["channel"] == channel]
        text = "\n".join(row["text"] for row in rows)
        assert f"See {urls[0]} " in text
        assert text.count("example.com/?q=a") == 1
        assert all(f"item{depth}\n" in f"{text}\n" or f"item{depth} " in text for depth in range(30))


def test_what_cannot_be_read_is_never_shown_as_nothing_open(project: Desk) -> None:
    project.write("incidents/outage.md", "---\ntitle: [\n---\n")
    for arguments in ([], ["--fail-overdue"]):
        shown = project.run("status", *arguments)
        assert shown.code == 1
        assert "incidents/outage.md:3:1: error[bad-yaml]" in shown.out
    assert [one["code"] for one in project.run("status", "--json").json()["problems"]] == ["bad-yaml"]


def test_nothing_is_marked_as_published_while_something_cannot_be_read(project: Desk) -> None:
    git(project.root, "init", "--quiet")
    project.write("incidents/old.md", incident(("Investigating", 90_000, "a")))
    project.write("incidents/outage.md", "---\ntitle: [\n---\n")
    assert project.run("ledger", "baseline").code == 1
    assert project.run("ledger", "show").out == ""
    (project.root / "incidents" / "outage.md").unlink()
    assert project.run("ledger", "baseline").err == "marked as published: 1 update on 3 channels\n"
