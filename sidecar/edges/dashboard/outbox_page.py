"""What is owed to the wikis, what a brake holds, what they refused, and what was done.

Knows which list somebody wants. Does not know where it is kept.
"""

from sidecar.edges.dashboard.asked_for import number
from sidecar.edges.dashboard.desk import Desk
from sidecar.edges.dashboard.visit import Page, Shown, Visit
from sidecar.services.showing import Showing
from sidecar.storage.actions import State
from sidecar.storage.listing import actions_before, numbers

__all__ = ["outbox_pages"]

MOST = 50  # on one page
#: Each list, what it is called, and the states that it is made of.
LISTS = {
    "waiting": ("Waiting", "They are carried out as soon as the wiki can be reached.", (State.WAITING,)),
    "held": ("Held", "They wait until the brake that holds them is let go.", (State.HELD,)),
    "refused": (
        "Refused", "The wiki will never do them as they are: mend the cause, then `outbox retry ID`.",
        (State.DEAD,),
    ),
    "done": ("Done", "They were carried out.", (State.DONE,)),
    "shadow": ("Shadow", "They would have been done in enforce mode.", (State.SHADOW,)),
    "dropped": (
        "Dropped", "They were overtaken by what happened meanwhile, or given up with a brake.",
        (State.OVERTAKEN, State.DISCARDED),
    ),
}  # fmt: skip
COUNTED = (State.WAITING, State.HELD, State.DEAD)  # the others may be a million


def outbox_pages(desk: Desk, showing: Showing) -> dict[str, Page]:
    """One page, with a list chosen by its address."""

    async def show(visit: Visit) -> Shown:
        chosen = visit.query.get("list", "")
        chosen = chosen if chosen in LISTS else "waiting"
        states, before = LISTS[chosen][2], number(visit, "before")
        entries, counts = await showing.look(
            lambda connection: (
                actions_before(connection, states, before, MOST + 1), numbers(connection, COUNTED)
            )
        )  # fmt: skip
        return await desk.show(
            visit, "outbox.html", lists=LISTS, chosen=chosen, counts=counts, entries=entries[:MOST],
            before=before, further=entries[MOST - 1].id if len(entries) > MOST else None,
        )  # fmt: skip

    return {"/outbox": Page(show, name="Outbox")}
