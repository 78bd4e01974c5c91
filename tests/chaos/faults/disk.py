"""The database's disk is full, and some time later it is not. SQLite alone: servers have their own."""

import sqlite3
import time
from contextlib import closing, suppress
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
        with (
            suppress(sqlite3.Error),  # nothing in hand either, unless somebody is reading just now
            closing(sqlite3.connect(house.disk.folder / "history.db", timeout=1)) as database,
        ):
            database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        refused = load.refusals
        house.disk.fill()
        try:
            time.sleep(random.uniform(*LONG))
        finally:
            house.disk.make_room()
        return Blow("disk full", load.refusals > refused)
