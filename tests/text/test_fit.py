"""Drafts to posts: threads, links, numbers, images, overrides, and what cannot be made to fit."""

from __future__ import annotations

from dataclasses import replace

import pytest

from broadcast.errors import DoesNotFitError
from broadcast.model import Draft, Facet, FitOptions, Limits, Media, Part
from broadcast.text import measure, rich
from broadcast.text.fit import fit

X = Limits(280, measure.weighted)
BLUESKY = Limits(300, measure.graphemes, "graphemes", max_bytes=3000, facets=True)
MASTODON = Limits(500, measure.mastodon())
PERMALINK = "https://status.example.com/2026-11-22-eu-api.html"
LONG = " ".join(f"Sentence number {number} says what happened." for number in range(1, 25))


def part(name: str, markdown: str) -> Part:
    blocks, media = rich.parse(markdown)
    return Part(name, blocks, media)


def draft(body: str, **more: str) -> Draft:
    return Draft(
        (
            part("headline", "Errors in the EU"),
            part("body", body),
            part("link", PERMALINK),
            *(part(name, text) for name, text in more.items()),
        )
    )


def texts(what: Draft, limits: Limits = X, **options: object) -> list[str]:
    return [post.text for post in fit(what, limits, replace(FitOptions(), **options))]  # type: ignore[arg-type]  # any option


def test_what_fits_is_one_post_without_a_number() -> None:
    assert texts(draft("We are *on* it.", tags="#api")) == [f"Errors in the EU\n\nWe are on it.\n\n{PERMALINK}\n\n#api"]


@pytest.mark.parametrize(
    ("place", "with_link"), [("first", {1}), ("last", {4}), ("every", {1, 2, 3, 4, 5}), ("none", set[int]())]
)
def test_the_link_stands_where_it_is_wanted(place: str, with_link: set[int]) -> None:
    posts = texts(draft(LONG), link=place)
    assert {number for number, text in enumerate(posts, 1) if PERMALINK in text} == (
        with_link if place != "every" else set(range(1, len(posts) + 1))
    )
    assert posts[0].startswith("Errors in the EU\n\nSentence number 1 says")
    assert all(text.endswith(f" {number}/{len(posts)}") for number, text in enumerate(posts, 1))


def test_without_a_link_in_a_single_post_either() -> None:
    assert texts(draft("Short."), link="none") == ["Errors in the EU\n\nShort."]


def test_auto_is_a_thread_up_to_max_posts_and_one_post_beyond() -> None:
    assert len(texts(draft(LONG), max_posts=5)) > 1
    (only,) = texts(draft(LONG), max_posts=2)
    assert only.startswith("Errors in the EU\n\nSentence number 1 says")
    assert only.endswith(f"happened.\n\n{PERMALINK}")
    assert len(texts(draft(LONG), max_posts=2, fit="thread")) > 2


def test_numbers_can_be_left_out() -> None:
    posts = texts(draft(LONG), numbering=False)
    assert len(posts) > 1
    assert not any(f"/{len(posts)}" in text for text in posts)


def test_a_number_below_a_list_has_its_own_line() -> None:
    items = "\n".join(f"- component number {number} is down" for number in range(20))
    posts = texts(draft(f"Affected:\n\n{items}"))
    assert posts[1].endswith(f" is down\n2/{len(posts)}")


def test_breaks_are_those_of_an_editor() -> None:
    body = "First paragraph, about the cause. " * 4 + "\n\n" + "Second paragraph, on v2.0 and e.g. the fix. " * 4
    first, second = texts(Draft((part("body", body),)), numbering=False)
    assert first.endswith("the cause.")
    assert second.startswith("Second paragraph")


def test_the_headline_is_not_left_alone() -> None:
    first, *_ = texts(
        draft("A long sentence about the cause of it all, " * 5 + "in short. And one more sentence."), link="last"
    )
    assert first.startswith("Errors in the EU\n\nA long sentence")


def test_a_heading_or_a_label_is_not_left_alone() -> None:
    body = (
        "x" * 120
        + ". End.\n\n## The cause\n\n"
        + "Words of the cause " * 9
        + ".\n\n[Initial message]\n\n"
        + "Other words " * 16
    )
    posts = texts(Draft((part("body", body),)), numbering=False)
    assert [text for text in posts if text.endswith(("The cause", "[Initial message]"))] == []


def test_words_carry_links_where_there_are_facets() -> None:
    (post,) = fit(
        Draft((part("body", "Für 👨‍👩‍👧 see [the docs](https://a.io/x_y), #api @ada.bsky.social."),)),
        BLUESKY,
        FitOptions(),
    )
    assert post.text == "Für 👨‍👩‍👧 see the docs, #api @ada.bsky.social."
    raw = post.text.encode()
    assert [(facet.kind, facet.value, raw[facet.start : facet.end].decode()) for facet in post.facets] == [
        ("link", "https://a.io/x_y", "the docs"),
        ("tag", "api", "#api"),
        ("mention", "ada.bsky.social", "@ada.bsky.social"),
    ]


@pytest.mark.parametrize(
    ("markdown", "text"),
    [
        ("see [the docs](https://a.io/x).", "see the docs https://a.io/x."),
        ("(see [the docs](https://a.io/x))", "(see the docs https://a.io/x)"),
        ("[the doc](https://a.io/x)s here", "the doc https://a.io/x s here"),
        ("[a](https://a.io/x)[b](https://b.io/y)", "a https://a.io/x b https://b.io/y"),
        ("[a.io/x](https://a.io/x/) and <https://b.io>", "https://a.io/x/ and https://b.io"),
        ("x[a.io](https://a.io)", "x https://a.io"),
        (
            "[w](https://a.io/x.) [v](https://a.io/\\)\\() [u](https://a.io#top)",
            "w https://a.io/x%2E v https://a.io/%29%28 u https://a.io/#top",
        ),
        ("[w](https://en.wikipedia.org/wiki/A_\\(b\\)) x", "w https://en.wikipedia.org/wiki/A_(b) x"),
        ("[docs](https://a.io/x)—see", "docs https://a.io/x —see"),
        ("[docs](https://a.io/x)”…", "docs https://a.io/x ”…"),
        ("詳細は[こちら](https://a.io/x)を見て", "詳細はこちら https://a.io/x を見て"),
        ("詳細は https://a.io/x。以上", "詳細は https://a.io/x 。以上"),
        ("https://müller.de/ß", "https://xn--mller-kva.de/%C3%9F"),
    ],
)
def test_urls_are_written_out_where_there_are_no_facets(markdown: str, text: str) -> None:
    for limits in (X, MASTODON):
        (post,) = fit(Draft((part("body", markdown),)), limits, FitOptions())
        assert post.text == text
        for facet in post.facets:
            assert post.text.encode()[facet.start : facet.end].decode() == facet.value
        linked = [text[start:end] for start, end in measure.x_links(text)]
        assert linked == [facet.value for facet in post.facets]


@pytest.mark.parametrize(
    "markdown",
    [
        "[docs](https://ja.wikipedia.org/wiki/\u6771\u4eac?q=\u65e5#\u672c)",
        "<https://ja.wikipedia.org/wiki/\u6771\u4eac?q=\u65e5#\u672c>",
        "[https://ja.wikipedia.org/wiki/\u6771\u4eac?q=\u65e5#\u672c](https://ja.wikipedia.org/wiki/\u6771\u4eac?q=\u65e5#\u672c)",
    ],
)
def test_letters_beyond_ascii_are_encoded_where_the_end_of_a_url_is_known(markdown: str) -> None:
    url = "https://ja.wikipedia.org/wiki/%E6%9D%B1%E4%BA%AC?q=%E6%97%A5#%E6%9C%AC"
    for limits in (X, MASTODON, BLUESKY):
        (post,) = fit(Draft((part("body", f"\u5730\u56f3 {markdown} \u3067\u3059"),)), limits, FitOptions())
        (link,) = post.facets
        assert link.value == url
        shown = post.text.encode()[link.start : link.end].decode()
        assert shown == url if limits is not BLUESKY else shown in markdown


def test_urls_in_code_are_links_where_a_platform_makes_links_of_all_urls() -> None:
    markdown = "\u00e4 `curl https://a.io/x -o y` b\n\n```\nget https://a.io/y\n  https://a.io/z\n```"
    for limits in (X, MASTODON):
        (post,) = fit(Draft((part("body", markdown),)), limits, FitOptions())
        found = [(link.value, post.text.encode()[link.start : link.end].decode()) for link in post.facets]
        assert found == [(url, url) for url in ("https://a.io/x", "https://a.io/y", "https://a.io/z")]
    assert fit(Draft((part("body", markdown),)), BLUESKY, FitOptions())[0].facets == ()


def test_code_in_a_list_keeps_its_indent_and_no_post_begins_or_ends_with_a_space() -> None:
    body = "&nbsp;\n\n* a\n\n  ```\n  x:\n    y\n  ```\n* &nbsp;b&nbsp;"
    for limits in (X, BLUESKY):
        assert texts(Draft((part("body", body),)), limits) == ["• a\n  x:\n    y\n• b"]


def test_bare_urls_can_be_shown_as_bluesky_shows_them() -> None:
    body = Draft((part("body", "See https://status.example.com/incidents/2026-11-22.html and https://a.io/."),))
    (post,) = fit(body, BLUESKY, FitOptions(short_urls=True))
    assert post.text == "See status.example.com/incidents/20... and a.io."
    assert [facet.value for facet in post.facets] == [
        "https://status.example.com/incidents/2026-11-22.html",
        "https://a.io/",
    ]
    assert fit(body, X, FitOptions(short_urls=True))[0].text.startswith("See https://status")


def test_a_url_without_room_is_named() -> None:
    url = "https://example.com/" + "x" * 300
    with pytest.raises(DoesNotFitError, match=rf"the URL {url} has 320 graphemes, but a post takes 300"):
        fit(Draft((part("body", f"See {url}"),)), BLUESKY, FitOptions())
    assert len(fit(Draft((part("body", f"See {url}"),)), X, FitOptions())) == 1
    with pytest.raises(DoesNotFitError, match=r"the link .* has 320 graphemes, but a post takes 300"):
        fit(Draft((part("body", "Words. " * 80), part("link", url))), BLUESKY, FitOptions(fit="single"))


def test_a_link_that_leaves_little_room_stands_in_the_text() -> None:
    link = "https://example.com/" + "x" * 250
    posts = texts(Draft((part("headline", "Down"), part("body", LONG), part("link", link))), BLUESKY)
    assert [text for text in posts if link in text] == [f"{link} {len(posts)}/{len(posts)}"]


def test_a_long_word_is_cut_between_graphemes() -> None:
    family = "👨‍👩‍👧‍👦"
    posts = fit(Draft((part("body", family * 200),)), BLUESKY, FitOptions(numbering=False))
    assert "".join(post.text for post in posts) == family * 200
    assert all(len(post.text) % len(family) == 0 and len(post.text.encode()) <= 3000 for post in posts)


def test_a_long_linked_phrase_is_a_link_in_each_post() -> None:
    posts = fit(
        Draft((part("body", f"[{'very long words ' * 30}](https://a.io/x)"),)), BLUESKY, FitOptions(numbering=False)
    )
    assert len(posts) == 2
    assert [post.facets for post in posts] == [
        (Facet("link", "https://a.io/x", 0, len(post.text.encode())),) for post in posts
    ]


def test_images_stand_on_the_post_where_they_stood() -> None:
    body = f"{LONG}\n\nThe rate ![rate](rate.png) rose.\n\n{LONG}"
    posts = fit(draft(body), X, FitOptions())
    (shown,) = [post for post in posts if post.media]
    assert "The rate rose." in shown.text
    assert shown.media == (Media("rate.png", "rate"),)


def test_more_images_than_a_post_takes_get_posts_of_their_own() -> None:
    images = " ".join(f"![{number}]({number}.png)" for number in range(9))
    posts = fit(draft(f"Graphs: {images}"), X, FitOptions(fit="thread"))
    assert [len(post.media) for post in posts] == [4, 4, 1]
    assert [post.text[-3:] for post in posts] == ["1/3", "2/3", "3/3"]
    (post,) = fit(draft(f"Graphs: {images}"), X, FitOptions(fit="single"))
    assert len(post.media) == 4
    (post,) = fit(draft(f"Graphs: {images}"), replace(X, images=0), FitOptions())
    assert post.media == ()


def test_a_long_alternative_text_is_cut_at_a_word() -> None:
    body = Draft((part("body", f"![{'word ' * 300}](a.png) x"),))
    (post,) = fit(body, X, FitOptions())
    assert len(post.media[0].alt) <= 1000
    assert post.media[0].alt.endswith("word…")


def test_a_draft_of_an_image_alone_is_a_post() -> None:
    (post,) = fit(Draft((part("body", "![alt](a.png)"),)), X, FitOptions())
    assert (post.text, post.length, post.media) == ("", 0, (Media("a.png", "alt"),))
    posts = fit(Draft((part("body", "![alt](a.png) " * 6),)), X, FitOptions())
    assert [(post.text, len(post.media)) for post in posts] == [("", 4), ("", 2)]


def test_nothing_is_no_post() -> None:
    assert fit(Draft((part("body", "<!-- later -->"),)), X, FitOptions()) == ()
    assert fit(Draft(()), X, FitOptions(fit="single")) == ()
    assert fit(Draft((), override="  "), X, FitOptions()) == ()


def test_an_override_is_used_as_it_is() -> None:
    text = "*Not* Markdown:  two  spaces\nhttps://a.io/x_y_z, #api @ada.bsky.social ü"
    (post,) = fit(replace(draft(LONG), override=text), BLUESKY, FitOptions())
    assert post.text == text
    raw = post.text.encode()
    assert [(facet.kind, facet.value, raw[facet.start : facet.end].decode()) for facet in post.facets] == [
        ("link", "https://a.io/x_y_z", "https://a.io/x_y_z"),
        ("tag", "api", "#api"),
        ("mention", "ada.bsky.social", "@ada.bsky.social"),
    ]
    (post,) = fit(replace(draft(LONG), override=text), X, FitOptions())
    assert [facet.kind for facet in post.facets] == ["link"]


def test_an_override_that_is_too_long_says_how_long() -> None:
    with pytest.raises(DoesNotFitError, match="the text of the `post` block has 281 characters, but a post takes 280"):
        fit(replace(draft("x"), override="a" * 281), X, FitOptions())
    with pytest.raises(DoesNotFitError, match="has 3025 bytes, but a post takes 3000"):
        fit(replace(draft("x"), override="👨‍👩‍👧‍👦" * 121), BLUESKY, FitOptions())


def test_any_measure_will_do() -> None:
    def lines(text: str) -> int:
        return 0 if not text else 1 + text.count("\n") + len(text) // 40

    assert len(fit(draft("Sixty words and more. " * 6), Limits(12, lines), FitOptions())) == 1
    (post,) = fit(draft(LONG), Limits(12, lines), FitOptions(fit="single"))
    assert len(post.text) > 250
    limits = Limits(5, lines)
    posts = fit(draft(LONG), limits, FitOptions(fit="thread"))
    assert all(post.length == lines(post.text) <= 5 for post in posts)
    assert "".join(post.text.rsplit(" ", 1)[0] for post in posts).count("Sentence") == 24


def test_a_limit_that_nothing_fits_is_our_own_error() -> None:
    for options in (FitOptions(), FitOptions(fit="thread"), FitOptions(fit="single")):
        with pytest.raises(DoesNotFitError):
            fit(draft("x"), Limits(0, len), options)
