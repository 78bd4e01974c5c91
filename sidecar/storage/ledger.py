"""The bounce history: notices and bounces, appended and counted.

Knows what may be there only once. Does not know what counts for whom: histories.py hands over mails, and
policy decides.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple

import sqlalchemy as sa

from sidecar.domain.classify import Category
from sidecar.domain.person import Account
from sidecar.storage import rates, sends
from sidecar.storage.entries import Bounce, Notice
from sidecar.storage.prepared import Prepared
from sidecar.storage.rates import Count, What
from sidecar.storage.schema import bounce, notice, send

__all__ = [
    "Bounce", "Entered", "Notice", "Numbered", "append", "book", "kept_as", "knows", "newest_hard", "of_user",
    "provider_of", "says_more",
]  # fmt: skip


_WIKI: sa.BindParameter[str] = sa.bindparam("wiki")
_USER: sa.BindParameter[int] = sa.bindparam("user_id")
_KEPT = Prepared(sa.select(notice.c.id).where(notice.c.fingerprint == sa.bindparam("fingerprint")))
_APPEND = Prepared(notice.insert().returning(notice.c.id))
_ENTER = Prepared(bounce.insert().returning(bounce.c.id))
#: Most users are new, and nothing else needs to be asked of them.
_KNOWN = Prepared(
    sa.select(
        *(sa.exists().where(table.c.wiki == _WIKI, table.c.user_id == _USER) for table in (bounce, send))
    )
)
_SAID = ("id", "wiki", "received", "provider", "rule", "hard", "category")
_SAME_SECOND = (
    sa.select(*(bounce.c[name] for name in _SAID))
    .where(bounce.c.wiki == _WIKI, bounce.c.user_id == _USER, bounce.c.sent == sa.bindparam("sent"))
    .limit(1)
)
_SAME_MAIL = _SAME_SECOND.where(bounce.c.tag == sa.bindparam("tag"))


@dataclass(frozen=True)
class Numbered(Bounce):
    """One that is in the history, with the numbers by which the log speaks of it."""

    id: int = 0
    notice_id: int = 0  #: of the mail that said so


def append(connection: sa.Connection, entry: Notice) -> int | None:
    """Keep a notice; its id, or None if this very mail is there already."""
    if kept_as(connection, entry) is not None:
        return None
    row = {
        "fingerprint": entry.fingerprint,
        "received": entry.received,
        "return_path": entry.return_path,
        "kind": entry.kind,
        "aside": entry.aside,
        "raw": entry.packed,
        "domain": entry.domain,
        "null_sender": entry.null_sender,
        "wiki": entry.wiki,
        "user_id": entry.user_id,
    }
    [(notice_id,)] = _APPEND.rows(connection, row)
    return int(notice_id)


def kept_as(connection: sa.Connection, entry: Notice) -> int | None:
    """The id of this very mail, if it is there."""
    found = _KEPT.first(connection, {"fingerprint": entry.fingerprint})
    return int(found[0]) if found else None


class Entered(NamedTuple):
    """A bounce that was entered, or that said more than the one that was there."""

    id: int
    was_proof: bool  #: until now, the mail seemed to have arrived
    is_first: bool  #: no other mail to the account has come back


def book(
    connection: sa.Connection, notice_id: int, entry: Bounce, today: date | None = None
) -> Entered | None:
    """Enter a bounce; None if its token is there already and this one says nothing new.

    A mail may first be reported as failing softly and then hard: then the later report replaces the first.
    So does any report that a rule has understood, if none had understood the first. Where *today* is named,
    what was received before it is entered in the sums of its day, too.
    """
    [(has_failed, is_noted)] = _KNOWN.rows(connection, {"wiki": entry.wiki, "user_id": entry.user_id})
    was_proof = (
        is_noted
        and entry.category != Category.FORWARDED
        and sends.forget(connection, entry.wiki, entry.user_id, entry.sent, entry.tag)
    )
    before = _same_mail(connection, entry) if has_failed else None
    values = {"notice_id": notice_id, **vars(entry)}
    if before is None:
        if today and entry.received.date() < today:
            _amend(connection, entry, 1)
        [(new,)] = _ENTER.rows(connection, values)
        return Entered(new, was_proof, is_first=not has_failed)
    if not says_more(entry, before.hard, before.rule):
        return None
    if not entry.tag:
        del values["tag"], values["key_id"]
    connection.execute(bounce.update().where(bounce.c.id == before.id).values(values))
    _amend(connection, before, -1)
    _amend(connection, entry, 1)
    return Entered(before.id, was_proof, is_first=False)


def _same_mail(connection: sa.Connection, entry: Bounce) -> sa.Row[Any] | None:
    """What was said of it before."""
    this = {"wiki": entry.wiki, "user_id": entry.user_id, "sent": entry.sent}
    if entry.tag:
        return connection.execute(_SAME_MAIL, this | {"tag": entry.tag}).first()
    # Its format has none, and an inherited record of the mail has one.
    return connection.execute(_SAME_SECOND, this).first()


def _amend(connection: sa.Connection, one: Any, number: int) -> None:
    """A bounce or its row: in the sums of its day."""
    day = one.received.date()
    counts = {
        What.CATEGORY: Count(day, one.wiki, one.category, one.hard, number),
        What.PROVIDER: Count(day, "", one.provider, one.hard, number),
    }
    rates.amend(connection, day, counts)


def newest_hard(connection: sa.Connection, several: Iterable[Account]) -> Bounce | None:
    """The last hard failure of any of these accounts."""
    found: list[sa.Row[tuple[object, ...]]] = []
    for one in several:
        own = (bounce.c.wiki == one.wiki) & (bounce.c.user_id == one.user_id) & bounce.c.hard
        query = sa.select(*(bounce.c[name] for name in Bounce.__dataclass_fields__)).where(own)
        found += connection.execute(query.order_by(bounce.c.sent.desc()).limit(1)).all()
    return max((Bounce(**row._mapping) for row in found), key=lambda one: one.sent, default=None)


def says_more(entry: Bounce, hard: bool, rule: str) -> bool:
    """Whether *entry* replaces what was said of the same mail before."""
    return not hard and (entry.hard or bool(entry.rule and not rule))


def knows(connection: sa.Connection, wiki: str, user_id: int, sent: datetime) -> bool:
    """Whether a mail that was sent to this user in this second has come back, to whatever address."""
    this = {"wiki": wiki, "user_id": user_id, "sent": sent}
    return connection.execute(_SAME_SECOND, this).first() is not None


def provider_of(connection: sa.Connection, bounce_ids: Collection[int]) -> str:
    """Who runs the mail of the address that the newest of these failures was at."""
    query = sa.select(bounce.c.provider).where(bounce.c.id.in_(list(bounce_ids)))
    query = query.order_by(bounce.c.received.desc(), bounce.c.id.desc())
    return connection.execute(query).scalars().first() or ""


def of_user(connection: sa.Connection, wiki: str, user_id: int) -> list[Numbered]:
    """All that is known of a user's mail, oldest first."""
    columns = [bounce.c[name] for name in Numbered.__dataclass_fields__]
    query = sa.select(*columns).where(bounce.c.wiki == wiki, bounce.c.user_id == user_id)
    return [
        Numbered(**row._mapping) for row in connection.execute(query.order_by(bounce.c.sent, bounce.c.id))
    ]
