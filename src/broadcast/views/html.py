"""Posts side by side, one column per channel, as one HTML file that needs nothing else.

The same page shows a plan (`preview --html`) and what stands on the stand-in servers after a rehearsal.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from markupsafe import Markup

from broadcast.images import TYPES, locate, media_type
from broadcast.model import Action, Media, Plan
from broadcast.source.times import format_time
from broadcast.templates import environment
from broadcast.views.groups import count, dollars, label, size
from broadcast.views.pieces import links, pieces
from broadcast.visible import HIDDEN, line, visible

MAX_IMAGE = 5_000_000
MAX_IMAGES = 40_000_000
"""Bytes of one image and of all of them that are written into the page; others are named by their alternative text."""

HERE = Path(__file__).parent
WEB = re.compile(r"https?://", re.IGNORECASE)
NEARLY_FULL = 0.9


@dataclass(frozen=True, slots=True)
class Card:
    """One post.

    `links` are (start, end, URL) in UTF-8 byte offsets of `text`; `media` are (media type, bytes, alternative text),
    with no bytes where an image cannot be shown. `time` is when followers see the post, `status` the update's.
    `reply_to` says in words what it answers (`the post before it`), `note` anything else that a reader must know.
    Cards of one `group` stand under a common heading, across the columns; within it, a part or a reply hangs on the
    card before it.
    """

    text: str
    time: datetime
    links: tuple[tuple[int, int, str], ...] = ()
    media: tuple[tuple[str, bytes, str], ...] = ()
    part: int = 1
    parts: int = 1
    status: str = ""
    length: int | None = None
    limit: int | None = None
    reply_to: str = ""
    url: str | None = None
    note: str = ""
    group: str = ""
    language: str = ""


@dataclass(frozen=True, slots=True)
class Column:
    """A channel: its posts, the oldest first. `account` is the name that followers see."""

    name: str
    platform: str
    account: str
    cards: tuple[Card, ...]


def preview(plan: Plan, root: Path) -> str:
    """The page of a plan. `root` is the project's folder, below which images are looked up."""
    costs = [f"{name}: {dollars(usd)}" for name, usd in plan.cost.items() if usd]
    notes = [f"{found.place.path}:{found.place.line}: {found.severity}: {found.message}" for found in plan.problems]
    posts = count(len(plan.actions), "post")
    return page("Preview", columns(plan, root), subtitle=" · ".join([posts, *costs]), notes=notes)


def columns(plan: Plan, root: Path) -> tuple[Column, ...]:
    """A column for each channel of a plan, in the plan's order."""
    budget = _Budget(MAX_IMAGES)
    channels: dict[str, list[Action]] = {}
    for action in plan.actions:
        channels.setdefault(action.channel, []).append(action)
    return tuple(
        Column(name, actions[0].platform, name, tuple(_card(action, root, budget) for action in _ordered(actions)))
        for name, actions in channels.items()
    )


def page(title: str, columns: Sequence[Column], *, subtitle: str = "", notes: Sequence[str] = ()) -> str:
    """The whole HTML page. `subtitle` stands below the title and `notes` before the posts, all plain text."""
    templates = environment(HERE, autoescape=True, finalize=_harmless)
    style = (HERE / "columns.css").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; base-uri 'none'; form-action 'none'"
    written: str = templates.get_template("columns.html.j2").render(
        title=line(title),
        subtitle=line(subtitle),
        notes=[line(note) for note in notes],
        groups=list(_groups(columns)),
        policy=policy,
        style=Markup(style),  # noqa: S704 - our own file
    )
    return written


@dataclass(slots=True)
class _Budget:
    """Bytes that may still be written into the page."""

    left: int

    def take(self, size: int) -> bool:
        if size > min(self.left, MAX_IMAGE):
            return False
        self.left -= size
        return True


def _ordered(actions: Sequence[Action]) -> list[Action]:
    return sorted(actions, key=lambda action: (action.update, action.announcement, action.part))


def _card(action: Action, root: Path, budget: _Budget) -> Card:
    reply = action.reply_to
    return Card(
        text=action.post.text,
        time=action.update,
        links=tuple(links(action.post)),
        media=tuple(_picture(item, root, budget) for item in action.post.media),
        part=action.part,
        parts=action.parts,
        length=action.post.length,
        limit=action.limit,
        url=action.ref.url if action.ref else None,
        reply_to="" if reply is None or action.part > 1 else f"the update of {format_time(reply.update)}",
        note=" · ".join(filter(None, (action.state, action.note))),
        group=f"{action.announcement} · {label(action.status)} · {format_time(action.update)}",
        language=action.language,
    )


def _picture(item: Media, root: Path, budget: _Budget) -> tuple[str, bytes, str]:
    found = locate(root, item.path)
    if found is None or not media_type(found).startswith("image/") or not budget.take(found.stat().st_size):
        return "", b"", item.alt
    return media_type(found), found.read_bytes(), item.alt


@dataclass(frozen=True, slots=True)
class _Picture:
    source: str
    alt: str


@dataclass(frozen=True, slots=True)
class _Shown:
    """A card as the template needs it: `words` are (text, address or None), `fill` is the meter in percent."""

    card: Card
    words: tuple[tuple[str, str | None], ...]
    pictures: tuple[_Picture, ...]
    size: str
    fill: int
    meter: str
    url: str | None
    threaded: bool
    continued: bool


@dataclass(frozen=True, slots=True)
class _Lane:
    name: str
    platform: str
    account: str
    cards: tuple[_Shown, ...]


@dataclass(frozen=True, slots=True)
class _Group:
    """The columns of the page: None where a channel has nothing in this group."""

    title: str
    lanes: tuple[_Lane | None, ...]


def _groups(columns: Sequence[Column]) -> Iterator[_Group]:
    """The cards by group, in the order of time; within a group each column keeps its own order."""
    budget = _Budget(MAX_IMAGES)
    first: dict[str, datetime] = {}
    lanes: dict[str, dict[int, list[Card]]] = {}
    for index, column in enumerate(columns):
        for card in column.cards:
            first[card.group] = min(card.time, first.get(card.group, card.time))
            lanes.setdefault(card.group, {}).setdefault(index, []).append(card)
    for title in sorted(lanes, key=lambda group: (first[group], group)):
        yield _Group(
            line(title),
            tuple(
                _Lane(line(column.name), line(column.platform), line(column.account), _lane(cards, budget))
                if (cards := lanes[title].get(index))
                else None
                for index, column in enumerate(columns)
            ),
        )


def _lane(cards: Sequence[Card], budget: _Budget) -> tuple[_Shown, ...]:
    hangs = [index > 0 and (card.part > 1 or bool(card.reply_to)) for index, card in enumerate(cards)] + [False]
    return tuple(_shown(card, hangs[index], hangs[index + 1], budget) for index, card in enumerate(cards))


def _shown(card: Card, threaded: bool, continued: bool, budget: _Budget) -> _Shown:
    filled = card.length / card.limit if card.length is not None and card.limit else 0.0
    return _Shown(
        card=card,
        words=tuple((words, _address(url)) for words, url in pieces(card.text, card.links)),
        pictures=tuple(_data(mime, data, alt, budget) for mime, data, alt in card.media),
        size=size(card.length, card.limit) if card.length is not None and card.limit else "",
        fill=min(round(filled * 100), 100),
        meter="over" if filled > 1 else "nearly" if filled > NEARLY_FULL else "roomy",
        url=_address(card.url),
        threaded=threaded,
        continued=continued,
    )


def _harmless(value: object) -> object:
    """What goes into the page, wherever it comes from, but for what is our own."""
    return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _address(url: str | None) -> str | None:
    """What a page may link to: an address of the web, without anything that acts on who reads the source."""
    return url if url and WEB.match(url) and not HIDDEN.search(url) else None


def _data(mime: str, data: bytes, alt: str, budget: _Budget) -> _Picture:
    """An image as a `data:` address; nothing for what a page must not open, is missing or too large."""
    known = mime in TYPES.values() and mime.startswith("image/")
    fits = bool(data) and known and budget.take(len(data))
    return _Picture(f"data:{mime};base64,{base64.b64encode(data).decode()}" if fits else "", alt)
