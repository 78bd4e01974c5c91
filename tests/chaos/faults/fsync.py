"""The disk below SQLite's file and its log fails: fsync, writes, short writes; and its power, at an fsync.

Below a server fsync alone does: PostgreSQL and MariaDB end when it fails, and recover when they are started.
After some of the failures the power fails as well: what was answered 250 must be on the platter then.
"""

import time
from contextlib import suppress
from random import Random

from tests.chaos.faults.blow import Blow
from tests.chaos.house import House
from tests.chaos.load import Load
from tests.chaos.struck_node import StruckNode
from tests.support.forgetful_disk import ForgetfulDisk, Letter
from tests.support.preloaded import Switch
from tests.support.waiting import until

__all__ = ["Fsync"]

LONG = (0.0, 1.0)  # seconds
FELT = 3.0  # seconds within which somebody writes, if anybody has anything to write
POWER = 3.0  # seconds within which there is an fsync, at which it fails
ONE_IN = (1, 2, 5)  # calls are struck
KINDS = {
    "fsync EIO": Letter.SYNC_FAILS,
    "write EIO": Letter.WRITE_FAILS,
    "write ENOSPC": Letter.NO_SPACE,
    "write short": Letter.SHORT,
    "power": "",
}


class Fsync:
    def fits(self, house: House) -> bool:
        return True

    def strike(self, house: House, load: Load, random: Random) -> Blow:
        if house.forgetful:
            return self._below_sqlite(house.forgetful, house.nodes[0], random)
        assert house.no_fsync
        return self._below_a_server(house.no_fsync, random)

    @staticmethod
    def _below_a_server(no_fsync: Switch, random: Random) -> Blow:
        before = no_fsync.struck
        no_fsync.on()
        with suppress(TimeoutError):
            until(lambda: no_fsync.struck > before, "a failure", FELT)
        time.sleep(random.uniform(*LONG))
        no_fsync.off()
        return Blow("fsync EIO", no_fsync.struck > before)

    @staticmethod
    def _below_sqlite(disk: ForgetfulDisk, node: StruckNode, random: Random) -> Blow:
        name = random.choice(list(KINDS))
        before = disk.struck
        if letter := KINDS[name]:
            disk.says(letter, random.choice(ONE_IN))
            with suppress(TimeoutError):  # nobody writes
                until(lambda: disk.struck > before, "a failure", FELT)
            time.sleep(random.uniform(*LONG))
        failed = disk.struck > before
        if not letter or random.random() < 0.5:
            disk.says(Letter.POWER_FAILS)
            if node.wait(POWER) and letter:
                name += ", then power"
        disk.is_well()
        if not node.running:
            node.start()
        return Blow(name, failed if letter else disk.struck > before)
