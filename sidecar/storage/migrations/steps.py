"""Steps of a migration. Each looks whether it is done already, so that a migration may be said again.

MariaDB commits each change of a table by itself, and on the servers every step here is committed by itself:
what was killed between two of them is run again, and goes on. Nobody who books waits for more than one step:
indexes are made while others write, rows are filled in a few thousand at a time, and who cannot have a table
at once lets the others pass and asks again. SQLite runs a whole upgrade in one transaction.

Knows how each database is asked what is there. Does not know any table of ours. docs/migrations.md has the
rules for those who write a migration.
"""

import time
from collections.abc import Callable, Sequence
from typing import Any

import sqlalchemy as sa
import tenacity
from alembic import op

from sidecar.storage.engines import Kind, passes
from sidecar.telemetry import Tellable

__all__ = [
    "NotOurs", "add_column", "create_index", "create_table", "delete", "drop_column", "drop_index",
    "drop_table", "fill_accounts", "has_column", "insert", "nullable",
]  # fmt: skip

BATCH = 5000  # ids a statement: some 50 ms
TELL_EVERY = 5.0  # seconds between two lines of progress
REST = 0.5  # seconds in which those who waited behind us get the table
LONGEST = 3600.0  # seconds of asking for a table that others use


class NotOurs(Tellable):
    """There is a table of that name, and it is another program's. Give the sidecar a database of its own."""


def create_table(name: str, *elements: Any) -> None:
    """Raises NotOurs if there is another one of that name."""
    if not _has_table(name):
        if _tell(f"create table {name}"):
            _patiently(lambda: op.create_table(name, *elements))
        return
    wanted = {element.name for element in elements if isinstance(element, sa.Column)}
    if not wanted <= _columns(name).keys():
        raise NotOurs(f"there is a table {name} that is not ours: the sidecar needs a database of its own")


def drop_table(name: str) -> None:
    if _has_table(name) and _tell(f"drop table {name}{_size(name)}"):
        _patiently(lambda: op.drop_table(name))


def insert(table: str, **row: object) -> None:
    """The only row of a table, if it is not there."""
    rows = sa.table(table, *(sa.column(name) for name in row))
    is_there = _has_table(table) and _ask(sa.select(sa.func.count()).select_from(rows))
    words = ", ".join(f"{name} {value}" for name, value in row.items())
    if not is_there and _tell(f"{table}: fill in {words}"):
        _patiently(lambda: op.execute(rows.insert().values(row)))


def add_column(table: str, column: sa.Column[Any]) -> None:
    """Not NULL only with a server_default, which every database adds without touching the rows."""
    if column.name not in _columns(table) and _tell(f"{table}: add column {column.name}{_size(table)}"):
        _patiently(lambda: op.add_column(table, column))


def drop_column(table: str, *names: str) -> None:
    for name in names:
        if name in _columns(table) and _tell(f"{table}: drop column {name}{_size(table)}"):
            _patiently(lambda name=name: op.drop_column(table, name))  # type: ignore[misc]


def nullable(table: str, column: str, kind: sa.types.TypeEngine[Any], allowed: bool) -> None:
    """Whether the column may be NULL."""
    found = _columns(table).get(column)
    words = f"{table}: {column} {'may' if allowed else 'must not'} be empty{_size(table)}"
    if (found is None or found["nullable"] != allowed) and _tell(words):

        def change() -> None:
            with op.batch_alter_table(table) as batch:
                batch.alter_column(column, existing_type=kind, nullable=allowed)

        _patiently(change)


def create_index(name: str, table: str, columns: Sequence[str], where: str | None = None) -> None:
    """While others write. *where*: of these rows alone, which MariaDB cannot."""
    if _kind() is Kind.POSTGRESQL and _is_invalid(name):  # one that was killed while it was made
        _without_hurry(lambda: op.drop_index(name, table, postgresql_concurrently=True))
    if name in _indexes(table) or not _tell(f"{table}: create index {name}{_size(table)}"):
        return
    if _kind() is Kind.MARIADB:
        # Its foreign keys want an index, and get one by their own name if there is no other.
        spare = [key for key in _foreign(table, columns[0]) if key in _indexes(table)]
        _alter(table, f"ADD INDEX {name} ({', '.join(columns)})", *(f"DROP INDEX {key}" for key in spare))
        return
    some = sa.text(where) if where else None
    _without_hurry(
        lambda: op.create_index(
            name, table, [*columns], sqlite_where=some, postgresql_where=some, postgresql_concurrently=True
        )
    )


def drop_index(name: str, table: str) -> None:
    columns = _indexes(table).get(name)
    if columns is None or not _tell(f"{table}: drop index {name}"):
        return
    if _kind() is Kind.MARIADB:
        others = [found for other, found in _indexes(table).items() if other != name]
        lone = [] if any(found[0] == columns[0] for found in others) else _foreign(table, columns[0])
        _alter(table, *(f"ADD INDEX {key} ({columns[0]})" for key in lone), f"DROP INDEX {name}")
        return
    _without_hurry(lambda: op.drop_index(name, table, postgresql_concurrently=True))


def delete(table: str, condition: str, by: str = "id") -> None:
    """Rows, a few at a time, by a number that they have."""
    if _has_table(table) and _tell(f"{table}: delete where {condition}{_size(table)}"):
        _in_batches(table, lambda some: f"DELETE FROM {table} WHERE {some} AND {condition}", by)


def has_column(table: str, column: str) -> bool:
    return column in _columns(table)


def fill_accounts(source: str) -> None:
    """The users in *source*, which has an "id", become rows of account, as far as they are not there."""
    insert, otherwise = "INSERT INTO", "ON CONFLICT DO NOTHING"
    if _kind() is Kind.MARIADB:
        insert, otherwise = "INSERT IGNORE INTO", ""
    if op.get_context().opts.get("again") and (_rows("account") or not _rows(source)):
        return
    if _tell(f"account: fill in the users of {source}{_size(source)}"):
        users = f"SELECT DISTINCT wiki, user_id FROM {source}"
        _in_batches(source, lambda some: f"{insert} account (wiki, user_id) {users} WHERE {some} {otherwise}")


def _in_batches(table: str, statement: Callable[[str], str], by: str = "id") -> None:
    first, last = op.get_bind().execute(sa.text(f"SELECT min({by}), max({by}) FROM {table}")).one()
    if first is None:
        return
    told = time.monotonic()
    for start in range(first, last + 1, BATCH):
        some = sa.text(statement(f"{by} BETWEEN {start} AND {min(start + BATCH - 1, last)}"))
        _patiently(lambda some=some: op.execute(some))  # type: ignore[misc]
        if time.monotonic() - told > TELL_EVERY:
            told = time.monotonic()
            _say(f"  {table}: {100 * (start - first) // (last - first + 1)} %")


def _alter(table: str, *changes: str) -> None:
    _patiently(lambda: op.execute(f"ALTER TABLE {table} {', '.join(changes)}"))


def _patiently(work: Callable[[], object]) -> None:
    """Somebody else uses the table: give up the place in the queue, so that others pass, and ask again."""

    def in_the_way(error: BaseException) -> bool:
        if isinstance(error, sa.exc.IntegrityError) or getattr(error, "connection_invalidated", False):
            return False
        return _kind() is not Kind.SQLITE and passes(error)

    tenacity.Retrying(
        retry=tenacity.retry_if_exception(in_the_way),
        stop=tenacity.stop_after_delay(LONGEST),
        wait=tenacity.wait_fixed(REST),
        reraise=True,
    )(work)


def _without_hurry(work: Callable[[], object]) -> None:
    """PostgreSQL waits for everybody who has begun before, and holds up nobody meanwhile."""
    if _kind() is not Kind.POSTGRESQL:
        _patiently(work)
        return
    before = _ask(sa.text("SHOW lock_timeout"))
    op.execute("SET lock_timeout = 0")
    try:
        _patiently(work)
    finally:
        op.execute(f"SET lock_timeout = '{before}'")


def _kind() -> Kind:
    return Kind(op.get_bind().dialect.name)


def _look() -> sa.Inspector:
    return sa.inspect(op.get_bind())  # anew each time: it remembers


def _ask(query: sa.Executable) -> Any:
    return op.get_bind().execute(query).scalar()


def _rows(table: str) -> bool:
    return bool(_ask(sa.text(f"SELECT 1 FROM {table} LIMIT 1")))


def _has_table(name: str) -> bool:
    return _look().has_table(name)


def _columns(table: str) -> dict[str, Any]:
    return {found["name"]: found for found in _look().get_columns(table)} if _has_table(table) else {}


def _indexes(table: str) -> dict[str, list[str | None]]:
    if not _has_table(table):
        return {}
    return {str(found["name"]): found["column_names"] for found in _look().get_indexes(table)}


def _foreign(table: str, column: str | None) -> list[str]:
    """The foreign keys that begin with *column*."""
    keys = _look().get_foreign_keys(table)
    return [str(key["name"]) for key in keys if key["constrained_columns"][0] == column]


def _is_invalid(index: str) -> bool:
    found = sa.text("SELECT NOT indisvalid FROM pg_index WHERE indexrelid = to_regclass(:name)")
    return bool(_ask(found.bindparams(name=index)))


def _size(table: str) -> str:
    """How many rows there are, as the highest id tells, which costs nothing."""
    if "id" not in _columns(table):
        return ""
    rows = _ask(sa.text(f"SELECT max(id) FROM {table}"))
    return f" ({rows:,} rows at most)" if rows else ""


def _tell(words: str) -> bool:
    """Whether it is to be done, and not only told."""
    _say(words)
    return not op.get_context().opts.get("dry")


def _say(words: str) -> None:
    op.get_context().opts["tell"](words)
