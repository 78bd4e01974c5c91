"""A node that may open no more files, while strangers take what is left of its connections."""

import resource
import time
from random import Random

from tests.chaos.faults.blow import Blow
from tests.chaos.faults.peers import Strangers
from tests.chaos.house import House
from tests.chaos.load import Load

__all__ = ["Descriptors"]

LONG = (0.3, 1.2)  # seconds
SPARE = (0, 12)  # that it may still open
MANY = 30  # connections that want more than that


class Descriptors:
    def fits(self, house: House) -> bool:
        return True

    def strike(self, house: House, load: Load, random: Random) -> Blow:
        node = random.choice(house.nodes)
        if not node.running:
            node.await_serving()
        limits = resource.prlimit(node.pid, resource.RLIMIT_NOFILE)
        most = node.descriptors() + random.randint(*SPARE)
        resource.prlimit(node.pid, resource.RLIMIT_NOFILE, (most, limits[1]))
        with Strangers() as strangers:
            for _ in range(MANY):
                strangers.come_to(random.choice(strangers.doors(node)))
            ends, bit = time.monotonic() + random.uniform(*LONG), False
            while time.monotonic() < ends:
                bit = bit or node.descriptors() >= most
                time.sleep(0.02)
        if not node.running:
            node.start()
            return Blow("no descriptors, and it ended", bit)
        resource.prlimit(node.pid, resource.RLIMIT_NOFILE, limits)
        return Blow("no descriptors", bit)
