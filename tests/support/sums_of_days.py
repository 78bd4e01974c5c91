"""What the sums of some days hold, one by one."""

from datetime import date

import sqlalchemy as sa

from sidecar.storage import rates
from sidecar.storage.rates import Count, What

__all__ = ["per_day"]


def per_day(connection: sa.Connection, what: What, since: date, until: date, wiki: str = "") -> list[Count]:
    """Each number of each day from *since* to *until*, both included, in their order."""
    found = rates.grouped(connection, what, ("day", "wiki", "key", "hard"), since, until, wiki)
    counts = [
        Count(date.fromisoformat(str(day)), str(wiki_id), str(key), bool(hard), number)
        for (day, wiki_id, key, hard), number in found.items()
    ]
    return sorted(counts, key=lambda one: (one.day, one.wiki, one.key, one.hard))
