"""What must hold of everything that comes out, whatever went in."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from html.parser import HTMLParser
from unittest import mock

from broadcast.model import Action, Announcement, Intent, Limits, Post, Problem

CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""What acts on a terminal, or on the direction of the text around it, or cannot be written as UTF-8."""
ADDRESS = re.compile(
    r"(?:https?://|mailto:|data:(?:image|video)/[a-z0-9]+;base64,|[./#]|[\w-]+(?:[./#]|$))", re.IGNORECASE
)
ELEMENTS = re.compile(
    r"a|abbr|article|aside|b|blockquote|body|br|circle|code|col|colgroup|dd|del|details|div|dl|dt|em|"
    r"figcaption|figure|footer|g|h1|h2|h3|h4|h5|h6|head|header|hr|html|i|img|li|link|main|meta|nav|ol|p|"
    r"path|pre|s|section|small|span|strong|style|sub|summary|sup|svg|table|tbody|td|th|thead|time|title|tr|"
    r"ul|video"
)
"""What our own pages are made of: no element that runs, embeds or sends."""


@contextmanager
def no_defects() -> Iterator[None]:
    """What the program would tell its users of as a defect of its own is raised."""

    def raised(error: Exception) -> str:
        raise error

    with (
        mock.patch("broadcast.source.problems.told", raised),
        mock.patch("broadcast.platforms.guard.told", raised),
    ):
        yield


def announcements(announcement: Announcement) -> None:
    times = [update.time for update in announcement.updates]
    assert times == sorted(set(times)), "updates are in order, one at a time"
    assert all(update.time.utcoffset() is not None for update in announcement.updates)
    assert "\n" not in announcement.title
    assert not CONTROL.search(announcement.title.translate(_BIDI)), "a title shows no control characters"


_BIDI = dict.fromkeys([*range(0x202A, 0x202F), *range(0x2066, 0x206A)])


def problems(found: Iterable[Problem], texts: dict[str, str]) -> None:
    """They point into the file that they speak of."""
    for one in found:
        assert one.message, one.code
        assert one.place.line >= 1
        assert one.place.column >= 1
        text = texts.get(one.place.path)
        if text is not None:
            lines = len(re.split("\r\n|\r|\n", text))
            assert one.place.line <= lines, f"{one.code} in line {one.place.line} of {lines}"


def post(one: Post, limits: Limits) -> None:
    data = one.text.encode()
    assert one.length == limits.measure(one.text), "the length is what the platform counts"
    assert one.length <= limits.length, f"{one.length} of {limits.length}"
    assert limits.max_bytes is None or len(data) <= limits.max_bytes
    assert len(one.media) <= limits.images
    end = 0
    for facet in sorted(one.facets, key=lambda facet: facet.start):
        assert end <= facet.start < facet.end <= len(data), "facets lie in the text, and not on each other"
        assert data[facet.start : facet.end].decode()
        end = facet.end
        if facet.kind == "link":
            assert re.match(r"(?:https?://|mailto:)\S", facet.value, re.IGNORECASE), facet.value


def shown(text: str, *, escapes: bool = False) -> None:
    """A view holds nothing that acts on a terminal; `escapes`: but for the colors that are ours."""
    if escapes:
        text = re.sub(r"\x1b\[[0-9;]*m", "", text)
    found = CONTROL.search(text)
    assert found is None, f"U+{ord(found[0]):04X} in {text[max(0, found.start() - 30) : found.end() + 30]!r}"
    text.encode()


def page(text: str) -> None:
    shown(text)
    reader = _Reader()
    reader.feed(text)
    reader.close()


class _Reader(HTMLParser):
    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        assert ELEMENTS.fullmatch(tag), f"<{tag}> is none of ours"
        for name, value in attributes:
            assert not name.startswith("on"), f"{name} would run"
            if name in {"href", "src"} and value:
                assert ADDRESS.match(value.strip()), f"{name} leads to {value!r}"


def intent(action: Action, run: str, at: datetime) -> Intent:
    return Intent(
        announcement=action.announcement,
        update=action.update,
        channel=action.channel,
        part=action.part,
        parts=action.parts,
        at=at,
        run=run,
        status=action.status,
        post=action.post,
        language=action.language,
        source=action.source,
        audience=action.audience,
    )
