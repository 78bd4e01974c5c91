"""The database's disk is full, and some time later it is not."""

import sqlite3
import time
from contextlib import closing, suppress
from random import Random

from tests.chaos.faults.blow import Blow
from tests.chaos.house import House
from tests.chaos.load import Load
from tests.support.waiting import until

__all__ = ["Disk"]

FELT = 6.0  # seconds within which somebody writes, if anybody has anything to write
LONG = (0.0, 0.8)  # seconds from then on
STARTS = 0.3  # is how often it is full already when SQLite's node starts


class Disk:
    """The mails of such a round are large, so that no database has room for them in hand."""

    def fits(self, house: House) -> bool:
        return True

    def strike(self, house: House, load: Load, random: Random) -> Blow:
        said = [len(node.log()) for node in house.nodes]

        def felt() -> bool:
            """Some node has said so since, or has given up."""
            return any(
                not node.running or "event='database in trouble'" in node.log()[before:]
                for node, before in zip(house.nodes, said, strict=True)
            )

        name = "disk full"
        with load.held():  # or all would be in before it is full
            if house.server:
                house.disk.fill()
            else:
                name += self._fill_below_sqlite(house, random)
        try:
            with suppress(TimeoutError):
                until(felt, "anybody writes", FELT)
            time.sleep(random.uniform(*LONG))
            return Blow(name, felt())
        finally:
            house.disk.make_room()

    @staticmethod
    def _fill_below_sqlite(house: House, random: Random) -> str:
        """Before its node starts, or once it serves; says which."""
        [node] = house.nodes
        node.kill()  # while it lives, nobody else writes below it: a forgetful disk would not know of it
        with closing(sqlite3.connect(house.disk.folder / "history.db")) as database:
            database.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # nothing in hand either
        if random.random() < STARTS:
            house.disk.fill()
            node.start()
            return " at the start"
        node.start()
        node.await_serving()
        house.disk.fill()
        return ""
