"""A node that gets no more threads as it starts or just after, when it has few of them.

RLIMIT_NPROC does not bind root, so a library refuses pthread_create(3) as the kernel would (no_threads.c).
"""

import time
from random import Random

from tests.chaos.faults.blow import Blow
from tests.chaos.faults.peers import Strangers
from tests.chaos.house import House
from tests.chaos.load import Load

__all__ = ["Threads"]

AT = (0.0, 1.0)  # seconds after its start
LONG = (0.3, 1.0)  # seconds
FELT = 3.0  # seconds within which it wants one, if it wants any
ASKS = 0.2  # seconds between two questions of a Prometheus


class Threads:
    def fits(self, house: House) -> bool:
        return True

    def strike(self, house: House, load: Load, random: Random) -> Blow:
        node = random.choice(house.nodes)
        before = house.no_threads.struck

        def refused() -> bool:
            return house.no_threads.struck > before

        node.kill()
        said = len(node.log())
        node.start()
        time.sleep(random.uniform(*AT))
        name = "no threads"
        house.no_threads.on()
        try:
            with Strangers() as prometheus:  # each of its questions wants a thread
                began, long = time.monotonic(), random.uniform(*LONG)
                while (lasted := time.monotonic() - began) < long or (not refused() and lasted < FELT):
                    prometheus.come_to(("metrics", node.metrics), b"GET /metrics HTTP/1.0\r\n\r\n")
                    time.sleep(ASKS)
        finally:
            house.no_threads.off()
        if not node.running:
            served = "event='serving'" in node.log()[said:]
            node.start()
            name += ", and it ended" if served else " to start with"
        return Blow(name, refused())
