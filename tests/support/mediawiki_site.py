"""One installed MediaWiki: its folder, its settings, its database, its web server, its maintenance scripts.

Knows how to install and run it. Does not know users, bots or bounces.
"""

import json
import os
import shutil
import sqlite3
import subprocess
import tempfile
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.support.leaks import secret

from .mediawiki_outgoing import SentMail, recorded, recorder
from .mediawiki_package import program_files, require_php
from .mediawiki_server import PhpServer
from .places import CACHE

HERE = Path(__file__).parent / "mediawiki"
EXTENSION = Path(__file__).parents[2] / "wiki_adapter/BounceSidecar"
OPCACHE = CACHE / "mediawiki-opcache"

ADMIN, ADMIN_PASSWORD = "Admin", secret("AdminPass-secret-1")
WIKI_ID = "testwiki"
PATIENCE = 60.0  # seconds for one maintenance script; most take 0.1

#: Compiled files are kept between runs, which halves the time of a script; but opcache would go on running
#: what a test has just rewritten, hence the list of what it must not keep.
INI = """\
memory_limit = 256M
log_errors = 1
error_log = {folder}/log/php.log
sendmail_path = {folder}/sendmail
opcache.enable_cli = 1
opcache.file_cache = {opcache}
opcache.revalidate_freq = 0
opcache.blacklist_filename = {folder}/uncached
"""


class MaintenanceFailed(Exception):
    """A maintenance script of the wiki did not end well. Holds its output."""


class MediaWikiSite:
    """Installed and served when entered, ended and removed when left."""

    def __init__(
        self,
        version: str,
        *,
        settings: Mapping[str, object] | None = None,
        wiki_id: str = WIKI_ID,
        databases: Path | None = None,
    ) -> None:
        """*settings* are PHP globals, as {"wgSMTP": {...}}. Raises PackageUnavailable.

        The wikis of one farm have their *databases* in one folder, of which they can read each other's.
        """
        self.version, self.wiki_id, self._databases = version, wiki_id, databases
        self._settings = dict(settings or {})
        self._php = require_php()
        self._program = program_files(version)
        self._server: PhpServer | None = None

    def __enter__(self) -> Self:
        # Directly under the temporary directory: the path of a Unix socket has 107 octets at most.
        self.folder = Path(tempfile.mkdtemp(prefix="mw-"))
        try:
            self._furnish()
            self._install()
            self.serve()
            self.api_url = f"{self.url}/w/api.php"
            self.populate()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def serve(self) -> None:
        """By a new server, on the port of the one before."""
        log, port = self.folder / "log/server.log", self._server.port if self._server else None
        self._server = PhpServer(self._php, self.folder / "docroot", self._environment(), log, port)

    def populate(self) -> None:
        """Whoever must be there from the beginning."""

    def close(self) -> None:
        """End the server and remove the folder; repeatable."""
        if self._server:
            self._server.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def databases(self) -> Path:
        """Where its database lies."""
        return self._databases or self.folder / "data"

    @property
    def has_echo(self) -> bool:
        """Whether the package brings Echo; ``set(benchEcho=False)`` does without for a test."""
        return (self._program / "extensions/Echo/extension.json").is_file()

    @property
    def url(self) -> str:
        return self.server.url

    @property
    def server(self) -> PhpServer:
        assert self._server, "the wiki is not running"
        return self._server

    @property
    def socket_path(self) -> Path:
        """Where the wiki asks for return paths; nobody answers until the test puts a server there."""
        return self.folder / "verp.sock"

    def set(self, **settings: object) -> None:
        """Change these PHP globals from the next request on, until ``reset``."""
        current = json.loads((self.folder / "settings.json").read_text())
        self._replace("settings.json", json.dumps({**current, **settings}))

    def configure(self, php: str) -> None:
        """Run this PHP at the end of LocalSettings.php from the next request on, until ``reset``."""
        self._replace("configured.php", f"<?php\n{php}\n")

    def mail_commands(self, *, sendmail_path: str | None) -> None:
        """Give mail to this command, as in php.ini, from now on; None: keep it for ``outgoing``."""
        outbox = self.folder / "outbox"
        self._replace(
            "sendmail", f'#!/bin/sh\nexec {sendmail_path} "$@"\n' if sendmail_path else recorder(outbox)
        )

    def outgoing(self) -> list[SentMail]:
        """The mails that were handed to sendmail, oldest first."""
        return recorded(self.folder / "outbox")

    def run_jobs(self) -> None:
        """What the wiki has put off, mail to watchers among it."""
        self._run([str(self._program / "maintenance/runJobs.php"), "--quiet"], self._environment())

    def make_tables(self, sql: str) -> None:
        """An extension's tables, from its own sqlite/tables-generated.sql, unless they are there."""
        tables = sql.replace("/*_*/", "").replace("CREATE TABLE", "CREATE TABLE IF NOT EXISTS")
        with closing(sqlite3.connect(self.folder / f"data/{WIKI_ID}.sqlite", timeout=PATIENCE)) as database:
            database.executescript(tables.replace("CREATE INDEX", "CREATE INDEX IF NOT EXISTS"))

    def logged(self, channel: str) -> str:
        """What MediaWiki has written to this log channel: BounceSidecar, exception or error."""
        file = self.folder / f"log/{channel}.log"
        return file.read_text() if file.exists() else ""

    def reset(self) -> None:
        """As fresh for the next test: settings, moods, mail, logs and the cache. The database stays."""
        self._replace("settings.json", json.dumps(self._settings))
        self.configure("")
        self.mail_commands(sendmail_path=None)
        for emptied in ("moods", "outbox"):
            shutil.rmtree(self.folder / emptied)
            (self.folder / emptied).mkdir()
        for log in (self.folder / "log").iterdir():
            os.truncate(log, 0)
        self._empty_cache()

    def _furnish(self) -> None:
        for name in ("installed", "data", "cache", "docroot", "log", "moods", "outbox", "ini", "tmp"):
            (self.folder / name).mkdir()
        (self.folder / "docroot/w").symlink_to(self._program)
        self._replace("uncached", f"{self.folder}/\n")
        OPCACHE.mkdir(exist_ok=True)
        self._replace("ini/bench.ini", INI.format(folder=self.folder, opcache=OPCACHE))
        self._replace("settings.json", json.dumps(self._settings))
        self.configure("")
        self.mail_commands(sendmail_path=None)

    def _install(self) -> None:
        options = {
            "dbtype": "sqlite",
            "dbpath": str(self.databases),
            "dbname": self.wiki_id,
            "confpath": str(self.folder / "installed"),
            "server": "http://127.0.0.1",
            "scriptpath": "/w",
            "pass": ADMIN_PASSWORD,
            "skins": "",
        }
        arguments = [f"--{name}={value}" for name, value in options.items()]
        if self.has_echo:
            arguments.append("--extensions=Echo")  # makes its tables
        environment = self._environment()
        del environment["MW_CONFIG_FILE"]  # which would make it an installed wiki already
        self._run(
            [str(self._program / "maintenance/install.php"), *arguments, "Test Wiki", ADMIN], environment
        )
        # Whether it is used is ours to say.
        written = self.folder / "installed/LocalSettings.php"
        written.write_text(written.read_text().replace("wfLoadExtension( 'Echo' );", ""))

    def _environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "MW_INSTALL_PATH": str(self._program),
            "MW_CONFIG_FILE": str(HERE / "LocalSettings.php"),
            "PHP_INI_SCAN_DIR": f":{self.folder}/ini",  # after the machine's own
            "TMPDIR": str(self.folder / "tmp"),
            "BENCH_FOLDER": str(self.folder),
            "BENCH_EXTENSION": str(EXTENSION),
            "BENCH_SERVER": self._server.url if self._server else "http://127.0.0.1",
        }

    def _bench(self, operation: str, **arguments: object) -> Any:
        """Run one operation of bench.php; its result. Raises MaintenanceFailed."""
        script = [str(HERE / "bench.php"), operation, json.dumps(arguments)]
        return json.loads(self._run(script, self._environment()).splitlines()[-1])

    def _run(self, script: list[str], environment: Mapping[str, str]) -> str:
        run = subprocess.run(
            [self._php, *script],
            env=environment,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        if run.returncode:
            raise MaintenanceFailed(f"{script}: {run.stdout}{run.stderr}")
        return run.stdout

    def _rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        with closing(
            sqlite3.connect(self.databases / f"{self.wiki_id}.sqlite", timeout=PATIENCE)
        ) as database:
            return database.execute(query, values).fetchall()

    def _empty_cache(self) -> None:
        """Sessions, throttles, rate limits: all lie in MediaWiki's object cache."""
        file = self.databases / "wikicache.sqlite"
        with closing(sqlite3.connect(file, timeout=PATIENCE, isolation_level=None)) as database:
            tables = database.execute("SELECT name FROM sqlite_master WHERE name = 'objectcache'").fetchall()
            if tables:  # MediaWiki makes it when it first has something to keep
                database.execute("DELETE FROM objectcache")

    def _replace(self, name: str, text: str) -> None:
        """A file that others may be reading: whole at any moment, and executable in case it is a script."""
        new = self.folder / f"{name}.new"
        new.write_text(text)
        new.chmod(0o700)
        new.rename(self.folder / name)
