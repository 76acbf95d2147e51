"""What can go wrong, and the exit code that tells a shell or a CI job which of it did."""

from __future__ import annotations


class BroadcastError(Exception):
    """Anything that ends a command. `hint` is the next command to type, or what to look at."""

    exit_code = 1

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class ProblemsFoundError(BroadcastError):
    """The files have errors; `check` lists them."""

    exit_code = 1


class UsageError(BroadcastError):
    """The command line asks for something that cannot be done."""

    exit_code = 2


class ChannelFailedError(BroadcastError):
    """Some channel did not get its posts; nothing is in doubt, and running again goes on from there."""

    exit_code = 3


class UncertainError(BroadcastError):
    """Some post may or may not stand on its platform; a human must look and `ledger settle` it."""

    exit_code = 4


class ConfigError(BroadcastError):
    """`broadcast.toml` or a credential is missing or wrong."""

    exit_code = 5


class LedgerError(BroadcastError):
    """The ledger cannot be reached or written. Nothing was sent."""

    exit_code = 6


class InterruptedRunError(BroadcastError):
    """Somebody stopped the run; what was sent is recorded."""

    exit_code = 130


class LedgerMovedError(LedgerError):
    """Another run wrote to the ledger first: the compare-and-swap was lost. Read again and plan again."""


class DoesNotFitError(Exception):
    """A text cannot be made to fit: an override that is too long, or a URL longer than a post."""


class SendError(Exception):
    """A platform did not take a request. The message is for users and holds no secret."""


class RefusedError(SendError):
    """The request provably did nothing: refused, rejected, limited, or never delivered.

    `retry_after` is the number of seconds after which the platform would take it, when it said so.
    """

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class CredentialsError(RefusedError):
    """The platform does not accept the credentials, or one is missing."""


class RepliesRefusedError(RefusedError):
    """The platform takes posts from this account, and no replies: what is left is planned again, to stand alone."""


class LostAnswerError(SendError):
    """The request may have had its effect: a timeout after sending, a broken connection, a 5xx."""


class DuplicateError(LostAnswerError):
    """The platform did not take a post because it stands already: so it says."""


class UnprovableError(SendError):
    """The platform could not be made to say whether a post stands (its own posts cannot be read)."""
