"""The body of a cState issue is one text; people mark what they added, in many ways. Here it is taken apart.

Known marks, each at the beginning of a line outside of code and comments: `[Final message]`, `[Update 2]`,
`[Update - 2023-03-29 15h50 UTC]`, `**Update at 2021-06-08 11:20 UTC**`, `**2021-06-07 16:37:00**`, `*Resolved* - ...`,
`Initial message:`, `Update: ...`; and cState's own `{{< track "2020-06-13 15:54:00" >}}` anywhere in a text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal

from broadcast.source import statuses
from broadcast.source.cstate.front import read_time
from broadcast.source.outline import Heading, outline

Role = Literal["first", "middle", "last", ""]

_BRACKET = re.compile(r"\[([A-Za-z][^\[\]]{0,80})\](?![(\[:])[ \t]*(?:-->)?[ \t]*(.*)")
_EMPHASIS = re.compile(r"(\*\*|__|\*|_)(?=\S)([^*_]{1,80})\1[ \t]*(?:[-–—:][ \t]*)?(.*)")
_UNCLOSED = re.compile(r"()\*\*(?=\S)([^*]{1,80})()")
_PLAIN = re.compile(r"()((?:initial|opening|final|closing) message):?[ \t]*()", re.IGNORECASE)
_PLAIN_UPDATE = re.compile(r"()((?:update|edit)(?: [0-9]+)?):[ \t]*(.*)", re.IGNORECASE)
_ROLES: tuple[tuple[Role, re.Pattern[str]], ...] = (
    ("first", re.compile(r"(?:initial|opening|open|start)(?: (?:message|issue|incident|maintenance))?\b")),
    (
        "last",
        re.compile(
            r"(?:final|closing|close|closed|end|fixed)(?: of (?:the )?(?:outage|incident|maintenance))?"
            r"(?: (?:message|issue|incident|maintenance|update))?\b"
        ),
    ),
    ("middle", re.compile(r"(?:update|updated|edit|edited)(?: [0-9]{1,2}(?![0-9a-z-]))?\b")),
)
_STATUS = re.compile(
    "(investigating|identified|monitoring|resolved|reopened|post-?mortem|scheduled|in[ -]progress|verifying|completed"
    r"|cancell?ed|delayed)\b"
)
_TRACK = re.compile(r"\{\{[<%][ \t]*track[ \t]++[\"“']?([^\"”'<>%{}]{4,40}?)[\"”']?[ \t]*+[>%]\}\}")
_FIRST = {chain[0] for chain in statuses.CHAINS.values()}
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAY = re.compile(
    r"([0-9]{1,2})(?:st|nd|rd|th)?(?: of)? ([a-z]{3})[a-z]* ([0-9]{4})"
    r"(?:[ ,–-]+(?:at )?([0-9]{1,2})[:h]([0-9]{2}))?(?: ?utc)?"
)


@dataclass(slots=True)
class Message:
    """What somebody added at one time. `role` says where in the story its mark puts it, and `status` what it names.

    `time` is what is written; `day_only` says that only its day is. `unread` is what of the mark was not understood.
    `inline` says that the mark and the text share a line. `tracked` is the number of lines up to its time mark.
    """

    role: Role = ""
    status: str | None = None
    time: datetime | None = None
    day_only: bool = False
    tracked: int = 0
    unread: str = ""
    inline: bool = False
    lines: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        return "\n".join(self.lines).strip("\n")


def split_messages(body: str) -> list[Message]:
    """The messages in the order of the file. The first is what stands before any mark, and may be empty."""
    lines = body.split("\n")
    hidden = {
        number for block in outline(lines) if not isinstance(block, Heading) for number in range(block.start, block.end)
    }
    messages = [Message()]
    for number, line in enumerate(lines):
        if number in hidden:
            messages[-1].lines.append(line)
            continue
        found = _mark(line)
        if found is not None:
            messages.append(found)
            line = found.lines.pop()
        line, time = _track(line)
        if time is not None:
            _split_tracked(messages)
            messages[-1].time, messages[-1].day_only = time, False
            messages[-1].tracked = len(messages[-1].lines) + 1
        messages[-1].lines.append(line)
    last = messages[-1]
    if last.inline and not any(each.role == "first" for each in messages) and not messages[0].text.strip():
        _split_inline(messages)
    return messages


def _mark(line: str) -> Message | None:
    """The beginning of a message, with the rest of its line."""
    for pattern in (_BRACKET, _EMPHASIS, _UNCLOSED, _PLAIN, _PLAIN_UPDATE):
        match = pattern.fullmatch(line)
        if match is None:
            continue
        label, rest = match.groups()[-2:]
        message = read_label(label)
        if message is not None:
            message.inline = bool(rest.strip())
            message.lines = [rest]
            return message
    return None


def read_label(label: str) -> Message | None:
    """What a mark says; None where it is no mark but a part of the text."""
    words = " ".join(label.lower().split()).strip(" :-–—")
    time, day_only = _label_time(words)
    if time is not None:
        return Message("middle", time=time, day_only=day_only)
    if named := _STATUS.match(words):
        status = statuses.status(named[0])
        role: Role = "last" if status in statuses.FINAL else "first" if status in _FIRST else "middle"
        return _with_rest(Message(role, status), words[named.end() :])
    for role, pattern in _ROLES:
        match = pattern.match(words)
        if match is not None:
            return _with_rest(Message(role), words[match.end() :])
    return None


def _with_rest(message: Message, rest: str) -> Message | None:
    """A mark's further words are a time, or set apart by a dash; else this is a sentence that begins like a mark."""
    further = re.sub(r"^(?:at|on|of)\b", "", rest.strip(" :-–—@,")).strip()
    if not further:
        return message
    message.time, message.day_only = _label_time(further)
    if message.time is None:
        if not rest.strip().startswith(("-", "–", "—", ":")):
            return None
        message.unread = further
    return message


def _label_time(text: str) -> tuple[datetime | None, bool]:
    try:
        time, _ = read_time(text.upper().replace("H", "h") if "h" in text else text.upper())
        return time, bool(re.fullmatch(r"[0-9-]+", text))
    except ValueError:
        pass
    match = _DAY.fullmatch(text)
    if match is None or match[2] not in _MONTHS:
        return None, False
    try:
        day = datetime(int(match[3]), _MONTHS.index(match[2]) + 1, int(match[1]), tzinfo=UTC)
        return day.replace(hour=int(match[4] or 0), minute=int(match[5] or 0)), match[4] is None
    except ValueError:
        return None, False


def _track(line: str) -> tuple[str, datetime | None]:
    match = _TRACK.search(line)
    if match is None:
        return line, None
    try:
        time, _ = read_time(match[1])
    except ValueError:
        return line, None
    return (line[: match.start()].rstrip() + line[match.end() :]).rstrip(), time


def _split_tracked(messages: list[Message]) -> None:
    """A second time mark in one message: what follows the first is a message of its own."""
    last = messages[-1]
    if last.tracked:
        messages.append(Message(lines=last.lines[last.tracked :]))
        del last.lines[last.tracked :]


def _split_inline(messages: list[Message]) -> None:
    """`[Update] Done.` above older text without a mark: what follows the first blank line is that older text."""
    lines = messages[-1].lines
    end = next((number for number, line in enumerate(lines) if not line.strip()), len(lines))
    if any(line.strip() for line in lines[end:]):
        messages.append(Message("first", lines=lines[end:]))
        del lines[end:]
