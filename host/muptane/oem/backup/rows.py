"""The rows of an inventory, taken out of one database and put into another, of whatever kind.

A *piece* is one CBOR array (RFC 8949): [table, [column, ...], [[value, ...], ...]], rows ascending
by primary key, values as integers, text, byte strings, booleans, null, or arrays of these (JSON
columns). A piece ends after a row whose key's SHA-256 begins with a zero byte, or at 1 MiB: so one
row more or less changes the piece it is in, and all others are the same bytes as before.
It does not read files and judges nothing.
Rules: R-17, R-32, S-19.
"""

import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import cbor2
from sqlalchemy import Connection, Table, create_engine, func, insert, select
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError

from muptane.oem.base import Base
from muptane.oem.errors import BackupDamaged, Malformed, NotEmpty
from muptane.oem.fields import sha256

PIECE_BYTES_MAX = 2**20
LOCK_S = 30.0  # of waiting for a writer of SQLite
ROWS = 500  # that are read, or written, at a time

Values = tuple[Any, ...]


def tables() -> list[Table]:
    """Every table, those that others refer to first."""
    return list(Base.metadata.sorted_tables)


@contextmanager
def reading(url: str) -> Iterator[Connection]:
    """The database as it is at one moment, whoever writes to it meanwhile. Refuses with Malformed
    one that cannot be read."""
    try:
        with TemporaryDirectory(prefix="muptane-") as folder:
            copy = _copied(url, Path(folder))
            engine = create_engine(copy or url)
            try:
                options = {} if copy else {"isolation_level": "REPEATABLE READ"}
                with engine.connect().execution_options(**options) as connection:
                    connection.exec_driver_sql("SELECT 1")  # the moment is that of the first query
                    yield connection
            finally:
                engine.dispose()
    except (SQLAlchemyError, sqlite3.Error) as fault:
        raise Malformed(f"the inventory {_shown(url)} cannot be read: {fault}") from fault


def _copied(url: str, folder: Path) -> str:
    """Of SQLite, by its own backup: a long reader would keep the office from writing. Empty: it is
    another database, which reads from a snapshot."""
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite":
        return ""
    copy = folder / "inventory.sqlite"
    with (
        closing(sqlite3.connect(f"file:{parsed.database}?mode=rw", LOCK_S, uri=True)) as live,
        closing(sqlite3.connect(copy)) as made,
    ):
        live.backup(made)
    return f"sqlite:///{copy}"


def _shown(url: str) -> str:
    return make_url(url).render_as_string(hide_password=True)


def pieces(connection: Connection, table: Table) -> Iterator[bytes]:
    """Every row of a table, in pieces."""
    keys = list(table.primary_key.columns)
    places = [list(table.columns).index(key) for key in keys]
    query = select(table).order_by(*keys).execution_options(yield_per=ROWS)
    kept: list[Values] = []
    length = 0
    for row in connection.execute(query):
        values = tuple(row)
        key = cbor2.dumps([values[place] for place in places])
        length += len(cbor2.dumps(values))
        kept.append(values)
        if sha256(key)[0] == 0 or length >= PIECE_BYTES_MAX:
            yield _piece(table, kept)
            kept, length = [], 0
    if kept:
        yield _piece(table, kept)


def _piece(table: Table, rows: list[Values]) -> bytes:
    return cbor2.dumps([table.name, [column.name for column in table.columns], rows])


def read_piece(raw: bytes, table: Table) -> list[Values]:
    """The rows of a piece, whose hash was verified. Refuses with BackupDamaged."""
    columns = [column.name for column in table.columns]
    match cbor2.loads(raw):
        case [str(name), list(named), list(rows)] if (name, named) == (table.name, columns):
            return [tuple(row) for row in rows]
    raise BackupDamaged(f"not a piece of table {table.name} as this program knows it")


def key_of(table: Table, row: Values) -> Values:
    """The primary key of a row."""
    named = {column.name: value for column, value in zip(table.columns, row, strict=True)}
    return tuple(named[column.name] for column in table.primary_key.columns)


def load(connection: Connection, read: Callable[[Table], Iterable[list[Values]]]) -> None:
    """Put rows, in pieces by table, into a database whose tables are there and empty, else
    NotEmpty. Whoever calls commits."""
    for table in tables():
        if connection.execute(select(func.count()).select_from(table)).scalar_one():
            raise NotEmpty(f"table {table.name} of the inventory has rows already")
    for table in tables():
        names = [column.name for column in table.columns]
        for rows in read(table):
            for start in range(0, len(rows), ROWS):
                chosen = rows[start : start + ROWS]
                found = [dict(zip(names, row, strict=True)) for row in chosen]
                connection.execute(insert(table), found)
        _count_on(connection, table)


def _count_on(connection: Connection, table: Table) -> None:
    """Let the next row be numbered after those that came with numbers."""
    column = table.autoincrement_column
    if connection.dialect.name != "postgresql" or column is None:
        return
    highest = connection.execute(select(func.max(column))).scalar()
    if highest is not None:
        sequence = func.pg_get_serial_sequence(table.name, column.name)
        connection.execute(select(func.setval(sequence, highest)))
