"""Servers that cannot be used are told so at the start, each with its remedy."""

import shutil
import tempfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from sidecar.services.receipt import Receipt
from sidecar.services.upkeep import Keep, Upkeep
from sidecar.storage import ledger, schema, servers
from sidecar.storage.database import Database, OnlyRead, Unsuitable
from sidecar.storage.engines import Kind
from tests.support.database_server import DatabaseServer
from tests.support.fixtures_databases import ON_SERVERS
from tests.support.mariadb_server import MariaDb
from tests.unit.services.house import HARD, House

from .rows import T0, notice
from .test_schema import run

GOOD_MARIADB = {
    "version": (10, 11, 6), "log_bin": True, "binlog_format": "MIXED", "max_allowed_packet": 2**24,
    "not_innodb": [],
}  # fmt: skip
GOOD_POSTGRESQL = {"version": (15, 8), "encoding": "UTF8"}


@pytest.fixture(params=ON_SERVERS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.mark.parametrize(
    ("which", "good", "found", "words"),
    [
        ("mariadb", GOOD_MARIADB, {"version": (10, 5, 23)}, "MariaDB 10.5.23 is too old: 10.6 or newer"),
        ("mariadb", GOOD_MARIADB, {"binlog_format": "STATEMENT"}, "set it to MIXED or ROW"),
        ("mariadb", GOOD_MARIADB, {"max_allowed_packet": 2**20}, "set it to 16M or more"),
        ("mariadb", GOOD_MARIADB, {"not_innodb": ["send"]}, "ALTER TABLE send ENGINE = InnoDB;"),
        ("postgresql", GOOD_POSTGRESQL, {"version": (12, 20)}, "PostgreSQL 12.20 is too old: 13 or newer"),
        ("postgresql", GOOD_POSTGRESQL, {"encoding": "LATIN1"}, "ENCODING 'UTF8' TEMPLATE template0"),
    ],
)  # fmt: skip
def test_each_trouble_has_its_remedy(
    which: str, good: dict[str, Any], found: dict[str, Any], words: str
) -> None:
    assert list(servers.problems(Kind(which), good)) == []
    [problem] = servers.problems(Kind(which), {**good, **found})
    assert words in problem


def test_a_binary_log_that_is_off_may_have_any_format() -> None:
    found = {**GOOD_MARIADB, "log_bin": False, "binlog_format": "STATEMENT"}
    assert list(servers.problems(Kind.MARIADB, found)) == []


async def test_the_servers_of_the_tests_are_good(database: Database) -> None:
    await database.read(servers.refuse)


async def refused(url: str, error: type[Exception], words: str) -> None:
    for start in ("open", "join", "upgrade"):
        database = Database(url)
        with pytest.raises(error, match=words):
            await getattr(database, start)()
        await database.close()


@pytest.mark.parametrize("kind", ON_SERVERS[:1], indirect=True)
async def test_a_table_without_transactions_is_refused(url: str) -> None:
    run(url, "ALTER TABLE tally ENGINE = MyISAM")
    await refused(url, Unsuitable, "without transactions: tally: ALTER TABLE tally ENGINE = InnoDB;")


@pytest.mark.parametrize("kind", ON_SERVERS[1:], indirect=True)
async def test_a_database_that_cannot_keep_every_mail_is_refused(server: DatabaseServer, kind: str) -> None:
    server.execute("CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")
    await refused(server.url("latin"), Unsuitable, "encoding is LATIN1")
    server.drop("latin")


@pytest.fixture
def old() -> Iterator[DatabaseServer]:
    folder = Path(tempfile.mkdtemp(prefix="db-", dir="/var/tmp"))
    folder.chmod(0o755)
    server = Old(folder / "server")
    yield server
    server.stop()
    shutil.rmtree(folder)


@pytest.mark.servers
async def test_an_old_mariadb_with_a_log_of_statements_hears_of_both(old: DatabaseServer) -> None:
    await refused(old.create("ours"), Unsuitable, r"10.5.4 is too old.*; binlog_format = STATEMENT")


class Old(MariaDb):
    """One that says so."""

    def _command(self) -> list[str]:
        words = [word for word in super()._command() if word != "--skip-log-bin"]
        return [*words, "--version=10.5.4-MariaDB", "--log-bin", "--binlog-format=STATEMENT"]


@pytest.fixture
def only_reads(server: DatabaseServer, url: str) -> Iterator[str]:
    server.only_read(url)
    yield url
    server.let_write(url)


async def test_a_standby_is_no_place_to_start(only_reads: str) -> None:
    database = Database(only_reads)
    with pytest.raises(OnlyRead, match="lets nobody write"):
        await database.open()
    await database.close()


@pytest.mark.parametrize("kind", ON_SERVERS[:1], indirect=True)
async def test_what_the_server_thinks_of_sql_does_not_matter(server: DatabaseServer, url: str) -> None:
    modes = "NO_BACKSLASH_ESCAPES,ANSI_QUOTES,PIPES_AS_CONCAT,IGNORE_SPACE,PAD_CHAR_TO_FULL_LENGTH"
    server.execute(f"SET GLOBAL sql_mode = '{modes}'", "SET GLOBAL default_storage_engine = MyISAM")
    database = Database(url)
    try:
        await database.open()
        house = House(database)
        assert await house.take(HARD.raw + bytes(range(256)), house.path()) is Receipt.TAKEN
        said = await database.write(lambda c: keep(c, "\\'\"\0"))
        assert said == "\\'\"\ufffd"
        house.close()
    finally:
        await database.close()
        server.execute("SET GLOBAL sql_mode = DEFAULT", "SET GLOBAL default_storage_engine = DEFAULT")


def keep(connection: sa.Connection, text: str) -> str:
    number = ledger.append(connection, notice(9, T0, aside=text))
    query = sa.select(schema.notice.c.aside).where(schema.notice.c.id == number)
    return str(connection.execute(query).scalar_one())


#: As docs/operating.md has it.
RIGHTS = {
    "mariadb": (
        "CREATE OR REPLACE USER owner@'%%'",
        "GRANT CREATE, ALTER, DROP, INDEX, REFERENCES, SELECT, INSERT, UPDATE, DELETE ON {0}.* TO owner@'%%'",
        "CREATE OR REPLACE USER clerk@'%%'",
        "GRANT SELECT, INSERT, UPDATE, DELETE ON {0}.* TO clerk@'%%'",
    ),
    "postgresql": (
        "CREATE ROLE owner LOGIN",
        "CREATE ROLE clerk LOGIN",
        "ALTER DATABASE {0} OWNER TO owner",
    ),
}
DEFAULTS = (
    "ALTER DEFAULT PRIVILEGES FOR ROLE owner GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO clerk",
    "ALTER DEFAULT PRIVILEGES FOR ROLE owner GRANT USAGE ON SEQUENCES TO clerk",
)


async def test_the_daemon_needs_no_right_to_change_tables(
    server: DatabaseServer, bare_url: str, kind: str
) -> None:
    server.execute(*(right.format(sa.make_url(bare_url).database) for right in RIGHTS[kind]))
    if kind == "postgresql":
        for grant in DEFAULTS:
            run(bare_url, grant)
    owner = Database(sa.make_url(bare_url).set(username="owner").render_as_string())
    await owner.upgrade()
    daemon = Database(sa.make_url(bare_url).set(username="clerk").render_as_string())
    await daemon.open()
    house = House(daemon)
    await house.fail_for_eight_days(7)
    await house.pay()
    assert await house.states() == [(7, "done", "unconfirmed")]
    await Upkeep(daemon, Keep(*[timedelta(0)] * 4), lambda: house.clock() + timedelta(days=900)).round()
    assert await house.history() == []
    with pytest.raises(sa.exc.DBAPIError, match=r"denied|must be owner"):
        await daemon.downgrade("0004")
    await owner.downgrade("base")
    house.close()
    await daemon.close()
    await owner.close()
    if kind == "postgresql":
        for role in ("clerk", "owner"):
            run(bare_url, f"DROP OWNED BY {role}")
        server.execute(f"ALTER DATABASE {sa.make_url(bare_url).database} OWNER TO nobody")
        server.execute("DROP ROLE clerk", "DROP ROLE owner")
