"""SIGSTOP: a node, what signs for it, the wikis or the database server lives and says nothing for a while."""

import os
import signal
import time
from contextlib import suppress
from random import Random

from tests.chaos.faults.blow import Blow
from tests.chaos.faults.caught import caught
from tests.chaos.house import House
from tests.chaos.load import Load

__all__ = ["Stop"]

LONG = (0.1, 2.0)  # seconds; a lease of the campaign's lasts for one


class Stop:
    def fits(self, house: House) -> bool:
        return True

    def strike(self, house: House, load: Load, random: Random) -> Blow:
        others = [*(["database"] if house.server else []), *(["signer"] if house.signers else [])]
        who = random.choice(["node", "wiki", *others])
        node, bit = random.choice(house.nodes), True
        if who == "database":
            assert house.server
            stop, go_on = house.server.freeze, house.server.thaw
        elif who == "wiki":
            who = caught(house, random)
            stop, go_on = house.wikis.freeze, house.wikis.thaw
        elif who == "signer":
            signers = node.signers()
            stop, go_on = lambda: _tell(signers, signal.SIGSTOP), lambda: _tell(signers, signal.SIGCONT)
            bit = bool(signers)
        else:
            stop, go_on = lambda: node.send(signal.SIGSTOP), lambda: node.send(signal.SIGCONT)
            bit = node.running
        stop()
        try:
            time.sleep(random.uniform(*LONG))
        finally:
            go_on()
        return Blow(f"stop {who}", bit)


def _tell(processes: list[int], number: signal.Signals) -> None:
    for process in processes:
        with suppress(ProcessLookupError):
            os.kill(process, number)
