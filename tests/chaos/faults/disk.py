"""The database's disk is full, and some time later it is not. SQLite alone: servers have their own."""

import sqlite3
import time
from contextlib import closing
from random import Random

from tests.chaos.faults.blow import Blow
from tests.chaos.house import House
from tests.chaos.load import Load

__all__ = ["Disk"]

LONG = (0.3, 1.5)  # seconds


class Disk:
    def fits(self, house: House) -> bool:
        return house.disk is not None

    def strike(self, house: House, load: Load, random: Random) -> Blow:
        assert house.disk
        [node] = house.nodes
        node.kill()  # while it lives, nobody else writes below it: a forgetful disk would not know of it
        with closing(sqlite3.connect(house.disk.folder / "history.db")) as database:
            database.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # nothing in hand either
        node.start()
        node.await_serving()
        house.disk.fill()
        try:
            time.sleep(random.uniform(*LONG))
        finally:
            house.disk.make_room()
        return Blow("disk full", node.metric("database_errors_total") > 0)  # since its start, just now
