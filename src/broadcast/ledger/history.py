"""What the events of an announcement come to: which posts stand, which are absent, which are in doubt."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from broadcast.model import Event, Intent, Post, Receipt, Ref, Verdict


@dataclass(frozen=True, slots=True)
class PartState:
    """One post. `posted`: it stands (`ref` is None where a human or a baseline said so). `open`: an intent without a
    receipt or verdict; it may stand. `absent`: claimed once, and proved not to stand. `retracted`: it stood once.

    `intent` is what was sent, or was to be; None where the ledger was never told. `edit` is what it was to say instead,
    where nobody knows whether it does.
    """

    part: int
    intent: Intent | None
    ref: Ref | None
    state: Literal["posted", "open", "absent", "retracted"]
    edit: Intent | None = None


@dataclass(frozen=True, slots=True)
class Sent:
    """The posts of one update on one channel, by part. `baseline`: the update was declared published as a whole,
    whatever its posts. `run` and `claimed_at` are of the last claim."""

    parts: tuple[PartState, ...]
    baseline: bool = False
    run: str | None = None
    claimed_at: datetime | None = None


def fold(events: Sequence[Event]) -> Mapping[tuple[datetime, str], Sent]:
    """What has become of each (update, channel), from the events of one announcement in the ledger's order.

    An intent
        makes its part open, and supersedes an earlier intent for it. An intent for a part that stands is an edit: the
        part stays posted, with the text that was sent, until a receipt says that the edit was made. A claim of another
        number of parts ends the claim before it: what that left absent or retracted is forgotten; what it left posted
        or open stays, because it stands or may stand.
    A receipt
        makes its part posted. One for a reference that was retracted comes late, and changes nothing.
    A verdict `absent`
        makes an open part absent. Part 0 speaks of all open parts. From a run that claimed the part itself, it speaks
        of that claim: it comes late where another run has claimed the part since, and changes nothing.
    A verdict `posted`
        makes its part posted, without a reference where none is known. Part 0 speaks of all that are open or absent,
        and makes the update a baseline.
    A verdict `retracted`
        makes its part retracted. Part 0 speaks of all that are posted, and ends a baseline.
    """
    stories: dict[tuple[datetime, str], _Story] = {}
    for event in events:
        story = stories.setdefault((event.update, event.channel), _Story())
        match event:
            case Intent():
                story.claim(event)
            case Receipt():
                story.receive(event)
            case Verdict():
                story.judge(event)
    return {key: story.sent() for key, story in stories.items()}


REPLIES_REFUSED = "replies-refused"
"""Who decided that a post is absent: a platform that took it for a reply, and takes none."""


def standalone(events: Iterable[Event]) -> set[str]:
    """The channels where replies were refused last: a post stands on its own because of that, or could not be sent."""
    newest: dict[str, tuple[datetime, bool]] = {}
    for event in events:
        match event:
            case Receipt():
                alone = event.ref.data.get("standalone") is True
            case Verdict() if event.by == REPLIES_REFUSED:
                alone = True
            case _:
                continue
        if event.channel not in newest or event.at >= newest[event.channel][0]:
            newest[event.channel] = event.at, alone
    return {channel for channel, (_, alone) in newest.items() if alone}


def beginning(sent: Sent) -> tuple[Post, ...]:
    """The posts with which a thread began whose rest was laid out later, or is to be; none for any other. What such a
    thread still has to say comes from the files, and follows what it has said."""
    first = [part.intent for part in sent.parts if part.state == "posted" and part.intent is not None]
    rest = sent.parts[len(first) :]
    if first and not rest:  # what was laid out later is of the file as it was then
        newest = first[-1].source
        first = first[: next(number for number, intent in enumerate(first) if intent.source == newest)]
    return tuple(intent.post for intent in first) if all(part.state == "absent" for part in rest) else ()


_State = Literal["posted", "open", "absent", "retracted"]


@dataclass(slots=True)
class _Part:
    """A part while its events are read."""

    state: _State
    intent: Intent | None = None
    edit: Intent | None = None
    ref: Ref | None = None


@dataclass(slots=True)
class _Story:
    """An update on a channel while its events are read. `numbers` are those of its parts, by state: an event that
    speaks of many parts only looks at those that it changes."""

    parts: dict[int, _Part] = field(default_factory=dict)
    numbers: dict[_State, set[int]] = field(default_factory=lambda: defaultdict(set))
    baseline: bool = False
    last: Intent | None = None
    claims: set[tuple[int, str]] = field(default_factory=set)
    retracted: set[str] = field(default_factory=set)

    def claim(self, intent: Intent) -> None:
        if self.last is not None and intent.parts != self.last.parts:
            for number in self.numbers.pop("absent", set()) | self.numbers.pop("retracted", set()):
                del self.parts[number]
        self.last = intent
        self.claims.add((intent.part, intent.run))
        part = self.parts.get(intent.part)
        if part is not None and part.state == "posted":
            part.edit = intent
        else:
            part = self._become("open", intent.part)
            part.intent, part.ref = intent, None

    def receive(self, receipt: Receipt) -> None:
        if receipt.ref.id in self.retracted:
            return
        part = self._become("posted", receipt.part)
        part.ref = receipt.ref
        if part.edit is not None:
            part.intent, part.edit = part.edit, None

    def judge(self, verdict: Verdict) -> None:
        whole = verdict.part == 0
        match verdict.verdict:
            case "absent":
                for number in list(self.numbers["open"]) if whole else [verdict.part]:
                    self._clear(number, verdict.run)
            case "posted":
                self.baseline = self.baseline or whole
                for number in self.numbers["open"] | self.numbers["absent"] if whole else {verdict.part}:
                    if number in self.numbers["retracted"]:
                        self.parts[number].ref = None
                    self._become("posted", number)
            case "retracted":
                self.baseline = self.baseline and not whole
                for number in list(self.numbers["posted"]) if whole else [verdict.part]:
                    part = self._become("retracted", number)
                    part.edit = None
                    if part.ref is not None:
                        self.retracted.add(part.ref.id)

    def _clear(self, number: int, run: str) -> None:
        part = self.parts.get(number)
        if part is None or part.state != "open":
            return
        late = (number, run) in self.claims and part.intent is not None and part.intent.run != run
        if not late:
            self._become("absent", number)

    def _become(self, state: _State, number: int) -> _Part:
        part = self.parts.setdefault(number, _Part(state))
        self.numbers[part.state].discard(number)
        self.numbers[state].add(number)
        part.state = state
        return part

    def sent(self) -> Sent:
        parts = tuple(
            PartState(number, part.intent, part.ref, part.state, part.edit)
            for number, part in sorted(self.parts.items())
        )
        if self.last is None:
            return Sent(parts, self.baseline)
        return Sent(parts, self.baseline, self.last.run, self.last.at)
