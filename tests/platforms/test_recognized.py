"""Posts of which no run has an intent, told by what they say: what a ledger that was lost asks for."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from broadcast.errors import UnprovableError
from broadcast.model import Facet, Intent, Post
from broadcast.platforms import bluesky_posts, mastodon, x
from broadcast.platforms.standing import Listing
from broadcast.rehearsal.server import REFUSED

if TYPE_CHECKING:
    from platforms.conftest import Bench, Open

THREAD = (
    "Elevated API errors in the EU 👩‍👩‍👧‍👦 & <b>more</b> #outage https://status.example.com/a?b=1&c=2#d",
    "Second, é and e\u0301",
    "Third: https://example.com/",
)


@pytest.fixture(params=["mastodon", "bluesky", "bluesky-pds", "x"])
def bench(request: pytest.FixtureRequest, open_bench: Open) -> Bench:
    return open_bench(request.param)


def nobodys(intents: Sequence[Intent]) -> list[Intent]:
    return [replace(intent, run="", payload={}, ref=None) for intent in intents]


def looks(bench: Bench) -> int:
    ends = ("/tweets", "/statuses", ".listRecords")
    return sum(entry.method == "GET" and entry.path.endswith(ends) for entry in bench.server.log)


def test_a_thread_is_known_by_what_it_says_and_answers(bench: Bench) -> None:
    connection = bench.connect()
    root = bench.publish(connection, [bench.post("The first.")])[0]
    posts = [bench.post(text) for text in THREAD]
    refs = bench.publish(connection, posts, root)
    intents = nobodys(bench.intents(connection, posts, root))
    later = bench.connect()
    found = later.find(intents, root)
    assert [found[part].id for part in (1, 2, 3)] == [ref.id for ref in refs]
    assert found[3].url == refs[2].url
    # All that a reply needs is there: the next update goes on from it.
    bench.publish(later, [bench.post("And another.")], found[3])
    assert bench.standing()[-1].reply_to == refs[2].id
    assert later.find(intents[:1], None) == {}
    other = replace(intents[0], post=bench.post("Something else."))
    assert later.find([other], root) == {}


def test_one_look_is_enough(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(x, "LAG", (60.0,))
    monkeypatch.setattr(mastodon, "LAG", (60.0,))
    connection = bench.connect()
    intents = nobodys(bench.intents(connection, [bench.post(text) for text in THREAD]))
    started = time.monotonic()
    assert connection.find(intents, None) == {}
    assert time.monotonic() - started < 30
    assert looks(bench) == 1


def test_a_platform_that_does_not_answer_proves_nothing(bench: Bench) -> None:
    connection = bench.connect()
    intents = nobodys(bench.intents(connection, [bench.post("The first.")]))
    bench.server.faults = lambda request, number: REFUSED
    with pytest.raises(UnprovableError):
        connection.find(intents, None)


def test_what_stood_before_the_update_is_not_it(bench: Bench) -> None:
    bench.publish(bench.connect(), [bench.post("Fixed.")])
    connection = bench.connect()
    (intent,) = nobodys(bench.intents(connection, [bench.post("Fixed.")]))
    assert connection.find([intent], None) != {}
    if bench.name == "bluesky":  # the others refuse to look for posts in their future
        assert connection.find([replace(intent, at=intent.at + timedelta(hours=2))], None) == {}


@pytest.mark.parametrize("bench", ["bluesky", "bluesky-pds"], indirect=True)
def test_links_that_lead_elsewhere_make_another_post(bench: Bench) -> None:
    connection = bench.connect()
    here = Post("See our page.", 13, (Facet("link", "https://status.example.com/a", 8, 12),))
    there = replace(here, facets=(Facet("link", "https://status.example.com/b", 8, 12),))
    bench.publish(connection, [here])
    assert list(connection.find(nobodys(bench.intents(connection, [here])), None)) == [1]
    assert connection.find(nobodys(bench.intents(connection, [there])), None) == {}


@pytest.mark.parametrize("bench", ["bluesky", "bluesky-pds"], indirect=True)
def test_an_account_with_too_many_posts_proves_nothing(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bluesky_posts, "PAGE", 2)
    monkeypatch.setattr(bluesky_posts, "PAGES", 2)
    connection = bench.connect()
    posts = [bench.post(str(number)) for number in range(5)]
    bench.publish(connection, posts[:3])
    assert list(connection.find(nobodys(bench.intents(connection, posts[:3])), None)) == [1, 2, 3]
    assert looks(bench) == 2
    bench.publish(connection, posts[3:])
    with pytest.raises(UnprovableError, match="more than 4 posts"):
        bench.connect().find(nobodys(bench.intents(connection, posts[:3])), None)


@pytest.mark.parametrize("bench", ["mastodon", "x", "bluesky"], indirect=True)
def test_to_look_for_many_reads_the_list_once(bench: Bench) -> None:
    refs = bench.publish(bench.connect(), [bench.post(f"Number {number}.") for number in range(4)])
    later = bench.connect()
    parent, asked = None, []
    for number, ref in enumerate(refs):
        (intent,) = nobodys(bench.intents(later, [bench.post(f"Number {number}.")], parent))
        found = later.find([replace(intent, at=intent.at + timedelta(seconds=number))], parent)
        assert found[1].id == ref.id
        asked.append(looks(bench))
        parent = ref
    assert asked == asked[:1] * 4


@pytest.mark.parametrize("bench", ["mastodon"], indirect=True)
def test_a_list_that_was_read_before_is_cut_to_what_is_asked_for(bench: Bench) -> None:
    noon = datetime(2026, 11, 22, 12, tzinfo=UTC)
    moments = [noon + timedelta(hours=hours) for hours in range(-3, 3)]
    asked: list[datetime] = []

    def read(since: datetime) -> list[datetime]:
        asked.append(since)
        return [moment for moment in moments if moment >= since]

    (claimed,) = bench.intents(bench.connect(), [bench.post("One.")])
    (nobody,) = nobodys([claimed])
    listing = Listing(read, lambda moment: moment)
    assert listing.since(noon - timedelta(hours=1), [nobody]) == moments[2:]
    assert listing.since(noon, [nobody]) == moments[3:]
    assert len(asked) == 1
    assert listing.since(noon, [claimed]) == moments[3:]
    assert len(asked) == 2
    assert listing.since(noon - timedelta(hours=2), [nobody]) == moments[1:]
    assert len(asked) == 3
