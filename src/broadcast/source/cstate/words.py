"""What the words of an issue say about it: what kind it is, how it began, how it ended."""

from __future__ import annotations

import re

from broadcast.model import Kind

_PLANNED = re.compile(
    r"\b(maintenances?|upgrad(e|es|ed|ing)|version update|update of|dns update|^update|migrat(e|ed|es|ing|ion)|restart"
    r"|brownout|operation|convert|reindex|downgrading|deployment|reset|removal|preparation|enforced|cleanup)\b"
)
_TROUBLE = re.compile(
    r"\b(outages?|down|incident|unavailable|expired|errors?|fail(s|ed)?|slow|disruptions?|broken|unreachable|problems?"
    r"|offline|flaky|blocked|disconnected|not (updat|refresh)(ed|ing)|invalid)\b"
)
_AHEAD = re.compile(
    r"\b(will be (down|unavailable|restarted|stopped|put|performed|upgraded|migrated)|is planned|is scheduled"
    r"|(we'll|we will|will|going to) (perform|proceed|migrate|upgrade|update|activate|switch|do|change))\b"
)
_UNDER_WAY = re.compile(
    r"\b(has (just )?(been )?started|just began|in progress|are being|is being|is down for|currently"
    r"|(we are|we're) (currently )?[a-z]+ing|were updated|was updated|is successful)\b"
)
_CALLED_OFF = re.compile(r"\b(aborted|postponed?|cancell?ed|called off)\b")


def kind_of(title: str, first: str, *, notice: bool) -> Kind:
    """The kind of an issue, from its title and its first message; `notice` is what cState itself calls it."""
    # Names of hosts say nothing: issues.example.org is no issue, updates.example.org no update.
    words = re.sub(r"(?<!\S)\S+\.\S+|issues\.|updates?\s+cent(?:er|re)", " ", title.lower())
    planned, trouble = _PLANNED.search(words), _TROUBLE.search(words)
    ahead = _AHEAD.search(re.sub(r"https?://\S+", " ", first.lower()))
    if planned and not trouble:
        return "maintenance"
    if trouble:
        return "maintenance" if ahead else "incident"
    return "maintenance" if ahead or notice else "incident"


def first_status(kind: Kind, text: str, *, late: bool) -> str:
    """The status of a first message; `late` says that it was written after the beginning."""
    if kind == "incident":
        return "investigating"
    return "in progress" if late or _UNDER_WAY.search(text.lower()[:300]) else "scheduled"


def last_status(kind: Kind, text: str) -> str:
    """The status of the message that ends the story."""
    if kind == "incident":
        return "resolved"
    return "cancelled" if _CALLED_OFF.search(text.lower()) else "completed"


def is_said(text: str) -> bool:
    """Whether a text is more than comments and links."""
    bare = re.sub(r"<!--.*?(?:-->|\Z)|\[[^\[\]\n]{0,500}\]\([^()\n]{0,2000}\)|https?://\S+", "", text, flags=re.DOTALL)
    return bool(re.search(r"\w", bare))
