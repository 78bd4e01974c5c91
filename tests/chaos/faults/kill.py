"""kill -9: a node, one that signs for it, the wikis, the database server, Postfix.

Each is started again at once, as systemd does; one that signs, by its node.
"""

import os
import signal
from collections.abc import Callable
from contextlib import suppress
from random import Random
from typing import Protocol

from tests.chaos.faults.blow import Blow
from tests.chaos.faults.caught import caught
from tests.chaos.house import House
from tests.chaos.load import Load

__all__ = ["Kill"]


class Victim(Protocol):
    def kill(self) -> None: ...

    def start(self) -> None: ...


class Kill:
    """Nodes twice as often as anything else."""

    def fits(self, house: House) -> bool:
        return True

    def strike(self, house: House, load: Load, random: Random) -> Blow:
        victims: list[Callable[[], Blow]] = [
            lambda: self._node(house, random),
            lambda: self._node(house, random),
            lambda: self._wiki(house, random),
        ]
        if house.signers:
            victims.append(lambda: self._signer(house, random))
        if house.wikis.real:
            victims.append(victims[-1])
        if house.server:
            victims.append(lambda: self._again("database", house.server))
        if house.postfix and load.by_postfix:
            victims.append(lambda: self._again("Postfix", house.postfix))
        return random.choice(victims)()

    @staticmethod
    def _node(house: House, random: Random) -> Blow:
        node = random.choice(house.nodes)
        ran = node.running
        node.kill()
        node.start()
        return Blow("kill node", ran)

    @staticmethod
    def _signer(house: House, random: Random) -> Blow:
        signers = random.choice(house.nodes).signers()
        with suppress(ProcessLookupError):
            if signers:
                os.kill(random.choice(signers), signal.SIGKILL)
                return Blow("kill signer")
        return Blow("kill signer", bit=False)

    def _wiki(self, house: House, random: Random) -> Blow:
        return self._again(caught(house, random), house.wikis)

    @staticmethod
    def _again(name: str, victim: Victim | None) -> Blow:
        assert victim
        victim.kill()
        victim.start()
        return Blow(f"kill {name}")
