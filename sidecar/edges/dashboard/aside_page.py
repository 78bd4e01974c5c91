"""What is set aside, and each of these mails to be read.

Knows what a person needs to look at one. Does not change anything: a rule is written in a file, and then
`aside reread` judges again.
"""

from sidecar.domain.harmless import harmless
from sidecar.domain.readable import readable
from sidecar.edges import replies
from sidecar.edges.dashboard.asked_for import number
from sidecar.edges.dashboard.desk import Desk
from sidecar.edges.dashboard.visit import Page, Shown, Visit
from sidecar.services.showing import Showing
from sidecar.storage import aside
from sidecar.storage.listing import aside_after

__all__ = ["aside_pages"]

MOST = 50  # on one page


def aside_pages(desk: Desk, showing: Showing) -> dict[str, Page]:
    """The list, and one mail."""

    async def show(visit: Visit) -> Shown:
        after = number(visit, "after") or 0
        entries, waiting = await showing.look(
            lambda connection: (aside_after(connection, after, MOST + 1), aside.waiting(connection))
        )
        return await desk.show(
            visit, "aside.html", entries=entries[:MOST], waiting=waiting, after=after,
            further=entries[MOST - 1].id if len(entries) > MOST else None,
        )  # fmt: skip

    async def read(visit: Visit) -> Shown:
        wanted = number(visit, "id") or 0
        entries, mail = await showing.look(
            lambda connection: (aside.entries(connection, [wanted]), aside.mail(connection, wanted))
        )
        if not entries or mail is None:
            return await desk.say(visit, replies.NOT_ASIDE)
        shown = await desk.work(lambda: readable(mail.raw))
        path = harmless(mail.return_path)
        return await desk.show(
            visit, "mail.html", entry=entries[0], mail=shown, path=path, size=len(mail.raw)
        )

    return {"/aside": Page(show, name="Set aside"), "/aside/mail": Page(read)}
