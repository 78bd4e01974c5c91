"""Works for the tests of transactions: a table of counters, and what is done to it."""

import sqlite3
from collections.abc import Callable
from typing import Any

import sqlalchemy as sa

counter = sa.Table(
    "counter",
    sa.MetaData(),
    sa.Column("name", sa.String(200), primary_key=True),
    sa.Column("n", sa.Integer, nullable=False),
)


def insert(name: str, n: int = 0) -> Callable[[sa.Connection], str]:
    def work(connection: sa.Connection) -> str:
        connection.execute(counter.insert().values(name=name, n=n))
        return name

    return work


def insert_and_fail(name: str) -> Callable[[sa.Connection], str]:
    def work(connection: sa.Connection) -> str:
        insert(name)(connection)
        raise LookupError(name)

    return work


def increment(connection: sa.Connection) -> None:
    before = connection.execute(sa.select(counter.c.n).with_for_update()).scalar_one()
    connection.execute(counter.update().values(n=before + 1))


def names(connection: sa.Connection) -> list[str]:
    return list(connection.execute(sa.select(counter.c.name).order_by(counter.c.name)).scalars())


def said(connection: sa.Connection, work: Callable[[sa.Connection], object]) -> list[tuple[str, Any]]:
    """The statements that *work* executes, with their parameters; SQLite's driver tells, whoever asks it."""
    asked: list[tuple[str, Any]] = []
    driver = connection.connection.driver_connection
    if isinstance(driver, sqlite3.Connection):
        driver.set_trace_callback(lambda statement: asked.append((statement, ())))
        work(connection)
        driver.set_trace_callback(None)
        return asked

    def hear(_c: object, _cursor: object, statement: str, parameters: Any, *_: object) -> None:
        asked.append((statement, parameters))

    sa.event.listen(connection, "before_cursor_execute", hear)
    work(connection)
    sa.event.remove(connection, "before_cursor_execute", hear)
    return asked
