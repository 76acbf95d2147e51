"""The forms of ids, keys and addresses.

Whoever may write to the ledger may write anything there, and a server may answer anything. What is not of the form that
its platform gives such things goes into no request and on no screen.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlsplit

from broadcast.model import Channel, Event, Receipt, Ref, Verdict
from broadcast.platforms.base import load
from broadcast.platforms.options import loopback

LONGEST_ID = 512
LONGEST_URL = 2048
LONGEST_THREAD = 10_000

SEGMENT = r"(?!\.{1,2}\Z)[A-Za-z0-9._~-]{1,128}"
"""One segment of a path, which needs no quoting and leads nowhere else."""


@dataclass(frozen=True, slots=True)
class Forms:
    """What a platform's ids look like, as regular expressions that match the whole: `id`, and the `values` of a
    reference's `data` and an intent's `payload`, by their names (`root.uri` is one in an object). Of addresses those
    are kept that are on one of these `hosts`, or on a subdomain of one or the other way round; None is any host,
    `file:` a file of this machine."""

    id: str = r"\S+"
    values: Mapping[str, str] = field(default_factory=dict)
    hosts: tuple[str, ...] | None = None

    def ref(self, ref: Ref) -> Ref:
        """The reference, without an address that is not the channel's own. Raises `ValueError`."""
        if not plain(ref.id, LONGEST_ID) or not re.fullmatch(self.id, ref.id):
            raise ValueError(f"no post here can have the id {shown(ref.id)}")
        self.data(ref.data)
        return ref if ref.url is None or self.leads_here(ref.url) else replace(ref, url=None)

    def data(self, data: Mapping[str, Any]) -> None:
        """Raises `ValueError` for a value of another form."""
        for path, form in self.values.items():
            value: Any = data
            for name in path.split("."):
                if not isinstance(value, Mapping):
                    raise ValueError(f"{path!r} has another form than it has here")  # noqa: TRY004 - see codec
                value = value.get(name)
                if value is None:
                    break
            if value is not None and not (isinstance(value, str) and re.fullmatch(form, value)):
                raise ValueError(f"{path!r} has another form than it has here: {shown(value)}")

    def leads_here(self, url: object) -> bool:
        """Whether an address is one of the channel's own."""
        if not isinstance(url, str) or not plain(url, LONGEST_URL) or "\\" in url:
            return False
        try:
            parts = urlsplit(url)
            host, _ = parts.hostname or "", parts.port
        except ValueError:
            return False
        if parts.scheme == "file":
            return "file:" in (self.hosts or ()) and not parts.netloc
        if parts.scheme not in ("http", "https") or not host or "@" in parts.netloc:
            return False
        return self.hosts is None or any(_related(host, own) for own in self.hosts)


def plain(text: str, longest: int) -> bool:
    """Whether this is short, and made of characters that can be seen."""
    return 0 < len(text) <= longest and text.isprintable() and not any(character.isspace() for character in text)


def shown(value: object) -> str:
    """A stranger's value, fit for a message."""
    return ascii(value) if len(ascii(value)) <= 80 else ascii(value)[:79] + "…"


def host_of(url: str | None) -> tuple[str, ...]:
    """The host of a URL of `broadcast.toml`, if there is one."""
    host = urlsplit(url or "").hostname
    return (host,) if host else ()


def _related(one: str, other: str) -> bool:
    if one == other or (loopback(one) and loopback(other)):
        return True
    short, long = sorted((one, other), key=len)
    return "." in short and long.endswith(f".{short}")


def of_channel(channel: Channel, url: str | None) -> Forms:
    """The forms of a channel's platform; `url` is where the project's pages are. A platform that tells none has ids of
    characters that can be seen, without white space."""
    told: Callable[[Any, str | None], Forms] | None = getattr(load(channel.platform), "forms", None)
    return Forms() if told is None else told(channel.options, url)


def reader(channels: Mapping[str, Channel], url: str | None) -> Callable[[Event], Event]:
    """What an event of a ledger may be used as: itself, without addresses that are not its channel's own. It raises
    `ValueError` for one that speaks of a post as no server would. Of a channel that is not in `broadcast.toml` nothing
    else is known than that ids can be seen."""
    known: dict[str, Forms] = {}

    def check(event: Event) -> Event:
        if event.part > LONGEST_THREAD:
            raise ValueError(f"no thread has {event.part} posts")
        if isinstance(event, Verdict):
            return event
        name = event.channel
        if name not in known:
            known[name] = of_channel(channels[name], url) if name in channels else Forms()
        forms = known[name]
        try:
            if isinstance(event, Receipt):
                ref = forms.ref(event.ref)
                return event if ref is event.ref else replace(event, ref=ref)
            forms.data(event.payload)
            refs = [forms.ref(one) if one else None for one in (event.ref, event.parent)]
        except ValueError as error:
            platform = f" ({channels[name].platform})" if name in channels else ""
            raise ValueError(f"channel {shown(name)}{platform}: {error}") from None
        if refs[0] is event.ref and refs[1] is event.parent:
            return event
        return replace(event, ref=refs[0], parent=refs[1])

    return check
