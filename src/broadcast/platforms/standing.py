"""Finding our own posts among those that stand on a platform which offers no better way than to look at them."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from html.parser import HTMLParser
from typing import Generic, TypeVar

from broadcast.errors import UnprovableError
from broadcast.model import Intent, Post, Ref
from broadcast.text.characters import composed

SLACK = timedelta(hours=1)
"""How far the clock that dated an intent may be ahead of the platform's."""


_Post = TypeVar("_Post")


@dataclass(frozen=True, slots=True)
class Standing:
    """A post of the account. `parent` is the id of the post that it answers; `told` is false where the server does not
    tell whether it answers one."""

    id: str
    text: str
    parent: str | None
    told: bool = True


def since(intents: Sequence[Intent], server_time: datetime | None) -> datetime:
    """The earliest that any of these can have been posted. Raises `UnprovableError` where the intents are dated in the
    platform's future: posts would be looked for where they cannot be."""
    earliest = min(intent.at for intent in intents) - SLACK
    if server_time is not None and earliest > server_time:
        raise UnprovableError("the clock of the run that wrote the intent is more than an hour ahead of the platform's")
    return earliest


def pauses(intents: Sequence[Intent], lag: Sequence[float]) -> tuple[float, ...]:
    """Seconds to wait before each look for these. What no run has claimed is not on its way: one look is enough."""
    return (0.0, *lag) if any(intent.run for intent in intents) else (0.0,)


class Listing(Generic[_Post]):
    """An account's own posts. `read` gives those since a time from the platform, `dated` tells when one was made, where
    the platform tells it."""

    def __init__(self, read: Callable[[datetime], Iterable[_Post]], dated: Callable[[_Post], datetime | None]) -> None:
        self._read = read
        self._dated = dated
        self._from: datetime | None = None
        self._posts: list[_Post] = []

    def since(self, moment: datetime, intents: Sequence[Intent]) -> list[_Post]:
        """Those since a time. Where no run has claimed what is looked for, none is on its way: what was read before is
        good enough, so that looking for a hundred posts reads the list once."""
        if self._from is not None and self._from <= moment and not any(intent.run for intent in intents):
            return [post for post in self._posts if (at := self._dated(post)) is None or at >= moment]
        self._posts, self._from = list(self._read(moment)), moment
        return self._posts


class Known:
    """Posts that are known to be others than those that are looked for: what the ledger has receipts for
    (`published`), and what this connection sent of other updates. Two announcements may say the same."""

    def __init__(self, published: frozenset[str]) -> None:
        self._published = published
        self._sent: dict[str, tuple[object, ...]] = {}

    def note(self, intent: Intent, id_: str) -> None:
        self._sent[id_] = _key(intent)

    def other(self, intent: Intent, id_: str) -> bool:
        """Whether this id is known to be that of another post than the intent's."""
        return id_ in self._published or self._sent.get(id_, _key(intent)) != _key(intent)

    def without(self, intents: Sequence[Intent], posts: Iterable[Standing]) -> list[Standing]:
        wanted = {_key(intent) for intent in intents}
        return [
            post
            for post in posts
            if post.id not in self._published and (post.id not in self._sent or self._sent[post.id] in wanted)
        ]


def _key(intent: Intent) -> tuple[object, ...]:
    return (intent.announcement, intent.update, intent.part)


def match(intents: Sequence[Intent], parent: Ref | None, posts: Iterable[Standing]) -> Mapping[int, Standing]:
    """Which post is which part: same text (see `canonical`), answering the part before it, or `parent`, as far as the
    server tells.

    A part is never sent before the one that it answers stands. So where that one is absent, a post of the same text
    means that somebody took the thread apart, and nothing is proved.
    """
    by_text = _by_text(posts)
    found: dict[int, Standing] = {}
    answers, whole = (parent.id if parent else None), True
    for intent in sorted(intents, key=lambda intent: intent.part):
        same = by_text.get(canonical(intent.post.text), deque())
        if not whole:
            if any(post.parent is not None or not post.told for post in same):
                raise UnprovableError(f"part {intent.part} stands, but a part before it does not")
            continue
        right = next((post for post in same if post.told and post.parent == answers), None)
        right = right or next((post for post in same if not post.told), None)
        if right is None:
            whole = False
            continue
        same.remove(right)
        found[intent.part] = right
        answers = right.id
    return found


def match_alone(intents: Sequence[Intent], posts: Iterable[Standing]) -> Mapping[int, Standing]:
    """The same where posts do not answer each other."""
    by_text = _by_text(posts)
    found: dict[int, Standing] = {}
    for intent in intents:
        if same := by_text.get(canonical(intent.post.text)):
            found[intent.part] = same.popleft()
    return found


def _by_text(posts: Iterable[Standing]) -> Mapping[str, deque[Standing]]:
    by_text: dict[str, deque[Standing]] = {}
    for post in posts:
        by_text.setdefault(canonical(post.text), deque()).append(post)
    return by_text


_SCHEME = re.compile(r"\bhttps?://", re.IGNORECASE)
_REMOTE_MENTION = re.compile(r"(?<![\w/])@(\w+(?:[.-]\w+)*)@[\w.-]*\w")
_TRAILING_SLASH = re.compile(r"/(?=\s|$)")


@lru_cache(maxsize=10_000)
def canonical(text: str) -> str:
    """A text without what platforms change in showing it: white space, the scheme and last slash of a URL, the host of
    a mention, letter case, and the composition of characters."""
    text = composed(text)
    text = _REMOTE_MENTION.sub(r"@\1", _SCHEME.sub("", text))
    return " ".join(_TRAILING_SLASH.sub("", text).split()).casefold()


OTHER = "it does not say what was sent"
NOT_OURS = "it is not a post of this account"


def says(text: str, posts: Iterable[Post]) -> bool:
    """Whether a text that was read back is that of one of these."""
    return canonical(text) in {canonical(post.text) for post in posts}


class _Text(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.pieces: list[str] = []
        self._link = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        if tag == "a":
            marks = attributes.get("class", "").split() + attributes.get("rel", "").split()
            # The words of a link may be shortened; those of a mention or a hashtag are what was written.
            self._link = not {"mention", "hashtag", "tag"} & set(marks)
            if self._link:
                self.pieces.append(attributes.get("href", ""))
        elif tag in ("br", "p", "li", "div", "blockquote"):
            self.pieces.append("\n")
        elif tag == "img":
            self.pieces.append(attributes.get("alt", ""))

    def handle_endtag(self, tag: str) -> None:
        if tag == "a":
            self._link = False
        elif tag in ("p", "li", "div", "blockquote"):
            self.pieces.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._link:
            self.pieces.append(data)


def plain(html: str) -> str:
    """What was written, from the HTML that a server made of it, as far as `canonical` needs it."""
    parser = _Text()
    parser.feed(html)
    parser.close()
    return "".join(parser.pieces)
