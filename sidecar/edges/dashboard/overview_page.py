"""The first page: whether all is well, and what is not.

Knows what is said of it. Does not know where it is looked up.
"""

from collections.abc import Callable, Collection

from sidecar.edges.dashboard.desk import Desk
from sidecar.edges.dashboard.visit import Page, Shown, Visit
from sidecar.services.overview import overview
from sidecar.services.showing import CannotShow, Showing

__all__ = ["overview_pages"]


def overview_pages(desk: Desk, showing: Showing, wikis: Callable[[], Collection[str]]) -> dict[str, Page]:
    """*wikis*: those that are configured now."""

    async def show(visit: Visit) -> Shown:
        known = wikis()
        try:
            found = await showing.look(lambda connection: overview(connection, known))
        except CannotShow as trouble:
            return await desk.show(visit, "overview.html", status=503, found=None, trouble=trouble)
        return await desk.show(visit, "overview.html", found=found, trouble=None)

    return {"/": Page(show, name="Overview")}
