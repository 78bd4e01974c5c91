"""What holds actions back, and how it is let go.

Knows who may let go, and that both ways say what follows. Does not know what a brake is: storage/brakes.py
does.
"""

from collections.abc import Callable
from datetime import datetime

import sqlalchemy as sa

from sidecar.edges import replies
from sidecar.edges.dashboard.desk import Desk
from sidecar.edges.dashboard.visit import LOOK, Page, Shown, Visit
from sidecar.services.showing import Showing
from sidecar.storage import brakes
from sidecar.storage.brakes import BrakeState

__all__ = ["brakes_pages"]

LATELY = 20  # that were let go, and are still shown
WAYS: dict[str, Callable[[sa.Connection, int, datetime, str], int | None]] = {
    "release": brakes.release,
    "discard": brakes.discard,
}


def brakes_pages(desk: Desk, showing: Showing) -> dict[str, Page]:
    """One page; acting needs a form of its own."""

    async def show(visit: Visit) -> Shown:
        found = await showing.look(brakes.brakes)
        holding = [one for one in found if one.state == BrakeState.TRIPPED]
        gone = sorted(
            (one for one in found if one.settled), key=lambda one: (one.settled, one.id), reverse=True
        )
        said = next((one for one in gone if str(one.id) == visit.query.get("gone")), None)
        return await desk.show(
            visit, "brakes.html", holding=holding, gone=gone[:LATELY], said=said, whose=brakes.whose
        )

    async def act(visit: Visit) -> Shown:
        if not visit.form:
            return await show(visit)
        way, said = WAYS.get(visit.form.get("way", "")), visit.form.get("brake", "")
        if way is None or not said.isascii() or not said.isdecimal() or len(said) > 18:
            return await desk.say(visit, replies.NO_FORM)
        done = await showing.change(
            lambda connection: way(connection, int(said), visit.now, str(visit.visitor))
        )
        if done is None:
            return await desk.say(visit, replies.NO_SUCH_BRAKE)
        return desk.elsewhere(f"/brakes?gone={int(said)}")

    return {"/brakes": Page(act, (*LOOK, "POST"), name="Brakes", acts=True)}
