"""Take un-confirmations of ours back, through the outbox as everything else.

Knows what to ask of the wiki. Whether somebody has touched the address since is for the wiki to say.
"""

from collections.abc import Iterable
from datetime import datetime

import sqlalchemy as sa

from sidecar.domain.wiki import Restore
from sidecar.storage import accounts, outbox
from sidecar.storage.outbox import Because
from sidecar.storage.undoing import Undoable, is_undone

__all__ = ["undo"]


def undo(connection: sa.Connection, these: Iterable[Undoable], now: datetime) -> list[int]:
    """Owe the wikis the restoring of *these*; the ids of the new actions.

    Repeatable: what was undone, or has another action waiting for its user, is left out.
    """
    owed = []
    for one in sorted(these, key=lambda one: one.id, reverse=True):  # the last confirmation first
        reason = f"action {one.id} was a mistake, taken back by an operator"
        wanted = Restore(one.wiki, one.user_id, one.confirmed_at, one.fingerprint, reason)
        accounts.lock(connection, one.wiki, one.user_id)  # another operator may be at it
        if is_undone(connection, one.id) or outbox.is_open(connection, wanted):
            continue
        owed.append(outbox.enqueue(connection, wanted, Because(provider=one.provider, undoes=one.id), now))
    return owed
