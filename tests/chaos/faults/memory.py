"""A node on a host that is short of memory for a while: what it asks for, it gets or not (no_memory.c)."""

import time
from contextlib import suppress
from random import Random

from tests.chaos.faults.blow import Blow
from tests.chaos.house import House
from tests.chaos.load import Load
from tests.support.waiting import until

__all__ = ["Memory"]

FELT = 3.0  # seconds within which anybody asks; the mails of such a round are large
LONG = (0.3, 2.0)  # seconds from then on


class Memory:
    """All nodes at once, as they share a host here. One that ended is started again."""

    def fits(self, house: House) -> bool:
        return True

    def strike(self, house: House, load: Load, random: Random) -> Blow:
        before = house.no_memory.struck
        house.no_memory.on()
        with suppress(TimeoutError):
            until(lambda: house.no_memory.struck > before, "it asks for more", FELT)
        time.sleep(random.uniform(*LONG))
        house.no_memory.off()
        ended = [node for node in house.nodes if not node.running]
        for node in ended:
            node.start()
        name = "no memory, and a node ended" if ended else "no memory"
        return Blow(name, house.no_memory.struck > before)
