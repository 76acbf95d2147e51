from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from broadcast.backlog import Rules
from broadcast.ledger.base import Log
from broadcast.model import (
    Card,
    Channel,
    Event,
    Facet,
    FitOptions,
    Intent,
    Limits,
    Media,
    Plan,
    Post,
    Receipt,
    Ref,
    Thread,
    Verdict,
)
from broadcast.plan import plan

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
CHANNEL = Channel("x", "x", FitOptions(), Limits(280, len))
RULES = Rules(now=NOON + timedelta(hours=3), stale_after=timedelta(hours=24))


def thread(*texts: str, hour: int = 0, channel: Channel = CHANNEL, source: str = "s1") -> Thread:
    posts = tuple(Post(text, len(text)) for text in texts)
    return Thread("outage", NOON + timedelta(hours=hour), "update", channel, "en", posts, source)


def intents(of: Thread, run: str = "r1") -> list[Event]:
    return [*claims(of, run)]


def claims(of: Thread, run: str = "r1") -> list[Intent]:
    return [
        Intent(
            announcement=of.announcement,
            update=of.update,
            channel=of.channel.name,
            part=number,
            parts=len(of.posts),
            at=NOON,
            run=run,
            status=of.status,
            post=post,
            language=of.language,
            source=of.source,
        )
        for number, post in enumerate(of.posts, 1)
    ]


def receipt(of: Thread, part: int) -> Receipt:
    ref = Ref(f"id-{of.update:%H}-{part}", f"https://x.example/{of.update:%H}/{part}")
    return Receipt(of.announcement, of.update, of.channel.name, part, NOON, "r1", ref)


def absent(of: Thread, part: int) -> Verdict:
    return Verdict(of.announcement, of.update, of.channel.name, part, NOON, "r1", "absent", "reconcile")


def published(of: Thread) -> list[Event]:
    return [*intents(of), *(receipt(of, number) for number in range(1, len(of.posts) + 1))]


def price(platform: str, post: Post) -> float:
    return 0.2 if post.facets else 0.015


def made(threads: Sequence[Thread], events: Sequence[Event] = (), rules: Rules = RULES) -> Plan:
    return plan(
        threads,
        Log("v", {"outage": events}),
        rules,
        slugs=["outage"],
        cost=lambda platform, post: 0.2 if post.facets else 0.015,
    )


def states(of: Plan) -> list[tuple[str, int, str]]:
    return [(f"{row.update:%H}", row.part, row.state) for row in of.actions]


def test_what_the_ledger_does_not_know_is_to_do_and_answers_the_post_before_it() -> None:
    shown = made([thread("a", "b"), thread("c", hour=1)])
    assert states(shown) == [("12", 1, "todo"), ("12", 2, "todo"), ("13", 1, "todo")]
    replies = [row.reply_to and (row.reply_to.update.hour, row.reply_to.part, row.reply_to.id) for row in shown.actions]
    assert replies == [None, (12, 1, None), (12, 2, None)]


def test_what_stands_is_done_and_an_appended_update_answers_its_last_post() -> None:
    first = thread("a", "b")
    shown = made([first, thread("c", hour=1)], published(first))
    assert states(shown) == [("12", 1, "done"), ("12", 2, "done"), ("13", 1, "todo")]
    assert [row.ref.id if row.ref else None for row in shown.actions] == ["id-12-1", "id-12-2", None]
    reply = shown.actions[2].reply_to
    assert reply is not None
    assert (reply.part, reply.id, reply.url) == (2, "id-12-2", "https://x.example/12/2")


def test_an_update_of_the_future_waits_and_a_stale_one_needs_backfill() -> None:
    old, new = thread("old", hour=-40), thread("new", hour=4)
    assert states(made([old, new])) == [("20", 1, "skipped"), ("16", 1, "scheduled")]
    assert states(made([old, new], rules=replace(RULES, backfill=True))) == [("20", 1, "todo"), ("16", 1, "scheduled")]


def test_an_update_exactly_as_old_as_stale_after_is_still_published() -> None:
    assert states(made([thread("a", hour=-21)])) == [("15", 1, "todo")]
    assert states(made([replace(thread("a"), update=RULES.now - timedelta(hours=24, seconds=1))]))[0][2] == "skipped"


def test_an_update_older_than_what_stands_is_skipped_because_followers_have_read_on() -> None:
    second = thread("b", hour=1)
    shown = made([thread("a"), second], published(second))
    assert states(shown) == [("12", 1, "skipped"), ("13", 1, "done")]


def test_an_intent_without_a_receipt_is_uncertain_and_shows_what_was_to_be_sent() -> None:
    first = thread("a", "b")
    shown = made([thread("A changed", source="s2")], intents(first))
    assert states(shown) == [("12", 1, "uncertain"), ("12", 2, "uncertain")]
    assert [row.post.text for row in shown.actions] == ["a", "b"]


def test_half_a_thread_is_finished_as_it_was_begun_however_old_it_is() -> None:
    first = thread("a", "b", "c", hour=-40)
    events = [*intents(first), receipt(first, 1), absent(first, 2), absent(first, 3)]
    shown = made([first], events)
    assert states(shown) == [("20", 1, "done"), ("20", 2, "todo"), ("20", 3, "todo")]
    assert [row.post.text for row in shown.actions] == ["a", "b", "c"]
    assert [row.reply_to.id if row.reply_to else None for row in shown.actions] == [None, "id-20-1", None]


def test_the_rest_of_half_a_thread_is_what_the_file_says_now() -> None:
    first = thread("a", "b", "c")
    events = [*intents(first), receipt(first, 1), absent(first, 2), absent(first, 3)]
    shown = made([thread("a", "another rest", source="s2")], events)
    assert [(row.post.text, row.state) for row in shown.actions] == [("a", "done"), ("another rest", "todo")]


def test_where_the_file_no_longer_begins_as_half_a_thread_does_a_human_is_asked() -> None:
    first = thread("a", "b", "c")
    events = [*intents(first), receipt(first, 1), absent(first, 2), absent(first, 3)]
    shown = made([thread("A changed", source="s2")], events)
    assert states(shown) == [("12", 1, "done"), ("12", 2, "uncertain"), ("12", 3, "uncertain")]
    assert "put the file back" in shown.actions[1].note


FORGED = Post("b", 1, (Facet("link", "https://evil.example", 0, 1),), (Media("secret.png", "x"),), Card("u", "t", "d"))


def test_what_is_sent_of_half_a_thread_has_nothing_of_the_ledgers_intents() -> None:
    first = thread("a", "b")
    one, two = claims(first)
    two = replace(two, post=FORGED, language="xx", status="resolved", audience=("evil",))
    row = made([first], [one, two, receipt(first, 1), absent(first, 2)]).actions[1]
    assert (row.state, row.post, row.language) == ("todo", first.posts[1], first.language)
    assert (row.status, row.source, row.audience) == (first.status, first.source, first.audience)


@pytest.mark.parametrize("standing", [replace(FORGED, text="a"), Post("A", 1)], ids=["links", "text"])
def test_what_stands_must_be_what_the_file_begins_with(standing: Post) -> None:
    first = thread("a", "b")
    one, two = claims(first)
    events: list[Event] = [replace(one, post=standing), two, receipt(first, 1), absent(first, 2)]
    assert states(made([first], events)) == [("12", 1, "done"), ("12", 2, "uncertain")]


def test_a_receipt_without_an_intent_begins_nothing() -> None:
    first = thread("a", "b")
    two = claims(first)[1]
    assert states(made([first], [receipt(first, 1), two, absent(first, 2)])) == [
        ("12", 1, "done"),
        ("12", 2, "uncertain"),
    ]
    assert states(made([first], [receipt(first, 1)])) == [("12", 1, "done"), ("12", 2, "uncertain")]


def test_half_a_thread_whose_file_says_only_what_stands_is_whole() -> None:
    first = thread("a", "b")
    events = [*intents(first), receipt(first, 1), absent(first, 2)]
    assert states(made([thread("a", source="s2")], events)) == [("12", 1, "done")]


def test_half_a_thread_that_waits_for_a_human_holds_up_no_later_update() -> None:
    first = thread("a", "b")
    events = [*intents(first), receipt(first, 1), absent(first, 2)]
    shown = made([thread("changed", source="s2"), thread("c", hour=1)], events)
    assert states(shown) == [("12", 1, "done"), ("12", 2, "uncertain"), ("13", 1, "todo")]
    reply = shown.actions[2].reply_to
    assert reply is not None
    assert (reply.part, reply.id) == (1, "id-12-1")


def test_half_a_thread_whose_time_was_changed_is_not_begun_again() -> None:
    first = thread("a", "b")
    events = [*intents(first), receipt(first, 1), absent(first, 2)]
    shown = made([replace(first, update=first.update + timedelta(minutes=1))], events)
    assert [row.state for row in shown.actions] == ["done", "uncertain"]


def test_the_next_update_answers_the_end_of_a_thread_that_is_still_to_be_finished() -> None:
    first = thread("a", "b")
    events = [*intents(first), receipt(first, 1), absent(first, 2)]
    reply = made([first, thread("c", hour=1)], events).actions[2].reply_to
    assert reply is not None
    assert (reply.update.hour, reply.part, reply.id) == (12, 2, None)


def test_an_update_of_which_nothing_was_sent_is_planned_anew() -> None:
    first = thread("a", "b")
    shown = made([thread("one", source="s2")], [*intents(first), absent(first, 1), absent(first, 2)])
    assert [(row.post.text, row.state, row.parts) for row in shown.actions] == [("one", "todo", 1)]


@pytest.mark.parametrize(
    ("text", "source", "state"),
    [("a", "s2", "done"), ("other", "s1", "done"), ("other", "s2", "changed")],
    ids=["only the file", "only the template", "both"],
)
def test_a_published_update_is_changed_when_the_file_and_the_text_both_are(text: str, source: str, state: str) -> None:
    shown = made([thread(text, source=source)], published(thread("a")))
    assert states(shown) == [("12", 1, state)]


def test_a_baseline_counts_as_done_and_is_nothing_to_answer() -> None:
    first = thread("a")
    mark = Verdict("outage", first.update, "x", 0, NOON, "r1", "posted", "baseline")
    shown = made([first, thread("b", hour=1)], [mark])
    assert states(shown) == [("12", 1, "done"), ("13", 1, "todo")]
    assert shown.actions[1].reply_to is None


def test_an_update_that_left_the_file_is_still_what_the_next_one_answers() -> None:
    shown = made([thread("b", hour=1)], published(thread("a")))
    reply = shown.actions[0].reply_to
    assert reply is not None
    assert reply.id == "id-12-1"


def test_channels_have_chains_of_their_own() -> None:
    other = replace(CHANNEL, name="y")
    shown = made([thread("a"), thread("a", channel=other), thread("b", hour=1), thread("b", hour=1, channel=other)])
    assert [(row.channel, row.reply_to is None) for row in shown.actions] == [
        ("x", True),
        ("y", True),
        ("x", False),
        ("y", False),
    ]


def test_a_dry_channel_is_planned_and_skipped() -> None:
    assert states(made([thread("a", channel=replace(CHANNEL, dry=True))])) == [("12", 1, "skipped")]


def test_the_cost_counts_what_is_to_do() -> None:
    first = thread("a")
    linked = replace(
        thread("b", hour=1), posts=(Post("https://a.example", 17, (Facet("link", "https://a.example", 0, 17),)),)
    )
    assert made([first, linked]).cost == {"x": 0.215}
    assert made([first], published(first)).cost == {"x": 0.0}
