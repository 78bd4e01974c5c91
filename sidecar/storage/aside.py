"""What is set aside: mail that nobody understood, kept whole until a person or a new rule has looked at it.

Knows the mark and how it goes away. Does not know what is set aside, nor how a mail is read again. A row
stays when its mark goes: the same mail, delivered again, is still a duplicate.
"""

import zlib
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from sidecar.storage.ledger import Notice
from sidecar.storage.schema import notice

__all__ = ["Aside", "drop", "entries", "mail", "settle", "waiting"]

_IS_ASIDE = notice.c.aside != ""


@dataclass(frozen=True)
class Aside:
    """A mail that waits for a person, as operators see it."""

    id: int
    received: datetime
    why: str
    kind: str  #: "" where nobody could read it
    domain: str  #: where it failed, else whence it came; "" if unknown
    return_path: str


def entries(connection: sa.Connection, ids: Collection[int] = (), *, after: int = 0) -> list[Aside]:
    """What is set aside, oldest first; of *ids* only, if there are any."""
    columns = (
        notice.c.id, notice.c.received, notice.c.aside, notice.c.kind, notice.c.domain, notice.c.return_path
    )  # fmt: skip
    query = sa.select(*columns).where(_IS_ASIDE, notice.c.id > after).order_by(notice.c.id)
    if ids:
        query = query.where(notice.c.id.in_(list(ids)))
    return [Aside(*row) for row in connection.execute(query)]


def waiting(connection: sa.Connection) -> int:
    """How many notices wait for a person."""
    return int(connection.execute(sa.select(sa.func.count(notice.c.id)).where(_IS_ASIDE)).scalar_one())


def mail(connection: sa.Connection, notice_id: int) -> Notice | None:
    """What is set aside, as it came; None if it is not, or no longer."""
    query = sa.select(notice.c.return_path, notice.c.received, notice.c.raw, notice.c.null_sender)
    row = connection.execute(query.where(_IS_ASIDE, notice.c.id == notice_id)).first()
    if row is None or row.raw is None:
        return None
    raw = zlib.decompress(row.raw)
    return Notice(row.return_path, raw, row.received, null_sender=row.null_sender)


def settle(connection: sa.Connection, notice_id: int, entry: Notice) -> bool:
    """Enter what a mail turned out to be; its reason "" clears the mark. False if another was faster."""
    values: dict[str, object] = {"kind": entry.kind, "aside": entry.aside, "domain": entry.domain}
    values |= {"wiki": entry.wiki, "user_id": entry.user_id}
    same = (notice.c.id == notice_id) & _IS_ASIDE
    return connection.execute(notice.update().where(same).values(values)).rowcount > 0


def drop(connection: sa.Connection, notice_id: int) -> bool:
    """Let a mail go that nobody needs to understand; False if it is not set aside. Its bounce stays soft."""
    this = notice.update().where(_IS_ASIDE, notice.c.id == notice_id)
    return connection.execute(this.values(aside="", raw=None)).rowcount > 0
