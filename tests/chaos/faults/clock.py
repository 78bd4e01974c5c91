"""The node's clock jumps, by seconds or by days, forwards or backwards, and some time later back."""

import time
from random import Random

from tests.chaos.faults.blow import Blow
from tests.chaos.house import House
from tests.chaos.load import Load

__all__ = ["Clock"]

LONG = (0.2, 1.0)  # seconds
DAY = 86400.0
JUMPS = (1.0, 60.0, 3600.0, DAY, 3 * DAY, 20 * DAY)  # seconds; a return path is good for 40 days here


class Clock:
    def fits(self, house: House) -> bool:
        return not house.signers  # they have a clock of their own here, which is right

    def strike(self, house: House, load: Load, random: Random) -> Blow:
        node = random.choice(house.nodes)
        jump = random.choice(JUMPS) * random.uniform(0.5, 1.0) * random.choice((-1, 1))
        silent = random.random() < 0.5
        if silent:  # what is owed is dated by the wrong clock, and still owed when it is right again
            house.wikis.kill()
        taken = load.answered
        node.clock_wrong_by(jump)
        time.sleep(random.uniform(*LONG))
        bit = load.answered > taken
        node.clock_wrong_by(0)
        if silent:
            house.wikis.start()
        return Blow(f"clock {'ahead' if jump > 0 else 'behind'}{', wiki down' if silent else ''}", bit)
