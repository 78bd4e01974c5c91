"""The signs of life, gathered: from the database, from the circuits, and from this host.

Knows where each comes from. Does not judge them: domain/trouble.py does.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

import sqlalchemy as sa

from sidecar.domain.vitals import Ailment, Vitals, WikiSign
from sidecar.services.readiness import Readiness
from sidecar.storage import circuits, signs
from sidecar.storage.circuits import SHARED
from sidecar.storage.database import Database

__all__ = ["HostSigns", "gather"]


@dataclass(frozen=True)
class HostSigns:
    """How this host is asked."""

    clock: Callable[[], datetime]
    free: Callable[[], int | None]  #: octets on the disk of the database; None with a server
    synchronised: Callable[[], bool | None]  #: its clock; None: cannot be told


async def gather(database: Database, host: HostSigns, logins: Mapping[str, str]) -> Vitals:
    """All signs of now. *logins*: the wikis, each with the fingerprint of what it is called with.

    Raises nothing for the database's sake: what it does not tell is missing, and ``Vitals.database`` says
    why.
    """
    now = host.clock()
    why = await Readiness(database).why_not()
    try:
        found = await database.read(lambda connection: _look(connection, now, logins))
    except Exception as error:  # whatever it is, this is asked by whoever wants to see it
        found = Vitals(now)
        why = why or f"The database cannot be read ({type(error).__name__})"
    return replace(found, database=why, free=host.free(), synchronised=host.synchronised())


def _look(connection: sa.Connection, now: datetime, logins: Mapping[str, str]) -> Vitals:
    return replace(signs.vitals(connection, now), wikis=_wikis(connection, logins))


def _wikis(connection: sa.Connection, logins: Mapping[str, str]) -> tuple[WikiSign, ...]:
    """Those in trouble, by their ids; of a login that many share, each wiki that has it."""
    rows, found = circuits.standing(connection), []
    for wiki, login in sorted(logins.items()):
        row = rows.get(wiki)
        if row is None or row.credential not in ("", login):
            row = rows.get(SHARED + login)
        if row:
            ailment = Ailment(row.trouble) if row.trouble else Ailment.UNAVAILABLE
            found.append(WikiSign(wiki, ailment, row.why, row.since or row.changed, row.until, row.failures))
    return tuple(found)
