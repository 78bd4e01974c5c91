"""docs/migrating.md, followed command by command: a real daemon, a real MariaDB, a wiki to practise on.

Knows what stands in for what is not there: systemd, and the paths of a Debian host.
"""

import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from sidecar.domain.verp import BounceHandlerFormat, Verp
from sidecar.recorded import recorded
from tests.support.bouncehandler_tables import Tables
from tests.support.documents import commands
from tests.support.leaks import secret
from tests.support.mariadb_server import MariaDb
from tests.support.process_group import ProcessGroup
from tests.support.waiting import until
from wiki_adapter.practice_wiki import PracticeWiki

pytestmark = pytest.mark.servers

DAY = timedelta(days=1)
NOW = datetime.now(UTC).replace(microsecond=0)
PROGRAMS = Path(sys.executable).parent
ADDRESS = "ann@remote.example"
SECRET = secret("the wiki's own secret, 1234")

LOCAL_SETTINGS = """<?php
$wgServer = '{server}';
$wgScriptPath = '/w';
$wgDBname = 'my_wiki';
wfLoadExtension( 'BounceHandler' );
$wgVERPdomainPart = 'bounces.example.org';
$wgVERPsecret = "{secret}";
$wgBounceRecordLimit = 3;
"""


class Host:
    """Where the document's paths and commands lead."""

    def __init__(self, folder: Path, wiki: PracticeWiki, tables: Tables, server: MariaDb) -> None:
        self.folder, self.wiki, self.tables = folder, wiki, tables
        self._daemon: ProcessGroup | None = None
        (folder / "www").mkdir()
        for name, content in (("bot.password", wiki.password), ("verp.keys", "0123456789" * 4)):
            self.secret(name, content)
        self.secret("database.password", "read only")
        api = wiki.api_url.removesuffix("/w/api.php")
        (folder / "www" / "LocalSettings.php").write_text(LOCAL_SETTINGS.format(server=api, secret=SECRET))
        client = f'exec {server.client()} --host=127.0.0.1 --port={server.port} --user=sidecar "$@"'
        (folder / "bin").mkdir()
        (folder / "bin" / "mariadb").write_text(f"#!/bin/sh\n{client}\n")
        (folder / "bin" / "mariadb").chmod(0o755)
        self.environment = {
            "PATH": f"{folder}/bin:{PROGRAMS}:/usr/bin:/bin",
            "BOUNCE_SIDECAR_CONFIG": f"{folder}/config.toml",
            "BOUNCE_SIDECAR_SOCKETS__DIRECTORY": str(folder),
            "BOUNCE_SIDECAR_STORAGE__URL": f"sqlite:///{folder}/history.db",
            "BOUNCE_SIDECAR_RULES__DIRECTORY": f"{folder}/rules.d",
            "BOUNCE_SIDECAR_BRAKE__DELAY_MINUTES": "0",
        }

    def follow(self, heading: str) -> str:
        """All commands below a heading; what they print."""
        return "".join(map(self.run, commands("migrating.md")[heading]))

    def run(self, line: str) -> str:
        if line.startswith("systemctl "):
            self.restart()
            return ""
        url = self.tables.engine.url
        line = (
            line.replace("/etc/bounce-sidecar", str(self.folder))
            .replace("/var/www/wiki", f"{self.folder}/www")
            .replace("mysql://reader@localhost/my_wiki", f"mysql://reader@127.0.0.1:{url.port}/my_wiki")
        )
        done = subprocess.run(
            ["sh", "-ec", line],
            env=self.environment,
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"
        return done.stdout

    def restart(self) -> None:
        self.stop()
        (self.folder / "lmtp.sock").unlink(missing_ok=True)
        command = [str(PROGRAMS / "bounce-sidecar"), "run"]
        self._daemon = ProcessGroup(command, self.folder / "log", self.environment)
        until((self.folder / "lmtp.sock").exists, "the daemon to listen")

    def stop(self) -> None:
        if self._daemon:
            self._daemon.end()

    def come_back(self, user_id: int, sent: datetime) -> None:
        """A mail that BounceHandler signed, handed over as the alias does."""
        signer = BounceHandlerFormat("wiki", "bounces.example.org", SECRET.encode())
        path = Verp((signer,), ["my_wiki"], accept=10 * DAY).issue("my_wiki", user_id, ADDRESS, sent)
        deliver = [str(PROGRAMS / "bounce-sidecar-deliver"), "--socket", f"{self.folder}/lmtp.sock", path]
        raw = recorded("postfix/01-no-such-user").addressed(ADDRESS, path)
        done = subprocess.run(
            deliver, env={**os.environ, "SENDER": ""}, input=raw, capture_output=True, timeout=60
        )
        assert done.returncode == 0, done.stdout

    def secret(self, name: str, content: str) -> None:
        (self.folder / name).touch(0o600)
        (self.folder / name).write_text(content + "\n")


@pytest.fixture
def host(tmp_path: Path, mariadb: MariaDb) -> Iterator[Host]:
    url = mariadb.create("my_wiki")
    mariadb.execute(
        "CREATE OR REPLACE USER reader@'%%' IDENTIFIED BY 'read only'",
        "GRANT SELECT ON my_wiki.* TO reader@'%%'",
    )
    tables = Tables(sa.create_engine(url))
    tables.make()
    with PracticeWiki() as wiki:
        host = Host(tmp_path, wiki, tables, mariadb)
        yield host
        host.stop()
    tables.engine.dispose()
    mariadb.execute("DROP USER reader@'%%'")
    mariadb.drop("my_wiki")


def test_the_whole_way_as_it_is_written(host: Host) -> None:
    ann = host.wiki.add_user("Ann", ADDRESS, NOW - 100 * DAY)
    host.tables.add_user(ann, ADDRESS, NOW - 100 * DAY)
    for hours in range(10):
        host.tables.add_record(ADDRESS, NOW - 6 * DAY + hours * timedelta(hours=1), "failure notice")

    assert "good, 1 wiki: 1 in shadow mode" in host.follow("1. A configuration out of its own")
    assert (host.folder / "bouncehandler.secret").stat().st_mode & 0o777 == 0o640
    assert SECRET not in (host.folder / "config.toml").read_text()

    host.follow("2. Shadow, beside it")
    for days in (5, 4, 3):
        host.come_back(ann, NOW - days * DAY)
    assert "shadow" in host.run("bounce-sidecar outbox --all --json")

    told = host.follow("3. Take its records over")
    assert "would enter 10 of 10, of 1 users; 0 are hard" in told
    assert "entered 10 of 10, of 1 users; 0 are hard" in told
    assert "entered 0 of 10" in told, "the export says the same once more"

    assert "both: 1   only we: 0   only BounceHandler: 0" in host.follow("4. Compare")
    assert host.wiki.mailbox(ann).confirmed_at is not None

    *enforce, back, again = commands("migrating.md")["5. Switch"]
    for line in enforce:
        host.run(line)
    host.come_back(ann, NOW - 2 * DAY)
    until(lambda: host.wiki.mailbox(ann).confirmed_at is None, "Ann's address to be un-confirmed")
    until(lambda: "unconfirmed" in host.run("bounce-sidecar outbox --all"), "the answer to be settled")

    assert shlex.split(back)[0] == "sed"
    for line in (back, again):
        host.run(line)
    assert "1 in shadow mode" in host.run("bounce-sidecar check-config")

    assert "1 known already" in host.follow("To another host")
    assert "$wgVERPsecret" in host.follow("Its settings")
