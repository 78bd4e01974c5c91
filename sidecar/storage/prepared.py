"""Statements that are executed for every bounce: on SQLite compiled once, and then handed to its driver.

SQLite answers them in two millionths of a second, and SQLAlchemy takes ten times as long to ask and to hand
the answer over. Knows how it compiles, what its types make of values, and the names of its errors. Does not
know any table. Servers, which are far away, are asked as ever.
"""

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa

__all__ = ["Prepared"]

Convert = Callable[[Any], Any] | None


class _Compiled(NamedTuple):
    sql: str
    binds: list[tuple[str, object, Convert]]  #: name, what it is if nothing is given, and how it is stored
    columns: list[Convert]


class Prepared:
    """One statement. Its values are given by name, for an insert always the same columns."""

    def __init__(self, statement: sa.Executable) -> None:
        self._statement = statement
        self._compiled: _Compiled | None = None

    def rows(self, connection: sa.Connection, values: Mapping[str, object]) -> list[Sequence[Any]]:
        """All of them. Raises what Connection.execute does."""
        if not _is_sqlite(connection):
            return list(connection.execute(self._statement, values))
        columns = self._on_sqlite(connection, values).columns
        return [
            [
                value if convert is None else convert(value)
                for convert, value in zip(columns, row, strict=True)
            ]
            for row in self._asked(connection, values).fetchall()
        ]

    def first(self, connection: sa.Connection, values: Mapping[str, object]) -> Sequence[Any] | None:
        """The first of them, if there is any."""
        return next(iter(self.rows(connection, values)), None)

    def changed(self, connection: sa.Connection, values: Mapping[str, object]) -> int:
        """How many rows it has changed."""
        if not _is_sqlite(connection):
            return connection.execute(self._statement, values).rowcount
        return self._asked(connection, values).rowcount

    def _asked(self, connection: sa.Connection, values: Mapping[str, object]) -> sqlite3.Cursor:
        sql, binds, _ = self._on_sqlite(connection, values)
        given = [
            value if convert is None else convert(value)
            for value, convert in ((values.get(name, usual), convert) for name, usual, convert in binds)
        ]
        driver = connection.connection.driver_connection
        assert isinstance(driver, sqlite3.Connection)
        try:
            return driver.execute(sql, given)
        except sqlite3.Error as error:
            raise sa.exc.DBAPIError.instance(
                sql, None, error, sqlite3.Error, hide_parameters=True, dialect=connection.dialect
            ) from error

    def _on_sqlite(self, connection: sa.Connection, values: Mapping[str, object]) -> _Compiled:
        if self._compiled is None:
            self._compiled = _compiled(self._statement, connection.dialect, list(values))
        return self._compiled


def _compiled(statement: Any, dialect: sa.Dialect, names: list[str]) -> _Compiled:
    compiled = statement.compile(dialect=dialect, column_keys=names)
    binds = [
        (name, compiled.params[name], compiled.binds[name].type.dialect_impl(dialect).bind_processor(dialect))
        for name in compiled.positiontup
    ]
    columns = [
        column.type.dialect_impl(dialect).result_processor(dialect, None)
        for column in getattr(statement, "exported_columns", ())
    ]
    return _Compiled(str(compiled), binds, columns)


def _is_sqlite(connection: sa.Connection) -> bool:
    return connection.dialect.name == "sqlite"
