"""The database's disk is full, and some time later it is not. SQLite alone: servers have their own."""

import sqlite3
import time
from contextlib import closing, suppress
from random import Random

from tests.chaos.faults.blow import Blow
from tests.chaos.house import House
from tests.chaos.load import Load
from tests.chaos.struck_node import StruckNode
from tests.support.waiting import until

__all__ = ["Disk"]

FELT = 3.0  # seconds within which somebody writes, if anybody has anything to write
LONG = (0.0, 0.8)  # seconds from then on
STARTS = 0.3  # is how often it is full already when the node starts


class Disk:
    def fits(self, house: House) -> bool:
        return house.disk is not None

    def strike(self, house: House, load: Load, random: Random) -> Blow:
        assert house.disk
        [node] = house.nodes
        node.kill()  # while it lives, nobody else writes below it: a forgetful disk would not know of it
        with closing(sqlite3.connect(house.disk.folder / "history.db")) as database:
            database.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # nothing in hand either
        early, name, said = random.random() < STARTS, "disk full", len(node.log())
        if early:
            house.disk.fill()
            name += " at the start"
        node.start()
        if not early:
            node.await_serving()
            house.disk.fill()
        try:
            with suppress(TimeoutError):
                until(lambda: self._felt(node, said), "anybody writes", FELT)
            time.sleep(random.uniform(*LONG))
            return Blow(name, self._felt(node, said))
        finally:
            house.disk.make_room()

    @staticmethod
    def _felt(node: StruckNode, said: int) -> bool:
        """It has said so since its start, or has given up."""
        return not node.running or "event='database in trouble'" in node.log()[said:]
