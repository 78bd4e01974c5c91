"""Rows that exist to be locked: of each user of whom anything was booked or owed, of wikis, of the brakes.

Knows how they are locked: of two nodes that book failures of one user, one waits until the other has
decided. Whoever locks more than one thing does so in this order, so that no two wait for each other:

    the notice      a new one, or one that is set aside and read again
    the wiki        by who claims an action: one call at a time, whichever node makes it; never waited for
    the user        by who books, owes, claims, settles, gives up, or erases
    tallies         in the order of their names
    the brakes      by who trips, releases or discards one
    a brake         shared by who puts an action under it, alone by who lets it go
    actions         what is held, released, claimed or closed

Where two still collide, as two commands over many users may, the database ends one of them, and writers.py
does that one again.
"""

import sqlalchemy as sa

from sidecar.storage.schema import account

__all__ = ["NOBODY", "lock", "lock_brakes", "try_lock", "try_lock_wiki"]

NOBODY = 0  # no user has this id: the row stands for the wiki


def lock(connection: sa.Connection, wiki: str, user_id: int) -> None:
    """Nobody else books, decides or settles for this user until the transaction ends.

    SQLite's writer is alone anyway. On a server, two that meet a new user at the same time collide in the
    key, and the second does its work again.
    """
    query = sa.select(account.c.user_id).where(_is(wiki, user_id)).with_for_update()
    if connection.execute(query).first() is None:
        connection.execute(account.insert().values(wiki=wiki, user_id=user_id))


def try_lock(connection: sa.Connection, wiki: str, user_id: int) -> bool:
    """The same, unless somebody has it: then False, at once."""
    mine = sa.select(account.c.user_id).where(_is(wiki, user_id))
    if connection.execute(mine).first() is None:
        connection.execute(account.insert().values(wiki=wiki, user_id=user_id))
        return True
    return connection.execute(mine.with_for_update(skip_locked=True)).first() is not None


def try_lock_wiki(connection: sa.Connection, wiki: str) -> bool:
    """Nobody else claims an action of this wiki until the transaction ends; False if somebody does."""
    return try_lock(connection, wiki, NOBODY)


def lock_brakes(connection: sa.Connection) -> None:
    """Nobody else trips a brake or lets one go until the transaction ends."""
    lock(connection, "", NOBODY)


def _is(wiki: str, user_id: int) -> sa.ColumnElement[bool]:
    return (account.c.wiki == wiki) & (account.c.user_id == user_id)
