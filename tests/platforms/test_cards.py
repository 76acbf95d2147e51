from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from broadcast.model import Card, Media

if TYPE_CHECKING:
    from platforms.conftest import Bench

CARD = Card("https://status.example.com/a", "Slow search – été", "Searches are slow.")


@pytest.mark.parametrize("bench", ["bluesky", "bluesky-pds"], indirect=True)
def test_bluesky_shows_the_card_of_the_page_where_there_is_no_image(bench: Bench) -> None:
    connection = bench.connect()
    carded = replace(bench.post("See below"), card=CARD)
    (prepared,) = connection.prepare([carded], "en", None)
    assert prepared.payload["record"]["embed"] == {
        "$type": "app.bsky.embed.external",
        "external": {"uri": CARD.url, "title": CARD.title, "description": CARD.description},
    }
    pictured = replace(bench.post("third", Media("errors.jpg", "Errors")), card=CARD)
    bench.publish(connection, [carded, bench.post("second"), pictured])
    assert [(seen.card, len(seen.media)) for seen in bench.standing()] == [(CARD.url, 0), (None, 0), (None, 1)]
