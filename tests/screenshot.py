"""The picture in the README, taken afresh: ``make screenshot``.

Knows a history that looks like one. Needs Chromium.
"""

import tempfile
from datetime import datetime, timedelta
from pathlib import Path

import sqlalchemy as sa

from sidecar.storage import schema
from tests.support.browser import LIGHT, WIDE, browser
from tests.support.dashboard import T0, TOKEN, DashboardHouse
from tests.support.long_history import add_brake, fill
from tests.support.loop_thread import LoopThread

PICTURE = Path(__file__).parents[1] / "docs" / "images" / "overview.png"
BOUNCES = 4000
UP = timedelta(days=12)


def history(connection: sa.Connection, now: datetime) -> None:
    """Three months of mail, canaries that come back, and one brake."""
    fill(connection, BOUNCES, now)
    for number in range(3):
        sent = now - timedelta(minutes=4 + 15 * number)
        row = {"node": "mx1", "token": f"t{number}", "error": "", "returned": sent + timedelta(seconds=3)}
        connection.execute(schema.canary.insert().values(sent=sent, **row))
    add_brake(connection, now)


def main() -> None:
    thread = LoopThread("dashboard")
    with tempfile.TemporaryDirectory() as folder, browser() as window:
        house = thread.call(DashboardHouse(Path(folder), now=T0 - UP).open())
        house.now = T0
        thread.call(house.database.write(lambda connection: history(connection, house.now)))
        window.look(LIGHT, WIDE)
        window.open(f"{house.url}/login")
        window.evaluate("document.getElementById('token').focus()")
        window.enter(TOKEN)
        PICTURE.parent.mkdir(exist_ok=True)
        window.picture(PICTURE, whole=True)
        thread.call(house.close())
    thread.end()
    print(f"{PICTURE}: {PICTURE.stat().st_size // 1024} KiB")


if __name__ == "__main__":
    main()
