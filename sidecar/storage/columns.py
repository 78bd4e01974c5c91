"""Kinds of columns, the same in SQLite, MariaDB and PostgreSQL.

Knows what each database would do otherwise: cut a time to the second, fold case, or refuse a text for a NUL.
Does not know tables.
"""

from datetime import UTC, datetime

import sqlalchemy as sa
from sqlalchemy.dialects import mysql

__all__ = ["ID", "MAIL", "TIME", "Line", "UtcDateTime", "line"]

_MARIADB = ("mysql", "mariadb")

#: Numbers of rows. SQLite gives them out for INTEGER alone.
ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

#: Octets, up to 16 MiB: a compressed mail.
MAIL = sa.LargeBinary().with_variant(mysql.MEDIUMBLOB(), *_MARIADB)

#: A time to the microsecond; MariaDB's is to the second unless told.
TIME = sa.DateTime().with_variant(mysql.DATETIME(fsp=6), *_MARIADB)


def line(length: int) -> sa.types.TypeEngine[str]:
    """Text of at most *length* characters, compared octet by octet.

    MariaDB would fold case and blanks. PostgreSQL would sort by the system's locale, and a new release of
    that breaks its indexes: https://wiki.postgresql.org/wiki/Locale_data_changes
    """
    text: sa.types.TypeEngine[str] = sa.String(length)
    return text.with_variant(
        mysql.VARCHAR(length, charset="utf8mb4", collation="utf8mb4_nopad_bin"), *_MARIADB
    ).with_variant(sa.String(length, collation="C"), "postgresql")


class Line(sa.types.TypeDecorator[str]):
    """What any of the databases can keep of a foreign text, in at most so many characters.

    A mail may say anything. PostgreSQL takes no NUL, none of them takes half a surrogate pair, and two refuse
    what is too long, for ever.
    """

    impl = sa.String
    cache_ok = True

    def load_dialect_impl(self, dialect: sa.Dialect) -> sa.types.TypeEngine[str]:
        return dialect.type_descriptor(line(self.length))

    @property
    def length(self) -> int:
        """Characters."""
        return int(self.impl_instance.length or 0)  # type: ignore[attr-defined]

    def process_bind_param(self, value: str | None, dialect: sa.Dialect) -> str | None:
        if value is None or (value.isascii() and "\0" not in value and len(value) <= self.length):
            return value
        return (
            value.replace("\0", "\N{REPLACEMENT CHARACTER}").encode(errors="replace").decode()[: self.length]
        )


class UtcDateTime(sa.types.TypeDecorator[datetime]):
    """Aware datetimes in and out; stored in UTC without an offset, as all three databases can."""

    impl = sa.DateTime
    cache_ok = True

    def load_dialect_impl(self, dialect: sa.Dialect) -> sa.types.TypeEngine[datetime]:
        return dialect.type_descriptor(TIME)

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without its zone")
        return value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        return value.replace(tzinfo=UTC) if value else None
