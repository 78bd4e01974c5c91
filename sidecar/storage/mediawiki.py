"""A wiki's own database, read and nothing else: BounceHandler's records, and whose addresses they are.

Knows the tables bounce_records and user, on MariaDB, MySQL, PostgreSQL and SQLite. Does not know what they
mean. MediaWiki keeps octets where others keep text: they are asked for as octets.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

import sqlalchemy as sa

from sidecar.domain.bounce_records import Bad, Owner, Row, as_text, owner_of, row_of
from sidecar.telemetry import Tellable

__all__ = ["BadUrl", "MediaWikiDatabase", "NoRecords"]

BATCH = 500  # addresses in a question
DRIVERS = {
    "mysql": "mysql+pymysql",
    "mariadb": "mysql+pymysql",
    "postgresql": "postgresql+psycopg",
    "sqlite": "sqlite",
}
PATIENCE = 10  # seconds for a connection
LONGEST_ANSWER = 600  # seconds; a million users without an index on their addresses take less


class BadUrl(Tellable):
    """No URL of a database that could be read. The message says what to write."""


class NoRecords(Tellable):
    """The database answers, and has no such table; or it does not answer. The message says which."""


class MediaWikiDatabase:
    """A database by its SQLAlchemy URL without a password; raises BadUrl."""

    def __init__(self, url: str, password: str, prefix: str = "") -> None:
        self._engine = _engine(url, password)
        self._prefix = prefix  #: $wgDBprefix

    def close(self) -> None:
        self._engine.dispose()

    def records(self) -> list[Row | Bad]:
        """The table bounce_records, oldest first. Raises NoRecords."""
        with self._asking() as connection:
            table = self._table(connection, "bounce_records")
            columns = ("br_id", "br_user_email", "br_timestamp", "br_reason")
            found = connection.execute(self._select(table, columns).order_by(sa.column("br_id")))
            return [row_of(row._asdict(), f"br_id {row.br_id}") for row in found]

    def owners(self, wiki: str, addresses: Collection[str]) -> Mapping[str, list[Owner]]:
        """Who has each of *addresses* now, octet by octet. Raises NoRecords."""
        found: dict[str, list[Owner]] = defaultdict(list)
        wanted = sorted(addresses)
        with self._asking() as connection:
            user = self._table(connection, "user", "mwuser")  # PostgreSQL, up to MediaWiki 1.38
            for start in range(0, len(wanted), BATCH):
                for address, owner in self._batch(connection, user, wiki, wanted[start : start + BATCH]):
                    found[address].append(owner)
        return {address: found[address] for address in wanted if found[address]}

    def _batch(
        self, connection: sa.Connection, user: str, wiki: str, addresses: list[str]
    ) -> Iterator[tuple[str, Owner]]:
        columns = ("user_id", "user_email", "user_email_authenticated")
        asked = [sa.literal(spelling) for address in addresses for spelling in self._spellings(address)]
        query = self._select(user, columns).where(sa.column("user_email").in_(asked))
        for row in connection.execute(query):
            address, owner = as_text(row.user_email), owner_of(row._asdict())
            # A text column may find what differs in case: another address, for which MediaWiki asks anew.
            if owner and address in addresses:
                yield address, replace(owner, wiki=wiki)

    def _select(self, table: str, columns: tuple[str, ...]) -> sa.Select[Any]:
        """As octets, where a driver would decode what need not be text."""
        raw = self._engine.dialect.name in ("mysql", "sqlite")
        picked: list[sa.ColumnElement[Any]] = [
            sa.cast(sa.column(name), sa.LargeBinary).label(name)
            if raw and not name.endswith("_id")
            else sa.column(name)
            for name in columns
        ]
        return sa.select(*picked).select_from(sa.table(table))

    def _spellings(self, address: str) -> Iterator[str | bytes]:
        """How the database may hold an address; SQLite tells text from octets."""
        name = self._engine.dialect.name
        if name in ("mysql", "sqlite"):
            yield address.encode("utf-8", "surrogateescape")
        if name != "mysql" and not any("\ud800" <= letter <= "\udfff" for letter in address):
            yield address

    def _table(self, connection: sa.Connection, *names: str) -> str:
        inspector = sa.inspect(connection)
        for name in names:
            if inspector.has_table(self._prefix + name):
                return self._prefix + name
        raise NoRecords(f"{self._engine.url}: there is no table {self._prefix}{names[0]}; see --prefix")

    @contextmanager
    def _asking(self) -> Iterator[sa.Connection]:
        try:
            with self._engine.connect() as connection:
                yield connection
        except sa.exc.SQLAlchemyError as error:
            why = getattr(error, "orig", None) or error
            raise NoRecords(f"{self._engine.url}: {why}") from None


def _engine(url: str, password: str) -> sa.Engine:
    try:
        made = sa.make_url(url)
        made = made.set(drivername=DRIVERS[made.get_backend_name()])
        if made.password:
            raise BadUrl("no password in the URL, where everybody can read it; --password-file names a file")
        options: dict[str, object] = {}
        if made.get_backend_name() == "sqlite":
            made = _read_only(made)
        else:
            options = {"connect_timeout": PATIENCE}
            if made.get_backend_name() == "mysql":
                options["read_timeout"] = LONGEST_ANSWER
            made = made.set(password=password or None)
        return sa.create_engine(made, hide_parameters=True, connect_args=options)
    except (sa.exc.ArgumentError, KeyError, ValueError):
        raise BadUrl("no URL of a database; as mysql://user@host/database") from None
    except ImportError as error:
        raise BadUrl(f"the driver is not installed: pip install {error.name}") from None


def _read_only(url: sa.URL) -> sa.URL:
    """SQLite would make a file that is not there, and may write beside one that is."""
    path = url.database or ""
    if not Path(path).is_file():
        raise BadUrl(f"there is no file {path or '(no path)'}")
    return url.set(database=f"file:{quote(path)}").update_query_dict({"mode": "ro", "uri": "true"})
