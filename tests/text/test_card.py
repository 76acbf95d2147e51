from __future__ import annotations

from dataclasses import replace

from broadcast.model import Card, Facet, Media, Post
from broadcast.text.card import with_card

CARD = Card("https://status.example.com/a.html", "Title", "Words")
PLAIN = Post("one", 3)
LINKED = Post("two", 3, (Facet("link", CARD.url, 0, 3),))


def test_the_first_post_that_leads_to_the_page_brings_its_card() -> None:
    assert with_card([PLAIN, LINKED, LINKED], CARD) == (PLAIN, replace(LINKED, card=CARD), LINKED)


def test_images_are_shown_in_place_of_a_card() -> None:
    pictured = replace(LINKED, media=(Media("a.png", "a"),))
    assert with_card([pictured, LINKED], CARD) == (pictured, LINKED)


def test_a_video_may_be_refused_so_the_card_is_there() -> None:
    filmed = replace(LINKED, media=(Media("a.mp4", "a"),))
    assert with_card([filmed, LINKED], CARD) == (replace(filmed, card=CARD), LINKED)


def test_a_post_that_leads_elsewhere_brings_none() -> None:
    other = replace(PLAIN, facets=(Facet("link", "https://example.com", 0, 3),))
    assert with_card([PLAIN, other], CARD) == (PLAIN, other)
    assert with_card([], CARD) == ()
