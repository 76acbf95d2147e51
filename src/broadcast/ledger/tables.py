"""The ledger as two tables, schema 1, or three where it is signed, schema 2: what is in them, and every statement that
is run on them.

`broadcast_lines` is append-only: the ledger's own lines (`codec`), numbered from 1 without a gap. `broadcast_ledger` is
one row that says how many there are and the key of the last. Who appends locks that row first, so writers queue there
and can neither overtake nor deadlock each other; should something get around the lock, the numbers and keys are unique.
`broadcast_seal` is one row as well: the record of `seal`, moved in the same transaction. All lines are one chain.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, TypeVar

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Connection,
    Integer,
    MetaData,
    Select,
    String,
    Table,
    Text,
    bindparam,
    insert,
    inspect,
    literal_column,
    select,
    update,
)

from broadcast.errors import LedgerError
from broadcast.ledger.codec import Check, Entry, encode, unchecked
from broadcast.ledger.seal import Line, read_line

SCHEMA = 1
SIGNED = 2
"""The schema of a ledger that is signed. A broadcast that knows nothing of signatures refuses it, as it must."""

_Value = TypeVar("_Value")

_MANY = 1000
"""Keys that one query looks up: databases bound the number of a statement's parameters."""

_METADATA = MetaData()
_LEDGER = Table(
    "broadcast_ledger",
    _METADATA,
    Column("id", Integer, CheckConstraint("id = 1"), primary_key=True, autoincrement=False),
    Column("schema_version", Integer, nullable=False),
    Column("lines", BigInteger, nullable=False),
    Column("tip", String(16), nullable=False),
)
_LINES = Table(
    "broadcast_lines",
    _METADATA,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("key", String(16), nullable=False, unique=True),
    Column("announcement", Text, nullable=False, index=True),
    Column("line", Text, nullable=False),
)


SEAL = "broadcast_seal"
_SEAL = Table(
    SEAL,
    _METADATA,
    Column("id", Integer, CheckConstraint("id = 1"), primary_key=True, autoincrement=False),
    Column("record", Text, nullable=False),
)


@dataclass(frozen=True, slots=True)
class Tip:
    """The last line: its number, which is also how many there are, and its key. A ledger without lines has 0 and "".
    `signed`: there is a record of it."""

    number: int
    key: str
    signed: bool = field(default=False, compare=False)


@dataclass(frozen=True, slots=True)
class Row:
    """A line to be added."""

    entry: Entry
    line: bytes


def _of_type(kind: type[_Value], value: object, where: str, column: Column[Any]) -> _Value:
    """A value, which SQLite keeps in any column whatever its type is. Raises `LedgerError`."""
    if not isinstance(value, kind):
        raise LedgerError(f"{where}: the column {column} holds what does not belong there", "restore it from a backup")
    return value


def exists(connection: Connection) -> bool:
    return inspect(connection).has_table(_LEDGER.name)


def create(connection: Connection) -> None:
    """Make the tables of an empty ledger, as a part of the transaction."""
    _METADATA.create_all(connection, tables=[_LEDGER, _LINES], checkfirst=False)
    connection.execute(insert(_LEDGER).values(id=1, schema_version=SCHEMA, lines=0, tip=""))


def tip(connection: Connection, where: str, *, lock: bool = False) -> Tip:
    """The last line; with `lock`, nobody else appends until the transaction ends."""
    # Of a later schema we know nothing but that it has this column.
    query: Select[Any] = select(literal_column("*")).select_from(_LEDGER)
    row = connection.execute(query.with_for_update() if lock else query).mappings().first()
    if row is None:
        raise LedgerError(f"{where}: the table {_LEDGER.name} has lost its row", "restore it from a backup")
    if row["schema_version"] not in (SCHEMA, SIGNED):
        raise LedgerError(
            f"{where}: version {row['schema_version']} of the tables is not known to this version of broadcast",
            "upgrade broadcast",
        )
    number: int = _of_type(int, row["lines"], where, _LEDGER.c.lines)
    return Tip(number, _of_type(str, row["tip"], where, _LEDGER.c.tip), row["schema_version"] == SIGNED)


def record(connection: Connection, last: Tip, where: str) -> bytes | None:
    """What a signed ledger is held against."""
    if not last.signed or not inspect(connection).has_table(_SEAL.name):
        return None
    found = connection.execute(select(_SEAL.c.record)).scalar()
    return None if found is None else _of_type(str, found, where, _SEAL.c.record).encode()


def keep(connection: Connection, last: Tip, record: bytes) -> None:
    """Make this the record, in the transaction that has locked the last line."""
    if not inspect(connection).has_table(_SEAL.name):
        _METADATA.create_all(connection, tables=[_SEAL], checkfirst=False)
    text = record.decode()
    if not connection.execute(update(_SEAL).where(_SEAL.c.id == 1).values(record=text)).rowcount:
        connection.execute(insert(_SEAL).values(id=1, record=text))
    if not last.signed:
        connection.execute(update(_LEDGER).where(_LEDGER.c.id == 1).values(schema_version=SIGNED))


def rewrite(connection: Connection, lines: Sequence[bytes]) -> None:
    """Put a signature to every line, from the first to the last."""
    if lines:
        rows = [{"at": number, "signed": line.decode()} for number, line in enumerate(lines, start=1)]
        connection.execute(
            update(_LINES).where(_LINES.c.number == bindparam("at")).values(line=bindparam("signed")), rows
        )


def key_of(connection: Connection, number: int) -> str | None:
    """The key of a line, where there is one of this number."""
    return connection.execute(select(_LINES.c.key).where(_LINES.c.number == number)).scalar()


def numbers(connection: Connection, items: Sequence[Entry]) -> dict[str, int]:
    """The numbers of those of the entries that are there, by key."""
    found: dict[str, int] = {}
    keys = iter(dict.fromkeys(item.key for item in items))
    while some := list(islice(keys, _MANY)):
        query = select(_LINES.c.key, _LINES.c.number).where(_LINES.c.key.in_(some))
        found |= {row.key: row.number for row in connection.execute(query)}
    return found


def append(connection: Connection, last: Tip, added: Sequence[Row]) -> Tip:
    """Add the rows after the last line, which the transaction has locked."""
    if not added:
        return last
    rows = [
        {
            "number": number,
            "key": row.entry.key,
            "announcement": row.entry.event.announcement,
            "line": row.line.decode(),
        }
        for number, row in enumerate(added, start=last.number + 1)
    ]
    new = Tip(last.number + len(added), added[-1].entry.key, last.signed)
    connection.execute(insert(_LINES), rows)
    connection.execute(update(_LEDGER).where(_LEDGER.c.id == 1).values(lines=new.number, tip=new.key))
    return new


def lines(connection: Connection, last: Tip, where: str, check: Check = unchecked) -> Iterator[Line]:
    """All lines, in order; `last` is their last. Raises `LedgerError` for lines that were changed or taken away."""
    number, key = 0, ""
    for number, row in enumerate(connection.execute(select(_LINES).order_by(_LINES.c.number)), start=1):
        if row.number != number:
            raise LedgerError(f"{where}: line {number} is missing", "restore it from a backup")
        here = f"{where}, {place(number)}"
        line = read_line(_of_type(str, row.line, here, _LINES.c.line).encode(), here, check)
        item = line.entry
        if (item.key, item.event.announcement) != (row.key, row.announcement):
            raise LedgerError(f"{where}, line {number}: is not of the key and announcement that its row names")
        key = item.key
        yield line
    if Tip(number, key) != last:
        raise LedgerError(f"{where}: there are {number} lines where there should be {last.number}; see its backup")


def place(number: int) -> str:
    """How a line is named in messages."""
    return f"line {number}"


def row(item: Entry) -> Row:
    """An entry as it stands in a ledger that is not signed."""
    return Row(item, encode(item).removesuffix(b"\n"))
