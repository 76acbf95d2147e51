"""What events come to, rule by rule."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Literal

from hypothesis import given
from hypothesis import strategies as st

from broadcast.ledger.history import PartState, Sent, fold
from broadcast.model import Event, Intent, Post, Receipt, Ref, Verdict

UPDATE = datetime(2026, 11, 22, 14, 5, tzinfo=UTC)
AT = UPDATE + timedelta(minutes=1)


def intent(part: int, parts: int = 1, run: str = "a", text: str = "news", channel: str = "x") -> Intent:
    return Intent("api", UPDATE, channel, part, parts, AT, run, "investigating", Post(text, 4), "en", "digest")


def receipt(part: int, ref: str = "1", run: str = "a") -> Receipt:
    return Receipt("api", UPDATE, "x", part, AT, run, Ref(ref))


def verdict(
    what: Literal["absent", "posted", "retracted"], part: int = 0, run: str = "b", by: str = "reconcile"
) -> Verdict:
    return Verdict("api", UPDATE, "x", part, AT, run, what, by)


def sent(*events: Event) -> Sent:
    return fold(events)[UPDATE, "x"]


def states(*events: Event) -> list[str]:
    return [part.state for part in sent(*events).parts]


def test_nothing_happened() -> None:
    assert fold([]) == {}


def test_a_claim_is_open_until_each_receipt() -> None:
    one, two = intent(1, 2), intent(2, 2)
    assert sent(one, two, receipt(1, "17")) == Sent(
        (PartState(1, one, Ref("17"), "posted"), PartState(2, two, None, "open")), run="a", claimed_at=AT
    )


def test_updates_and_channels_are_kept_apart() -> None:
    other = intent(1, channel="bluesky")
    later = Verdict("api", AT, "x", 0, AT, "r", "posted", "baseline")
    assert fold([other, later]) == {
        (UPDATE, "bluesky"): Sent((PartState(1, other, None, "open"),), run="a", claimed_at=AT),
        (AT, "x"): Sent((), baseline=True),
    }


def test_a_later_intent_supersedes_the_earlier() -> None:
    first, again = intent(1, run="a"), intent(1, run="b", text="better")
    assert sent(first, verdict("absent"), again).parts == (PartState(1, again, None, "open"),)
    assert sent(first, again).parts == (PartState(1, again, None, "open"),)
    assert sent(first, again).run == "b"


def test_a_claim_of_another_number_of_parts_replaces_what_does_not_stand() -> None:
    long = [intent(part, 3) for part in (1, 2, 3)]
    short = [intent(part, 2, run="b") for part in (1, 2)]
    assert [(part.intent, part.state) for part in sent(*long, verdict("absent"), *short).parts] == [
        (short[0], "open"),
        (short[1], "open"),
    ]


def test_what_stands_or_may_stand_outlives_a_claim_of_another_number_of_parts() -> None:
    long = [intent(part, 3) for part in (1, 2, 3)]
    assert states(*long, receipt(3), verdict("absent", 2), intent(1, 2, run="b")) == ["open", "posted"]
    assert states(*long, verdict("absent", 1), intent(1, 1, run="b")) == ["open", "open", "open"]


def test_the_rest_of_a_thread_is_claimed_again() -> None:
    thread = [intent(part, 3) for part in (1, 2, 3)]
    resumed = [intent(part, 3, run="b") for part in (2, 3)]
    story = sent(*thread, receipt(1), verdict("absent"), *resumed, receipt(2, "2"), receipt(3, "3"))
    assert [(part.state, part.ref) for part in story.parts] == [("posted", Ref(ref)) for ref in "123"]
    assert story.run == "b"


def test_absent_clears_open_intents_only() -> None:
    thread = [intent(part, 3) for part in (1, 2, 3)]
    assert states(*thread, receipt(1), verdict("absent", 2)) == ["posted", "absent", "open"]
    assert states(*thread, receipt(1), verdict("absent")) == ["posted", "absent", "absent"]
    assert states(*thread, receipt(1), verdict("absent", 1)) == ["posted", "open", "open"]
    assert fold([verdict("absent", 1)])[UPDATE, "x"].parts == ()


def test_a_run_that_takes_its_claim_back_too_late_says_nothing_of_the_next_claim() -> None:
    late = verdict("absent", 1, run="a", by="publish")
    assert states(intent(1, run="a"), verdict("absent", 1, run="b"), intent(1, run="b"), late) == ["open"]
    assert states(intent(1, run="a"), intent(1, run="b"), verdict("absent", run="a")) == ["open"]
    # Its own claim it may take back, and a claim that it never made it has looked up.
    assert states(intent(1, run="a"), late) == ["absent"]
    assert states(intent(1, run="a"), verdict("absent", 1, run="c")) == ["absent"]
    # Also when the claim in between had another number of parts.
    assert states(intent(1, 1, run="a"), verdict("absent", run="b"), intent(1, 2, run="b"), late) == ["open"]


def test_a_baseline_needs_no_posts() -> None:
    assert sent(verdict("posted", by="baseline")) == Sent((), baseline=True)
    assert sent(verdict("posted", by="baseline"), verdict("retracted")) == Sent(())


def test_settled_as_posted_there_is_no_reference() -> None:
    thread = [intent(part, 3) for part in (1, 2, 3)]
    assert [(part.state, part.ref) for part in sent(*thread, receipt(1), verdict("posted", 2, by="settle")).parts] == [
        ("posted", Ref("1")),
        ("posted", None),
        ("open", None),
    ]
    assert states(*thread, verdict("absent", 1), verdict("posted", by="settle")) == ["posted"] * 3
    assert states(verdict("posted", 2, by="settle")) == ["posted"]


def test_retracted_and_posted_anew() -> None:
    thread: Sequence[Event] = [intent(1, 2), intent(2, 2), receipt(1, "1")]
    assert [(part.state, part.ref) for part in sent(*thread, receipt(2, "2"), verdict("retracted", 2)).parts] == [
        ("posted", Ref("1")),
        ("retracted", Ref("2")),
    ]
    assert states(*thread, verdict("retracted")) == ["retracted", "open"]
    again: Sequence[Event] = [verdict("retracted", 1), intent(1, 2, run="b")]
    assert [(part.state, part.ref) for part in sent(*thread, *again).parts] == [("open", None), ("open", None)]
    assert sent(*thread, *again, receipt(1, "9")).parts[0].ref == Ref("9")


def test_a_receipt_that_comes_after_the_retraction_changes_nothing() -> None:
    events: Sequence[Event] = [intent(1), receipt(1, "1"), verdict("retracted", 1)]
    assert states(*events, receipt(1, "1")) == ["retracted"]
    assert states(*events, intent(1, run="b"), receipt(1, "1")) == ["open"]


def test_an_edit_counts_once_it_is_receipted() -> None:
    old, new = intent(1), intent(1, run="b", text="edited")
    assert sent(old, receipt(1), new).parts == (PartState(1, old, Ref("1"), "posted", new),)
    assert sent(old, receipt(1), new, receipt(1, run="b")).parts == (PartState(1, new, Ref("1"), "posted"),)


def test_a_receipt_is_believed_without_its_intent() -> None:
    assert sent(receipt(2, "2")).parts == (PartState(2, None, Ref("2"), "posted"),)


runs = st.sampled_from(["a", "b", "c"])
parts = st.integers(1, 3)
events_of_any_kind: st.SearchStrategy[Event] = st.one_of(
    st.builds(lambda part, more, run: intent(part, part + more, run), parts, st.integers(0, 2), runs),
    st.builds(receipt, parts, st.sampled_from(["1", "2", "3"]), runs),
    st.builds(verdict, st.sampled_from(["absent", "posted"]), st.integers(0, 3), runs),
)


@given(st.lists(events_of_any_kind, max_size=12), st.lists(events_of_any_kind, max_size=6))
def test_what_stands_stays_posted_until_it_is_retracted(before: list[Event], after: list[Event]) -> None:
    posted = {part.part for part in fold(before).get((UPDATE, "x"), Sent(())).parts if part.state == "posted"}
    assert posted <= {
        part.part for part in fold([*before, *after]).get((UPDATE, "x"), Sent(())).parts if part.state == "posted"
    }


@given(st.lists(events_of_any_kind, max_size=12), parts)
def test_an_open_claim_is_never_forgotten(events: list[Event], part: int) -> None:
    """Whatever came before, and whatever other runs claim after, a claim stays in view until it is judged."""
    after = [intent(other, 3, "c") for other in (1, 2, 3) if other != part]
    story = fold([*events, intent(part, 3, "a"), *after])[UPDATE, "x"]
    assert {found.state for found in story.parts if found.part == part} <= {"open", "posted"}
    assert part in {found.part for found in story.parts}
