"""Everything that is held of one user: handed out, or erased.

Knows every table that says anything of a user, and what else goes when the last of a user goes. Does not know
how a file is made to forget: database.py does.
"""

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from sidecar.domain.person import Account
from sidecar.storage import accounts, audit, claims, digests, people
from sidecar.storage.brakes import BY_WORD
from sidecar.storage.schema import (
    account,
    action,
    action_bounce,
    bounce,
    event,
    identity,
    notice,
    send,
    tally,
)

__all__ = ["InHand", "User", "count", "erase", "everything", "siblings"]

Row = Mapping[str, Any]


class InHand(Exception):
    """A wiki is being called for this user right now. Try again in a minute."""


@dataclass(frozen=True)
class User:
    """Whose things are meant."""

    wiki: str
    user_id: int
    return_paths: Sequence[str]  #: how return paths of this user begin, folded


def everything(connection: sa.Connection, user: User) -> dict[str, list[Row]]:
    """All rows by table, oldest first; the mail itself unpacked in "raw", None where it was dropped."""
    found = {
        table.name: [
            dict(row._mapping)
            for row in connection.execute(sa.select(table).where(own).order_by(*table.primary_key.columns))
        ]
        for table, own in _own(user)
    }
    for row in found["notice"]:
        row["raw"] = zlib.decompress(row["raw"]) if row["raw"] else None
    because = sa.select(action_bounce).where(action_bounce.c.action_id.in_(_ids(action, user)))
    links = connection.execute(because.order_by(action_bounce.c.bounce_id)).all()
    for row in found["action"]:
        row["bounces"] = [link.bounce_id for link in links if link.action_id == row["id"]]
    return {name: list(rows) for name, rows in found.items()}


def count(connection: sa.Connection, user: User) -> dict[str, int]:
    """How many rows there are, by table."""
    return {
        table.name: int(
            connection.execute(sa.select(sa.func.count()).select_from(table).where(own)).scalar_one()
        )
        for table, own in _own(user)
    }


def siblings(connection: sa.Connection, user: User) -> list[Account]:
    """The other accounts of the same person, as far as that is known here."""
    mine = Account(user.wiki, user.user_id)
    return [one for one in people.accounts_of(connection, mine) if one != mine]


def erase(connection: sa.Connection, user: User, now: datetime) -> dict[str, int]:
    """Delete all of it, what is owed included; how many rows, by table. Raises InHand.

    With its mails the proofs go that mail arrived at the person's address: failures of the person's other
    accounts, of which those took the edge, count no more.

    The audit keeps that somebody was forgotten, not who.
    """
    accounts.lock(connection, user.wiki, user.user_id)  # nobody books or claims meanwhile
    mine = (action.c.wiki == user.wiki) & (action.c.user_id == user.user_id)
    if connection.execute(sa.select(action.c.id).where(mine, claims.live(action, now))).first():
        raise InHand("a wiki is being called for this user right now; try again in a minute")
    counted = count(connection, user)
    if not any(counted.values()):
        _forget_account(connection, user)
        return counted
    providers = _providers(connection, user)
    for theirs in people.these(bounce, siblings(connection, user)):
        uncounted = theirs & bounce.c.hard & bounce.c.pardon.is_(None)
        connection.execute(bounce.update().where(uncounted).values(pardon=BY_WORD))
    connection.execute(
        action_bounce.delete().where(
            action_bounce.c.action_id.in_(_ids(action, user))
            | action_bounce.c.bounce_id.in_(_ids(bounce, user))
        )
    )
    notices = list(connection.execute(_ids(notice, user)).scalars())  # found through the bounces, in part
    for table, own in _own(user):
        if table is not notice:
            connection.execute(table.delete().where(own))
    connection.execute(notice.delete().where(notice.c.id.in_(notices)))
    _forget_account(connection, user)
    _forget_providers(connection, providers)
    digests.follow(connection)
    told = f"everything of one user, by an operator: {sum(counted.values())} rows"
    audit.tell(connection, now, "forgotten", told)
    return counted


_TABLES = (event, action, send, bounce, notice, identity)


def _forget_account(connection: sa.Connection, user: User) -> None:
    itself = (account.c.wiki == user.wiki) & (account.c.user_id == user.user_id)
    connection.execute(account.delete().where(itself))
    people.forget(connection, Account(user.wiki, user.user_id))


def _own(user: User) -> list[tuple[sa.Table, sa.ColumnElement[bool]]]:
    """What is of the user in each table; rows that refer to others come first."""
    of = {table.name: (table.c.wiki == user.wiki) & (table.c.user_id == user.user_id) for table in _TABLES}
    booked = sa.select(bounce.c.notice_id).where(of["bounce"])
    # Before 0003 a notice did not name its user; nor does one of a wiki that was not configured when it came.
    nameless = sa.or_(
        sa.false(),
        *(
            sa.func.lower(notice.c.return_path).startswith(path, autoescape=True)
            for path in user.return_paths
        ),
    )
    of["notice"] |= notice.c.id.in_(booked) | ((notice.c.wiki == "") & nameless)
    return [(table, of[table.name]) for table in _TABLES]


def _ids(table: sa.Table, user: User) -> sa.Select[tuple[int]]:
    [own] = [own for other, own in _own(user) if other is table]
    return sa.select(table.c.id).where(own)


def _providers(connection: sa.Connection, user: User) -> list[str]:
    own = (bounce.c.wiki == user.wiki) & (bounce.c.user_id == user.user_id) & (bounce.c.provider != "")
    return list(connection.execute(sa.select(bounce.c.provider).where(own).distinct()).scalars())


def _forget_providers(connection: sa.Connection, providers: Sequence[str]) -> None:
    """A provider of whom nobody else has a bounce may be somebody's own domain: its name goes, too."""
    for provider in providers:
        others = sa.select(bounce.c.id).where(bounce.c.provider == provider)
        if connection.execute(others.limit(1)).first() is None:
            connection.execute(tally.delete().where(tally.c.provider == provider))
