"""What a platform is: a plain module that fits `Platform`, registered under `broadcast.platforms`.

Importing the module must be cheap: the SDK is imported in `connect`, never at the top.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, Protocol, cast

from pydantic import BaseModel

from broadcast.errors import ConfigError
from broadcast.model import Announcement, Channel, Intent, Limits, Post, Ref

GROUP = "broadcast.platforms"


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a connection waits, in seconds: for each piece of an `answer`, and before each further look for a post
    that may not be listed yet."""

    answer: float
    lag: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Workspace:
    """What a connection may look at besides its posts. `root` is the folder of `broadcast.toml`; media paths are
    relative to it. `announcements` are what a platform that builds pages of them may show; `templates` is the folder of
    the user's own templates. Once `stop` is set, no request is repeated. Without `patience` a platform waits as
    long as suits it. `published` are the ids of posts that the ledger has for the channel: what stands under one of
    them is no other post, however alike the texts are. With `inquire`, `verify` asks the platform what the account may
    not do, as far as logging in does not tell; publishing does not wait for that."""

    root: Path
    now: datetime
    url: str | None = None
    announcements: Sequence[Announcement] = ()
    templates: Path | None = None
    stop: threading.Event = field(default_factory=threading.Event)
    patience: Patience | None = None
    published: frozenset[str] = frozenset()
    inquire: bool = False


@dataclass(frozen=True, slots=True)
class RateLimit:
    """How many requests a server still takes, by its own answer. `requests` names those that it counts: its figure for
    one kind says nothing of another. `limit` is for a whole window, which ends at `reset`."""

    requests: str
    remaining: int
    limit: int | None = None
    reset: datetime | None = None


@dataclass(frozen=True, slots=True)
class Account:
    """Who the credentials log in as. `notes` is what the account may not do, in plain words; `rate_limits` what the
    answers to logging in told of them, nothing where they told nothing."""

    name: str
    url: str | None = None
    notes: tuple[str, ...] = ()
    rate_limits: tuple[RateLimit, ...] = ()


@dataclass(frozen=True, slots=True)
class Prepared:
    """What goes into a post's intent. `payload` is JSON; `ref` is how the post will be known, where that can be told
    before it is sent (Bluesky chooses its own keys)."""

    payload: Mapping[str, Any] = field(default_factory=dict)
    ref: Ref | None = None


@dataclass(frozen=True, slots=True)
class Ours:
    """A post that the ledger takes for ours, and what it may say: what was sent last, or an edit whose answer was lost
    (`posts`). `intent` is what the ledger has of sending it."""

    ref: Ref
    intent: Intent
    posts: tuple[Post, ...]


class Connection(Protocol):
    """An account that is logged in. Every request has a timeout. Errors are `RefusedError` (did nothing),
    `CredentialsError`, or `LostAnswerError` (may have had its effect), never an SDK's own."""

    def verify(self) -> Account:
        """Prove that the credentials work, changing nothing. One that cannot post at all is a `CredentialsError`."""
        ...

    def prepare(
        self, posts: Sequence[Post], language: str, parent: Ref | None, earlier: Sequence[Mapping[str, Any]] = ()
    ) -> list[Prepared]:
        """Choose what must be fixed before sending (keys, CIDs), one for each post; send nothing.

        `earlier`, where it is given, has what an earlier run prepared for each of these posts (nothing for one that is
        another now), as the ledger tells it: take from it only the keys that make it harmless to send a post again, and
        everything else from the posts."""
        ...

    def send(self, intents: Sequence[Intent], parent: Ref | None) -> Iterator[Mapping[int, Ref]]:
        """Send the posts in order, the first as a reply to `parent`. After each request yield what stands since the
        last one, by part, so that it is recorded before the next request; a run that is stopped in between sends no
        more. A platform that takes a whole thread at once yields once. Between requests that can take long, such as
        uploads, and the one that makes a post stand, yield an empty mapping: a claim is good for minutes only. In a
        reference's `data`, `note` tells users what the platform did differently, and `standalone` that the post answers
        nothing: replies are refused."""
        ...

    def find(self, intents: Sequence[Intent], parent: Ref | None) -> Mapping[int, Ref]:
        """Which of these posts stand on the platform, by part. A part that is left out is proved absent. Raises
        `UnprovableError` where the platform does not say.

        A platform that `recognizes` is also given intents that no run has written (`run` and `payload` are empty, `at`
        is the update's time): a ledger that may have been lost asks what stands from before it began. Nothing of them
        is on its way, so one look is enough."""
        ...

    def differing(self, posts: Sequence[Ours]) -> Mapping[str, str]:
        """Read posts back that are to be deleted or edited. Gives, by id, what is wrong with those that do not say what
        we sent: they are left alone. One that is gone is not wrong. Raises `SendError`.

        A platform without this method has no post of which it could be told: all are left alone."""
        ...

    def edit(self, ref: Ref, intent: Intent) -> Ref:
        """Make a post that stands say what `intent` says. Only called where the platform's `EDITS` is true."""
        ...

    def delete(self, refs: Sequence[Ref]) -> Iterator[Sequence[Ref]]:
        """Delete posts, given newest first; one that is gone already is no error. After each request yield those that
        are gone since the last one, so that it is recorded before the next request."""
        ...

    def close(self) -> None: ...


class Platform(Protocol):
    """A module. The capital names are constants of it."""

    OPTIONS: type[BaseModel]
    """The keys that a channel's table takes besides the common ones; unknown keys are forbidden."""
    SECRETS: tuple[str, ...]
    """The fields of `BROADCAST_<CHANNEL>_<FIELD>`, upper case."""
    EDITS: bool
    """Whether a published post can be changed in place."""

    def limits(self, options: Any) -> Limits:
        """What one post takes, known without the network."""
        ...

    def cost(self, post: Post) -> float | None:
        """US dollars for one post, or None where posting is free."""
        ...

    # May also have `forms(options, url) -> Forms`: see `platforms.forms`.

    def connect(self, channel: Channel, secrets: Mapping[str, str], workspace: Workspace) -> Connection:
        """Log in. The only place that imports an SDK. Raises `CredentialsError` or `RefusedError`."""
        ...


def recognizes(name: str) -> bool:
    """Whether a platform can be asked for posts of which no run has written an intent: its module says so with
    `RECOGNIZES = True`, and its `find` tells posts by what they say."""
    return getattr(load(name), "RECOGNIZES", False) is True


def names() -> list[str]:
    """The platforms that are installed."""
    return sorted({entry.name for entry in entry_points(group=GROUP)})


def defaults(name: str) -> BaseModel:
    """A platform's options as far as they have defaults, to ask for its limits without a channel."""
    return load(name).OPTIONS.model_construct()


@cache
def load(name: str) -> Platform:
    """The platform of this name. Raises `ConfigError` where none is installed."""
    found = {entry.name: entry for entry in entry_points(group=GROUP)}
    if name not in found:
        raise ConfigError(f"no platform is called {name!r}", f"installed are: {', '.join(sorted(found))}")
    try:
        return cast(Platform, found[name].load())
    except Exception as error:
        raise ConfigError(f"the platform {name!r} is installed, but cannot be loaded: {error}") from error
