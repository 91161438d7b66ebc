"""Statements of SQLAlchemy that are compiled once for each dialect, and run by its driver.

For the few that every request runs: there the way through SQLAlchemy takes longer than the
database does. Values are those that the drivers take, and lists, which are kept as JSON; what is
read has to be of such columns, too. Errors are the driver's own.
Rules: R-17.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Dialect, Insert, Select

EMPTY = "[]"  # most lists that are kept
VALUES = " VALUES "


class Prepared:
    """`columns`: of an insert, those that each row names."""

    def __init__(self, statement: Select[Any] | Insert, columns: Sequence[str] = ()) -> None:
        self._statement = statement
        self._columns = list(columns) or None
        self._texts: dict[str, _Text] = {}

    def read(self, connection: Connection, values: Mapping[str, Any]) -> Sequence[Sequence[Any]]:
        """All rows of a query."""
        text = self._text(connection.dialect)
        cursor: Any = connection.connection.cursor()
        try:
            cursor.execute(text.sql, text.ordered(values))
            rows: Sequence[Sequence[Any]] = cursor.fetchall()
            return rows
        finally:
            cursor.close()

    def write(self, connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
        """Insert rows, each of which names the same columns and parameters, by one statement."""
        text = self._text(connection.dialect)
        cursor: Any = connection.connection.cursor()
        try:
            cursor.execute(
                text.repeated(len(rows)), [one for row in rows for one in text.ordered(row)]
            )
        finally:
            cursor.close()

    def _text(self, dialect: Dialect) -> "_Text":
        found = self._texts.get(dialect.name)
        if found is None:
            found = self._texts[dialect.name] = _Text(self._statement, dialect, self._columns)
        return found


class _Text:
    """`sql` as the driver takes it, with its parameters by place."""

    def __init__(
        self, statement: Select[Any] | Insert, dialect: Dialect, columns: list[str] | None
    ) -> None:
        by_place: Any = type(dialect)
        kind = dialect if dialect.positional else by_place(paramstyle="format")
        compiled: Any = statement.compile(dialect=kind, column_keys=columns)
        self.sql = str(compiled)
        self._fixed: dict[str, Any] = {
            name: value for name, value in compiled.params.items() if value is not None
        }
        self._order: list[str] = compiled.positiontup
        self._repeated = {1: self.sql}

    def ordered(self, values: Mapping[str, Any]) -> list[Any]:
        named = {**self._fixed, **values} if self._fixed else values
        return [_taken(named[name]) for name in self._order]

    def repeated(self, count: int) -> str:
        """Of an insert, for so many rows; a vehicle has few ECUs."""
        found = self._repeated.get(count)
        if found is None:
            head, row = self.sql.split(VALUES)
            found = self._repeated[count] = head + VALUES + ", ".join([row] * count)
        return found


def lists(raw: Any) -> Any:
    """What was read from a column of JSON: SQLite's driver leaves that to us."""
    if isinstance(raw, str):
        return [] if raw == EMPTY else json.loads(raw)
    return raw


def _taken(value: Any) -> Any:
    if type(value) is list:
        return json.dumps(value) if value else EMPTY
    return value
