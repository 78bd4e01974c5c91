"""What the tests of the housekeeping share: how long all is kept, and what is left."""

from datetime import datetime

import sqlalchemy as sa

from sidecar.domain.send import Send
from sidecar.services.upkeep import Keep, Upkeep
from sidecar.storage import sends
from sidecar.storage.schema import metadata, notice, requirement

from .house import DAY, HARD, House

KEEP = Keep(mail=14 * DAY, aside=60 * DAY, bounces=90 * DAY, audit=365 * DAY)


def keeper(house: House, keep: Keep = KEEP) -> Upkeep:
    return Upkeep(house.database, keep, house.clock)


async def kept(house: House) -> list[bool]:
    query = sa.select(notice.c.raw.is_not(None)).order_by(notice.c.id)
    return await house.database.read(lambda connection: [bool(row[0]) for row in connection.execute(query)])


async def rows(house: House, *tables: sa.Table) -> dict[str, int]:
    """How many there are in each table that has any."""
    chosen = tables or tuple(table for table in metadata.tables.values() if table is not requirement)
    counts = await house.database.read(
        lambda c: {t.name: c.execute(sa.select(sa.func.count()).select_from(t)).scalar_one() for t in chosen}
    )
    return {name: count for name, count in counts.items() if count}


async def pay(house: House) -> None:
    while await house.dispatcher.step():
        pass


async def sign(house: House, sent: datetime, user_id: int = 7) -> None:
    """A mail that does not come back, to a user whose failures are under way."""
    token = house.verp.recognise(house.verp.issue("enwiki", user_id, HARD.recipient, sent), sent)
    mail = Send(token.wiki, token.user_id, token.sent, token.tag, token.key_id)
    await house.database.write(lambda c: sends.note(c, [mail]))


def locked(house: House, number: int) -> dict[str, int]:
    """Rows that exist to be locked: SQLite's only writer needs none."""
    return {} if house.database.kind == "sqlite" else {"accounts": number}
