"""`publish` as a user runs it: real SDKs, real HTTP, real git."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from kit import Desk, git, incident

NETWORKED = ("x", "bluesky", "mastodon")
FIRST = ("Investigating", 30, "Searches are slow for some of you. We are looking into it.")
SECOND = ("Resolved", 5, "Search is fast again.")


def links(text: str) -> str:
    return re.sub(r"https?://\S+", "URL", text)


def test_an_incident_is_posted_everywhere_once_and_equals_the_plan(live: Desk) -> None:
    live.write("incidents/slow.md", incident(FIRST))
    planned = live.run("plan", "--json").json()
    done = live.run("publish", "--yes", "--json")
    assert done.code == 0, done.err
    assert {row["state"] for row in done.json()["results"]} == {"posted"}
    for channel in NETWORKED:
        rows = [row for row in planned["actions"] if row["channel"] == channel]
        assert [row["text"] for row in rows] == [seen.text for seen in live.stands(channel)]
    assert "Searches are slow" in (live.root / "public" / "slow.html").read_text(encoding="utf-8")

    again = live.run("publish", "--yes", "--json")
    assert again.code == 0
    assert {row["state"] for row in again.json()["results"]} == {"done"}
    assert all(row["id"] and row["url"] for row in again.json()["results"])
    assert [len(live.stands(channel)) for channel in NETWORKED] == [1, 1, 1]


def test_an_appended_update_is_a_reply_to_the_last_post_of_the_chain(live: Desk) -> None:
    long = "Searches are slow for some of you, and we do not know why yet. " * 12
    path = live.write("incidents/slow.md", incident(("Investigating", 30, long)))
    assert live.run("publish", "--yes").code == 0
    before = {channel: live.stands(channel) for channel in NETWORKED}
    assert all(len(seen) > 1 for seen in before.values())

    path.write_text(path.read_text(encoding="utf-8") + incident(SECOND).split("---\n", 2)[2], encoding="utf-8")
    done = live.run("publish", "--yes", "--json")
    assert done.code == 0, done.err
    posted = [row for row in done.json()["results"] if row["state"] == "posted"]
    assert {row["channel"] for row in posted} == {*NETWORKED, "site"}
    for channel in NETWORKED:
        *old, new = live.stands(channel)
        assert old == before[channel]
        assert new.reply_to == old[-1].id
        assert "Search is fast again" in new.text

    assert live.run("publish", "--yes").code == 0
    assert [len(live.stands(channel)) for channel in NETWORKED] == [len(before[name]) + 1 for name in NETWORKED]


def test_two_updates_at_once_make_one_chain(live: Desk) -> None:
    live.write("incidents/slow.md", incident(FIRST, SECOND))
    assert live.run("publish", "--yes").code == 0
    for channel in NETWORKED:
        first, second = live.stands(channel)
        assert (first.reply_to, second.reply_to) == (None, first.id)


def test_a_fresh_clone_knows_what_was_posted(live: Desk, tmp_path: Path) -> None:
    live.write("incidents/slow.md", incident(FIRST))
    live.write(".gitignore", "public\n")
    git(live.root, "add", "-A")
    git(live.root, "commit", "--quiet", "-m", "An outage")
    git(tmp_path, "init", "--quiet", "--bare", "--initial-branch=main", "remote.git")
    git(live.root, "remote", "add", "origin", str(tmp_path / "remote.git"))
    git(live.root, "push", "--quiet", "--set-upstream", "origin", "main")
    assert live.run("publish", "--yes").code == 0
    assert git(live.root, "status", "--porcelain") == ""

    git(tmp_path, "clone", "--quiet", "--depth", "1", f"file://{tmp_path / 'remote.git'}", "clone")
    live.root = tmp_path / "clone"
    again = live.run("publish", "--yes", "--json")
    assert again.code == 0, again.err
    assert {row["state"] for row in again.json()["results"]} == {"done"}
    assert [len(live.stands(channel)) for channel in NETWORKED] == [1, 1, 1]


def test_one_channel_that_fails_stops_no_other_and_is_caught_up_later(
    live: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    live.write("incidents/slow.md", incident(FIRST))
    token = live.worlds["mastodon"].secrets()["ACCESS_TOKEN"]
    monkeypatch.setenv("BROADCAST_MASTODON_ACCESS_TOKEN", "wrong-and-secret")
    failed = live.run("publish", "--yes", "--json")
    assert failed.code == 5, failed.err  # to run again does not help, as where it is missing
    states = {row["channel"]: row["state"] for row in failed.json()["results"]}
    assert states == {"x": "posted", "bluesky": "posted", "mastodon": "failed", "site": "posted"}
    assert "wrong-and-secret" not in failed.out + failed.err

    monkeypatch.setenv("BROADCAST_MASTODON_ACCESS_TOKEN", token)
    assert live.run("publish", "--yes").code == 0
    assert [len(live.stands(channel)) for channel in NETWORKED] == [1, 1, 1]


def test_missing_credentials_are_named_before_anything_is_lost(live: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    live.write("incidents/slow.md", incident(FIRST))
    monkeypatch.delenv("BROADCAST_X_API_KEY")
    failed = live.run("publish", "--yes", "--strict")
    assert failed.code == 5
    assert "BROADCAST_X_API_KEY" in failed.err
    assert [len(live.stands(channel)) for channel in NETWORKED] == [0, 0, 0]
    failed = live.run("publish", "--yes")
    assert failed.code == 5
    assert [len(live.stands(channel)) for channel in NETWORKED] == [0, 1, 1]


def test_without_a_terminal_it_needs_yes(live: Desk) -> None:
    live.write("incidents/slow.md", incident(FIRST))
    refused = live.run("publish")
    assert refused.code == 2
    assert "--yes" in refused.err
    assert live.stands("x") == []


def test_a_dry_run_sends_nothing_and_writes_nothing(live: Desk) -> None:
    live.write("incidents/slow.md", incident(FIRST))
    assert live.run("publish", "--dry-run").code == 0
    assert [len(live.stands(channel)) for channel in NETWORKED] == [0, 0, 0]
    assert git(live.root, "for-each-ref") == ""


def test_errors_in_the_files_stop_everything(live: Desk) -> None:
    live.write("incidents/slow.md", incident(FIRST, more="colour: red\n"))
    failed = live.run("publish", "--yes")
    assert failed.code == 1
    assert "incidents/slow.md:4:1" in failed.err
    assert live.stands("x") == []


def test_outside_of_a_repository_nothing_is_sent(live: Desk, tmp_path: Path) -> None:
    live.write("incidents/slow.md", incident(FIRST))
    (live.root / ".git").rename(tmp_path / "gone")
    failed = live.run("publish", "--yes")
    assert failed.code == 6, failed.err
    assert live.stands("x") == []


def test_an_unreachable_remote_sends_nothing(live: Desk) -> None:
    live.write("incidents/slow.md", incident(FIRST))
    git(live.root, "remote", "add", "origin", "/nowhere/at/all.git")
    failed = live.run("publish", "--yes")
    assert failed.code == 6
    assert live.stands("x") == []


def test_a_changed_update_is_only_edited_and_only_where_that_can_be(live: Desk) -> None:
    path = live.write("incidents/slow.md", incident(FIRST))
    assert live.run("publish", "--yes").code == 0
    path.write_text(path.read_text(encoding="utf-8").replace("some of you", "all of you"), encoding="utf-8")
    rows = live.run("plan", "--json").json()["actions"]
    assert {row["state"] for row in rows} == {"changed"}
    assert live.run("publish", "--yes").code == 0
    assert all("some of you" in live.stands(channel)[0].text for channel in NETWORKED)

    assert live.run("publish", "--yes", "--edit").code == 0
    assert "all of you" in live.stands("mastodon")[0].text
    assert "some of you" in live.stands("x")[0].text
    states = {row["channel"]: row["state"] for row in live.run("plan", "--json").json()["actions"]}
    assert states == {"x": "changed", "bluesky": "changed", "mastodon": "done", "site": "done"}


def test_an_old_update_is_only_published_with_backfill(live: Desk) -> None:
    live.write("incidents/old.md", incident(("Investigating", 60 * 48, "Long ago.")))
    assert live.run("publish", "--yes").code == 0
    assert live.stands("x") == []
    assert live.run("publish", "--yes", "--backfill").code == 0
    assert len(live.stands("x")) == 1


def test_only_the_named_channel_is_sent_to(live: Desk) -> None:
    live.write("incidents/slow.md", incident(FIRST))
    assert live.run("publish", "--yes", "--channel", "mastodon").code == 0
    assert [len(live.stands(channel)) for channel in NETWORKED] == [0, 0, 1]
    unknown = live.run("publish", "--yes", "--channel", "mastodom")
    assert unknown.code == 2
    assert "mastodon" in unknown.err


def test_bluesky_shows_a_card_of_the_page(live: Desk) -> None:
    live.write("incidents/slow.md", incident(FIRST))
    assert live.run("publish", "--yes").code == 0
    assert [seen.card for seen in live.stands("bluesky")] == ["https://status.example.com/slow.html"]
    assert live.run("publish", "--yes").code == 0
    assert {row["state"] for row in live.run("plan", "--json").json()["actions"]} == {"done"}


def test_news_does_not_wait_for_somebody_elses_file(live: Desk) -> None:
    live.write("incidents/slow.md", incident(("Investigating", 5.0, "Searches are slow.")))
    live.write("incidents/other.md", "---\ntitle: Half written\nkind: nonsense\n---\n")
    assert live.run("publish", "--yes").code == 1
    done = live.run("publish", "slow", "--yes", "--json")
    assert done.code == 3
    results = {row["channel"]: row for row in done.json()["results"]}
    assert {name: results[name]["state"] for name in ("x", "bluesky", "mastodon")} == dict.fromkeys(
        ("x", "bluesky", "mastodon"), "posted"
    )
    assert "broadcast check" in results["site"]["error"]
    assert "other files have errors" in done.err
    assert live.run("publish", "other", "--yes").code == 1
    live.write("incidents/slow.fr.md", "---\ntitle: Lent\nkind: nonsense\n---\n")
    assert live.run("publish", "slow", "--yes").code == 1
    (live.root / "incidents/other.md").unlink()
    (live.root / "incidents/slow.fr.md").unlink()
    assert live.run("publish", "--yes").code == 0
    assert len(live.stands("x")) == 1
