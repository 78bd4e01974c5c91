"""A number of damaged mails, each made from its own number, examined on every processor.

Knows how number N of a seed is made and what came of all. Does not know what is wrong with a mail (see
examine).
"""

import os
import resource
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import cache
from random import Random

from tests.fuzz.damage import KINDS, damaged
from tests.fuzz.examine import examine, memory
from tests.support.mails import corpus_mails, recorded_mails

__all__ = ["Campaign", "Found", "Made", "Outcome", "made"]

CHUNK = 500  # mails that a worker takes at once
WEIGHED = 40  # one mail in so many is read again with its memory counted, which takes ten times as long
ADDRESS_SPACE = 4 * 2**30  # octets of a worker; a mail that wants more gets a MemoryError
KEPT = 50  # mails written for a person, of each sort


@dataclass(frozen=True)
class Made:
    """A damaged mail."""

    number: int
    kind: str  #: of damage
    of: tuple[str, str]  #: names of the mails that it is made of
    hard: bool  #: whether either of them is
    raw: bytes = field(repr=False)


@dataclass(frozen=True)
class Found:
    """A mail to look at, and why."""

    mail: Made
    why: str


@dataclass
class Outcome:
    """What came of some mails; two are added with take()."""

    mails: Counter[str] = field(default_factory=Counter)  #: by kind of damage, as are the next three
    bounces: Counter[str] = field(default_factory=Counter)  #: that were still read as one
    turned: Counter[str] = field(default_factory=Counter)  #: hard, though what they were made of is not
    broke: Counter[str] = field(default_factory=Counter)  #: a promise
    read_as: Counter[str] = field(default_factory=Counter)  #: by kind of notice
    octets: int = 0
    slowest: tuple[float, int, str, int] = (0.0, 0, "", 0)  #: seconds, number, kind of damage, octets
    peak: tuple[int, int, int] = (0, 0, 0)  #: octets of memory, number, octets of the mail
    grown: int = 0  #: octets of memory by which a worker grew
    broken: list[Found] = field(default_factory=list)  #: some of them
    hard: list[Found] = field(default_factory=list)  #: some of the turned

    def take(self, other: "Outcome") -> None:
        self.mails += other.mails
        self.bounces += other.bounces
        self.turned += other.turned
        self.broke += other.broke
        self.read_as += other.read_as
        self.octets += other.octets
        self.slowest = max(self.slowest, other.slowest)
        self.peak = max(self.peak, other.peak)
        self.grown = max(self.grown, other.grown)
        self.broken = (self.broken + other.broken)[:KEPT]
        self.hard = (self.hard + other.hard)[:KEPT]


@dataclass(frozen=True)
class Campaign:
    """Mails number 0 to *mails* of *seed*."""

    seed: int
    mails: int
    corpus: bool = True  #: whether mails of the corpus are damaged too, where there is one

    def run(self) -> Outcome:
        """In this process."""
        return self._chunk(range(self.mails))

    def chunks(self, workers: int = 0) -> Iterator[Outcome]:
        """In *workers* processes, by default one a processor; outcomes as they come, in order."""
        pieces = [range(start, min(start + CHUNK, self.mails)) for start in range(0, self.mails, CHUNK)]
        with ProcessPoolExecutor(workers or os.cpu_count(), initializer=_begin) as pool:
            yield from pool.map(self._chunk, pieces)

    def _chunk(self, numbers: range) -> Outcome:
        outcome = Outcome()
        for number in numbers:
            self._one(number, outcome)
        outcome.grown = _resident() - _at_first()
        return outcome

    def _one(self, number: int, outcome: Outcome) -> None:
        mail = made(self.seed, number, self.corpus)
        size = len(mail.raw)
        outcome.mails[mail.kind] += 1
        outcome.octets += size
        try:
            examined = examine(mail.raw)
            if number % WEIGHED == 0:
                outcome.peak = max(outcome.peak, (memory(mail.raw), number, size))
        except Exception as trouble:  # any at all is what we look for
            outcome.broke[mail.kind] += 1
            outcome.broken.append(Found(mail, f"{type(trouble).__name__}: {trouble}"))
            del outcome.broken[KEPT:]
            return
        outcome.read_as[examined.kind] += 1
        outcome.bounces[mail.kind] += examined.kind == "bounce"
        outcome.slowest = max(outcome.slowest, (examined.seconds, number, mail.kind, size))
        if examined.hard and not mail.hard:
            outcome.turned[mail.kind] += 1
            outcome.hard.append(Found(mail, f"hard by rule {examined.hard}, neither of them is"))
            del outcome.hard[KEPT:]


def made(seed: int, number: int, corpus: bool = True) -> Made:
    """Mail *number* of *seed*, always the same of the same mails."""
    chance = Random(f"{seed}/{number}")
    kind = list(KINDS)[number % len(KINDS)]
    shelves = _shelves(corpus)
    (name, raw, hard), (beside, other, also) = (chance.choice(chance.choice(shelves)) for _ in range(2))
    return Made(number, kind, (name, beside), hard or also, damaged(chance, kind, raw, other))


@cache
def _shelves(corpus: bool) -> list[list[tuple[str, bytes, bool]]]:
    """Mails to damage and whether each is hard; from every shelf as many are taken, however few it has."""
    shelves = [recorded_mails(), corpus_mails() if corpus else {}]
    return [
        [(name, raw, bool(examine(raw).hard)) for name, raw in shelf.items()] for shelf in shelves if shelf
    ]


def _begin() -> None:
    """In each worker, before its first mail."""
    _at_first()
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE, ADDRESS_SPACE))


@cache
def _at_first() -> int:
    """What a worker has from the process that it was forked from."""
    return _resident()


def _resident() -> int:
    """Octets of memory, at most so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
