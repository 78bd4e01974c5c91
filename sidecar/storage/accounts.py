"""Rows that exist to be locked: of each user of whom anything was booked or owed, of wikis, of the brakes.

Knows how they are locked: of two nodes that book failures of one user, one waits until the other has
decided; and of one person with several accounts, the row of the account that leads is locked for all of them.
Whoever locks more than one thing does so in this order, so that no two wait for each other:

    the notice      a new one, or one that is set aside and read again
    the wiki        by who claims an action: one call at a time, whichever node makes it; never waited for
    the user        by who books, owes, claims, settles, gives up, or erases; several in order
    tallies         in the order of their names
    the brakes      by who trips, releases or discards one
    canaries        by who sends one; nothing else is locked with it
    a brake         shared by who puts an action under it, alone by who lets it go
    actions         what is held, released, claimed or closed

SQLite has one writer at a time, and there is nothing to lock: no such rows are made there.

Where two still collide, as two commands over many users may, the database ends one of them, and writers.py
does that one again.
"""

from collections.abc import Collection

import sqlalchemy as sa

from sidecar.domain.canary import CANARY
from sidecar.domain.person import Account, Together
from sidecar.storage import people, persons
from sidecar.storage.schema import account

__all__ = ["NOBODY", "lock", "lock_all", "lock_brakes", "lock_canaries", "try_lock", "try_lock_wiki"]

NOBODY = 0  # no user has this id: the row stands for the wiki

_THERE = sa.select(account.c.user_id).where(
    account.c.wiki == sa.bindparam("wiki"), account.c.user_id == sa.bindparam("user_id")
)
_LOCKED = _THERE.with_for_update()
_FREE = _THERE.with_for_update(skip_locked=True)
_ENTER = account.insert()


def lock(connection: sa.Connection, wiki: str, user_id: int) -> Together:
    """Nobody else books, decides or settles for this person until the transaction ends; who it is.

    On a server, two that meet a new user at the same time collide in the key, and the second does its work
    again.
    """
    asked, locked = Account(wiki, user_id), set[Account]()
    if _is_alone(connection):
        return persons.person_of(connection, asked)
    # Who waited for the lock may find that the person is led by another account by now.
    while (person := persons.person_of(connection, asked)).lead not in locked:
        if connection.execute(_LOCKED, vars(person.lead)).first() is None:
            connection.execute(_ENTER, vars(person.lead))
        locked.add(person.lead)
    return person


def lock_all(connection: sa.Connection, several: Collection[Account]) -> None:
    """The same for the persons of all of these, and for these themselves: one may lead from now on."""
    locked = set[Account]()
    while missing := {*several, *people.leads_of(connection, several).values()} - locked:
        _lock(connection, missing)
        locked |= missing


def try_lock(connection: sa.Connection, wiki: str, user_id: int) -> bool:
    """The same as ``lock``, unless somebody has it: then False, at once."""
    asked = Account(wiki, user_id)
    lead = persons.lead_of(connection, asked)
    return _try_lock(connection, lead) and persons.lead_of(connection, asked) == lead


def try_lock_wiki(connection: sa.Connection, wiki: str) -> bool:
    """Nobody else claims an action of this wiki until the transaction ends; False if somebody does."""
    return _try_lock(connection, Account(wiki, NOBODY))


def lock_brakes(connection: sa.Connection) -> None:
    """Nobody else trips a brake or lets one go until the transaction ends."""
    _lock(connection, {Account("", NOBODY)})


def lock_canaries(connection: sa.Connection) -> None:
    """Nobody else sends a canary until the transaction ends."""
    _lock(connection, {Account(*CANARY)})


def _lock(connection: sa.Connection, several: Collection[Account]) -> None:
    """In one order, or two nodes would wait for each other."""
    if _is_alone(connection):
        return
    there = set[Account]()
    query = sa.select(account.c.wiki, account.c.user_id).order_by(account.c.wiki, account.c.user_id)
    for mine in people.these(account, several):
        there |= {Account(*row) for row in connection.execute(query.where(mine).with_for_update())}
    if new := [{"wiki": one.wiki, "user_id": one.user_id} for one in sorted(several) if one not in there]:
        connection.execute(_ENTER, new)


def _try_lock(connection: sa.Connection, one: Account) -> bool:
    if _is_alone(connection):
        return True
    if connection.execute(_THERE, vars(one)).first() is None:
        try:
            with connection.begin_nested():
                connection.execute(_ENTER, vars(one))
        except sa.exc.IntegrityError:  # somebody has entered it meanwhile, and has it
            return False
        return True
    return connection.execute(_FREE, vars(one)).first() is not None


def _is_alone(connection: sa.Connection) -> bool:
    """Whether nobody else writes anyway: SQLite's transactions follow each other."""
    return connection.dialect.name == "sqlite"
