"""How much is measured. Knows numbers, and how contenders take turns."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

__all__ = ["QUICK", "Settings", "rounds_of"]

N = TypeVar("N")


@dataclass(frozen=True)
class Settings:
    """All of a run. The defaults take some twenty minutes on two cores."""

    rounds: int = 7
    seconds: float = 0.7  #: of a pass of lookups, or of writing to the disk
    mails: int = 1000  #: that are delivered in a pass
    reading: int = 400  #: mails at least that are read in a pass
    longest: int = 10**7  #: bounces of the longest history in which is decided and looked
    most: int = 10**6  #: bounces in the history of a daemon, and watched users
    archived: int = 100_000  #: mails that are replayed
    servers: bool = True  #: with MariaDB, PostgreSQL and Postfix

    def sizes(self) -> list[int]:
        """Of histories: a thousand bounces, ten thousand, ..."""
        return [10**power for power in range(3, 10) if 10**power <= self.longest]


QUICK = Settings(
    rounds=2, seconds=0.1, mails=40, reading=1, longest=1000, most=1000, archived=200, servers=False
)


def rounds_of(
    passes: Mapping[N, Callable[[], Mapping[str, float]]], rounds: int
) -> dict[N, dict[str, list[float]]]:
    """What each pass says in each round, by measure; another one is the first in each round."""
    names, taken = list(passes), {name: dict[str, list[float]]() for name in passes}
    for number in range(rounds):
        for name in _turned(names, number):
            for measure, value in passes[name]().items():
                taken[name].setdefault(measure, []).append(value)
    return taken


def _turned(names: Sequence[N], number: int) -> Iterator[N]:
    first = number % len(names)
    yield from names[first:]
    yield from names[:first]
