"""A round: a few new people, their mail, a blow or some of one kind, and the audit.

Knows when what is done. Does not know how anything is struck, nor what must hold.
"""

import base64
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

from tests.chaos.audit import acts, audit, owed
from tests.chaos.crowd import Mail
from tests.chaos.faults import FAULTS
from tests.chaos.house import House
from tests.chaos.load import Load
from tests.chaos.people import Person
from tests.support.waiting import until

__all__ = ["Archive", "Told", "play"]

CALM = (0.0, 0.8)  # seconds before each blow
ARRIVE = 1.6  # seconds within which the mails of a blow come, before it and while it lasts
DRAINED = 90.0  # seconds until everything is delivered and paid once the blows are over
LOOK = 0.05  # seconds between two looks whether it is
FLUSH = 0.5  # seconds between two times when Postfix is told to try again
LARGE, LARGELY = 100_000, {"disk", "memory"}  # octets of each mail, in rounds of these
LATER = 0.5  # days by which mails are older that come back once the clock is right


@dataclass
class Archive:
    """What of a house's rounds all later ones have to know."""

    handed: Counter[str] = field(default_factory=Counter)  #: by return path, copies given to Postfix
    acts: int = 0  #: of the wikis


@dataclass
class Told:
    """What came of a round."""

    fault: str
    blows: Counter[str] = field(default_factory=Counter)
    missed: Counter[str] = field(default_factory=Counter)  #: blows that nobody felt
    mails: int = 0
    attempts: int = 0
    refusals: int = 0
    acts: int = 0
    issued: int = 0
    #: seconds of each mail of the wikis for its return path
    waited: list[float] = field(default_factory=list)
    unanswered: int = 0
    by_postfix: bool = False
    seconds: float = 0.0
    wrongs: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        struck = ", ".join(f"{number} {name}" for name, number in sorted(self.blows.items()))
        missed = sum(self.missed.values())
        felt = f" ({missed} of them not felt)" if missed else ""
        way = " by Postfix" if self.by_postfix else ""
        return (
            f"{self.fault}: {struck}{felt}; {self.mails} mails{way} in {self.attempts} attempts, "
            f"{self.acts} acts, {self.issued} return paths, {self.unanswered} without; {self.seconds:.1f} s; "
            f"wrong: {len(self.wrongs)}"
        )


def play(house: House, fault: str, blows: int, seed: int, archive: Archive, *, by_postfix: bool) -> Told:
    """One round. What does not end in time is a wrong, too."""
    random, told, began = Random(seed), Told(fault, by_postfix=by_postfix), time.monotonic()
    guests = house.invite()
    mails = [mail for one in guests for mail in one.mails(house.verp)]
    if fault in LARGELY:
        mails = [mail if mail.return_path in house.expected else _large(mail, random) for mail in mails]
    random.shuffle(mails)
    load = Load(house, guests, seed, by_postfix=by_postfix)
    try:
        _strike(house, load, fault, mails, blows, random, told)
        if fault == "clock":  # what failed while it was wrong may count for nothing
            _hand_in(house, load, _once_more(house, guests), random)
        _drain(house, load)
    except TimeoutError as late:
        told.wrongs += [str(late), *getattr(late, "__notes__", [])]
    finally:
        load.end()
    archive.handed += load.handed
    told.wrongs += audit(house, archive.handed, load.issued)
    told.mails, told.attempts, told.refusals = load.wanted, load.attempts, load.refusals
    told.waited = load.waited
    told.issued, told.unanswered = len(load.issued), load.unanswered
    now = acts(house)
    told.acts, archive.acts = now - archive.acts, now
    told.seconds = time.monotonic() - began
    return told


def _strike(
    house: House, load: Load, fault: str, mails: list[Mail], blows: int, random: Random, told: Told
) -> None:
    """The blows, with a share of the mails before each of them; then everything serves again."""
    for at in range(blows):
        _hand_in(house, load, mails[at::blows], random)
        time.sleep(random.uniform(*CALM))
        blow = FAULTS[fault].strike(house, load, random)
        told.blows[blow.what] += 1
        told.missed[blow.what] += not blow.bit
    house.mend()


def _hand_in(house: House, load: Load, mails: list[Mail], random: Random) -> None:
    house.mails += mails
    load.release(mails, ARRIVE, random)


def _once_more(house: House, guests: list[Person]) -> list[Mail]:
    return [mail for one in guests if one.kind.due for mail in one.mails(house.verp, LATER)]


def _large(mail: Mail, random: Random) -> Mail:
    """With octets behind it that nothing can pack."""
    return Mail(mail.return_path, mail.raw + base64.encodebytes(random.randbytes(LARGE)))


def _drain(house: House, load: Load) -> None:
    """Everything is delivered, booked, decided and carried out. Raises TimeoutError."""
    ends = time.monotonic() + DRAINED

    def look(what: str, there: Callable[[], bool], step: float = LOOK) -> None:
        until(there, what, max(1.0, ends - time.monotonic()), step)

    look("everything is answered 250", lambda: load.delivered)
    if load.by_postfix:
        look("everything is booked", lambda: _booked(house), FLUSH)
    due = sum(one.kind.due for one in house.people)
    look("everything is paid", lambda: not owed(house) and acts(house) >= due)


def _booked(house: House) -> bool:
    """Postfix would look again by itself, but after minutes."""
    assert house.postfix
    house.postfix.flush()
    found = {str(path) for (path,) in house.rows("SELECT return_path FROM notice")}
    return {mail.return_path for mail in house.mails} <= found
