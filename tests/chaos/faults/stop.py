"""SIGSTOP: a node, the wikis or the database server lives and says nothing for a while."""

import signal
import time
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
        who = random.choice(["node", "wiki", *(["database"] if house.server else [])])
        node = random.choice(house.nodes)
        if who == "database":
            assert house.server
            stop, go_on = house.server.freeze, house.server.thaw
        elif who == "wiki":
            who = caught(house, random)
            stop, go_on = house.wikis.freeze, house.wikis.thaw
        else:
            stop, go_on = lambda: node.send(signal.SIGSTOP), lambda: node.send(signal.SIGCONT)
        bit = who != "node" or node.running
        stop()
        try:
            time.sleep(random.uniform(*LONG))
        finally:
            go_on()
        return Blow(f"stop {who}", bit)
