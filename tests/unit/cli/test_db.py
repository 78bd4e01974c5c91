"""db: what an operator is told of the database, and the exit codes."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from sidecar.cli import main
from sidecar.storage import versions
from tests.support.database_server import DatabaseServer
from tests.support.desk import STRANGE, arrive
from tests.support.fixtures_databases import ON_EACH, ON_SERVERS
from tests.support.practice import configured

NOW = versions.newest()
BEFORE = f"{int(NOW) - 1:04}"


@pytest.fixture(params=ON_EACH)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def folder(tmp_path: Path, bare_url: str) -> Path:
    """Configured with an empty database."""
    configured(tmp_path)
    file = tmp_path / "config.toml"
    file.write_text(file.read_text().replace(f"sqlite:///{tmp_path}/history.db", bare_url))
    return tmp_path


def say(folder: Path, *words: str) -> Result:
    return CliRunner().invoke(main, ["--config", str(folder / "config.toml"), *words])


@pytest.mark.slow
def test_from_nothing_up_and_back(folder: Path, kind: str) -> None:
    words = "no history yet"
    assert say(folder, "outbox").exit_code == 1
    status = say(folder, "db", "status")
    assert (status.exit_code, words in status.output) == (1, True)
    dry = say(folder, "db", "upgrade", "--dry-run")
    assert (dry.exit_code, dry.stdout.splitlines()[-1]) == (0, "nothing was changed")
    assert "create table bounce" in dry.stdout
    assert say(folder, "db", "status").exit_code == 1
    done = say(folder, "db", "upgrade")
    assert (done.exit_code, done.stdout.splitlines()[-2:]) == (0, [f"at version {NOW}", "done"])
    assert say(folder, "db", "upgrade").stdout.splitlines() == [f"at version {NOW}: nothing to do", "done"]
    status = say(folder, "db", "status")
    assert (status.exit_code, f"tables:    version {NOW}; this program wants {NOW}" in status.stdout) == (
        0,
        True,
    )
    assert json.loads(say(folder, "db", "status", "--json").stdout)["kind"] == kind
    assert say(folder, "outbox").exit_code == 0
    assert say(folder, "db", "downgrade", BEFORE).exit_code == 2
    assert say(folder, "db", "downgrade", BEFORE, "--yes").exit_code == 0
    old = say(folder, "outbox")
    assert old.exit_code == 78
    assert f"version {BEFORE}, this program wants {NOW}: `bounce-sidecar db upgrade`" in old.stderr
    assert say(folder, "db", "downgrade", "base", "--yes").exit_code == 0
    nowhere = say(folder, "db", "downgrade", "0999", "--yes")
    assert (nowhere.exit_code, nowhere.stderr) == (78, "cannot go from version base to 0999\n")


@pytest.mark.parametrize("kind", ON_SERVERS, indirect=True)
def test_another_user_may_change_the_tables(
    folder: Path, server: DatabaseServer, bare_url: str, tmp_path: Path, kind: str
) -> None:
    (tmp_path / "other").write_text("what only owners know\n")  # this PostgreSQL asks nobody for it
    other = bare_url
    if kind == "mariadb":
        server.execute(
            "CREATE OR REPLACE USER owner@'%%' IDENTIFIED BY 'what only owners know'",
            "GRANT ALL ON *.* TO owner@'%%'",
        )
        other = bare_url.replace("sidecar@", "owner@")
    done = say(folder, "db", "upgrade", "--url", other, "--password-file", str(tmp_path / "other"))
    assert done.exit_code == 0, done.output
    assert say(folder, "db", "upgrade", "--password-file", "x").exit_code == 2
    assert say(folder, "db", "upgrade", "--url", "oracle://x/y").exit_code == 2
    gone = say(folder, "db", "upgrade", "--url", bare_url.replace(str(server.port), "1"))
    assert gone.exit_code == 75


@pytest.mark.parametrize("kind", ON_SERVERS, indirect=True)
def test_who_lacks_a_right_is_told_who_has_it(
    folder: Path, server: DatabaseServer, bare_url: str, kind: str
) -> None:
    name = bare_url.rsplit("/", 1)[1]
    if kind == "mariadb":
        rows = f"SELECT, INSERT, UPDATE, DELETE ON {name}.*"
        server.execute("CREATE OR REPLACE USER lesser@'%%'", f"GRANT {rows} TO lesser@'%%'")
    else:
        server.execute("DROP ROLE IF EXISTS lesser", "CREATE ROLE lesser LOGIN")
    config = folder / "config.toml"
    config.write_text(re.sub(r"://\w+@", "://lesser@", config.read_text()))
    refused = say(folder, "db", "upgrade")
    assert (refused.exit_code, "changed by their owner, with --url" in refused.stderr) == (78, True)
    none = say(folder, "run")
    assert (none.exit_code, "`bounce-sidecar db upgrade` makes it" in none.stderr) == (78, True)
    if kind == "mariadb":  # this PostgreSQL asks nobody for a password
        server.execute("ALTER USER lesser@'%%' IDENTIFIED BY 'another one'")
        wrong = say(folder, "outbox")
        assert (wrong.exit_code, "look at the user in [storage] url" in wrong.stderr) == (75, True)


@pytest.mark.parametrize("kind", ON_SERVERS, indirect=True)
def test_a_server_that_lets_nobody_write_says_why_and_is_no_mistake_of_ours(
    folder: Path, server: DatabaseServer, bare_url: str
) -> None:
    say(folder, "db", "upgrade")
    server.only_read(bare_url)
    try:
        status = say(folder, "db", "status")
        assert (status.exit_code, "writing:   refused: " in status.stdout) == (1, True)
        start = say(folder, "run")
        assert (start.exit_code, "lets nobody write" in start.stderr) == (75, True)
    finally:
        server.let_write(bare_url)


@pytest.mark.parametrize("kind", ON_SERVERS, indirect=True)
def test_what_is_forgotten_here_a_server_may_remember(folder: Path, kind: str) -> None:
    say(folder, "db", "upgrade")
    arrive(folder, STRANGE, datetime(2026, 3, 1, 12, tzinfo=UTC))
    done = say(folder, "forget", "7", "--yes")
    assert (done.exit_code, "erased of user 7" in done.stdout) == (0, True)
    remedy = {"mariadb": "OPTIMIZE TABLE", "postgresql": "VACUUM FULL"}[kind]
    assert "the server may keep traces" in done.stderr
    assert remedy in done.stderr
