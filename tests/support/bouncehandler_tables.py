"""A wiki's tables as BounceHandler and MediaWiki make them, on any of their databases, and rows in them.

Knows the columns and their types (MediaWiki's and BounceHandler's tables-generated.sql). No more of a wiki
is there.
"""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

__all__ = ["Tables"]

BOUNCE_RECORDS = {
    "mysql": """(
        br_id INT UNSIGNED AUTO_INCREMENT NOT NULL, br_user_email VARCHAR(255) NOT NULL,
        br_timestamp BINARY(14) NOT NULL, br_reason VARCHAR(255) NOT NULL,
        INDEX br_mail_timestamp (br_user_email(50), br_timestamp), INDEX br_timestamp (br_timestamp),
        PRIMARY KEY(br_id)) DEFAULT CHARSET={charset}""",
    "sqlite": """(
        br_id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, br_user_email VARCHAR(255) NOT NULL,
        br_timestamp BLOB NOT NULL, br_reason VARCHAR(255) NOT NULL)""",
    "postgresql": """(
        br_id SERIAL NOT NULL, br_user_email VARCHAR(255) NOT NULL, br_timestamp TIMESTAMPTZ NOT NULL,
        br_reason VARCHAR(255) NOT NULL, PRIMARY KEY(br_id))""",
}
USER = {
    "mysql": """(
        user_id INT UNSIGNED AUTO_INCREMENT NOT NULL, user_email TINYTEXT NOT NULL,
        user_email_authenticated BINARY(14) DEFAULT NULL, INDEX user_email (user_email(50)),
        PRIMARY KEY(user_id)) DEFAULT CHARSET={charset}""",
    "sqlite": """(
        user_id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, user_email CLOB NOT NULL,
        user_email_authenticated BLOB DEFAULT NULL)""",
    "postgresql": """(
        user_id SERIAL NOT NULL, user_email TEXT NOT NULL, user_email_authenticated TIMESTAMPTZ DEFAULT NULL,
        PRIMARY KEY(user_id))""",
}


@dataclass
class Tables:
    """The tables `user` and `bounce_records` of one wiki; *charset* is MariaDB's, "binary" as MediaWiki's."""

    engine: sa.Engine
    prefix: str = ""
    charset: str = "binary"

    def make(self, *, records: bool = True) -> None:
        with self.engine.begin() as connection:
            for name, shape in (("user", USER), ("bounce_records", BOUNCE_RECORDS))[: 2 if records else 1]:
                columns = shape[self.engine.dialect.name.replace("mariadb", "mysql")].format(
                    charset=self.charset
                )
                connection.exec_driver_sql(f"CREATE TABLE {self._quoted(name)} {columns}")

    def add_user(self, user_id: int, address: str | bytes, confirmed: datetime | None) -> None:
        row = {"user_id": user_id, "user_email": address, "user_email_authenticated": self._time(confirmed)}
        self._insert("user", row)

    def add_record(self, address: str | bytes, sent: datetime | str, reason: str | bytes) -> None:
        time = sent if isinstance(sent, str) else self._time(sent)
        self._insert("bounce_records", {"br_user_email": address, "br_timestamp": time, "br_reason": reason})

    def _insert(self, name: str, row: dict[str, object]) -> None:
        table = sa.table(self.prefix + name, *map(sa.column, row))
        with self.engine.begin() as connection:
            connection.execute(table.insert().values(row))

    def _time(self, time: datetime | None) -> object:
        if time is None or self.engine.dialect.name == "postgresql":
            return time
        return f"{time:%Y%m%d%H%M%S}"

    def _quoted(self, name: str) -> str:
        return self.engine.dialect.identifier_preparer.quote(self.prefix + name)
