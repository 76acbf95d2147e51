"""A post's text cut at its facets, in one pass."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from broadcast.model import Post


def pieces(text: str, marks: Iterable[tuple[int, int, str]]) -> Iterator[tuple[str, str | None]]:
    """The runs of `text`, each with the value of the mark it lies in or None.

    Marks are (start, end, value) in UTF-8 byte offsets. One that overlaps an earlier one or reaches beyond the text
    is passed over.
    """
    data = text.encode("utf-8", errors="replace")
    at = 0
    for start, end, value in sorted(marks):
        if at <= start < end <= len(data):
            if at < start:
                yield data[at:start].decode("utf-8", errors="replace"), None
            yield data[start:end].decode("utf-8", errors="replace"), value
            at = end
    if at < len(data):
        yield data[at:].decode("utf-8", errors="replace"), None


def links(post: Post) -> list[tuple[int, int, str]]:
    """The links of a post, as marks."""
    return [(facet.start, facet.end, facet.value) for facet in post.facets if facet.kind == "link"]


def named_links(post: Post) -> list[tuple[str, str]]:
    """The links whose address is not to be read in the text, as (words, URL)."""
    return [(words, url) for words, url in pieces(post.text, links(post)) if url is not None and words != url]
