"""The migrations make exactly the tables that schema.py describes, and leave nothing behind."""

from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext

from sidecar.domain.wiki import Mistyped, Restore, Warn
from sidecar.storage import actions, aside, ledger, outbox, schema, sends
from sidecar.storage.database import Database

from .rows import DAY, T0, notice, owe


@pytest.fixture(params=["sqlite"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


MIGRATIONS = Path(schema.__file__).parent / "migrations"


def tables(url: str) -> set[str]:
    engine = sa.create_engine(url)
    with engine.connect() as connection:
        found = set(sa.inspect(connection).get_table_names())
    engine.dispose()
    return found


def downgrade(url: str, to: str = "base") -> None:
    engine = sa.create_engine(url)
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, to)
    engine.dispose()


async def test_the_migrations_make_exactly_the_tables_of_the_schema(database: Database) -> None:
    def differences(connection: sa.Connection) -> list[object]:
        options = {"compare_type": True, "compare_server_default": True, "render_as_batch": True}
        return list(compare_metadata(MigrationContext.configure(connection, opts=options), schema.metadata))

    assert await database.read(differences) == []


async def test_what_may_be_there_only_once_is_so_in_the_database_itself(database: Database) -> None:
    def unique(connection: sa.Connection) -> dict[str, list[list[str]]]:
        look = sa.inspect(connection)
        return {
            table: [one["column_names"] for one in look.get_unique_constraints(table)]
            for table in ("notice", "bounce", "action")
        }

    assert await database.read(unique) == {
        "notice": [["fingerprint"]],
        "bounce": [["wiki", "user_id", "sent", "tag"]],
        "action": [["open_for"]],
    }


async def test_no_column_holds_a_mail_address() -> None:
    columns = {column.name for table in schema.metadata.tables.values() for column in table.columns}
    assert not columns & {"address", "email", "recipient", "original", "to", "diagnostic"}


async def test_a_downgrade_to_base_leaves_nothing(database: Database, url: str) -> None:
    assert tables(url) == {*schema.metadata.tables, "alembic_version"}
    await database.close()
    downgrade(url)
    assert tables(url) == {"alembic_version"}


async def test_opening_again_changes_nothing_and_after_a_downgrade_builds_again(url: str) -> None:
    for _ in range(2):
        again = Database(url)
        await again.open()
        await again.close()
        assert tables(url) == {*schema.metadata.tables, "alembic_version"}
    downgrade(url)
    third = Database(url)
    await third.open()
    await third.close()
    assert tables(url) == {*schema.metadata.tables, "alembic_version"}


async def test_an_upgrade_that_fails_half_way_leaves_the_database_as_it_was(url: str) -> None:
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE event (id INTEGER PRIMARY KEY)")
    engine.dispose()
    fresh = Database(url)
    with pytest.raises(sa.exc.OperationalError, match="event already exists"):
        await fresh.open()
    await fresh.close()
    assert tables(url) == {"event"}


async def test_what_was_set_aside_before_the_second_migration_is_still_there(url: str) -> None:
    database = Database(url)
    await database.open()
    await database.write(lambda connection: ledger.append(connection, notice(aside="could not be read")))
    await database.close()
    downgrade(url, "0001")
    again = Database(url)
    await again.open()
    [entry] = await again.read(aside.entries)
    assert (entry.why, entry.domain) == ("could not be read", "")
    await again.close()


async def test_a_downgrade_below_the_third_keeps_un_confirmations_and_drops_what_was_not_known(
    url: str,
) -> None:
    def fill(connection: sa.Connection) -> None:
        first = owe(connection)
        owe(connection, user_id=8, shadow=True)
        for other in (
            Warn("enwiki", 9, T0, "2 hard bounces"),
            Mistyped("enwiki", 7, T0, "came back"),
            Restore("enwiki", 10, T0, "f" * 64, "by an operator"),
        ):
            outbox.enqueue(connection, other, outbox.Because([1], "provider", "3 hard bounces", first), T0)
        connection.execute(
            schema.event.insert().values(at=T0, wiki="enwiki", user_id=0, what="brake", detail="pulled")
        )
        sends.note(connection, [sends.Send("enwiki", 7, T0 + DAY, "a1b2c3", "0123abcd")])

    def kept(connection: sa.Connection) -> tuple[list[int], list[str], int, int]:
        users = connection.execute(sa.text("SELECT user_id FROM action ORDER BY id")).scalars()
        events = connection.execute(sa.text("SELECT what FROM event ORDER BY id")).scalars()
        links, broken = (
            connection.execute(sa.text(query)).scalar_one()
            for query in (
                "SELECT count(*) FROM action_bounce",
                "SELECT count(*) FROM pragma_foreign_key_check",
            )
        )
        return list(users), list(events), links, broken

    database = Database(url)
    await database.open()
    await database.write(fill)
    before = await database.read(lambda c: ledger.of_user(c, "enwiki", 7))
    await database.close()
    downgrade(url, "0002")
    assert tables(url) == {*schema.metadata.tables, "alembic_version"} - {
        "send", "brake", "tally", "account", "circuit", "requirement", "identity",
    }  # fmt: skip
    again = Database(url)
    await again.open()
    assert await again.read(kept) == ([7, 8], ["decided", "decided"], 2, 0)
    assert [entry.kind for entry in await again.read(actions.entries)] == ["unconfirm", "unconfirm"]
    assert await again.read(lambda c: ledger.of_user(c, "enwiki", 7)) == before
    await again.close()
