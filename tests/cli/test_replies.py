"""An account on X that may post and not reply: posts stand on their own, numbered, and the next run knows."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import pytest

from broadcast.errors import LedgerError
from broadcast.ledger.git import GitLedger
from broadcast.model import Event
from broadcast.rehearsal import x
from broadcast.rehearsal.server import Server
from kit import Desk, incident, table

LONG = "Searches are slow for some of you, and we do not know why yet. " * 12
FIRST, SECOND = ("Investigating", 30.0, LONG), ("Resolved", 5.0, "Search is fast again.")
LINK = "https://status.example.com/"
NUMBER = re.compile(r"\b(\d+)/(\d+)$")


@pytest.fixture
def refused(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    """A project with one channel on X, which refuses replies."""
    world = x.create(x.Options(replies_allowed=False))
    with Server(world) as server:
        desk.worlds["x"], desk.servers["x"] = world, server
        desk.write("broadcast.toml", f'url = "{LINK}"\n' + table("x", world.options(server.url)))
        for key, value in world.secrets().items():
            monkeypatch.setenv(f"BROADCAST_X_{key}", value)
        yield desk


def attempts(desk: Desk) -> int:
    return sum((entry.method, entry.path) == ("POST", "/2/tweets") for entry in desk.servers["x"].log)


def words(texts: list[str]) -> list[str]:
    """All that the posts say besides links and numbers."""
    text = " ".join(texts)
    return [word for word in text.split() if LINK not in word and not NUMBER.fullmatch(word)]


def test_it_falls_back_once_says_so_and_remembers(refused: Desk) -> None:
    refused.write("incidents/slow.md", incident(FIRST, SECOND))
    meant = [row["text"] for row in refused.run("plan", "--json").json()["actions"]]
    done = refused.run("publish", "--yes", "--json")
    assert done.code == 0, done.err
    rows = done.json()["results"]
    assert {row["state"] for row in rows} == {"posted"}
    assert ["refuses replies" in (row["error"] or "") for row in rows].count(True) == 1
    texts = [seen.text for seen in refused.stands("x")]
    assert len(texts) == len(rows) > 3
    assert {seen.reply_to for seen in refused.stands("x")} == {None}
    assert all(LINK in text for text in texts)
    assert words(texts) == words(meant)
    numbers = [found.groups() for text in texts[:-1] if (found := NUMBER.search(text))]
    assert [int(number) for number, _ in numbers] == list(range(1, len(texts)))
    assert {int(of) for _, of in numbers[1:]} == {len(numbers)}
    assert attempts(refused) == len(rows) + 1  # one reply was tried

    refused.write("incidents/other.md", incident(FIRST, title="Another one"))
    plan = refused.run("plan", "--json").json()["actions"]
    assert {row["state"] for row in plan if row["announcement"] == "slow"} == {"done"}
    planned = [row for row in plan if row["announcement"] == "other"]
    assert {row["reply_to"] for row in planned} == {None}
    assert all(LINK in row["text"] for row in planned)
    assert all(f"{row['part']}/{row['parts']}" in row["text"] for row in planned)
    before = attempts(refused)
    again = refused.run("publish", "--yes")
    assert again.code == 0, again.err
    assert attempts(refused) == before + len(planned)
    assert [seen.text for seen in refused.stands("x")[len(texts) :]] == [row["text"] for row in planned]
    assert refused.run("publish", "--yes").code == 0
    assert len(refused.stands("x")) == len(texts) + len(planned)


def test_other_announcements_of_the_same_run_are_planned_anew_too(refused: Desk) -> None:
    refused.write("incidents/slow.md", incident(FIRST))
    refused.write("incidents/zoo.md", incident(FIRST, title="The zoo is closed"))
    done = refused.run("publish", "--yes", "--json")
    assert done.code == 0, done.err
    texts = [seen.text for seen in refused.stands("x")]
    assert {seen.reply_to for seen in refused.stands("x")} == {None}
    assert all(LINK in text for text in texts)
    assert len(texts) == len(set(texts)) == len(done.json()["results"])
    assert attempts(refused) == len(texts) + 1


def test_without_a_page_there_is_no_link_to_carry(refused: Desk) -> None:
    config = (refused.root / "broadcast.toml").read_text(encoding="utf-8")
    refused.write("broadcast.toml", config.replace(f'url = "{LINK}"\n', ""))
    refused.write("incidents/slow.md", incident(FIRST))
    meant = [row["text"] for row in refused.run("plan", "--json").json()["actions"]]
    assert refused.run("publish", "--yes").code == 0
    assert [seen.text for seen in refused.stands("x")] == meant


def test_a_ledger_that_is_lost_meanwhile_leaves_the_rest_to_the_next_run(
    refused: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The claims of the rest have to be in the ledger before it is sent."""
    refused.write("incidents/slow.md", incident(FIRST))
    claims = iter([True, False])
    real = GitLedger.append

    def append(self: GitLedger, events: Sequence[Event], version: str | None) -> str:
        if version is not None and not next(claims):
            raise LedgerError("the remote is gone")
        return real(self, events, version)

    with monkeypatch.context() as patch:
        patch.setattr(GitLedger, "append", append)
        cut = refused.run("publish", "--yes", "--json")
    assert cut.code == 3
    assert "the remote is gone" in cut.json()["results"][1]["error"]
    assert len(refused.stands("x")) == 1
    assert refused.run("publish", "--yes").code == 0
    texts = [seen.text for seen in refused.stands("x")]
    assert len(texts) == len(set(texts)) > 2
    assert all(LINK in text for text in texts)


def test_always_makes_it_a_failure_and_never_does_not_try(refused: Desk) -> None:
    config = (refused.root / "broadcast.toml").read_text(encoding="utf-8")
    refused.write("broadcast.toml", config + 'replies = "always"\n')
    refused.write("incidents/slow.md", incident(FIRST))
    failed = refused.run("publish", "--yes")
    assert failed.code == 3
    assert len(refused.stands("x")) == 1
    refused.write("broadcast.toml", config + 'replies = "never"\n')
    done = refused.run("publish", "--yes")
    assert done.code == 0, done.err
    assert {seen.reply_to for seen in refused.stands("x")} == {None}
    planned = refused.run("plan", "--json").json()["actions"]
    assert [seen.text for seen in refused.stands("x")] == [row["text"] for row in planned]
    assert attempts(refused) == len(planned) + 1
