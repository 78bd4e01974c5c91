"""What happened in some days and is in no sum: what was set aside, what wikis refused, which brakes tripped.

Knows the rows. Does not know which days a week is made of.
"""

from datetime import datetime

import sqlalchemy as sa

from sidecar.storage import brakes
from sidecar.storage.actions import State
from sidecar.storage.brakes import Brake
from sidecar.storage.schema import action, notice

__all__ = ["braked", "refused", "set_aside"]


def set_aside(connection: sa.Connection, since: datetime, until: datetime) -> int:
    """How many of the mails that came then still wait for a person."""
    query = sa.select(sa.func.count()).where(
        notice.c.aside != "", notice.c.received >= since, notice.c.received < until
    )
    return int(connection.execute(query).scalar_one())


def refused(connection: sa.Connection, since: datetime, until: datetime) -> dict[str, int]:
    """How many actions each wiki refused for good."""
    query = sa.select(action.c.wiki, sa.func.count()).where(
        action.c.state == State.DEAD, action.c.settled >= since, action.c.settled < until
    )
    return {wiki: int(number) for wiki, number in connection.execute(query.group_by(action.c.wiki))}


def braked(connection: sa.Connection, since: datetime, until: datetime) -> list[Brake]:
    """The brakes that tripped, whatever became of them."""
    return [brake for brake in brakes.brakes(connection) if since <= brake.tripped < until]
