"""Everything that can be wrong with an announcement's file: one table of codes, and how a problem is made from it.

Codes are stable: people filter by them. What a code stands for never changes; its message may.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from difflib import get_close_matches
from typing import Literal

from broadcast.defects import OURS, told
from broadcast.model import Place, Problem

CODES: dict[str, tuple[Literal["error", "warning"], str]] = {
    # Files and folders
    "missing-folder": ("warning", "the folder of announcements does not exist"),
    "unreadable": ("error", "the file cannot be opened or is not a regular file"),
    "outside-root": ("error", "a link leads out of the project"),
    "folder-link": ("warning", "a link to a folder is not followed"),
    "unseen-file": ("warning", "a file that looks like an announcement, but for its name"),
    "too-large": ("error", "the file is larger than an announcement may be"),
    "too-many": ("error", "more updates, images, links or translations than an announcement may have"),
    "too-long": ("error", "more text in one update than is read"),
    "not-utf8": ("error", "the file is not UTF-8"),
    "control-character": ("error", "an invisible control character"),
    "bidi-control": ("warning", "a character that changes the direction of the text around it"),
    "defect": ("error", "broadcast itself fails on the file; the others go their way"),
    "bad-slug": ("error", "the file's name cannot become a URL"),
    "duplicate-slug": ("error", "two files are the same announcement"),
    # Front matter
    "no-front-matter": ("error", "the file does not begin with front matter, or it is never closed"),
    "bad-yaml": ("error", "the front matter is not YAML, or uses more of YAML than front matter needs"),
    "duplicate-key": ("error", "a key stands twice"),
    "unknown-key": ("error", "a key that does not exist"),
    "missing-key": ("error", "a key that is needed is missing"),
    "bad-value": ("error", "a value that its key does not take"),
    "tag-changed": ("warning", "a tag that is no hashtag as it is written"),
    "cut-title": ("warning", "a title of which YAML takes a part for a comment"),
    "language-mismatch": ("error", "the file's name and its front matter name two languages"),
    # Updates
    "conflict": ("error", "a conflict marker of git"),
    "bad-time": ("error", "an update's heading has a time that cannot be read"),
    "no-separator": ("error", "an update's heading has no separator between status and time"),
    "wrong-status": ("error", "the status belongs to another kind of announcement"),
    "misspelled-status": ("error", "a heading with a time whose words are no status"),
    "heading-level": ("error", "an update's heading on the wrong level"),
    "not-an-update": ("error", "a line that looks like an update's heading and is none"),
    "heading-without-time": ("warning", "a heading that is a status without a time"),
    "same-time": ("error", "two updates at one time"),
    "time-ahead": ("warning", "an update dated more than an hour ahead"),
    "time-slip": ("warning", "an update whose month or year is probably wrong"),
    "old-news": ("warning", "a new announcement that is too old to be sent"),
    "past-promise": ("warning", "a promise of the next update for a time that is past"),
    "missing-date": ("error", "neither an update's heading nor a date"),
    "unused-date": ("warning", "`date` has no effect"),
    "intro-not-posted": ("warning", "text before the first update goes to the page only"),
    "unclosed-block": ("error", "a code block or comment that is never closed hides the rest of the file"),
    "bad-override": ("error", "a `post` block without one name, twice for one name, or outside of an update"),
    "empty-update": ("error", "an update says nothing"),
    "too-deep": ("error", "lists and quotes that are nested deeper than they are read"),
    # The chain
    "backwards": ("error", "a status that cannot follow the one before it"),
    # What belongs to a kind
    "wrong-kind": ("warning", "a key that has no effect on this kind of announcement"),
    "missing-starts": ("warning", "a scheduled maintenance does not say when it starts"),
    "missing-version": ("warning", "a release has no version"),
    "ends-before-starts": ("error", "a maintenance ends before it starts"),
    "component-spelling": ("warning", "a component's name is spelled otherwise elsewhere"),
    "unknown-channel": ("error", "no channel or platform has this name"),
    # Links and media
    "missing-alt": ("error", "an image without alternative text"),
    "missing-media": ("error", "an image that is not a file of the project"),
    "bad-media": ("error", "an image or a video that is not what its name says, or that platforms do not take"),
    "bad-link": ("error", "a link that followers cannot open"),
    # Translations
    # An outage must not wait for a translator.
    "translation-behind": ("warning", "a translation lacks the newest updates"),
    "translation-untaken": ("warning", "no channel takes the language that a file's name stands for"),
    "translation-differs": ("error", "a translation does not match the file it translates"),
}
"""What each code stands for, and whether it keeps announcements from being published."""


def problem(code: str, place: Place, message: str) -> Problem:
    """A problem of a known code."""
    return Problem(CODES[code][0], code, place, message)


@contextmanager
def isolated(place: Place, problems: list[Problem], where: str = "") -> Iterator[None]:
    """Around the work on one file: a defect there is one of the file's problems. `where` comes before what it says."""
    try:
        yield
    except OURS:
        raise
    except Exception as error:  # noqa: BLE001 - whatever it is, the other files are not to blame
        problems.append(problem("defect", place, where + told(error)))


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """` Did you mean ...?` (with the space before it), or nothing when no known word is near."""
    near = get_close_matches(word.lower(), list(known), n=1, cutoff=0.6)
    return f" Did you mean `{near[0]}`?" if near else ""


def shown(text: str, limit: int = 60) -> str:
    """What a user wrote, short enough for a message and on one line."""
    line = " ".join(text.split())
    return line if len(line) <= limit else line[: limit - 1] + "…"
