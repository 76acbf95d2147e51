"""The types that pass between the stages: frozen, without behavior, without I/O.

Path --read--> Announcement --check--> Problem* --render--> Draft --fit--> Thread --plan--> Plan
     --publish--> Receipt --record--> Ledger
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

Kind = Literal["incident", "maintenance", "release"]
Severity = Literal["minor", "major", "critical"]
State = Literal["todo", "scheduled", "done", "changed", "uncertain", "skipped"]

# --- read and check -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where something stands in a file. `path` is relative to the project's root; lines and columns count from 1."""

    path: str
    line: int = 1
    column: int = 1


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that is wrong with a file. `code` is stable, for filters and tests; `message` says what to do."""

    severity: Literal["error", "warning"]
    code: str
    place: Place
    message: str


@dataclass(frozen=True, slots=True)
class Media:
    """An image or a video of an update. `path` is POSIX and relative to the project's root."""

    path: str
    alt: str
    place: Place | None = None


@dataclass(frozen=True, slots=True)
class Update:
    """One dated entry of an announcement. `time` is in UTC; `body` is Markdown.

    `overrides` maps the name of a platform or channel to the text of its `post NAME` block; `override_places` says
    where each stands. `body_line` is the file's line on which `body` begins.
    """

    status: str
    time: datetime
    body: str
    place: Place
    body_line: int = 1
    overrides: Mapping[str, str] = field(default_factory=dict)
    override_places: Mapping[str, Place] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Announcement:
    """One Markdown file. `updates` is its chain, sorted by time; `intro` is what stands before the first of them.

    A `translation` (`slug.fr.md`) is another announcement's in another language. A `draft` is never sent or shown.
    `places` says where the values of the front matter stand, by key (`channels`) and item (`channels.0`).
    """

    slug: str
    path: str
    title: str
    kind: Kind
    language: str
    updates: tuple[Update, ...]
    severity: Severity | None = None
    components: tuple[str, ...] = ()
    starts: datetime | None = None
    ends: datetime | None = None
    version: str | None = None
    tags: tuple[str, ...] = ()
    channels: tuple[str, ...] | None = None
    link: str | None = None
    update_every: timedelta | None = None
    draft: bool = False
    translation: bool = False
    intro: str = ""
    places: Mapping[str, Place] = field(default_factory=dict, compare=False, repr=False)


# --- render: rich text ----------------------------------------------------------------------------------------------

SpanKind = Literal["text", "code", "link", "mention", "hashtag", "image"]
BlockKind = Literal["paragraph", "heading", "item", "code", "quote", "row"]


@dataclass(frozen=True, slots=True)
class Span:
    """A run of text of one meaning. A link shows `text` and leads to `url`; for a bare URL they say the same. A line
    end in `text` is a hard break. An image shows nothing: it marks where the next of its part's media stood."""

    kind: SpanKind
    text: str
    url: str = ""


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph, a list item, a line of a table, ...: spans that stand together. `prefix` is shown before them
    (an indent, then a bullet, a number or a quote sign)."""

    kind: BlockKind
    spans: tuple[Span, ...]
    prefix: str = ""


@dataclass(frozen=True, slots=True)
class Part:
    """A named part of a draft (`headline`, `body`, `next_update`, `link`, `tags`): one block of a template. The n-th
    image span of its blocks is where the n-th of its `media` stood."""

    name: str
    blocks: tuple[Block, ...]
    media: tuple[Media, ...] = ()


@dataclass(frozen=True, slots=True)
class Draft:
    """What a template made of one update for one channel. `override` is the user's own text, used as it is.
    `language` (an IETF tag) decides where sentences end and what may be abbreviated."""

    parts: tuple[Part, ...]
    override: str | None = None
    language: str = "en"


# --- fit ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Limits:
    """What one post of a channel takes.

    `length` is the most that `measure` may say of a text, in the platform's own unit (`unit` names it);
    `max_bytes` bounds the UTF-8 bytes too. With `facets`, words can carry a link; without, the URL is written out
    after its words. `images` is the most a post takes, `alt` the most characters of an alternative text. With `cards`,
    a post brings the card of the page that it leads to. `replies` says whether posts answer each other: never, always,
    or (`auto`) until the platform refuses it. `videos` says whether a post takes a video: none, one that stands alone
    (without images), or any; `video_alt` is `alt` for videos, where that is another. `gifs_move`: a GIF is shown as a
    video is. `repeats`: a text is taken that stands on the channel already.
    """

    length: int
    measure: Callable[[str], int]
    unit: str = "characters"
    max_bytes: int | None = None
    facets: bool = False
    images: int = 4
    alt: int = 1000
    cards: bool = False
    replies: Literal["always", "auto", "never"] = "always"
    videos: Literal["none", "alone", "any"] = "none"
    video_alt: int | None = None
    gifs_move: bool = False
    repeats: bool = True


@dataclass(frozen=True, slots=True)
class FitOptions:
    """How a draft becomes posts: the keys that any channel takes in `broadcast.toml`.

    `abbreviations` (word: shorter word) are tried before the packaged ones of the draft's language; an empty value
    takes one of those away. `short_urls` shows bare URLs as Bluesky's app does, where the limits allow facets.
    """

    fit: Literal["auto", "thread", "single"] = "auto"
    max_posts: int = 10
    link: Literal["first", "last", "every", "none"] = "first"
    numbering: bool = True
    abbreviations: Mapping[str, str] = field(default_factory=dict)
    short_urls: bool = False


@dataclass(frozen=True, slots=True)
class Facet:
    """What a stretch of a text is. `start` and `end` are UTF-8 byte offsets; `value` is the URL, the tag without `#`
    or the handle without `@`."""

    kind: Literal["link", "tag", "mention"]
    value: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Card:
    """What is shown below a post of the page that it leads to, where the platform does not look for itself."""

    url: str
    title: str
    description: str


@dataclass(frozen=True, slots=True)
class Post:
    """One message that fits. `length` is in the unit of the limits it was made for."""

    text: str
    length: int
    facets: tuple[Facet, ...] = ()
    media: tuple[Media, ...] = ()
    card: Card | None = None


# --- plan -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Channel:
    """One configured destination: a table of `broadcast.toml`. `options` is the platform's own pydantic model."""

    name: str
    platform: str
    fit: FitOptions
    limits: Limits
    language: str | None = None
    dry: bool = False
    options: Any = None


Otherwise = Callable[[], Sequence[tuple["Post", ...]]]


def no_other() -> Sequence[tuple[Post, ...]]:
    """An update that can only be told in one way."""
    return ()


@dataclass(frozen=True, slots=True)
class Thread:
    """The posts of one update on one channel, in order. `source` is the digest of what the user wrote of it;
    `audience` names all channels that the announcement goes to. A `draft` is not to be sent. Where the announcement
    would not go any more, but has begun, it `stays` until it is over, or was `left` on purpose. `otherwise` makes the
    posts as another run may have told them: sooner or later, with the time that tells it apart or without."""

    announcement: str
    update: datetime
    status: str
    channel: Channel
    language: str
    posts: tuple[Post, ...]
    source: str
    audience: tuple[str, ...] = ()
    draft: bool = False
    stays: bool = False
    left: bool = False
    otherwise: Otherwise = field(default=no_other, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Ref:
    """A post as its platform knows it. `data` is what a reply to it or a deletion needs besides (a CID, a root)."""

    id: str
    url: str | None = None
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ReplyTo:
    """The post that a post answers; `id` and `url` are known once that one stands."""

    update: datetime
    part: int
    id: str | None = None
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Action:
    """One post that should exist, and what the ledger says of it. `part` counts from 1. `ref` is the post that stands
    for it; `note` says why the state is what it is; `otherwise` is the thread's."""

    announcement: str
    update: datetime
    status: str
    channel: str
    platform: str
    part: int
    parts: int
    post: Post
    limit: int
    language: str
    reply_to: ReplyTo | None
    state: State
    ref: Ref | None = None
    source: str = ""
    audience: tuple[str, ...] = ()
    note: str = ""
    otherwise: Otherwise = field(default=no_other, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Plan:
    """Every post that should exist. `cost` is in US dollars, for each channel that is paid for, of what is to do."""

    actions: tuple[Action, ...]
    problems: tuple[Problem, ...] = ()
    cost: Mapping[str, float] = field(default_factory=dict)


# --- publish and record ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Intent:
    """Written before a post is sent: all that will be sent. `payload` is what the platform prepared (keys, CIDs);
    `source` is the digest of what the user wrote; `run` names the run that claims the post. `ref` is how the post
    will be known and `parent` what it answers, where that is known before it is sent. `audience` names all channels
    that the announcement went to: one that is missing here was added later."""

    announcement: str
    update: datetime
    channel: str
    part: int
    parts: int
    at: datetime
    run: str
    status: str
    post: Post
    language: str
    source: str
    payload: Mapping[str, Any] = field(default_factory=dict)
    ref: Ref | None = None
    parent: Ref | None = None
    audience: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Receipt:
    """Written after a post was sent: how its platform knows it."""

    announcement: str
    update: datetime
    channel: str
    part: int
    at: datetime
    run: str
    ref: Ref


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found out about intents without a receipt: `absent` (never sent, may be sent) or, for a post that a
    human settles, `posted`. `part` 0 speaks of the whole update; `by` says who decided, and why
    (`reconcile`, `settle`, `baseline`, …)."""

    announcement: str
    update: datetime
    channel: str
    part: int
    at: datetime
    run: str
    verdict: Literal["absent", "posted", "retracted"]
    by: str


Event = Intent | Receipt | Verdict


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one post in this run."""

    announcement: str
    update: datetime
    channel: str
    part: int
    state: Literal["posted", "done", "failed", "uncertain", "skipped"]
    id: str | None = None
    url: str | None = None
    error: str | None = None


# --- status ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ChannelStanding:
    """How far an announcement has come on one channel; `urls` are those of its posts, oldest first."""

    state: State
    urls: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Standing:
    """Where an announcement stands. `updated` is the time of its last update; `next_update_due` is None where
    followers are owed nothing more."""

    announcement: str
    title: str
    kind: Kind
    status: str
    open: bool
    updated: datetime
    next_update_due: datetime | None = None
    overdue: bool = False
    channels: Mapping[str, ChannelStanding] = field(default_factory=dict)
