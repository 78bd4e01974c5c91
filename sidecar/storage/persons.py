"""Whose an account is: the person with all of its accounts, as one question to the table of identities.

Knows what the answers of the wikis amount to for one account; people.py knows how they are kept. An account
of which nothing is known stands for itself. Each bounce that is booked asks this.
"""

import sqlalchemy as sa

from sidecar.domain.person import Account, Together
from sidecar.storage.prepared import Prepared
from sidecar.storage.schema import action, bounce, identity, send

__all__ = ["busy_among", "lead_of", "person_of"]

_WIKI: sa.BindParameter[str] = sa.bindparam("wiki")
_USER: sa.BindParameter[int] = sa.bindparam("user_id")
_ITSELF = (identity.c.wiki == _WIKI) & (identity.c.user_id == _USER)
_LED = (identity.c.lead_wiki == _WIKI) & (identity.c.lead_user_id == _USER)
_LEAD = (identity.c.lead_wiki, identity.c.lead_user_id)
_ROW = (identity.c.wiki, identity.c.user_id, *_LEAD, identity.c.attached)
_KNOWN = sa.or_(
    *(
        sa.exists().where(table.c.wiki == identity.c.wiki, table.c.user_id == identity.c.user_id)
        for table in (bounce, send, action)
    )
)

_LEAD_OF = sa.select(*_LEAD).where(_ITSELF)
# Two questions, each with an index.
_ITSELF_AND_LED = Prepared(sa.union_all(sa.select(*_ROW).where(_ITSELF), sa.select(*_ROW).where(_LED)))
_BUSY = sa.select(identity.c.wiki, identity.c.user_id).where(_LED, _KNOWN)


def lead_of(connection: sa.Connection, account: Account) -> Account:
    """At which account is decided and acted for this one."""
    row = connection.execute(_LEAD_OF, vars(account)).first()
    return Account(*row) if row else account


def person_of(connection: sa.Connection, account: Account) -> Together:
    """Everybody who is led as *account* is; that, and who leads, are among them."""
    rows = _ITSELF_AND_LED.rows(connection, vars(account))
    lead = next((Account(*row[2:4]) for row in rows if Account(*row[:2]) == account), account)
    if lead != account:
        rows = _ITSELF_AND_LED.rows(connection, vars(lead))
    led = {Account(*row[:2]): row[4] for row in rows if Account(*row[2:4]) == lead}
    attached = {one: since for one, since in led.items() if since}
    return Together(lead, frozenset({*led, account, lead}), attached)


def busy_among(connection: sa.Connection, person: Together) -> list[Account]:
    """The accounts of whom anything is booked, and the one that leads, in a fixed order.

    Of a hundred wikis, most never sent a mail that failed.
    """
    if len(person.accounts) == 1:
        return [person.lead]
    return sorted({person.lead, *(Account(*row) for row in connection.execute(_BUSY, vars(person.lead)))})
