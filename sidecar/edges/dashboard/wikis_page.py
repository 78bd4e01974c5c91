"""Each wiki: what may be done to it, and how it answers.

Knows how they are chosen. Does not know where any of it is looked up.
"""

from sidecar.domain.vitals import WikiSign
from sidecar.edges.dashboard.desk import Desk
from sidecar.edges.dashboard.visit import Page, Shown, Visit
from sidecar.services.showing import CannotShow, Showing

__all__ = ["wikis_pages"]

MOST = 200  # on one page


def wikis_pages(desk: Desk, showing: Showing) -> dict[str, Page]:
    """One page; those in trouble come first."""

    async def show(visit: Visit) -> Shown:
        vitals = (await showing.findings()).vitals
        if vitals.database:
            raise CannotShow(vitals.database)
        signs, policies = {one.wiki: one for one in vitals.wikis}, showing.policies
        wanted, only = visit.query.get("name", "").strip().lower(), visit.query.get("only") == "trouble"
        rows: list[tuple[str, str, str, WikiSign | None]] = [
            (wiki, str(policy.mode), str(policy), signs.get(wiki))
            for wiki, policy in sorted(policies.items())
            if wanted in wiki.lower() and (not only or wiki in signs)
        ]
        rows.sort(key=lambda row: row[3] is None)
        return await desk.show(
            visit, "wikis.html", rows=rows[:MOST], found=len(rows), known=len(policies), troubled=len(signs),
            wanted=wanted, only=only,
        )  # fmt: skip

    return {"/wikis": Page(show, name="Wikis")}
