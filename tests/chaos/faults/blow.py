"""What every fault has in common. Does not know any of them."""

from dataclasses import dataclass
from random import Random
from typing import Protocol

from tests.chaos.house import House
from tests.chaos.load import Load

__all__ = ["Blow", "Fault"]


@dataclass(frozen=True)
class Blow:
    """One stroke."""

    what: str  #: as "kill wiki"
    bit: bool = True  #: whether anybody felt it; what nobody felt has shown nothing


class Fault(Protocol):
    """A kind of trouble, told from others by its name."""

    def fits(self, house: House) -> bool:
        """Whether there is anything in *house* that can be struck so."""
        ...

    def strike(self, house: House, load: Load, random: Random) -> Blow:
        """Break something, and after a while stop. ``House.mend`` comes at the end of the round."""
        ...
