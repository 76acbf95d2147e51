"""Between publishing and a platform, the built-in ones as well as a third party's: what a server answers is held to its
platform's forms before anybody believes it, and what a platform does not offer has its answer here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from inspect import signature
from typing import Any

from broadcast.errors import LostAnswerError, UnprovableError
from broadcast.model import Channel, Intent, Post, Ref
from broadcast.platforms import base, forms
from broadcast.platforms.base import Account, Connection, Ours, Prepared, Workspace
from broadcast.platforms.forms import Forms

UNREADABLE = "this platform does not say what it says"


def connect(channel: Channel, secrets: Mapping[str, str], workspace: Workspace) -> Connection:
    """Log in to a channel. Raises `CredentialsError` or `RefusedError`."""
    made = base.load(channel.platform).connect(channel, secrets, workspace)
    return Guarded(made, forms.of_channel(channel, workspace.url))


@dataclass(frozen=True, slots=True)
class Guarded:
    """A connection whose answers are of the right form: see `Connection`."""

    inner: Connection
    forms: Forms

    def verify(self) -> Account:
        account = self.inner.verify()
        return account if self.forms.leads_here(account.url) else replace(account, url=None)

    def prepare(
        self, posts: Sequence[Post], language: str, parent: Ref | None, earlier: Sequence[Mapping[str, Any]] = ()
    ) -> list[Prepared]:
        if "earlier" in signature(self.inner.prepare).parameters:
            return self.inner.prepare(posts, language, parent, earlier)
        return self.inner.prepare(posts, language, parent)

    def send(self, intents: Sequence[Intent], parent: Ref | None) -> Iterator[Mapping[int, Ref]]:
        for standing in self.inner.send(intents, parent):
            yield {part: self._answered(ref) for part, ref in standing.items()}

    def find(self, intents: Sequence[Intent], parent: Ref | None) -> Mapping[int, Ref]:
        try:
            return {part: self.forms.ref(ref) for part, ref in self.inner.find(intents, parent).items()}
        except ValueError as error:
            raise UnprovableError(f"what it lists cannot be believed: {error}") from None

    def differing(self, posts: Sequence[Ours]) -> Mapping[str, str]:
        told = getattr(self.inner, "differing", None)
        if told is None:
            return {one.ref.id: UNREADABLE for one in posts}
        found: Mapping[str, str] = told(posts)
        return found

    def edit(self, ref: Ref, intent: Intent) -> Ref:
        return self._answered(self.inner.edit(ref, intent))

    def delete(self, refs: Sequence[Ref]) -> Iterator[Sequence[Ref]]:
        yield from self.inner.delete(refs)

    def close(self) -> None:
        self.inner.close()

    def _answered(self, ref: Ref) -> Ref:
        """What a request made. A server that says it in a form that its platform does not have has done we do not know
        what."""
        try:
            return self.forms.ref(ref)
        except ValueError as error:
            raise LostAnswerError(f"the answer cannot be believed: {error}") from None
