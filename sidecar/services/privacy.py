"""What a user may ask for: everything that we hold of them, or that it be erased.

Knows whose rows are meant and when a file has forgotten. Does not know tables.
"""

import base64
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sidecar.domain.person import Account
from sidecar.domain.verp import Verp
from sidecar.storage import belongings
from sidecar.storage.belongings import User
from sidecar.storage.database import Database, NotRewritten

__all__ = ["Export", "Forgotten", "export", "forget", "held", "siblings"]


@dataclass(frozen=True)
class Export:
    """Everything that is held of a user."""

    wiki: str
    user_id: int
    at: datetime
    held: dict[str, list[dict[str, Any]]]  #: rows by table
    others: list[Account]  #: of the same person, as far as is known here; each is asked for by itself


@dataclass(frozen=True)
class Forgotten:
    """What was erased."""

    rows: dict[str, int]  #: by table
    left: str  #: why traces may be left in the file, "" if there are none


async def export(
    database: Database, verp: Verp, wiki: str, user_id: int, now: datetime, *, mail: bool
) -> Export | None:
    """All of it, the raw mail in base64 if *mail*, else its length alone; None if there is nothing."""
    user = _user(verp, wiki, user_id)
    found = await database.read(lambda connection: belongings.everything(connection, user))
    others = await siblings(database, verp, wiki, user_id)
    if not any(found.values()):
        return None
    plain = {name: [dict(row) for row in rows] for name, rows in found.items()}
    for row in plain["notice"]:
        raw: bytes = row.pop("raw") or b""
        row["mail_octets"] = len(raw)
        if mail:
            row["mail_base64"] = base64.b64encode(raw).decode()
    return Export(wiki, user_id, now, plain, others)


async def siblings(database: Database, verp: Verp, wiki: str, user_id: int) -> list[Account]:
    """The other accounts of the same person, as far as is known here."""
    user = _user(verp, wiki, user_id)
    return await database.read(lambda connection: belongings.siblings(connection, user))


async def held(database: Database, verp: Verp, wiki: str, user_id: int) -> dict[str, int]:
    """How many rows there are of a user, by table."""
    user = _user(verp, wiki, user_id)
    return await database.read(lambda connection: belongings.count(connection, user))


async def forget(database: Database, verp: Verp, wiki: str, user_id: int, now: datetime) -> Forgotten:
    """Erase all of it, and write the file anew, so that no trace is left in it.

    Repeatable, also if only the file is left to do. Raises InHand.
    """
    user = _user(verp, wiki, user_id)
    rows = await database.write(lambda connection: belongings.erase(connection, user, now))
    try:
        await database.rewrite()
    except NotRewritten as error:
        return Forgotten(rows, str(error))
    return Forgotten(rows, "")


def _user(verp: Verp, wiki: str, user_id: int) -> User:
    return User(wiki, user_id, verp.beginnings(wiki, user_id))
