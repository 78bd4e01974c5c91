"""The first page: whether all is well, what is not, and what happened last.

Knows what is said of it. Does not know where it is looked up, nor what is too long or too much:
domain/trouble.py judges that.
"""

import asyncio
from collections import Counter
from collections.abc import Sequence

from sidecar.domain.remedies import Kind
from sidecar.domain.trouble import Trouble
from sidecar.domain.vitals import NodeSign
from sidecar.edges.dashboard.desk import Desk
from sidecar.edges.dashboard.visit import Page, Shown, Visit
from sidecar.services.daily import Daily, Look, daily
from sidecar.services.showing import CannotShow, Showing
from sidecar.storage.glance import Glance, glance

__all__ = ["overview_pages"]

DAYS = 30  # in the small chart


def overview_pages(desk: Desk, showing: Showing) -> dict[str, Page]:
    """It is there whatever the database does."""

    async def show(visit: Visit) -> Shown:
        told, seen = await asyncio.gather(showing.findings(), _seen(showing, visit))
        vitals, found = told.vitals, told.troubles
        return await desk.show(
            visit,
            "overview.html",
            status=200 if seen else 503,
            vitals=vitals,
            troubles=found,
            worst=found[0].severity if found else "good",
            nodes=[(node, _state(node, found)) for node in vitals.nodes],
            modes=Counter(str(policy.mode) for policy in showing.policies.values()),
            started=showing.started,
            canaries=showing.watchman.tolerance.canary_every is not None,
            lost=any(one.kind is Kind.CANARY_LOST for one in found),
            seen=seen,
        )

    return {"/": Page(show, name="Overview")}


def _state(node: NodeSign, found: Sequence[Trouble]) -> tuple[str, str]:
    """The sign, and the word for it."""
    if node.stopped:
        return "off", "stopped"
    silent = any(
        one.kind is Kind.NO_DAEMON or (one.kind is Kind.NODE_SILENT and one.subject == node.name)
        for one in found
    )
    return ("critical", "silent") if silent else ("good", "running")


async def _seen(showing: Showing, visit: Visit) -> tuple[Glance, Daily] | None:
    """What the history tells besides; None if it does not."""
    today = visit.now.date()
    try:
        return await showing.look(
            lambda connection: (glance(connection), daily(connection, Look.FAILURES, today, DAYS))
        )
    except CannotShow:
        return None
