"""Brakes: look after each failure whether too many users fail at once, and hold what follows from it.

Knows what is asked, and when. Does not know the limits (domain/brake.py) or what holding means (storage).
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from sidecar.domain.brake import DAY, HOUR, Limits, too_many_acts, too_many_failures
from sidecar.storage import brakes, tallies

__all__ = ["Tripped", "look_at_acts", "look_at_failures"]


@dataclass(frozen=True)
class Tripped:
    """A brake that holds from now on."""

    id: int
    provider: str  #: "" for everybody
    why: str


def look_at_failures(
    connection: sa.Connection,
    provider: str,
    limits: Limits,
    now: datetime,
    wall_clock: datetime,  #: another time than *now* only where old mail is taken in
    usual: tallies.Usual,
) -> list[Tripped]:
    """After a hard bounce was counted: the brakes that trip now."""
    tripped: list[Tripped] = []
    lately = brakes.lately(connection, now - HOUR, wall_clock)
    for whose in dict.fromkeys((provider, tallies.ALL)):
        let_go = [settled for name, settled in lately if name == whose]
        if None in let_go:
            continue
        # What a provider's brake holds, or held until somebody had looked, is no reason to hold everybody.
        contained = {name for name, _ in lately} | {one.provider for one in tripped}
        without = contained - {whose} if whose == tallies.ALL else ()
        before = max(filter(None, let_go), default=None)
        failed = tallies.failed(connection, whose, now, before, limits.least, without, usual)
        why = too_many_failures(failed, limits, in_all=whose == tallies.ALL)
        tripped += _trip(connection, whose, why, now, HOUR)
    return tripped


def look_at_acts(connection: sa.Connection, limits: Limits, now: datetime) -> list[Tripped]:
    """After an action was decided that no brake holds: the brake for everybody, if it trips now."""
    before = brakes.last_settled(connection, tallies.ALL, now)
    hour, day = (max(now - time, before or now - time) for time in (HOUR, DAY))
    why, lasted = too_many_acts(brakes.acted(connection, now, hour, day), limits)
    return _trip(connection, tallies.ALL, why, now, lasted)


def _trip(
    connection: sa.Connection, provider: str, why: str, now: datetime, lasted: timedelta
) -> list[Tripped]:
    if not why:
        return []
    since = now - lasted
    brake_id = brakes.trip(connection, provider, "", why, now, since=since, hold_from=since)
    return [Tripped(brake_id, provider, why)] if brake_id else []
