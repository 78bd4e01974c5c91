"""The fault campaign: ``make chaos``, or ``python -m tests.chaos --minutes 60 --seed 7 --faults kill,fsync``.

A line a round, a table at the end, and exit code 1 if a mail that was answered 250 is not in the history
exactly once, anybody was un-confirmed twice, or not, or without cause, or a return path was wrong.
docs/testing.md tells the rest.
"""

import argparse
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from itertools import count
from pathlib import Path
from random import Random

from tests.chaos.faults import FAULTS
from tests.chaos.house import furnished
from tests.chaos.round import Archive, play
from tests.chaos.servers import SERVERS, Servers
from tests.chaos.tally import Tally
from tests.support import postfix
from tests.support.mediawiki_package import RELEASES, PackageUnavailable, program_files

ROUNDS = 40  # of one house
BLOWS = 1  # of one round
POSTFIX = 1 / 3  # of the rounds deliver by it
SIGNERS = 2  # of each node in every other house
REAL = 4  # one house in so many has a real MediaWiki, of each version in turn
WIKIS = ("practice", "real")


def campaign(arguments: argparse.Namespace, folder: Path, tally: Tally) -> None:
    """House after house until the time is over."""
    ends, numbers = time.monotonic() + arguments.minutes * 60, count(arguments.seed * 100_000)
    servers = Servers(folder)
    prefix = postfix.install()
    with ExitStack() as life:
        life.callback(servers.stop)
        for at in count():
            name = arguments.server[at % len(arguments.server)]
            seed = next(numbers)
            real = _version(at, arguments.wikis)
            wikis = f"MediaWiki {real}" if real else "practice"
            signers = SIGNERS * (at // len(arguments.server) % 2)
            with furnished(
                folder / f"h{at}", seed, servers.get(name), prefix, real=real, signers=signers
            ) as house:
                house.prove_arrivals(ROUNDS)
                fitting = [fault for fault in arguments.faults if FAULTS[fault].fits(house)]
                Random(seed).shuffle(fitting)
                archive = Archive()
                for which in range(ROUNDS if fitting else 0):
                    if time.monotonic() > ends:
                        return
                    seed, fault = next(numbers), fitting[which % len(fitting)]
                    by_postfix = Random(seed).random() < POSTFIX
                    told = play(house, fault, BLOWS, seed, archive, by_postfix=by_postfix)
                    tally.add(f"{name}, {wikis}", told)
                    print(
                        f"{name} {wikis} {signers} {seed} {told}", *told.wrongs[:20], sep="\n  ", flush=True
                    )
                    if told.wrongs:  # what is wrong now would be so in every later round of this house
                        break
            if time.monotonic() > ends:
                return


def _version(at: int, wikis: list[str]) -> str:
    """Of the real MediaWiki of that house; "" if it has practice wikis."""
    if wikis == ["practice"] or (wikis == list(WIKIS) and at % REAL < REAL - 1):
        return ""
    versions = [version for version in sorted(RELEASES) if _can_be_had(version)]
    return versions[at // (REAL if len(wikis) > 1 else 1) % len(versions)]


def _can_be_had(version: str) -> bool:
    with suppress(PackageUnavailable):
        program_files(version)
        return True
    return False


def _listed(known: list[str]) -> Callable[[str], list[str]]:
    def parse(text: str) -> list[str]:
        named = text.split(",")
        if strange := set(named) - set(known):
            raise argparse.ArgumentTypeError(f"{', '.join(strange)}: want some of {', '.join(known)}")
        return named

    return parse


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--faults", type=_listed(list(FAULTS)), default=list(FAULTS))
    parser.add_argument("--server", type=_listed(list(SERVERS)), default=list(SERVERS))
    parser.add_argument("--wikis", type=_listed(list(WIKIS)), default=list(WIKIS))
    arguments = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="chaos-", dir="/var/tmp"))
    folder.chmod(0o755)
    tally = Tally()
    try:
        campaign(arguments, folder, tally)
    finally:
        print(tally)
    if not tally.wrongs:
        shutil.rmtree(folder)
    return 1 if tally.wrongs or not tally.blows else 0


if __name__ == "__main__":
    sys.exit(main())
