"""One post: each rung of the ladder, and nothing that is not needed."""

from __future__ import annotations

import pytest

from broadcast.model import Draft, FitOptions, Limits, Part
from broadcast.text import measure, rich
from broadcast.text.fit import fit

LINK = "https://a.io/x"


def part(name: str, markdown: str) -> Part:
    return Part(name, *rich.parse(markdown))


def short(
    limit: int, body: str, *, language: str = "en", own: dict[str, str] | None = None, headline: str = "API down"
) -> str:
    parts = [
        part("headline", headline),
        part("body", body),
        part("next_update", "Next update at 15:00."),
        part("link", LINK),
        part("tags", "#api"),
    ]
    options = FitOptions(fit="single", abbreviations=own or {})
    (post,) = fit(Draft(tuple(parts), language=language), Limits(limit, measure.graphemes), options)
    return post.text


def test_the_ladder() -> None:
    body = "For 20 minutes, the database and the application were slow. It is fixed. We are sorry."
    whole = f"API down\n\n{body}\n\nNext update at 15:00.\n\n{LINK}\n\n#api"
    assert short(len(whole), body) == whole
    without_tags = whole.removesuffix("\n\n#api")
    assert short(len(whole) - 1, body) == short(len(without_tags), body) == without_tags
    bare = f"API down\n\n{body}\n\n{LINK}"
    assert short(len(without_tags) - 1, body) == short(len(bare), body) == bare
    assert short(len(bare) - 1, body) == bare.replace("20 minutes", "20 min")
    least = bare.replace("20 minutes", "20 min").replace("database", "DB").replace("application", "app")
    least = least.replace("and", "&")
    assert short(len(least), body) == least
    two = "For 20 min, the DB and the application were slow. It is fixed."
    assert short(len(two) + 26, body) == short(len(least) - 1, body) == f"API down\n\n{two}\n\n{LINK}"
    first = "For 20 min, the DB & the app were slow."
    assert short(len(first) + 26, body) == f"API down\n\n{first}\n\n{LINK}"
    assert short(len(first) + 25, body) == f"API down\n\nFor 20 min, the DB and the app were…\n\n{LINK}"
    assert short(30, body) == f"API down\n\nFor…\n\n{LINK}"
    assert short(26, body) == f"API down\n\n{LINK}"
    assert short(len(LINK), body) == LINK


@pytest.mark.parametrize(
    ("body", "kept"),
    [
        ("See `the database and` x", "database and"),
        ("> the database and more\n\nx", "database and"),
        ("See [the database and](https://b.io) x", "database and"),
        ("In the Database Group and x", "Database Group"),
        ("For hours we wait", "For hours"),
        ("By August Meier", "August Meier"),
    ],
)
def test_what_is_never_abbreviated(body: str, kept: str) -> None:
    whole = f"{body}, and the configuration was restored in 20 minutes."
    room = len(short(1000, whole).replace("\n\nNext update at 15:00.", "").removesuffix("\n\n#api")) - len("utes")
    text = short(room, whole)
    assert len(text) == room
    assert kept in text
    assert "20 min." in text


@pytest.mark.parametrize(
    ("language", "body", "text"),
    [
        ("de", "Die Störung dauert zum Beispiel 3 Stunden, mindestens.", "Die Störung dauert z. B. 3 Std., mind."),
        ("fr", "La panne dure environ 3 heures, par exemple.", "La panne dure env. 3 h, p. ex."),
        ("es", "La avería dura aproximadamente 3 horas.", "La avería dura aprox. 3 h."),
        ("en-GB", "On Wednesday, approximately 3 hours.", "On Wed, approx. 3 h."),
    ],
)
def test_languages(language: str, body: str, text: str) -> None:
    assert short(len(f"API down\n\n{text}\n\n{LINK}"), body, language=language) == f"API down\n\n{text}\n\n{LINK}"


def test_users_extend_and_take_away() -> None:
    body = "The database of the Elbe cluster is slow."
    wanted = f"API down\n\nThe database of the Elbe cl. is slow.\n\n{LINK}"
    assert short(len(wanted), body, own={"cluster": "cl.", "database": ""}) == wanted


def test_a_capital_stays_at_the_beginning_of_a_sentence() -> None:
    wanted = f"API down\n\nInfo follows. Maint. is over.\n\n{LINK}"
    assert short(len(wanted), "Information follows. Maintenance is over.") == wanted


def test_a_list_that_goes_on_says_so() -> None:
    body = "These are down:\n\n- API of the region\n- Web console\n- Command line"
    text = short(64, body)
    assert text == f"API down\n\nThese are down:\n• API of the region\n…\n\n{LINK}"


def test_a_cut_is_at_a_word_and_never_touches_a_link() -> None:
    body = "A sentence that goes on, and on, about https://b.io/long/path and then some more without any end"
    assert short(70, body) == f"API down\n\nA sentence that goes on, and on, about…\n\n{LINK}"
    assert short(87, body) == f"API down\n\nA sentence that goes on, & on, about https://b.io/long/path …\n\n{LINK}"


def test_a_headline_too_long_is_cut_above_the_link() -> None:
    assert (
        short(40, "x y z", headline="A headline that is much too long for it") == f"A headline that is much…\n\n{LINK}"
    )
