"""The moment at which wikis are struck: a real one in the middle of a call, if there is any."""

import time
from random import Random

from tests.chaos.house import House

__all__ = ["caught"]

CALLED = 1.5  # seconds within which a real one is called, while anything is owed
CALL = 0.1  # seconds that a call takes, or some


def caught(house: House, random: Random) -> str:
    """What to call them; returns when they are to be struck."""
    if not house.wikis.real:
        return "wiki"
    called = house.wikis.is_called(CALLED)
    time.sleep(random.uniform(0, CALL))
    return "MediaWiki in a call" if called else "MediaWiki"
