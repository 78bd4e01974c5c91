"""What a campaign counts: attacks by kind, and promises that broke.

Knows how long to go on and what is worth keeping. Does not know what is attacked.
"""

import random
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

__all__ = ["Tally", "Wrong", "rounds"]

MAX_WRONGS = 50  # that are kept of one campaign; more say nothing new


@dataclass(frozen=True)
class Wrong:
    """A broken promise, and the octets that broke it."""

    why: str  #: one line
    what: bytes = field(default=b"", repr=False)


@dataclass
class Tally:
    """What came of one campaign."""

    attacks: Counter[str] = field(default_factory=Counter)  #: by kind
    wrongs: list[Wrong] = field(default_factory=list)
    broken: int = 0  #: promises that broke, those that are not kept in `wrongs` included
    remarks: list[str] = field(
        default_factory=list
    )  #: what else a person should know, such as a part that is missing

    def count(self, kind: str, number: int = 1) -> None:
        """So many attacks of this kind were made."""
        self.attacks[kind] += number

    def wrong(self, why: str, what: bytes = b"") -> None:
        """A promise broke."""
        self.broken += 1
        if len(self.wrongs) < MAX_WRONGS:
            self.wrongs.append(Wrong(ascii(why)[1:-1], what))


def rounds(seed: int, seconds: float, *, at_least: int = 1) -> Iterator[random.Random]:
    """Chance for each round, the same for the same seed: *at_least* so many, then until time is up."""
    end, number = time.monotonic() + seconds, 0
    while number < at_least or time.monotonic() < end:
        yield random.Random(f"{seed}.{number}")
        number += 1
