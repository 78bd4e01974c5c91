"""Canaries: which were sent, and which came back.

Knows that of several nodes one sends the next, and that each comes back once. Does not know when one is lost.
"""

from datetime import datetime, timedelta

import sqlalchemy as sa

from sidecar.domain.vitals import UNDER_WAY, CanaryRound
from sidecar.storage import accounts
from sidecar.storage.schema import canary

__all__ = ["claim", "ended", "enter", "last_id", "look", "returned", "settle"]

AGAIN = timedelta(minutes=1)  # after one that did not leave
KILLED = timedelta(minutes=4)  # after one of which nobody knows; a mail server may take three to say no
SKEW = timedelta(minutes=1)  # by which the clocks of two nodes may differ


def claim(connection: sa.Connection, node: str, token: str, now: datetime, every: timedelta) -> int | None:
    """Enter one if it is time for it; its id, or None if it is not."""
    accounts.lock_canaries(connection)
    newest = connection.execute(
        sa.select(canary.c.sent, canary.c.returned, canary.c.error).order_by(canary.c.sent.desc()).limit(1)
    ).first()
    if newest:
        wait = every
        if newest.error and not newest.returned:
            wait = min(every, KILLED if newest.error == UNDER_WAY else AGAIN)
        if -SKEW <= now - newest.sent < wait:
            return None
    return _enter(connection, node, token, now)


def enter(connection: sa.Connection, node: str, token: str, now: datetime) -> int | None:
    """Enter one, time or not; None if this node has sent one in this very second."""
    accounts.lock_canaries(connection)
    return _enter(connection, node, token, now)


def _enter(connection: sa.Connection, node: str, token: str, now: datetime) -> int | None:
    if connection.execute(sa.select(canary.c.id).where(canary.c.token == token)).first():
        return None
    values = {"node": node, "token": token, "sent": now, "error": UNDER_WAY}
    entered: int = connection.execute(canary.insert().values(values).returning(canary.c.id)).scalar_one()
    return entered


def settle(connection: sa.Connection, canary_id: int, error: str = "") -> None:
    """The mail server has it, or has not taken it (*error*). Repeatable."""
    connection.execute(canary.update().where(canary.c.id == canary_id).values(error=error))


def returned(connection: sa.Connection, token: str, now: datetime) -> CanaryRound | None:
    """It came back; None if it did so before, or nobody knows of it: it was dropped by age."""
    query = sa.select(canary.c.sent, canary.c.error).where(
        canary.c.token == token, canary.c.returned.is_(None)
    )
    row = connection.execute(query.with_for_update()).first()
    if row is None:
        return None
    connection.execute(canary.update().where(canary.c.token == token).values(returned=now, error=""))
    return CanaryRound(row.sent, now)


def look(connection: sa.Connection, canary_id: int) -> CanaryRound | None:
    """How one of them stands."""
    query = sa.select(canary.c.sent, canary.c.returned, canary.c.error).where(canary.c.id == canary_id)
    row = connection.execute(query).first()
    return CanaryRound(*row) if row else None


def last_id(connection: sa.Connection) -> int:
    """Of all that were sent; 0 if none was."""
    return connection.execute(sa.select(sa.func.max(canary.c.id))).scalar() or 0


def ended(
    connection: sa.Connection, node: str, after_id: int, lost_before: datetime
) -> list[tuple[int, CanaryRound]]:
    """Those of *node* after that one which are back, or should be: up to the first that may still come.

    What did not leave is left out.
    """
    query = sa.select(canary.c.id, canary.c.sent, canary.c.returned)
    found = []
    left = (canary.c.error == "") | canary.c.returned.is_not(None)
    mine = query.where(canary.c.id > after_id, canary.c.node == node, left).order_by(canary.c.id)
    for canary_id, sent, back in connection.execute(mine):
        if back is None and sent >= lost_before:
            break
        found.append((canary_id, CanaryRound(sent, back)))
    return found
