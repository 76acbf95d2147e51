"""`retract` as a user runs it: what was posted is gone, stays gone, and is never posted again."""

from __future__ import annotations

from dataclasses import replace

import pytest

from broadcast.rehearsal.base import Request, json_response
from broadcast.rehearsal.server import LOST, Fault
from kit import Desk, git, incident

NETWORKED = ("x", "bluesky", "mastodon")
LONG = "Searches are slow for some of you, and we do not know why yet. " * 12
FIRST, SECOND = ("Investigating", 30.0, LONG), ("Resolved", 5.0, "Search is fast again.")


def states(desk: Desk) -> set[tuple[str, str]]:
    return {(row["status"], row["state"]) for row in desk.run("plan", "--json").json()["actions"]}


def page(desk: Desk) -> str:
    file = desk.root / "public" / "slow.html"
    return file.read_text(encoding="utf-8") if file.exists() else ""


def append(desk: Desk, *updates: tuple[str, float, str]) -> None:
    path = desk.root / "incidents/slow.md"
    path.write_text(path.read_text(encoding="utf-8") + incident(*updates).split("---\n", 2)[2], encoding="utf-8")


@pytest.fixture
def published(live: Desk) -> Desk:
    live.write("incidents/slow.md", incident(FIRST, SECOND))
    assert live.run("publish", "--yes").code == 0
    assert all(len(live.stands(name)) > 2 for name in NETWORKED)
    return live


def test_everything_is_deleted_newest_first_and_never_posted_again(published: Desk) -> None:
    urls = {name: [seen.url for seen in published.stands(name)] for name in NETWORKED}
    done = published.run("retract", "slow", "--yes", "--json")
    assert done.code == 0, done.err
    rows = done.json()["results"]
    assert {row["state"] for row in rows} == {"done"}
    for name in NETWORKED:
        assert published.stands(name) == []
        assert [row["url"] for row in rows if row["channel"] == name] == urls[name][::-1]
    deletes = [entry for entry in published.servers["bluesky"].log if entry.path.endswith("applyWrites")]
    assert len(deletes) == 3  # two threads were written, and both are deleted at once
    assert states(published) == {("investigating", "skipped"), ("resolved", "skipped")}
    (standing,) = published.run("status", "--all", "--json").json()["announcements"]
    assert [standing["channels"][name]["urls"] for name in NETWORKED] == [[], [], []]

    assert published.run("publish", "--yes", "--backfill").code == 0
    assert [published.stands(name) for name in NETWORKED] == [[], [], []]
    assert published.run("retract", "slow", "--yes", "--json").json()["results"] == []
    told = published.run("ledger", "show").out
    assert "(retract)" in told


def test_one_update_on_one_channel(published: Desk) -> None:
    update = max(row["update"] for row in published.run("plan", "--json").json()["actions"])
    before = {name: published.stands(name) for name in NETWORKED}
    done = published.run("retract", "slow", "--yes", "--update", update, "--channel", "mastodon")
    assert done.code == 0, done.err
    assert published.stands("mastodon") == before["mastodon"][:-1]
    assert published.stands("x") == before["x"]


def test_a_later_update_does_not_answer_a_deleted_post(published: Desk) -> None:
    update = max(row["update"] for row in published.run("plan", "--json").json()["actions"])
    assert published.run("retract", "slow", "--yes", "--update", update).code == 0
    tails = {name: published.stands(name)[-1].id for name in NETWORKED}
    append(published, ("Postmortem", 1, "This is what happened."))
    assert published.run("publish", "--yes").code == 0
    for name in NETWORKED:
        assert published.stands(name)[-1].reply_to == tails[name]
        assert "This is what happened" in published.stands(name)[-1].text


def test_the_page_forgets_it_and_later_builds_do_too(published: Desk) -> None:
    update = max(row["update"] for row in published.run("plan", "--json").json()["actions"])
    assert "Search is fast again" in page(published)
    assert published.run("retract", "slow", "--yes", "--update", update).code == 0
    assert "Search is fast again" not in page(published)
    assert published.run("site").code == 0
    assert "Searches are slow" in page(published)
    assert "Search is fast again" not in page(published)
    append(published, ("Postmortem", 1, "This is what happened."))
    assert published.run("publish", "--yes").code == 0
    assert "This is what happened" in page(published)
    assert "Search is fast again" not in page(published)

    assert published.run("retract", "slow", "--yes").code == 0
    assert page(published) == ""


def test_without_its_file_it_can_still_be_retracted(published: Desk) -> None:
    (published.root / "incidents/slow.md").unlink()
    assert published.run("retract", "slow", "--yes").code == 0
    assert [published.stands(name) for name in NETWORKED] == [[], [], []]


def test_a_failure_half_way_says_what_stands_and_the_next_run_goes_on(published: Desk) -> None:
    count = iter(range(100))

    def decide(request: Request, number: int) -> Fault | None:
        refused = request.method == "DELETE" and next(count) == 1
        return Fault(effect=False, answer=json_response({"error": "not now"}, 403)) if refused else None

    published.servers["mastodon"].faults = decide
    before = published.stands("mastodon")
    failed = published.run("retract", "slow", "--yes", "--json")
    assert failed.code == 3, failed.err
    assert published.stands("x") == []
    left = published.stands("mastodon")
    assert left == before[:-1]
    assert f"{len(left)} posts could not be deleted and still stand" in failed.err
    assert all(seen.url in failed.err for seen in left)
    rows = [row["state"] for row in failed.json()["results"] if row["channel"] == "mastodon"]
    assert rows == ["done", "failed", *["skipped"] * (len(left) - 1)]

    again = published.run("retract", "slow", "--yes")
    assert again.code == 0, again.err
    assert published.stands("mastodon") == []


@pytest.mark.parametrize("name", NETWORKED)
def test_a_deletion_whose_answer_was_lost_is_no_trouble(published: Desk, name: str) -> None:
    writes = iter(range(100))

    def decide(request: Request, number: int) -> Fault | None:
        delete = request.method == "DELETE" or request.path.endswith("applyWrites")
        return LOST if delete and next(writes) == 0 else None

    published.servers[name].faults = decide
    first = published.run("retract", "slow", "--yes")
    assert first.code in (0, 3), first.err
    assert published.run("retract", "slow", "--yes").code == 0
    assert published.stands(name) == []
    assert states(published) == {("investigating", "skipped"), ("resolved", "skipped")}


def test_what_is_in_doubt_is_looked_up_and_the_rest_of_a_thread_is_given_up(
    live: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    live.write("incidents/slow.md", incident(FIRST))
    posts = iter(range(100))

    def cut(request: Request, number: int) -> Fault | None:
        if request.path == "/2/tweets" and request.method == "POST":
            return LOST if next(posts) == 1 else None
        return Fault(effect=False, answer="none") if request.path.endswith("/tweets") else None

    live.servers["x"].faults = cut
    assert live.run("publish", "--yes").code in (3, 4)
    live.servers["x"].faults = None
    assert len(live.stands("x")) == 2
    monkeypatch.setattr("broadcast.runs.alive", lambda run, claimed, now: False)
    done = live.run("retract", "slow", "--yes", "--json")
    assert done.code == 0, done.err
    assert len([row for row in done.json()["results"] if row["channel"] == "x"]) == 2
    assert live.stands("x") == []
    assert live.run("publish", "--yes").code == 0
    assert live.stands("x") == []
    assert states(live) == {("investigating", "skipped")}


def test_it_asks_first(published: Desk) -> None:
    refused = published.run("retract", "slow")
    assert refused.code == 2
    assert "--yes" in refused.err
    assert len(published.stands("x")) > 2


def test_what_never_was_and_wrong_usage(published: Desk) -> None:
    assert published.run("retract", "nope", "--yes").code == 2
    assert published.run("retract", "slow", "--yes", "--update", "yesterday").code == 2
    nothing = published.run("retract", "slow", "--yes", "--update", "2020-01-01T00:00:00Z")
    assert nothing.code == 0
    assert "nothing was deleted" in nothing.err


def test_a_page_of_broken_files_is_not_built(published: Desk) -> None:
    published.write("incidents/other.md", "broken")
    before = page(published)
    failed = published.run("retract", "slow", "--yes")
    assert failed.code == 3
    assert "broadcast check" in failed.out
    assert page(published) == before
    assert [published.stands(name) for name in NETWORKED] == [[], [], []]


def test_a_ledger_that_cannot_be_reached_deletes_nothing(published: Desk) -> None:
    git(published.root, "remote", "add", "origin", "/nowhere/at/all.git")
    assert published.run("retract", "slow", "--yes").code == 6
    assert len(published.stands("x")) > 2


@pytest.mark.parametrize("name", NETWORKED)
def test_a_post_that_says_something_else_now_is_left_and_named_and_the_rest_is_deleted(
    published: Desk, name: str
) -> None:
    victim = published.stands(name)[1]
    world = published.worlds[name]
    if name == "bluesky":
        record = world.repo._records["app.bsky.feed.post", victim.id.rpartition("/")[2]]  # type: ignore[attr-defined]
        record.value["text"] = "A person wrote this."
    else:
        posts = world.posts if name == "x" else world.statuses  # type: ignore[attr-defined]
        posts[victim.id] = replace(posts[victim.id], text="A person wrote this.")
    done = published.run("retract", "slow", "--yes", "--json")
    assert done.code == 4, done.err
    assert [seen.text for seen in published.stands(name)] == ["A person wrote this."]
    (left,) = [row for row in done.json()["results"] if row["state"] == "uncertain"]
    assert (left["channel"], left["id"], left["url"]) == (name, victim.id, victim.url)
    assert "does not say what was sent" in left["error"]
    assert f"{name} {victim.url}" in done.err
    assert published.run("retract", "slow", "--yes").code == 4

    where = ("--update", left["update"], "--channel", name, "--part", str(left["part"]))
    assert f"ledger settle slow {' '.join(where)} --not-ours" in done.err
    assert published.run("ledger", "settle", "slow", *where, "--posted", "--id", "../x").code == 2
    assert published.run("ledger", "settle", "slow", *where, "--not-ours").code == 0
    assert published.run("retract", "slow", "--yes").code == 0
    assert published.run("publish", "--yes", "--backfill").code == 0
    assert [seen.text for seen in published.stands(name)] == ["A person wrote this."]


def test_what_was_deleted_by_hand_is_no_trouble(published: Desk) -> None:
    published.remove("mastodon", published.stands("mastodon")[0].id)
    assert published.run("retract", "slow", "--yes").code == 0
    assert published.stands("mastodon") == []


def test_a_channel_that_cannot_be_read_keeps_its_posts_until_it_can(published: Desk) -> None:
    refused = Fault(effect=False, answer=json_response({"detail": "not with this plan"}, 403))
    published.servers["x"].faults = lambda request, number: refused if request.path == "/2/tweets" else None
    before = published.stands("x")
    failed = published.run("retract", "slow", "--yes")
    assert failed.code == 3, failed.err
    assert "left alone" in failed.out
    assert published.stands("x") == before
    assert published.stands("mastodon") == []
    published.servers["x"].faults = None
    assert published.run("retract", "slow", "--yes").code == 0
    assert published.stands("x") == []


@pytest.mark.parametrize("effect", [True, False], ids=["made", "not made"])
def test_an_edit_whose_answer_was_lost_can_be_taken_back_or_made_again(published: Desk, *, effect: bool) -> None:
    """The post says the old words or the new ones, and both are ours."""
    path = published.root / "incidents/slow.md"
    path.write_text(path.read_text(encoding="utf-8").replace("fast again", "quick again"), encoding="utf-8")
    lost = Fault(effect=effect, answer="none")
    published.servers["mastodon"].faults = lambda request, number: lost if request.method == "PUT" else None
    assert published.run("publish", "--yes", "--edit").code == 3
    published.servers["mastodon"].faults = None
    if effect:
        assert published.run("publish", "--yes", "--edit").code == 0
        assert "quick again" in published.stands("mastodon")[-1].text
    assert published.run("retract", "slow", "--yes").code == 0
    assert published.stands("mastodon") == []
