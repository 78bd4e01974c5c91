"""Altered return paths, against the one function that says whose a return path is.

What must be: none is believed that was not issued, whatever was done to it; and those that mail servers
merely spell otherwise say what they said before. How long a comparison takes is a remark, no more.
"""

import random
import statistics
import time

from sidecar.domain.verp import Token, UnknownWiki, VerpError
from tests.attack.forgery.alterations import ALTERATIONS, LEGITIMATE, Alter
from tests.attack.forgery.mint import DOMAIN, NOW, Mint
from tests.attack.tally import Tally, rounds

__all__ = ["believed", "campaign"]

BATCH = 100  # alterations of each kind in a round
ROUNDS = 1000  # of timing each pair
PAIRS = 7
ISSUED, LEGITIMATELY = ": issued after all", "legitimate: "  # in the names of kinds


def believed(path: str, mint: Mint) -> Token | str | None:
    """What *path* says, if it is believed; of a wiki that is not configured, too: such mail is taken."""
    try:
        return mint.verp.recognise(path, NOW)
    except UnknownWiki as error:
        return str(error)
    except VerpError:
        return None


def campaign(seed: int, seconds: float) -> Tally:
    tally = Tally()
    mint = Mint(random.Random(seed))
    for chance in rounds(seed, seconds):
        for name, alter in ALTERATIONS.items():
            _forge(name, alter, chance, mint, tally)
        for name, alter in LEGITIMATE.items():
            _respell(name, alter, chance, mint, tally)
    tally.remarks += [_summary(tally), _timing(mint)]
    return tally


def _summary(tally: Tally) -> str:
    """For how many nobody had signed, and what is told apart from them."""
    by_chance = sum(number for kind, number in tally.attacks.items() if kind.endswith(ISSUED))
    respelled = sum(number for kind, number in tally.attacks.items() if kind.startswith(LEGITIMATELY))
    forged = tally.attacks.total() - by_chance - respelled
    return (
        f"{forged} altered paths of {len(ALTERATIONS)} kinds, {by_chance} that chance made what was issued, "
        f"{respelled} other spellings of good ones; {tally.broken} were judged wrongly"
    )


def _forge(name: str, alter: Alter, chance: random.Random, mint: Mint, tally: Tally) -> None:
    for _ in range(BATCH):
        path = alter(chance.choice(mint.good), chance, mint)
        found, issued = believed(path, mint), mint.said(path)
        if found != issued:
            tally.wrong(f"{name}: {path!r} says {found!s:.100}", path.encode(errors="surrogatepass"))
        tally.count(f"{name}{ISSUED}" if issued else name)


def _respell(name: str, alter: Alter, chance: random.Random, mint: Mint, tally: Tally) -> None:
    for _ in range(BATCH):
        path = chance.choice(mint.good)
        spelled = alter(path, chance, mint)
        if believed(spelled, mint) != mint.said(path):
            tally.wrong(f"{name}: {spelled!r} does not say what {path!r} says", spelled.encode())
        tally.count(f"{LEGITIMATELY}{name}")


def _timing(mint: Mint) -> str:
    """How long a key that is wrong at its first character takes, by one that is wrong at its last."""
    local = mint.good[0].rpartition("@")[0]
    early, late = f"{local[:-24]}{_other(local[-24])}{local[-23:]}", f"{local[:-1]}{_other(local[-1])}"
    ratios = [_took(f"{early}@{DOMAIN}", mint) / _took(f"{late}@{DOMAIN}", mint) for _ in range(PAIRS)]
    return (
        f"to refuse a key that is wrong at its first character takes {statistics.median(ratios):.3f} times "
        f"as long as one that is at its last ({min(ratios):.3f} - {max(ratios):.3f})"
    )


def _other(character: str) -> str:
    return "a" if character != "a" else "b"


def _took(path: str, mint: Mint) -> float:
    began = time.process_time()
    for _ in range(ROUNDS):
        believed(path, mint)
    return time.process_time() - began
