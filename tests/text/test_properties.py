"""What holds for every text. `BROADCAST_EXAMPLES=20000` makes the long run; without it, a fixed slice is tried."""

from __future__ import annotations

import os
import re
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from broadcast.errors import DoesNotFitError
from broadcast.model import Draft, FitOptions, Limits, Media, Part, Post
from broadcast.text import measure, rich, urls
from broadcast.text.clean import clean
from broadcast.text.compose import fits
from broadcast.text.fit import fit

EXAMPLES = int(os.environ.get("BROADCAST_EXAMPLES", "0"))
every_text = settings(
    max_examples=EXAMPLES or 120,
    derandomize=not EXAMPLES,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)

X = Limits(280, measure.weighted)
BLUESKY = Limits(300, measure.graphemes, "graphemes", max_bytes=3000, facets=True)
MASTODON = Limits(500, measure.mastodon())
TINY = Limits(60, measure.weighted, max_bytes=90, images=1)


def by_a_third_party(text: str) -> int:
    """Counts vowels three times, and is not the sum of its parts: each change of line costs ten more."""
    return len(text) + 2 * sum(text.count(vowel) for vowel in "aeiou") + 10 * (text.count("\n") > 0)


FOREIGN = Limits(100, by_a_third_party, facets=True)
PLATFORMS = st.sampled_from([X, BLUESKY, MASTODON, TINY, FOREIGN])
OPTIONS = st.builds(
    FitOptions,
    fit=st.sampled_from(["auto", "thread", "single"]),
    max_posts=st.integers(1, 6),
    link=st.sampled_from(["first", "last", "every", "none"]),
    numbering=st.booleans(),
    short_urls=st.booleans(),
)

SPECIAL = [
    *("e.g.", "v2.0", "node.js", "file.py", "example.com", "3.", "#outage", "@ops", "@ada@example.social", "z.", "B."),
    *(
        "👨\u200d👩\u200d👧\u200d👦",
        "🇩🇪",
        "👍🏽",
        "मुख्य",
        "각",
        "é",
        "e\u0301",
        "日本語のテキスト。",
        "服务已恢复，请稍候。",
    ),
    *("\u202eevil", "1\ufe0f\u20e3"),
]
WORDS = st.one_of(st.from_regex(r"[a-zA-Zäöüéñ0-9]{1,12}[.,;:!?]?", fullmatch=True), st.sampled_from(SPECIAL))
LINKS = st.sampled_from(
    [
        "https://status.example.com/incidents/1.html",
        "https://a.io/x_y_z*w*",
        "https://en.wikipedia.org/wiki/A_(b)",
        "http://müller.de/straße?q=1&copy=2",
        "https://example.com/a-very/long/path/that/goes/on#and-on",
    ]
)
SENTENCES = st.lists(WORDS, min_size=1, max_size=25).map(" ".join)
PIECES = st.one_of(
    SENTENCES,
    SENTENCES,
    LINKS,
    st.tuples(SENTENCES, LINKS).map(lambda pair: f"{pair[0]} [{pair[0][:20].strip()}]({pair[1]}). {pair[1]},"),
    st.lists(SENTENCES, min_size=1, max_size=5).map(lambda items: "\n".join(f"- {item}" for item in items)),
    SENTENCES.map(lambda text: f"## {text}"),
    SENTENCES.map(lambda text: f"> {text}"),
    SENTENCES.map(lambda text: f"`{text}` and ```\n{text}\n```"),
    SENTENCES.map(lambda text: f"| a | {text} |\n|---|---|\n| 1 | **2** |"),
    st.just("Look: ![a graph](graph.png)"),
    st.text(max_size=80),
    st.text("[]()*_`<>#!~|\\\n -.:/@&;x", max_size=60),
)
MARKDOWN = st.lists(PIECES, max_size=8).map("\n\n".join)
LINK = st.sampled_from(["", "https://status.example.com/2026-11-22-eu-api.html", "https://x.y/" + "z" * 270])


def part(name: str, markdown: str) -> Part:
    blocks, media = rich.parse(markdown)
    return Part(name, blocks, media)


def drafted(body: str, link: str) -> Draft:
    parts = [part("headline", rich.escape("Errors in the EU: #api v2.0")), part("body", body)]
    parts += [part("next_update", "Next update by 15:00 UTC."), part("link", link), part("tags", "#status")]
    return Draft(tuple(parts))


def fitted(draft: Draft, limits: Limits, options: FitOptions) -> tuple[Post, ...]:
    """The posts; the only thing that may be wrong with a text is a URL without room."""
    try:
        return fit(draft, limits, options)
    except DoesNotFitError as error:
        assume("http" not in str(error))
        raise


def letters(text: str) -> str:
    return re.sub(r"\s+", "", text)


@every_text
@given(MARKDOWN, LINK, PLATFORMS, OPTIONS)
def test_everything_fits_and_is_measured_as_it_stands(
    body: str, link: str, limits: Limits, options: FitOptions
) -> None:
    posts = fitted(drafted(body, link), limits, options)
    assert posts
    for post in posts:
        assert post.length == limits.measure(post.text) <= limits.length
        assert limits.max_bytes is None or len(post.text.encode()) <= limits.max_bytes
        assert post.text == post.text.strip(" \n")
        assert len(post.media) <= limits.images
    if options.fit == "single":
        assert len(posts) == 1
    assert fit(drafted(body, link), limits, options) == posts


@every_text
@given(MARKDOWN, PLATFORMS, st.booleans())
@example("x" * 1000, TINY, True)
@example("日本語" * 300, X, True)
@example("e" + "\u0301" * 4000, BLUESKY, True)
@example("[" + "word " * 200 + "](https://example.com)", BLUESKY, True)
def test_a_thread_loses_no_letter(body: str, limits: Limits, numbering: bool) -> None:
    options = FitOptions(fit="thread", link="last", numbering=numbering)
    posts = fitted(Draft((part("body", body),)), limits, options)
    texts = [post.text for post in posts]
    if numbering and len(posts) > 1:
        texts = [re.sub(rf"\s*{number}/{len(posts)}\Z", "", text) for number, text in enumerate(texts, 1)]
    boundless = Limits(10**9, lambda text: 0, facets=limits.facets, images=10**6)
    (whole,) = fit(Draft((part("body", body),)), boundless, options) or (Post("", 0),)
    assert letters("".join(texts)) == letters(whole.text)
    assert "".join("".join(texts).split()) == "".join(whole.text.split())


@every_text
@given(st.lists(st.tuples(SENTENCES, LINKS), min_size=1, max_size=12), st.sampled_from([X, BLUESKY, MASTODON]))
def test_every_link_is_whole_and_its_facet_covers_its_words(cases: list[tuple[str, str]], limits: Limits) -> None:
    words = [rich.plain(rich.parse(rich.escape(text))[0])[:30].strip() or "x" for text, _ in cases]
    body = "\n\n".join(
        f"{text}: [{rich.escape(word)}]({url}) end." for (text, url), word in zip(cases, words, strict=True)
    )
    blocks, _ = rich.parse(body)
    wanted = [(span.text, span.url) for block in blocks for span in block.spans if span.kind == "link"]
    assume(len(wanted) == len(cases))
    found = []
    for post in fit(Draft((part("body", body),)), limits, FitOptions(fit="thread")):
        links = [facet for facet in post.facets if facet.kind == "link"]
        found += [(post.text.encode()[link.start : link.end].decode(), link.value) for link in links]
    if limits.facets:
        assert found == wanted
    else:
        assert [url for url, _ in found] == [value for _, value in found] == [urls.written(url) for _, url in wanted]


@every_text
@given(st.text(max_size=300), PLATFORMS, st.booleans())
def test_any_text_is_a_headline_and_an_override(text: str, limits: Limits, override: bool) -> None:
    draft = Draft((part("headline", rich.escape(text)), part("body", text)), override=text if override else None)
    if override and not fits(clean(text).strip(), limits):
        with pytest.raises(DoesNotFitError, match=r"the text of the `post` block has \d+"):
            fit(draft, limits, FitOptions())
        return
    for post in fitted(draft, limits, FitOptions()):
        assert post.length <= limits.length
        for facet in post.facets:
            assert post.text.encode()[facet.start : facet.end].decode()


@every_text
@given(st.one_of(MARKDOWN, st.text(max_size=200)))
def test_what_is_escaped_is_read_back_literally(text: str) -> None:
    line = " ".join(clean(text).split())
    assert " ".join(rich.plain(rich.parse(rich.escape(line))[0]).split()) == line


COUNTERS: list[Callable[[str], int]] = [measure.weighted, measure.graphemes, measure.mastodon()]


@every_text
@given(st.lists(st.one_of(WORDS, LINKS, st.text(max_size=20)), max_size=20), st.sampled_from(COUNTERS))
def test_a_text_counts_what_its_words_and_the_space_between_count(
    words: list[str], count: Callable[[str], int]
) -> None:
    words = [word for text in words for word in clean(text).split() if not re.match(r"\W", word)]
    assume(all(word[0].isascii() for word in words[:1]))
    assert count(" ".join(words)) == sum(count(word) for word in words) + max(len(words) - 1, 0)


@every_text
@given(st.lists(st.integers(0, 9), max_size=9), st.integers(0, 4))
def test_no_image_is_lost_in_a_thread(places: list[int], most: int) -> None:
    sentences = [f"Sentence number {number} says what happened in the region. " * 3 for number in range(10)]
    for place in places:
        sentences[place] += f" ![what it shows]({place}.png)"
    limits = Limits(280, measure.weighted, images=most)
    posts = fit(Draft((part("body", "\n\n".join(sentences)),)), limits, FitOptions(fit="thread"))
    shown = [image for post in posts for image in post.media]
    assert shown == ([Media(f"{place}.png", "what it shows") for place in sorted(places)] if most else [])
    assert all(len(post.media) <= most for post in posts)


@settings(every_text, max_examples=EXAMPLES or 30)
@given(st.lists(SENTENCES, min_size=4, max_size=20), st.sampled_from(["first", "last"]), st.booleans(), st.data())
def test_the_rest_of_a_thread_says_what_its_first_posts_did_not(
    sentences: list[str], place: str, numbering: bool, data: st.DataObject
) -> None:
    link = "https://status.example.com/2026-11-22-eu-api.html"
    draft = drafted("\n\n".join(sentences), link)
    posts = fit(draft, X, FitOptions(fit="thread", link=place, numbering=numbering))  # type: ignore[arg-type]  # sampled
    assume(len(posts) > 1)
    stands = posts[: data.draw(st.integers(1, len(posts) - 1))]
    again = fit(draft, X, FitOptions(link="every"), stands)
    assert again[: len(stands)] == stands
    rest = [post.text for post in again[len(stands) :]]
    assert all(post.length == X.measure(post.text) <= X.length for post in again)
    assert all(text.count(link) == 1 for text in rest)
    assert [text.split()[-1] for text in rest] == [f"{n}/{len(again)}" for n in range(len(stands) + 1, len(again) + 1)]

    def words(texts: list[str], of: int) -> str:
        numbered = [re.sub(rf"\s{number}/{of}\Z", "", text) for number, text in enumerate(texts, 1)]
        return letters("".join(numbered)).replace(link, "")

    left = [re.sub(r"\s\d+/\d+\Z", "", text) for text in rest]
    before = [post.text for post in stands]
    assert words(before, len(posts)) + letters("".join(left)).replace(link, "") == words(
        [post.text for post in posts], len(posts)
    )


def test_the_rest_of_a_thread_has_the_pictures_that_did_not_fit_before() -> None:
    body = "Look. " * 3 + "".join(f"![shot {number}](shot-{number}.png)" for number in range(6))
    draft = drafted(body + "\n\n" + "More of it, and more, and then some. " * 20, "https://status.example.com/x")
    limits = Limits(280, measure.weighted, images=4)
    posts = fit(draft, limits, FitOptions(fit="thread"))
    again = fit(draft, limits, FitOptions(link="every"), posts[:1])
    assert [len(post.media) for post in posts] == [len(post.media) for post in again][: len(posts)]
    assert [image.path for post in again for image in post.media] == [f"shot-{number}.png" for number in range(6)]


def test_posts_that_were_made_of_another_text_are_not_followed() -> None:
    draft, other = drafted("One. " * 200, "https://a.io/x"), drafted("Two. " * 200, "https://a.io/x")
    stands = fit(other, X, FitOptions(fit="thread"))[:1]
    assert fit(draft, X, FitOptions(link="every"), stands) == fit(draft, X, FitOptions(link="every"))
