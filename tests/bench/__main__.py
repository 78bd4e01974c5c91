"""Reading and judging bounces, by us and by others, in one run: ``make bench ARGS="--json FILE"``.

Then what a decision costs in long histories (decisions.py), and signing while many users are watched
(signing.py). Knows which mails and how many rounds. Asserts nothing: a time is no promise.

Contenders have a process each, hold the mails in memory and time themselves, so that start-up, imports, rules
and files stay outside. They take turns, one pass each a round and another one first each round, so that noise
hits all alike.
"""

import argparse
import json
import os
import platform
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from tests.bench import decisions, signing
from tests.bench.contender import ROSTER, Contender, Entrant, Pass
from tests.bench.figures import Race, as_json, as_text
from tests.support.mails import CORPUS, corpus_mails, recorded_mails

ROUNDS = 11
MOST = 10**6  # bounces in the longest history, and users who are watched
PASS = 400  # mails at least, so that a pass takes a quarter of a second or more


def race(title: str, mails: Sequence[bytes], entrants: Sequence[Entrant], rounds: int, least: int) -> Race:
    """Let *entrants* read *mails* in *rounds* passes of *least* mails or more."""
    repeats = -(-least // len(mails))
    taken: list[dict[str, Pass]] = []
    with ExitStack() as stack:
        contenders = [stack.enter_context(Contender(entrant, mails)) for entrant in entrants]
        for number in range(rounds):
            first = number % len(contenders)
            order = contenders[first:] + contenders[:first]
            taken.append({contender.name: contender.run(repeats) for contender in order})
        versions = {contender.name: contender.version for contender in contenders}
    return Race(title, len(mails), repeats, versions, taken)


def present() -> list[Entrant]:
    """Who can take part; who cannot is named on standard error."""
    here = [entrant for entrant in ROSTER if entrant.is_here()]
    for absent in [entrant for entrant in ROSTER if entrant not in here]:
        print(f"{absent.name} is left out, for it is not installed: {absent.remedy}", file=sys.stderr)
    return here


def _sets() -> dict[str, list[bytes]]:
    corpus = list(corpus_mails().values())
    if not corpus:
        print(f"No corpus: {CORPUS}/mails is not there (BOUNCE_SIDECAR_CORPUS names it)", file=sys.stderr)
    return {"fixtures/bounces": list(recorded_mails().values())} | ({"corpus": corpus} if corpus else {})


def main(words: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=ROUNDS, metavar="N", help=f"default {ROUNDS}")
    parser.add_argument("--pass", type=int, default=PASS, dest="least", metavar="N", help="mails a pass")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every pass there, too")
    parser.add_argument("--most", type=int, default=MOST, metavar="N", help="bounces, and watched users")
    chosen = parser.parse_args(words)
    entrants, load = present(), os.getloadavg()
    told: dict[str, object] = {}
    print(f"Python {platform.python_version()}, {os.cpu_count()} processors, load {load[0]:.1f}\n")
    for title, mails in _sets().items():
        result = race(title, mails, entrants, chosen.rounds, chosen.least)
        told[title] = as_json(result)
        print(as_text(result) + "\n", flush=True)
    for part in (decisions, signing):
        print(part.compare(chosen.most, chosen.rounds) + "\n", flush=True)
    if chosen.json:
        machine = {"python": platform.python_version(), "processors": os.cpu_count(), "load": load}
        chosen.json.write_text(json.dumps({"machine": machine, "races": told}, indent=1) + "\n")


if __name__ == "__main__":
    main()
