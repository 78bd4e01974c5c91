"""Why: the story of one user's mail, as a timeline.

Knows how somebody is looked for. Does not know what the story says: services/review.py does.
"""

from sidecar.edges.dashboard.asked_for import number
from sidecar.edges.dashboard.desk import Desk
from sidecar.edges.dashboard.visit import Page, Shown, Visit
from sidecar.services.review import review
from sidecar.services.showing import Showing

__all__ = ["user_pages"]


def user_pages(desk: Desk, showing: Showing) -> dict[str, Page]:
    """One page: a form, and below it what is known."""

    async def show(visit: Visit) -> Shown:
        policies = showing.policies
        wikis, wiki, user = sorted(policies), visit.query.get("wiki", ""), number(visit, "user")
        wiki = wiki or (wikis[0] if len(wikis) == 1 else "")
        found, trouble = None, ""
        if "user" in visit.query:
            if wiki not in policies:
                trouble = "Choose a wiki."
            elif user is None:
                trouble = "A user is a number: the user_id in the wiki's database."
            else:
                found = await showing.look(
                    lambda connection: review(connection, wiki, user, policies, visit.now)
                )
        return await desk.show(
            visit, "user.html", wikis=wikis, wiki=wiki, user=user, found=found, trouble=trouble
        )

    return {"/user": Page(show, name="User")}
