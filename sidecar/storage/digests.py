"""Which digests and summaries were made: one a day or a week, and where the next digest begins.

Knows terms (a day as 2026-11-28, a week as 2026-W48) and numbers of notices. Does not know what a mail says.

A term is entered before its mail leaves, and marked as sent after. If the process dies between, nobody knows
whether it left: there is no second one that day, and the next day's begins where the last sent one ended.
"""

from datetime import datetime

import sqlalchemy as sa

from sidecar.storage.engines import Kind
from sidecar.storage.schema import digest, notice

__all__ = ["begin", "complete_through", "follow", "give_back", "mark_sent", "taken", "told_through"]


def told_through(connection: sa.Connection) -> int:
    """The last notice of which a digest has told; 0 if none has."""
    newest = sa.select(sa.func.max(digest.c.through)).where(digest.c.sent.is_not(None))
    return int(connection.execute(newest).scalar_one() or 0)


def taken(connection: sa.Connection, day: str) -> bool:
    """Whether somebody has begun it."""
    return connection.execute(sa.select(digest.c.day).where(digest.c.day == day)).first() is not None


def begin(connection: sa.Connection, day: str, through: int) -> bool:
    """Take the day; False if it is taken."""
    if taken(connection, day):
        return False
    connection.execute(digest.insert().values(day=day, through=through))
    return True


def complete_through(connection: sa.Connection, settled: datetime) -> int | None:
    """The number up to which all is entered, if what came before *settled* is; None if there is no bound.

    On a server numbers are not given in the order of the commits: a digest would pass over what is entered
    late.
    """
    if connection.dialect.name == Kind.SQLITE:  # one writer
        return None
    young = sa.select(sa.func.min(notice.c.id)).where(notice.c.received > settled)
    first: int | None = connection.execute(young).scalar_one()
    return first - 1 if first else None


def mark_sent(connection: sa.Connection, day: str, now: datetime) -> None:
    """Its mail has been taken."""
    connection.execute(digest.update().where(digest.c.day == day).values(sent=now))


def give_back(connection: sa.Connection, day: str) -> None:
    """Its mail was not taken: try again."""
    connection.execute(digest.delete().where(digest.c.day == day, digest.c.sent.is_(None)))


def follow(connection: sa.Connection) -> None:
    """Notices were deleted: the highest numbers may be given again, and then a digest must tell of them."""
    newest = sa.select(sa.func.coalesce(sa.func.max(notice.c.id), 0)).scalar_subquery()
    connection.execute(digest.update().where(digest.c.through > newest).values(through=newest))
