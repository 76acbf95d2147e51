"""How a run that sends ends: by a signal, at its deadline, or with the exit code of what is worst in it."""

from __future__ import annotations

import re
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType

from broadcast import interrupt
from broadcast.defects import OURS, told
from broadcast.errors import ChannelFailedError, ConfigError, InterruptedRunError, UncertainError, UsageError
from broadcast.model import Result
from broadcast.plan import STUCK
from broadcast.publish.send import STOPPED
from broadcast.source.times import parse_duration
from broadcast.views import data
from broadcast.views.groups import count

_CREDENTIALS = re.compile(
    r"no credentials|\w+ does not accept the credentials(?!.*\bExpiredToken\b)|the access token may only read"
)
"""The errors of posts that failed because a credential is missing, wrong, or good for too little. A session that has
ended is none of these: the next run begins another."""


@dataclass(frozen=True, slots=True)
class Ending:
    """`stop` is set when nothing new may be begun; `late` too when that is because the deadline has passed."""

    stop: threading.Event = field(default_factory=threading.Event)
    late: threading.Event = field(default_factory=threading.Event)


def seconds(text: str) -> float:
    """The length of a deadline: what `parse_duration` reads, or `90s`. Raises `UsageError`."""
    if match := re.fullmatch(r"([0-9]{1,6})s", text.strip(), re.ASCII):
        return float(match[1])
    try:
        return parse_duration(text).total_seconds()
    except ValueError as error:
        raise UsageError(f"--deadline: {error}", "`--deadline 90s` is understood too") from None


@contextmanager
def ending(deadline: float | None = None) -> Iterator[Ending]:
    """SIGINT, SIGTERM and a deadline (in seconds) end the run after the requests in flight; a second signal ends it at
    once."""
    end = Ending()
    interrupted = threading.Event()

    def handle(number: int, frame: FrameType | None) -> None:
        if interrupted.is_set():
            interrupt.leave(number, frame)
        interrupted.set()
        end.stop.set()
        sys.stderr.write("stopping: the requests in flight are finished and recorded; once more to stop at once\n")

    def pass_by() -> None:
        if not interrupted.is_set():
            end.late.set()
        end.stop.set()

    timers = [threading.Timer(deadline, pass_by)] if deadline is not None else []
    before = {number: signal.signal(number, handle) for number in interrupt.SIGNALS}
    try:
        for timer in timers:
            timer.start()
        yield end
    except OURS:
        raise
    except Exception as error:
        raise ChannelFailedError(told(error), "what was sent is recorded: run again, nothing is sent twice") from error
    finally:
        for timer in timers:
            timer.cancel()
        for number, handler in before.items():
            signal.signal(number, handler)


def conclude(results: Sequence[Result], end: Ending, *, unrecorded: bool = False) -> None:
    """The exit code of a run, by what is worst in it."""
    states = {result.state for result in results}
    if "uncertain" in states:
        raise _uncertain([result for result in results if result.state == "uncertain"])
    if end.late.is_set() and any(result.error == STOPPED for result in results):
        raise ChannelFailedError("the deadline passed before everything was done", "run again to go on")
    if end.stop.is_set() and not end.late.is_set():
        raise InterruptedRunError("stopped; what was done is recorded", "run again to go on")
    if "failed" in states:
        failed = [result for result in results if result.state == "failed"]
        names = ", ".join(sorted({result.channel for result in failed}))
        if all(_CREDENTIALS.match(result.error or "") for result in failed):
            raise ConfigError(f"no good credentials for: {names}", "set them and run again; nothing is sent twice")
        raise ChannelFailedError(f"failed: {names}", "run again: what is sent is never sent twice")
    if unrecorded:
        raise ChannelFailedError("everything was sent, but the ledger did not take the receipts", "run again from here")


def _uncertain(doubts: Sequence[Result]) -> UncertainError:
    """What a human has to look at: posts of which nobody knows whether they stand, or (they have an id) whether they
    are ours."""
    doubt = next((one for one in doubts if one.id is None), doubts[0])
    where = f"{doubt.announcement} --update {data.utc(doubt.update)} --channel {doubt.channel} --part {doubt.part}"
    if doubt.error == STUCK:
        return UncertainError(
            "half of a thread stands, and the file says something else now; nothing more of it is sent",
            f"put the file back and run again; or look, type `broadcast ledger settle {where} --posted`, for each part "
            "that is missing, and append an update",
        )
    if doubt.id is None:
        return UncertainError(
            "some post may or may not stand; nothing is sent again until a human has looked",
            f"look at the channel, then type `broadcast ledger settle {where} --posted` or the same with `--absent`",
        )
    left = "; ".join(f"{one.channel} {one.url or one.id}: {one.error}" for one in doubts)
    return UncertainError(
        f"{count(len(doubts), 'post')} of which the ledger speaks cannot be taken for what was sent: {left}",
        "look at each, and at who wrote to the ledger; what you delete by hand is gone for the next run; what is not "
        f"ours is forgotten by `broadcast ledger settle {where} --not-ours`",
    )
