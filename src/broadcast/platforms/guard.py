"""Between publishing and a platform, the built-in ones as well as a third party's: what a server answers is held to its
platform's forms before anybody believes it; whatever a platform raises leaves as one of our errors, so that an answer
of a shape that nobody foresaw harms no other channel; and what a platform does not offer has its answer here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from inspect import signature
from typing import Any

from broadcast.defects import OURS, told
from broadcast.errors import LostAnswerError, RefusedError, SendError, UnprovableError
from broadcast.model import Channel, Intent, Post, Ref
from broadcast.platforms import base, forms
from broadcast.platforms.base import Account, Connection, Ours, Prepared, Workspace
from broadcast.platforms.forms import Forms

UNREADABLE = "this platform does not say what it says"


def connect(channel: Channel, secrets: Mapping[str, str], workspace: Workspace) -> Connection:
    """Log in to a channel. Raises `CredentialsError` or `RefusedError`."""
    platform = base.load(channel.platform)
    with _raising(RefusedError):
        made = platform.connect(channel, secrets, workspace)
    return Guarded(made, forms.of_channel(channel, workspace.url))


@contextmanager
def _raising(kind: type[SendError]) -> Iterator[None]:
    """Around a call of a platform's: what is unexpected is raised as this kind, by what it means for a post."""
    try:
        yield
    except OURS:
        raise
    except Exception as error:
        raise kind(told(error)) from error


@dataclass(frozen=True, slots=True)
class Guarded:
    """A connection whose answers are of the right form, and whose errors are ours: see `Connection`."""

    inner: Connection
    forms: Forms

    def verify(self) -> Account:
        with _raising(RefusedError):
            account = self.inner.verify()
            return account if self.forms.leads_here(account.url) else replace(account, url=None)

    def prepare(
        self, posts: Sequence[Post], language: str, parent: Ref | None, earlier: Sequence[Mapping[str, Any]] = ()
    ) -> list[Prepared]:
        with _raising(RefusedError):
            if "earlier" in signature(self.inner.prepare).parameters:
                return self.inner.prepare(posts, language, parent, earlier)
            return self.inner.prepare(posts, language, parent)

    def send(self, intents: Sequence[Intent], parent: Ref | None) -> Iterator[Mapping[int, Ref]]:
        with _raising(LostAnswerError):
            for standing in self.inner.send(intents, parent):
                yield {part: self._answered(ref) for part, ref in standing.items()}

    def find(self, intents: Sequence[Intent], parent: Ref | None) -> Mapping[int, Ref]:
        with _raising(UnprovableError):
            found = self.inner.find(intents, parent)
            try:
                return {part: self.forms.ref(ref) for part, ref in found.items()}
            except ValueError as error:
                raise UnprovableError(f"what it lists cannot be believed: {error}") from None

    def differing(self, posts: Sequence[Ours]) -> Mapping[str, str]:
        told_by = getattr(self.inner, "differing", None)
        if told_by is None:
            return {one.ref.id: UNREADABLE for one in posts}
        with _raising(UnprovableError):
            found: Mapping[str, str] = told_by(posts)
            return found

    def edit(self, ref: Ref, intent: Intent) -> Ref:
        with _raising(LostAnswerError):
            return self._answered(self.inner.edit(ref, intent))

    def delete(self, refs: Sequence[Ref]) -> Iterator[Sequence[Ref]]:
        with _raising(LostAnswerError):
            yield from self.inner.delete(refs)

    def close(self) -> None:
        """Nothing depends on it any more."""
        with suppress(SendError), _raising(RefusedError):
            self.inner.close()

    def _answered(self, ref: Ref) -> Ref:
        """What a request made. A server that says it in a form that its platform does not have has done we do not know
        what."""
        try:
            return self.forms.ref(ref)
        except ValueError as error:
            raise LostAnswerError(f"the answer cannot be believed: {error}") from None
