"""The migrations make exactly the tables that schema.py describes, and leave nothing behind."""

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from sidecar.domain.wiki import Mistyped, Restore, Warn
from sidecar.storage import actions, aside, ledger, outbox, schema, sends, versions
from sidecar.storage.database import Database, NoSuchVersion, SchemaUnknown
from sidecar.storage.migrations.steps import NotOurs

from .rows import DAY, T0, notice, owe


def tables(url: str) -> set[str]:
    engine = sa.create_engine(url)
    with engine.connect() as connection:
        found = set(sa.inspect(connection).get_table_names())
    engine.dispose()
    return found


def run(url: str, statement: str) -> None:
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        connection.exec_driver_sql(statement)
    engine.dispose()


async def upgrade(url: str) -> list[object]:
    """What is not as the schema says afterwards."""
    database = Database(url)
    try:
        await database.upgrade()
        return await database.read(differences)
    finally:
        await database.close()


async def downgrade(url: str, to: str = "base") -> None:
    database = Database(url)
    await database.downgrade(to)
    await database.close()


def other_default(
    context: object, inspected: sa.Column, ours: sa.Column, found: str | None, *_: object
) -> bool | None:
    """MariaDB says 0 for false."""
    if isinstance(ours.type, sa.Boolean) and found in ("0", "1"):
        return {"0": "false", "1": "true"}[found] != str(ours.server_default.arg)  # type: ignore[union-attr]
    return None


def differences(connection: sa.Connection) -> list[object]:
    """Between the tables that there are and those of the schema."""
    options = {"compare_type": True, "compare_server_default": other_default, "render_as_batch": True}
    return list(compare_metadata(MigrationContext.configure(connection, opts=options), schema.metadata))


async def test_the_migrations_make_exactly_the_tables_of_the_schema(database: Database) -> None:
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
    await downgrade(url)
    assert tables(url) == set()


@pytest.mark.slow
async def test_upgrading_again_changes_nothing_and_after_a_downgrade_builds_again(url: str) -> None:
    for _ in range(2):
        assert await upgrade(url) == []
        assert tables(url) == {*schema.metadata.tables, "alembic_version"}
    await downgrade(url)
    assert await upgrade(url) == []


async def test_a_table_of_another_program_is_left_alone_and_told(bare_url: str) -> None:
    run(bare_url, "CREATE TABLE event (id INTEGER PRIMARY KEY)")
    with pytest.raises(NotOurs, match="a table event that is not ours"):
        await upgrade(bare_url)
    engine = sa.create_engine(bare_url)
    assert [column["name"] for column in sa.inspect(engine).get_columns("event")] == ["id"]
    engine.dispose()


async def test_versions_of_another_program_are_no_versions_of_ours(bare_url: str) -> None:
    run(bare_url, "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)")
    run(bare_url, "INSERT INTO alembic_version VALUES ('5ac3')")
    with pytest.raises(SchemaUnknown, match="5ac3"):
        await upgrade(bare_url)
    assert tables(bare_url) == {"alembic_version"}


async def test_one_cannot_go_back_to_what_never_was(database: Database) -> None:
    for nowhere in ("0009", "", "head", "-1"):
        with pytest.raises(NoSuchVersion, match=f"from version {versions.newest()} to {nowhere}"):
            await database.downgrade(nowhere)
    await database.downgrade(versions.newest())
    assert await database.read(differences) == []


@pytest.mark.slow
async def test_what_was_set_aside_before_the_second_migration_is_still_there(url: str) -> None:
    database = Database(url)
    await database.open()
    await database.write(lambda connection: ledger.append(connection, notice(aside="could not be read")))
    await database.close()
    await downgrade(url, "0001")
    await upgrade(url)
    again = Database(url)
    await again.open()
    [entry] = await again.read(aside.entries)
    assert (entry.why, entry.domain) == ("could not be read", "")
    await again.close()


@pytest.mark.slow
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

    def kept(connection: sa.Connection) -> tuple[list[int], list[str], int]:
        users = connection.execute(sa.text("SELECT user_id FROM action ORDER BY id")).scalars()
        events = connection.execute(sa.text("SELECT what FROM event ORDER BY id")).scalars()
        links = connection.execute(sa.text("SELECT count(*) FROM action_bounce")).scalar_one()
        if connection.dialect.name == "sqlite":  # the others never let one be broken
            assert connection.exec_driver_sql("PRAGMA foreign_key_check").all() == []
        return list(users), list(events), links

    database = Database(url)
    await database.open()
    await database.write(fill)
    before = await database.read(lambda c: ledger.of_user(c, "enwiki", 7))
    await database.close()
    await downgrade(url, "0002")
    assert tables(url) == {*schema.metadata.tables, "alembic_version"} - {
        "send", "brake", "tally", "account", "circuit", "requirement", "identity", "node", "rate", "canary",
    }  # fmt: skip
    await upgrade(url)
    again = Database(url)
    await again.open()
    assert await again.read(kept) == ([7, 8], ["decided", "decided"], 2)
    assert [entry.kind for entry in await again.read(actions.entries)] == ["unconfirm", "unconfirm"]
    assert await again.read(lambda c: ledger.of_user(c, "enwiki", 7)) == before
    await again.close()
