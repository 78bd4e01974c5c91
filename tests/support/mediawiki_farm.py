"""Two real MediaWikis on one code tree with central accounts: of the stand-in, or of the real CentralAuth.

It is a farm (tests/contract/farm.py). Global accounts are made in the central database, whose tables are
named alike in both; what reads goes through MediaWiki. Does not know what is tested.
"""

import os
import sqlite3
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

from tests.contract.bench import Mailbox
from tests.contract.farm import HOME, OTHER

from .mediawiki import BOT, TIMESTAMP, MediaWiki

__all__ = ["CENTRALAUTH", "RealFarm", "real_farm"]

#: A folder with checkouts of the extensions CentralAuth and AntiSpoof, of the branch for this MediaWiki.
CENTRALAUTH = os.environ.get("BOUNCE_SIDECAR_CENTRALAUTH", "")

HERE = Path(__file__).parent / "mediawiki"
NAME = "central"  # of the central database

#: What both know, and no more than the stand-in needs.
TABLES = """
CREATE TABLE globaluser (
    gu_id INTEGER PRIMARY KEY, gu_name BLOB UNIQUE, gu_home_db BLOB, gu_email BLOB,
    gu_email_authenticated BLOB, gu_locked INTEGER NOT NULL DEFAULT 0,
    gu_hidden_level INTEGER NOT NULL DEFAULT 0, gu_registration BLOB, gu_password BLOB, gu_auth_token BLOB
);
CREATE TABLE localuser (
    lu_wiki BLOB, lu_name BLOB, lu_attached_timestamp BLOB, lu_attached_method TEXT, lu_local_id INTEGER,
    lu_global_id INTEGER, PRIMARY KEY ( lu_wiki, lu_name )
);
"""

STAND_IN = """<?php
$wgCentralStandInDatabase = '{databases}/central.sqlite';
wfLoadExtension( 'CentralStandIn', '{here}/CentralStandIn/extension.json' );
"""

REAL = """<?php
$wgVirtualDomainsMapping['virtual-centralauth'] = [ 'db' => 'central' ];
$wgCentralAuthDatabase = 'central'; // before 1.43
wfLoadExtension( 'AntiSpoof', '{checkouts}/AntiSpoof/extension.json' );
wfLoadExtension( 'CentralAuth', '{checkouts}/CentralAuth/extension.json' );
$wgAntiSpoofAccounts = false;
$wgLocalDatabases = $wgConf->wikis = [ '{home}', '{other}' ];
$wgConf->suffixes = [ 'wiki' ];
$wgConf->settings = [
    'wgServer' => [ 'default' => 'http://127.0.0.1' ],
    'wgCanonicalServer' => [ 'default' => 'http://127.0.0.1' ],
    'wgArticlePath' => [ 'default' => '/w/index.php/$1' ],
];
"""


class RealFarm:
    """Made by ``real_farm``."""

    def __init__(self, wikis: Mapping[str, MediaWiki], databases: Path) -> None:
        self.wikis = wikis
        self._databases = databases

    def join(self, name: str, accounts: Mapping[str, tuple[int, datetime]], *, home: str) -> None:
        wiki, (user_id, _) = next(iter(accounts.items()))
        kept = self.wikis[wiki].mailbox(user_id)
        confirmed = kept.confirmed_at.strftime(TIMESTAMP) if kept.confirmed_at else None
        number = self._central(
            """INSERT INTO globaluser (gu_name, gu_home_db, gu_email, gu_email_authenticated, gu_registration,
            gu_password, gu_auth_token) VALUES (?, ?, ?, ?, '20200101000000', '', '')""",
            name, home, kept.address, confirmed,
        )  # fmt: skip
        for wiki, (user_id, since) in accounts.items():
            self._central(
                """INSERT INTO localuser (lu_wiki, lu_name, lu_attached_timestamp, lu_attached_method,
                lu_local_id, lu_global_id) VALUES (?, ?, ?, 'login', ?, ?)""",
                wiki, name, since.astimezone(UTC).strftime(TIMESTAMP), user_id, number,
            )  # fmt: skip

    def detach(self, name: str, wiki: str) -> None:
        self._central("DELETE FROM localuser WHERE lu_name = ? AND lu_wiki = ?", name, wiki)

    def hide(self, name: str) -> None:
        self._central("UPDATE globaluser SET gu_hidden_level = 1 WHERE gu_name = ?", name)

    def move_home(self, name: str, wiki: str) -> None:
        self._central("UPDATE globaluser SET gu_home_db = ? WHERE gu_name = ?", wiki, name)

    def mailbox(self, wiki: str, user_id: int) -> Mailbox:
        return self.wikis[wiki].effective_mailbox(user_id)

    def _central(self, statement: str, *values: object) -> int:
        file = self._databases / f"{NAME}.sqlite"
        with closing(sqlite3.connect(file, timeout=20)) as database, database:
            number = database.execute(statement, values).lastrowid
        self.wikis[HOME].lose_sessions()  # with all that CentralAuth has cached
        return number or 0


@contextmanager
def real_farm(version: str) -> Iterator[RealFarm]:
    """Raises PackageUnavailable."""
    with ExitStack() as life:
        databases = Path(life.enter_context(tempfile.TemporaryDirectory(prefix="mw-farm-")))
        with closing(sqlite3.connect(databases / f"{NAME}.sqlite")) as database:
            for script in _tables():
                database.executescript(script)
        (databases / "farm.php").write_text("<?php\n")  # until the wikis are installed
        settings = {"benchFarm": str(databases / "farm.php")}
        wikis = {
            wiki_id: life.enter_context(
                MediaWiki(version, settings=settings, wiki_id=wiki_id, databases=databases)
            )
            for wiki_id in (HOME, OTHER)
        }
        farm = RealFarm(wikis, databases)
        names = {"databases": databases, "here": HERE, "checkouts": CENTRALAUTH, "home": HOME, "other": OTHER}
        text = REAL if CENTRALAUTH else STAND_IN
        for name, value in names.items():
            text = text.replace(f"{{{name}}}", str(value))
        (databases / "farm.php").write_text(text)
        # A bot password belongs to a central id: CentralAuth knows none of an account that is not attached.
        bots = {wiki_id: (wiki.bot_id, datetime.now(UTC)) for wiki_id, wiki in wikis.items()}
        farm.join(BOT, bots, home=HOME)
        for wiki in wikis.values():
            wiki.renew_password(wiki.password)
        yield farm


def _tables() -> list[str]:
    if not CENTRALAUTH:
        return [TABLES]
    scripts = Path(CENTRALAUTH).glob("*/s*/sqlite/tables-generated.sql")
    return [script.read_text().replace("/*_*/", "") for script in sorted(scripts)]
