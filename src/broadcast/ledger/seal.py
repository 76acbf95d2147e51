"""Signed lines: what a ledger's lines and its record are signed with, and whether they are what was signed.

A line that is signed ends with one more field, `mac`: an HMAC (SHA-256) over which ledger this is, the number of the
line in its chain, the `mac` of the line before it, and the line without that field, byte for byte. In git each
announcement's file is a chain; in a database all lines are one. So no line can be changed, moved, put in between, taken
from between, or come from elsewhere. What is taken from the end, or as a whole, is missed by the record: it says how
many lines each chain has and the `mac` of the last, is signed itself, and is written together with the lines.

What nothing in a ledger can tell is that all of it is older than it was: see `branch` and `local` for who remembers.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from broadcast.errors import ConfigError, LedgerError
from broadcast.ledger.codec import Check, Entry, decode, unchecked
from broadcast.secrets import LEDGER_KEY

VERSION = 1
"""Of the record."""
ADOPT = "broadcast ledger verify --adopt"
NO_KEY = f"set {LEDGER_KEY} (or {LEDGER_KEY}_FILE) to this ledger's key"

_MAC = re.compile(rb',"mac":"([0-9a-f]{64})"\}')
_HEX = re.compile(r"[0-9a-f]{64}")
_WIDTH = len(',"mac":""}') + 64


@dataclass(frozen=True, slots=True)
class Line:
    """One line: what it says, what of it is signed, and how it was signed, if it was."""

    entry: Entry
    content: bytes
    mac: str | None


def read_line(line: bytes, where: str, check: Check = unchecked) -> Line:
    """A line, signed or not, without its line feed. Raises `LedgerError`; `where` names the ledger and the line."""
    found = _MAC.fullmatch(line, max(0, len(line) - _WIDTH))
    content = line[:-_WIDTH] + b"}" if found else line
    return Line(decode(content, where, check), content, found[1].decode() if found else None)


@dataclass(frozen=True, slots=True)
class Head:
    """How far a chain goes: the number of its lines, and how the last of them was signed."""

    lines: int
    mac: str


START = Head(0, "")
"""A chain without lines."""


@dataclass(frozen=True, slots=True)
class Where:
    """How messages name a ledger, its record, and a line by its chain and number."""

    ledger: str
    record: str
    line: Callable[[str, int], str]


@dataclass(frozen=True, slots=True)
class Fault:
    """The first line of a chain that is not as it was signed; one more than there are where lines are missing."""

    chain: str
    number: int
    message: str


def needs_key(where: str) -> LedgerError:
    """The error for a ledger that is signed, where there is no key to verify it or to go on with it."""
    return LedgerError(f"{where} is signed, and {LEDGER_KEY} is not set here", NO_KEY)


def no_key() -> ConfigError:
    return ConfigError(f"{LEDGER_KEY} is not set, and nothing is signed without it", NO_KEY)


class Key:
    """What a ledger is signed with. Keeps the secret only as a MAC that was begun with it, and never shows it."""

    __slots__ = ("_begun",)

    def __init__(self, secret: str) -> None:
        self._begun = hmac.new(secret.encode(), digestmod=hashlib.sha256)

    def __repr__(self) -> str:
        return "Key(***)"

    def mac(self, *parts: bytes) -> str:
        """Of parts of which none but the last may have a NUL in it."""
        begun = self._begun.copy()
        begun.update(b"\0".join(parts))
        return begun.hexdigest()


@dataclass(frozen=True, slots=True)
class Seal:
    """A key for one ledger. `ledger` tells it from all others that may be signed with the same key."""

    key: Key
    ledger: str

    def sign(self, before: Head, contents: Iterable[bytes]) -> tuple[list[bytes], Head]:
        """The lines of a chain after those that are there, signed and without line feeds; and how far it goes then."""
        lines, head = [], before
        for content in contents:
            head = Head(head.lines + 1, self._mac(head, content))
            lines.append(content[:-1] + f',"mac":"{head.mac}"}}'.encode())
        return lines, head

    def record(self, heads: Mapping[str, Head]) -> bytes:
        """The heads of all chains, signed."""
        named = json.dumps(self.ledger, ensure_ascii=False)
        rows = ",\n".join(
            f'{json.dumps(name, ensure_ascii=False)}:{{"lines":{head.lines},"mac":"{head.mac}"}}'
            for name, head in sorted(heads.items())
        )
        mac = self._mac_of(self.ledger, heads)
        return f'{{"v":{VERSION},"ledger":{named},"heads":{{\n{rows}\n}},"mac":"{mac}"}}\n'.encode(
            "utf-8", "backslashreplace"
        )

    def heads(self, record: bytes) -> dict[str, Head]:
        """What a record says. Raises `ValueError` for one that is not this ledger's."""
        version, ledger, heads, mac = _parsed(record)
        if version != VERSION:
            raise ValueError(f"has version {version}, which is not known to this version of broadcast: upgrade it")
        if not hmac.compare_digest(self._mac_of(ledger, heads), mac):
            raise ValueError(f"was not made with this {LEDGER_KEY}, or was changed")
        if ledger != self.ledger:
            raise ValueError(
                f"is that of {ledger!r}, and this is {self.ledger!r}: either the repository (or the database) was "
                "renamed or moved, or somebody copied another's ledger here"
            )
        return heads

    def faults(
        self,
        record: bytes | None,
        chains: Mapping[str, Sequence[Line]],
        where: Where,
        only: Collection[str] | None = None,
    ) -> Iterator[Fault]:
        """The first fault of every chain, or of those that are named."""
        if record is None:
            yield from self._unsigned(chains, where)
            return
        try:
            heads = self.heads(record)
        except ValueError as error:
            message = f"{where.ledger} does not verify: its record ({where.record}) {error}"
            yield from (Fault(name, 1, message) for name in chains or ("",))
            return
        names = sorted({*chains, *heads} if only is None else {*only} & {*chains, *heads})
        for name in names:
            yield from self._broken(name, chains.get(name, ()), heads.get(name, START), where)

    def verify(
        self,
        record: bytes | None,
        chains: Mapping[str, Sequence[Line]],
        where: Where,
        only: Collection[str] | None = None,
    ) -> dict[str, Head]:
        """The heads of all chains. Raises `LedgerError` for the first fault."""
        for fault in self.faults(record, chains, where, only):
            hint = f"look at who wrote to it, and restore it (docs/ledger.md); to take it as it stands: {ADOPT}"
            raise LedgerError(fault.message, hint)
        return self.heads(record) if record is not None else {}

    def _unsigned(self, chains: Mapping[str, Sequence[Line]], where: Where) -> Iterator[Fault]:
        signed = any(line.mac for lines in chains.values() for line in lines)
        for name in (name for name, lines in chains.items() if lines):
            if signed:
                yield Fault(name, 1, f"{where.line(name, 1)}: the ledger's record ({where.record}) is missing")
            else:
                yield Fault(name, 1, f"{where.line(name, 1)}: is not signed, and {LEDGER_KEY} is set")

    def _broken(self, name: str, lines: Sequence[Line], head: Head, where: Where) -> Iterator[Fault]:
        at = START
        for number, line in enumerate(lines, start=1):
            here = where.line(name, number)
            if line.mac is None:
                yield Fault(name, number, f"{here}: is not signed")
                return
            if not hmac.compare_digest(self._mac(at, line.content), line.mac):
                said = "was changed, moved or left out, here or just before, or comes from elsewhere"
                yield Fault(name, number, f"{here}: its signature is not that of this line in this place: it {said}")
                return
            if number > head.lines or (number == head.lines and line.mac != head.mac):
                yield Fault(name, number, f"{here}: is not in the ledger's record ({where.record})")
                return
            at = Head(number, line.mac)
        if at.lines < head.lines:
            there = f"{where.line(name, at.lines + 1)}: is missing: the record ({where.record}) has {head.lines} lines"
            yield Fault(name, at.lines + 1, f"{there}, and there are {at.lines}")

    def _mac(self, before: Head, content: bytes) -> str:
        named = self.ledger.encode("utf-8", "surrogateescape")
        return self.key.mac(b"line", named, b"%d" % (before.lines + 1), before.mac.encode(), content)

    def _mac_of(self, ledger: str, heads: Mapping[str, Head]) -> str:
        rows = [[name, head.lines, head.mac] for name, head in sorted(heads.items())]
        return self.key.mac(b"record", ledger.encode("utf-8", "surrogateescape"), json.dumps(rows).encode())


def _parsed(record: bytes) -> tuple[int, str, dict[str, Head], str]:
    """The version, ledger, heads and MAC of a record. Raises `ValueError`."""
    try:
        fields = json.loads(record)
        heads = {name: Head(one["lines"], one["mac"]) for name, one in fields["heads"].items()}
        version, ledger, mac = fields["v"], fields["ledger"], fields["mac"]
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise ValueError("cannot be read") from None
    for text in (mac, *(head.mac for head in heads.values())):
        if not isinstance(text, str) or not _HEX.fullmatch(text):
            raise ValueError("cannot be read")
    if (
        type(version) is not int
        or not isinstance(ledger, str)
        or any(type(one.lines) is not int for one in heads.values())
    ):
        raise ValueError("cannot be read")
    return version, ledger, heads, mac
