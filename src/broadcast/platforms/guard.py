"""Around a connection, whoever wrote it: whatever a platform's module raises leaves as one of our errors, so that an
answer of a shape that nobody foresaw harms no other channel."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress

from broadcast.defects import OURS, told
from broadcast.errors import LostAnswerError, RefusedError, SendError, UnprovableError
from broadcast.model import Channel, Intent, Post, Ref
from broadcast.platforms.base import Account, Connection, Prepared, Workspace, load


def connected(channel: Channel, secrets: Mapping[str, str], workspace: Workspace) -> Connection:
    """Log in to a channel. Raises `CredentialsError` or `RefusedError`."""
    platform = load(channel.platform)
    with _raising(RefusedError):
        return _Guarded(platform.connect(channel, secrets, workspace))


@contextmanager
def _raising(kind: type[SendError]) -> Iterator[None]:
    """Around a call of a platform's: what is unexpected is raised as this kind, by what it means for a post."""
    try:
        yield
    except OURS:
        raise
    except Exception as error:
        raise kind(told(error)) from error


class _Guarded:
    """A connection whose errors are ours."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def verify(self) -> Account:
        with _raising(RefusedError):
            return self._connection.verify()

    def prepare(self, posts: Sequence[Post], language: str, parent: Ref | None) -> list[Prepared]:
        with _raising(RefusedError):
            return self._connection.prepare(posts, language, parent)

    def send(self, intents: Sequence[Intent], parent: Ref | None) -> Iterator[Mapping[int, Ref]]:
        with _raising(LostAnswerError):
            yield from self._connection.send(intents, parent)

    def find(self, intents: Sequence[Intent], parent: Ref | None) -> Mapping[int, Ref]:
        with _raising(UnprovableError):
            return self._connection.find(intents, parent)

    def edit(self, ref: Ref, intent: Intent) -> Ref:
        with _raising(LostAnswerError):
            return self._connection.edit(ref, intent)

    def delete(self, refs: Sequence[Ref]) -> Iterator[Sequence[Ref]]:
        with _raising(LostAnswerError):
            yield from self._connection.delete(refs)

    def close(self) -> None:
        """Nothing depends on it any more."""
        with suppress(SendError), _raising(RefusedError):
            self._connection.close()
