"""A node that gets no more threads just after its start, when it has few of them.

RLIMIT_NPROC does not bind root, so a library refuses pthread_create(3) as the kernel would (no_threads.c).
"""

import time
from random import Random

from tests.chaos.faults.blow import Blow
from tests.chaos.house import House
from tests.chaos.load import Load

__all__ = ["Threads"]

LONG = (0.2, 1.0)  # seconds


class Threads:
    def fits(self, house: House) -> bool:
        return True

    def strike(self, house: House, load: Load, random: Random) -> Blow:
        node = random.choice(house.nodes)
        told = house.no_threads.with_name(house.no_threads.name + ".told")
        before = told.stat().st_size if told.exists() else 0
        node.kill()
        node.start()
        if random.random() < 0.7:  # else it has none from its first moment on
            node.await_serving()
        house.no_threads.touch()
        try:
            time.sleep(random.uniform(*LONG))
        finally:
            house.no_threads.unlink()
        if not node.running:
            node.start()
        return Blow("no threads", told.exists() and told.stat().st_size > before)
