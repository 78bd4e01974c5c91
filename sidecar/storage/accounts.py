"""The row of each user of whom anything was ever booked or owed.

Knows how it is locked: of two nodes that book failures of one user, one waits until the other has decided;
and of one person with several accounts, the row of the account that leads is locked for all of them.
"""

from collections.abc import Collection

import sqlalchemy as sa

from sidecar.domain.person import Account
from sidecar.storage import people
from sidecar.storage.schema import account

__all__ = ["lock", "lock_all"]


def lock(connection: sa.Connection, wiki: str, user_id: int) -> Account:
    """Nobody else books, decides or settles for this person until the transaction ends; who leads it.

    SQLite's writer is alone anyway. On a server, two that meet a new user at the same time collide in the
    key, and the second does its work again.
    """
    asked, locked = Account(wiki, user_id), set[Account]()
    # Who waited for the lock may find that the person is led by another account by now.
    while (lead := people.lead_of(connection, asked)) not in locked:
        _lock(connection, lead)
        locked.add(lead)
    return lead


def lock_all(connection: sa.Connection, several: Collection[Account]) -> None:
    """The same for the persons of all of these, and for these themselves: one may lead from now on."""
    locked = set[Account]()
    while missing := {*several, *(people.lead_of(connection, one) for one in several)} - locked:
        for one in sorted(missing):
            _lock(connection, one)
        locked |= missing


def _lock(connection: sa.Connection, one: Account) -> None:
    mine = (account.c.wiki == one.wiki) & (account.c.user_id == one.user_id)
    query = sa.select(account.c.user_id).where(mine).with_for_update()
    if connection.execute(query).first() is None:
        connection.execute(account.insert().values(wiki=one.wiki, user_id=one.user_id))
