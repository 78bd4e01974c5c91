"""import bouncehandler from a wiki's real MariaDB and PostgreSQL, into a history on SQLite and on MariaDB."""

import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from tests.support.bouncehandler_tables import Tables
from tests.support.database_server import DatabaseServer
from tests.support.desk import say
from tests.support.fixtures_databases import ON_SERVERS
from tests.support.leaks import secret
from tests.support.practice import ADDRESS, WIKI, configured, start_once

pytestmark = pytest.mark.servers

DAY = timedelta(days=1)
NOW = datetime.now(UTC).replace(microsecond=0)
LONG_AGO = NOW - 300 * DAY
GONE = "Returned mail: User unknown"
PASSWORD = secret("the wiki's password, with 'marks' and %")
_numbers = count(1)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    configured(tmp_path)
    start_once(tmp_path)
    return tmp_path


@pytest.fixture
def wiki(kind: str, server: DatabaseServer) -> Iterator[Tables]:
    """A database on that kind of server, without tables yet."""
    name = f"wiki_{os.getpid()}_{next(_numbers)}"
    engine = sa.create_engine(server.create(name))
    yield Tables(engine)
    engine.dispose()
    server.drop(name)


def url(wiki: Tables) -> str:
    """As an operator writes it: without a driver."""
    made = wiki.engine.url.set(drivername=wiki.engine.url.get_backend_name())
    return made.render_as_string()


def enter(folder: Path, source: str, *words: str) -> dict[str, Any]:
    result = say(folder, "import", "bouncehandler", "--json", source, *words)
    assert result.exit_code == 0, result.output
    told: dict[str, Any] = json.loads(result.stdout)
    return told


@pytest.mark.parametrize("kind", ON_SERVERS, indirect=True)
def test_records_of_a_real_wikis_database_enter_once(folder: Path, wiki: Tables) -> None:
    wiki.make()
    wiki.add_user(7, ADDRESS, LONG_AGO)
    wiki.add_user(8, "off@remote.example", None)
    wiki.add_record(ADDRESS, NOW - 5 * DAY, GONE)
    wiki.add_record(ADDRESS, NOW - 4 * DAY, "Undelivered Mail Returned to Sender")
    wiki.add_record("off@remote.example", NOW - 5 * DAY, GONE)
    wiki.add_record(ADDRESS.upper(), NOW - 3 * DAY, GONE)
    dry = enter(folder, url(wiki), "--dry-run")
    assert enter(folder, url(wiki)) == dry
    assert dry["fates"] == {
        "entered": 2, "nobody has that address now": 1, "the address is not confirmed now": 1
    }  # fmt: skip
    assert enter(folder, url(wiki))["fates"].get("in the history already") == 2
    bounces = json.loads(say(folder, "export", "7").stdout)["held"]["bounce"]
    assert [(row["sent"], row["hard"]) for row in bounces] == [
        ((NOW - 5 * DAY).isoformat(), True),
        ((NOW - 4 * DAY).isoformat(), False),
    ]


@pytest.mark.parametrize("kind", ON_SERVERS[:1], indirect=True)
@pytest.mark.parametrize("charset", ["binary", "utf8mb4", "latin1"])
def test_mariadb_may_keep_octets_or_text_and_any_prefix(folder: Path, wiki: Tables, charset: str) -> None:
    """MediaWiki's tables are octets; old wikis keep UTF-8 in columns that are called Latin-1."""
    text = (folder / "config.toml").read_text()
    id_ = f"{wiki.engine.url.database}-mw_"
    (folder / "config.toml").write_text(text.replace(WIKI, id_))
    tables = Tables(wiki.engine, prefix="mw_", charset=charset)
    tables.make()
    odd: str | bytes = b"caf\xe9\xff@remote.example" if charset == "binary" else "café@remote.example"
    tables.add_user(7, odd, LONG_AGO)
    tables.add_record(odd, NOW - 5 * DAY, GONE)
    if charset == "binary":
        tables.add_record(odd, "\0" * 14, b"\xff\x00")
    told = enter(folder, url(wiki))
    assert (told["fates"]["entered"], told["hard"]) == (1, 1)
    assert told["fates"].get("no record", 0) == (charset == "binary")


@pytest.mark.parametrize("kind", ON_SERVERS[:1], indirect=True)
def test_the_password_comes_from_a_file_and_the_account_may_only_read(
    folder: Path, wiki: Tables, server: DatabaseServer
) -> None:
    wiki.make()
    wiki.add_user(7, ADDRESS, LONG_AGO)
    wiki.add_record(ADDRESS, NOW - 5 * DAY, GONE)
    quoted = PASSWORD.replace("'", "''").replace("%", "%%")
    server.execute(
        f"CREATE OR REPLACE USER reader@'%%' IDENTIFIED BY '{quoted}'",
        f"GRANT SELECT ON {wiki.engine.url.database}.* TO reader@'%%'",
    )
    source = url(Tables(sa.create_engine(wiki.engine.url.set(username="reader"))))
    (folder / "wiki.password").touch(0o600)
    (folder / "wiki.password").write_text(PASSWORD + "\n")
    refused = say(folder, "import", "bouncehandler", source)
    assert (refused.exit_code, "Access denied" in refused.stderr) == (2, True)
    assert enter(folder, source, "--password-file", str(folder / "wiki.password"))["hard"] == 1
    server.execute("DROP USER reader@'%%'")


@pytest.mark.parametrize("kind", ON_SERVERS[:1], indirect=True)
def test_a_history_on_a_server_takes_them_as_well(folder: Path, wiki: Tables, url: str) -> None:
    text = (folder / "config.toml").read_text()
    (folder / "config.toml").write_text(text.replace(f"sqlite:///{folder}/history.db", url))
    wiki.make()
    for user_id in range(10, 130):
        wiki.add_user(user_id, f"user{user_id}@remote.example", LONG_AGO)
        wiki.add_record(f"user{user_id}@remote.example", NOW - 5 * DAY, GONE)
    source = wiki.engine.url.set(drivername="mysql").render_as_string()
    assert enter(folder, source)["fates"] == {"entered": 120}
    assert enter(folder, source)["fates"] == {"in the history already": 120}
    assert say(folder, "forget", "77", "--yes").exit_code == 0
    assert say(folder, "history", "77").exit_code == 1
