"""What is prepared says what SQLAlchemy says: values, rows, counts and errors."""

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from sidecar.storage import ledger
from sidecar.storage.database import Database
from sidecar.storage.prepared import Prepared
from sidecar.storage.schema import notice, tally

from .rows import T0

BY_PATH = sa.select(notice).where(notice.c.return_path == sa.bindparam("path"))
INSERT = notice.insert().returning(notice.c.id, notice.c.received)
MORE = tally.update().where(tally.c.provider == sa.bindparam("whose")).values(users=tally.c.users + 2)
STRANGE = ["", "ann", "NUL \0 within", "half \ud800 a pair", "x" * 300, "例え" * 40, "a\tb\nc"]


def row(path: str, said: str = "", number: int = 0) -> dict[str, object]:
    return {
        "fingerprint": f"{path}{number}",
        "received": T0 + timedelta(microseconds=number),
        "return_path": path,
        "kind": "bounce",
        "aside": said,
        "raw": b"\0\xff" if number else None,
        "domain": said,
        "null_sender": bool(number),
        "wiki": "enwiki",
        "user_id": number,
    }


def facts(one: sa.Row[Any]) -> list[object]:
    """All but what tells two rows apart."""
    return [value for name, value in one._mapping.items() if name not in ("id", "fingerprint", "return_path")]


@pytest.mark.parametrize("said", STRANGE, ids=ascii)
async def test_values_are_kept_and_handed_over_alike(database: Database, said: str) -> None:
    insert, look = Prepared(INSERT), Prepared(BY_PATH)

    def both(connection: sa.Connection) -> None:
        for number in (0, 1):
            connection.execute(INSERT, row("theirs", said, number))
            [(new, received)] = insert.rows(connection, row("ours", said, number))
            assert received == T0 + timedelta(microseconds=number)
            assert new == connection.execute(sa.select(sa.func.max(notice.c.id))).scalar_one()
        kept = {path: connection.execute(BY_PATH, {"path": path}).all() for path in ("ours", "theirs")}
        ours = look.rows(connection, {"path": "ours"})
        assert [list(one) for one in ours] == [list(one) for one in kept["ours"]]
        assert [facts(one) for one in kept["ours"]] == [facts(one) for one in kept["theirs"]]

    await database.write(both)


async def test_rows_that_are_changed_are_counted(database: Database) -> None:
    more = Prepared(MORE)

    def change(connection: sa.Connection) -> list[int]:
        rows = [{"provider": "a", "slot": T0 + timedelta(hours=hour), "users": 1} for hour in range(3)]
        connection.execute(tally.insert(), rows)
        counts = [more.changed(connection, {"whose": whose}) for whose in ("a", "b")]
        assert set(connection.execute(sa.select(tally.c.users)).scalars()) == {3}
        return counts

    assert await database.write(change) == [3, 0]


async def test_nothing_is_none(database: Database) -> None:
    look = Prepared(BY_PATH)
    assert await database.read(lambda c: (look.rows(c, {"path": "x"}), look.first(c, {"path": "x"}))) == (
        [],
        None,
    )


async def test_errors_are_those_of_sqlalchemy_and_quote_no_value(database: Database) -> None:
    insert = Prepared(INSERT)

    def twice(connection: sa.Connection) -> None:
        for _ in range(2):
            insert.rows(connection, row("path", "secret words"))

    with pytest.raises(sa.exc.IntegrityError) as error:
        await database.write(twice)
    assert "secret" not in str(error.value)
    assert error.value.orig is not None
    assert await database.read(lambda c: c.execute(sa.select(sa.func.count(notice.c.id))).scalar_one()) == 0


async def test_a_table_that_is_not_there_is_the_databases_trouble(database: Database) -> None:
    nowhere = Prepared(sa.select(sa.column("x")).select_from(sa.table("nowhere")))
    with pytest.raises(sa.exc.DBAPIError):
        await database.read(lambda connection: nowhere.rows(connection, {}))


async def test_what_is_prepared_is_part_of_the_transaction(database: Database) -> None:
    def fail(connection: sa.Connection) -> None:
        assert ledger.append(connection, ledger.Notice("path", b"mail", T0))
        raise OSError("afterwards")

    with pytest.raises(OSError, match="afterwards"):
        await database.write(fail)
    assert not await database.read(lambda c: ledger.kept_as(c, ledger.Notice("path", b"mail", T0)))
