"""kill -9: a node, the wikis, the database server, Postfix; each started again at once, as systemd does."""

from collections.abc import Callable
from random import Random

from tests.chaos.faults.blow import Blow
from tests.chaos.house import House
from tests.chaos.load import Load

__all__ = ["Kill"]

DOWN = (0.0, 0.5)  # seconds for which the database and Postfix stay down


class Kill:
    """Nodes twice as often as anything else."""

    def fits(self, house: House) -> bool:
        return True

    def strike(self, house: House, load: Load, random: Random) -> Blow:
        victims: dict[str, Callable[[], bool]] = {
            "node": lambda: self._node(house, random),
            "wiki": lambda: self._wiki(house),
        }
        if house.server:
            victims["database"] = lambda: self._database(house)
        if house.postfix and load.by_postfix:
            victims["Postfix"] = lambda: self._postfix(house)
        name = random.choice([*victims, "node"])
        return Blow(f"kill {name}", victims[name]())

    @staticmethod
    def _node(house: House, random: Random) -> bool:
        node = random.choice(house.nodes)
        ran = node.running
        node.kill()
        node.start()
        return ran

    @staticmethod
    def _wiki(house: House) -> bool:
        house.wikis.kill()
        house.wikis.start()
        return True

    @staticmethod
    def _database(house: House) -> bool:
        assert house.server
        house.server.kill()
        house.server.start()
        return True

    @staticmethod
    def _postfix(house: House) -> bool:
        assert house.postfix
        house.postfix.kill()
        house.postfix.start()
        return True
