"""The signs of life, gathered: from the database, from the circuits, and from this host.

Knows where each sign comes from, and how long it is waited for. Does not judge them: domain/trouble.py does.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import sqlalchemy as sa

from sidecar.domain.trouble import Tolerance, Trouble, troubles
from sidecar.domain.vitals import Ailment, Vitals, WikiSign
from sidecar.services.circuit import FORGOTTEN, row_of
from sidecar.services.readiness import in_words
from sidecar.storage import circuits, signs
from sidecar.storage.database import Database

__all__ = ["PATIENCE", "Findings", "HostSigns", "Watchman", "gather"]

PATIENCE = 8.0  # seconds for the database: SQLite waits 5 for a lock; whoever asks wants to know now


@dataclass(frozen=True)
class HostSigns:
    """How this host is asked."""

    clock: Callable[[], datetime]
    free: Callable[[], int | None]  #: octets on the disk of the database; None with a server
    synchronised: Callable[[], bool | None]  #: its clock; None: cannot be told
    name: str = ""  #: what its node is called
    deaf: Callable[[], str] = lambda: ""  #: a socket on which nobody listens; "" if none, or it is not tried


@dataclass(frozen=True)
class Findings:
    """How it is, and what is wrong with that."""

    vitals: Vitals
    troubles: list[Trouble]  #: the worst first


class Watchman:
    """Looks when he is asked: one object for the overview, the gauges, `doctor` and `status`."""

    def __init__(
        self,
        database: Database | None,  #: None on a node that only issues
        host: HostSigns,
        logins: Callable[[], Mapping[str, str]],  #: the wikis, each with what it is called with, as a hash
        tolerance: Tolerance,
        *,
        beside: bool = False,  #: asked by a command: it has to join the database, and to prove that it writes
    ) -> None:
        self._db, self._host, self._logins = database, host, logins
        self.tolerance, self._beside = tolerance, beside

    async def look(self) -> Findings:
        """As of now; never waits for long. Raises nothing for the database's sake."""
        silence = self.tolerance.silence
        found = await gather(self._db, self._host, self._logins(), silence=silence, beside=self._beside)
        return Findings(found, troubles(found, self.tolerance))


async def gather(
    database: Database | None,
    host: HostSigns,
    logins: Mapping[str, str],
    *,
    silence: timedelta = timedelta(days=1),
    beside: bool = False,
) -> Vitals:
    """All signs of now.

    Raises nothing for the database's sake: what it does not tell is missing, and ``Vitals.database`` says
    why.
    """
    now = host.clock()
    found, why = Vitals(now, history=database is not None), ""
    try:
        async with asyncio.timeout(PATIENCE):
            if database:
                if beside:
                    await database.join()
                found = await database.read(lambda connection: _look(connection, now, silence, logins))
                if beside or not database.good:
                    await database.prove()
    except TimeoutError:
        why = f"The database does not answer within {PATIENCE:g} s"
    except Exception as error:  # whatever it is, this is asked by whoever wants to see it
        why = in_words(error)
    found = replace(found, database=why, here=host.name, deaf=host.deaf())
    return replace(found, free=host.free(), synchronised=host.synchronised())


def _look(connection: sa.Connection, now: datetime, silence: timedelta, logins: Mapping[str, str]) -> Vitals:
    return replace(signs.vitals(connection, now, silence), wikis=_wikis(connection, now, logins))


def _wikis(connection: sa.Connection, now: datetime, logins: Mapping[str, str]) -> tuple[WikiSign, ...]:
    """Those in trouble, by their ids; of a login that many share, each wiki that has it."""
    rows, found = circuits.standing(connection, now - FORGOTTEN), []
    for wiki, login in sorted(logins.items()):
        if row := row_of(rows, wiki, login):
            ailment = Ailment(row.trouble) if row.trouble else Ailment.UNAVAILABLE
            since = row.since or row.changed
            found.append(WikiSign(wiki, ailment, row.why, since, row.until, row.failures, row.changed))
    return tuple(found)
