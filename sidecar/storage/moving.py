"""Un-confirmations that move between installations.

Knows which there are, and that one is entered once: a confirmation is taken from a user only once. Does not
know files.
"""

from datetime import datetime

import sqlalchemy as sa

from sidecar.domain.unconfirmed import Unconfirmed
from sidecar.domain.wiki import Effect
from sidecar.storage import accounts, rates
from sidecar.storage.actions import Kind, State
from sidecar.storage.audit import tell_of
from sidecar.storage.rates import Count, What
from sidecar.storage.schema import action
from sidecar.storage.undoing import undoable

__all__ = ["adopt", "is_there", "leaving"]


def leaving(connection: sa.Connection, since: datetime, wiki: str = "") -> list[Unconfirmed]:
    """Whom we un-confirmed since then, and not confirmed again, oldest first."""
    these = [one.id for one in undoable(connection, since, wiki=wiki) if not one.undone]
    return [entry for id_ in these for entry in _entries(connection, id_)]


def is_there(connection: sa.Connection, entry: Unconfirmed) -> bool:
    """Whether that un-confirmation is known here."""
    query = sa.select(action.c.id).where(
        action.c.wiki == entry.wiki,
        action.c.user_id == entry.user_id,
        action.c.kind == Kind.UNCONFIRM,
        action.c.state == State.DONE,
        action.c.confirmed_at == entry.confirmed_at,
        action.c.fingerprint == entry.fingerprint,
    )
    return connection.execute(query).first() is not None


def adopt(connection: sa.Connection, entry: Unconfirmed, now: datetime) -> bool:
    """Enter it as if it had been done here; False if it is known. Nothing is asked of the wiki."""
    accounts.lock(connection, entry.wiki, entry.user_id)
    if is_there(connection, entry):
        return False
    row = {
        "kind": Kind.UNCONFIRM,
        "wiki": entry.wiki,
        "user_id": entry.user_id,
        "confirmed_before": entry.confirmed_before,
        "reason": entry.reason,
        "state": State.DONE,
        "policy": entry.policy,
        "created": entry.unconfirmed_at,
        "due": entry.unconfirmed_at,
        "attempts": 0,
        "error": "",
        "settled": entry.unconfirmed_at,
        "effect": Effect.UNCONFIRMED,
        "confirmed_at": entry.confirmed_at,
        "fingerprint": entry.fingerprint,
        "forget_until": entry.forget_until,
    }
    action_id = connection.execute(action.insert().values(row).returning(action.c.id)).scalar_one()
    day = entry.unconfirmed_at.date()
    rates.amend(connection, day, {What.ACTION: Count(day, entry.wiki, Effect.UNCONFIRMED, False, 1)})
    told = f"un-confirmed by another installation on {entry.unconfirmed_at:%Y-%m-%d %H:%M}: {entry.reason}"
    tell_of(connection, action_id, entry, now, "imported", told)
    return True


def _entries(connection: sa.Connection, action_id: int) -> list[Unconfirmed]:
    same = ("wiki", "user_id", "confirmed_before", "confirmed_at", "fingerprint", "policy", "reason")
    columns = [action.c[name] for name in same]
    query = sa.select(*columns, action.c.settled, action.c.forget_until).where(action.c.id == action_id)
    return [
        Unconfirmed(
            **{name: row._mapping[name] for name in same},
            unconfirmed_at=row.settled,
            forget_until=row.forget_until or row.settled,
        )
        for row in connection.execute(query)
    ]
