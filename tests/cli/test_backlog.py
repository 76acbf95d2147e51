"""Renamed, added, corrected: nothing old is posted, and nothing twice."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from kit import Desk, Terminal, ago, git, incident

NETWORKED = ("x", "bluesky", "mastodon")
FIRST = ("Investigating", 30, "Searches are slow for some of you.")


def counts(desk: Desk) -> list[int]:
    return [len(desk.stands(channel)) for channel in NETWORKED]


def states(desk: Desk) -> set[str]:
    return {row["state"] for row in desk.run("plan", "--json").json()["actions"]}


def append(desk: Desk, slug: str, text: str = "Fast again.") -> None:
    assert desk.run("resolve", slug, "-m", text).code == 0


def test_a_renamed_file_is_recognized_and_moved(live: Desk) -> None:
    path = live.write("incidents/slow.md", incident(FIRST))
    assert live.run("publish", "--yes").code == 0
    path.rename(path.with_name("slow-search.md"))
    assert states(live) == {"skipped"}
    assert live.run("publish", "--yes").code == 0
    assert counts(live) == [1, 1, 1]
    assert "broadcast ledger move slow slow-search" in live.run("plan").out

    assert live.run("ledger", "move", "slow", "nope").code == 2
    assert live.run("ledger", "move", "slow", "slow-search").code == 0
    assert states(live) == {"done"}
    append(live, "slow-search")
    assert live.run("publish", "--yes").code == 0
    for channel in NETWORKED:
        first, second = live.stands(channel)
        assert second.reply_to == first.id


def test_a_renamed_channel_posts_nothing_old_and_can_be_moved(live: Desk) -> None:
    live.write("incidents/slow.md", incident(FIRST))
    assert live.run("publish", "--yes").code == 0
    config = (live.root / "broadcast.toml").read_text(encoding="utf-8")
    live.write("broadcast.toml", config.replace("[channels.mastodon]", "[channels.fediverse]"))
    assert live.run("publish", "--yes").code == 0
    assert counts(live) == [1, 1, 1]
    assert live.run("ledger", "move", "--channel", "mastodon", "fediverse").code == 0
    assert states(live) == {"done"}


def test_a_channel_that_is_added_in_the_middle_only_gets_what_comes_after(live: Desk) -> None:
    config = (live.root / "broadcast.toml").read_text(encoding="utf-8")
    live.write("broadcast.toml", config.partition("[channels.mastodon]")[0])
    live.write("incidents/slow.md", incident(FIRST))
    assert live.run("publish", "--yes").code == 0
    assert counts(live) == [1, 1, 0]
    live.write("broadcast.toml", config)
    assert live.run("publish", "--yes").code == 0
    assert counts(live) == [1, 1, 0]
    append(live, "slow")
    assert live.run("publish", "--yes").code == 0
    assert counts(live) == [2, 2, 1]
    assert "Fast again." in live.stands("mastodon")[0].text


def test_a_channel_that_was_not_named_or_could_not_log_in_catches_up(live: Desk) -> None:
    live.write("incidents/slow.md", incident(FIRST))
    assert live.run("publish", "--yes", "--channel", "x").code == 0
    assert counts(live) == [1, 0, 0]
    assert live.run("publish", "--yes").code == 0
    assert counts(live) == [1, 1, 1]


def test_a_time_that_is_corrected_afterwards_posts_nothing(live: Desk) -> None:
    path = live.write("incidents/slow.md", incident(FIRST))
    assert live.run("publish", "--yes").code == 0
    path.write_text(incident(("Investigating", 25, FIRST[2])), encoding="utf-8")
    assert states(live) == {"done"}
    assert live.run("publish", "--yes").code == 0
    path.write_text(incident(("Investigating", 20, "Other words, too.")), encoding="utf-8")
    assert states(live) == {"changed"}
    assert live.run("publish", "--yes").code == 0
    assert counts(live) == [1, 1, 1]
    append(live, "slow")
    assert live.run("publish", "--yes").code == 0
    for channel in NETWORKED:
        first, second = live.stands(channel)
        assert second.reply_to == first.id


def test_a_baseline_counts_everything_as_published(live: Desk) -> None:
    live.write("incidents/slow.md", incident(FIRST))
    live.write("incidents/old.md", incident(("Investigating", 60 * 100, "Old."), ("Resolved", 60 * 99, "Over.")))
    assert live.run("ledger", "baseline").code == 0
    assert states(live) == {"done"}
    assert live.run("publish", "--yes", "--backfill").code == 0
    assert counts(live) == [0, 0, 0]
    append(live, "slow")
    assert live.run("publish", "--yes").code == 0
    assert counts(live) == [1, 1, 1]
    assert all(live.stands(channel)[0].reply_to is None for channel in NETWORKED)


def test_a_lost_clone_and_a_new_history_post_nothing_again(live: Desk) -> None:
    """The ledger is a branch: rewriting the others, or beginning them anew, changes nothing in it."""
    live.write("incidents/slow.md", incident(FIRST))
    assert live.run("publish", "--yes").code == 0
    shutil.rmtree(live.root / "public")
    assert states(live) == {"done"}
    assert live.run("publish", "--yes").code == 0
    assert counts(live) == [1, 1, 1]


def test_an_update_in_the_future_waits_for_its_time(live: Desk) -> None:
    live.write("incidents/slow.md", incident(FIRST) + f"\n## Resolved - {ago(-60)}\nDone.\n")
    assert live.run("publish", "--yes").code == 0
    assert counts(live) == [1, 1, 1]
    rows = live.run("plan", "--json").json()["actions"]
    assert [row["state"] for row in rows if row["channel"] == "x"] == ["done", "scheduled"]


def test_verify_finds_what_does_not_stand_and_what_has_no_file(live: Desk) -> None:
    path = live.write("incidents/slow.md", incident(FIRST))
    assert live.run("publish", "--yes").code == 0
    assert live.run("ledger", "verify").code == 0
    whole = live.run("ledger", "verify", "--remote")
    assert whole.code == 0, whole.out
    live.remove("mastodon", live.stands("mastodon")[0].id)
    broken = live.run("ledger", "verify", "--remote")
    assert broken.code == 1
    assert "on mastodon: post 1 has a receipt" in broken.out
    path.rename(path.with_name("other.md"))
    assert "ledger move slow NEW" in live.run("ledger", "verify").out


def test_in_an_emergency_a_human_can_send_without_the_ledger(
    live: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    git(tmp_path, "init", "--quiet", "--bare", "remote.git")
    git(live.root, "remote", "add", "origin", str(tmp_path / "remote.git"))
    live.write("incidents/slow.md", incident(FIRST))
    (tmp_path / "remote.git").rename(tmp_path / "gone.git")
    assert live.run("publish", "--yes").code == 6
    assert live.run("publish", "--yes", "--ledger-offline").code == 2
    assert counts(live) == [0, 0, 0]

    monkeypatch.setattr("sys.stdin", Terminal())
    sent = live.run("publish", "--yes", "--ledger-offline")
    assert sent.code == 0, sent.err
    assert "only known on this machine" in sent.err
    assert counts(live) == [1, 1, 1]
    assert live.run("publish", "--yes", "--ledger-offline").code == 0
    assert counts(live) == [1, 1, 1]

    (tmp_path / "gone.git").rename(tmp_path / "remote.git")
    assert live.run("publish", "--yes").code == 0
    assert counts(live) == [1, 1, 1]
    append(live, "slow")
    assert live.run("publish", "--yes").code == 0
    assert counts(live) == [2, 2, 2]
    assert git(tmp_path / "remote.git", "log", "--format=%an", "broadcast/ledger")
