"""The row of each user of whom anything was ever booked or owed.

Knows how it is locked: of two nodes that book failures of one user, one waits until the other has decided.
"""

import sqlalchemy as sa

from sidecar.storage.schema import account

__all__ = ["lock"]


def lock(connection: sa.Connection, wiki: str, user_id: int) -> None:
    """Nobody else books, decides or settles for this user until the transaction ends.

    SQLite's writer is alone anyway. On a server, two that meet a new user at the same time collide in the
    key, and the second does its work again.
    """
    mine = (account.c.wiki == wiki) & (account.c.user_id == user_id)
    query = sa.select(account.c.user_id).where(mine).with_for_update()
    if connection.execute(query).first() is None:
        connection.execute(account.insert().values(wiki=wiki, user_id=user_id))
