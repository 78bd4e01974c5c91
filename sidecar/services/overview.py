"""Whether all is well, at a glance.

Knows what is looked up. Does not know how it is shown.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from sidecar.storage import actions, aside, brakes, circuits, glance
from sidecar.storage.brakes import Brake, BrakeState
from sidecar.storage.circuits import Standing
from sidecar.storage.glance import Acted, Failed

__all__ = ["Overview", "overview"]


@dataclass(frozen=True)
class Overview:
    """What the history says of now."""

    last_bounce: Failed | None
    last_acted: Acted | None
    waiting: int
    oldest_due: datetime | None
    brakes: tuple[Brake, ...]  #: that hold
    aside: int
    circuits: tuple[Standing, ...]  #: of wikis that fail, and of logins that they share


def overview(connection: sa.Connection, wikis: Collection[str]) -> Overview:
    """Of the configured *wikis*; circuits of others are of no concern any more."""
    standing = circuits.standing(connection)
    return Overview(
        glance.last_bounce(connection),
        glance.last_acted(connection),
        actions.waiting(connection),
        glance.oldest_due(connection),
        tuple(brakes.brakes(connection, BrakeState.TRIPPED)),
        aside.waiting(connection),
        tuple(one for name, one in sorted(standing.items()) if name in wikis or " " in name),
    )
