"""Mails that we signed for users with an open streak, and of which nothing has come back.

Knows that a mail with a bounce has none of these rows, whichever came first, unless another address failed to
which the mail was forwarded: where it was sent to, it arrived. Does not know who is watched.
"""

from collections.abc import Sequence
from datetime import UTC, datetime

import sqlalchemy as sa

from sidecar.domain.classify import Category
from sidecar.domain.send import Send
from sidecar.storage.needs import aside_of, of_person, owed_to
from sidecar.storage.schema import bounce, send

__all__ = ["Send", "drop", "forget", "newest", "note", "stale"]

KEY = ("wiki", "user_id", "sent", "tag")

#: Of mail that is still under way, so many are looked at: their tags say whether the address was changed.
YOUNG = 100


_FORGET = send.delete().where(*(send.c[name] == sa.bindparam(name) for name in KEY))


def note(connection: sa.Connection, mails: Sequence[Send]) -> None:
    """Enter mails; what is there already, or has come back already, is left out."""
    if not mails:
        return
    columns = [*KEY, "key_id"]
    asked = [sa.bindparam(f"a_{name}", type_=send.c[name].type) for name in columns]
    new = sa.select(*asked).where(~_there(send, asked), ~_there(bounce, asked))
    rows = [{f"a_{name}": value for name, value in vars(mail).items()} for mail in mails]
    connection.execute(send.insert().from_select(columns, new), rows)


def forget(connection: sa.Connection, wiki: str, user_id: int, sent: datetime, tag: str) -> bool:
    """This mail has come back: it proves nothing. True if it was noted."""
    this = {"wiki": wiki, "user_id": user_id, "sent": sent, "tag": tag}
    return connection.execute(_FORGET, this).rowcount > 0


def newest(
    connection: sa.Connection, wiki: str, user_id: int, after: datetime | None, settled_by: datetime
) -> list[Send]:
    """The user's newest mails, sent after *after*; among them the newest that was sent by *settled_by*."""
    own = {"wiki": wiki, "user_id": user_id, "after": after or _EVER}
    found = list(connection.execute(_NEWEST, own))
    if len(found) == YOUNG:
        found += connection.execute(_NEWEST_OLD, own | {"settled_by": settled_by})
    return [Send(**row._mapping) for row in dict.fromkeys(found)]


def stale(connection: sa.Connection, settled_by: datetime, open_since: datetime, most: int) -> list[Send]:
    """Rows that no decision needs: before another proof that nothing takes back any more (both were sent by
    *settled_by*), or of a user without a failure of mail sent after *open_since*; and nothing is owed or set
    aside of that user, by which an older failure might come to count.
    """
    later, failed = send.alias(), bounce.alias()
    beaten = sa.exists().where(
        later.c.wiki == send.c.wiki,
        later.c.user_id == send.c.user_id,
        later.c.sent > send.c.sent,
        later.c.sent <= settled_by,
        ~_there(bounce, [later.c[name] for name in KEY]),  # as above: a bounce was booked while it was noted
    )
    watched = of_person(send, failed, (failed.c.sent > open_since) & failed.c.hard)
    unneeded = beaten | ((send.c.sent <= open_since) & ~watched)
    unneeded &= ~owed_to(send) & ~aside_of(send)
    query = sa.select(send).where(send.c.sent <= settled_by, unneeded).order_by(send.c.sent).limit(most)
    return [Send(**row._mapping) for row in connection.execute(query)]


def drop(connection: sa.Connection, mails: Sequence[Send]) -> None:
    """Let rows go."""
    for mail in mails:
        forget(connection, mail.wiki, mail.user_id, mail.sent, mail.tag)


def _there(table: sa.Table, values: Sequence[sa.ColumnElement[object]]) -> sa.ColumnElement[bool]:
    """Whether *table* has the mail whose key the *values* begin with."""
    same = [table.c[name] == value for name, value in zip(KEY, values, strict=False)]
    if table is bounce:
        same.append(bounce.c.category != Category.FORWARDED)
    return sa.select(sa.literal(1)).select_from(table).where(*same).correlate_except(table).exists()


_EVER = datetime(1900, 1, 1, tzinfo=UTC)
# On several nodes a bounce may be booked while its mail is being noted.
_NEWEST = (
    sa.select(send)
    .where(send.c.wiki == sa.bindparam("wiki"), send.c.user_id == sa.bindparam("user_id"))
    .where(send.c.sent > sa.bindparam("after"), ~_there(bounce, [send.c[name] for name in KEY]))
    .order_by(send.c.sent.desc())
    .limit(YOUNG)
)
_NEWEST_OLD = _NEWEST.where(send.c.sent <= sa.bindparam("settled_by")).limit(1)
