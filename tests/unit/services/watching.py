"""What the tests of the watch share: what was noted, of whom, and a mail that arrives."""

import sqlalchemy as sa

from sidecar.services.watch import Watch
from sidecar.storage.schema import send

from .house import DAY, T0, House


async def sent(house: House, user_id: int = 7) -> list[float]:
    """Days on which mails of this user were noted as signed."""
    query = sa.select(send.c.sent).where(send.c.user_id == user_id).order_by(send.c.sent)
    return [
        (time - T0) / DAY for time in await house.database.read(lambda c: list(c.execute(query).scalars()))
    ]


def users(watch: Watch) -> set[tuple[str, int]]:
    return {(wiki, user_id) for wiki, ids in watch.watched.users.items() for user_id in ids}


async def mail(house: House, user_id: int = 7) -> str:
    """A mail of which nothing comes back; noted at once."""
    path = house.path(user_id)
    await house.watch.flush()
    return path
