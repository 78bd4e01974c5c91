"""Damaged mails in quantity: ``make fuzz ARGS="--mails N --seed N"``. Ends with 1 if any broke a promise.

Knows the command, the report, and where mails for a person go. Does not know how a mail is made or examined.
"""

import argparse
import os
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from time import monotonic

from tests.fuzz.campaign import Campaign, Found, Outcome
from tests.fuzz.examine import examine, memory
from tests.support.mails import corpus_mails, recorded_mails

MAILS = 200_000
FOLDER = Path("build/fuzz")
MAX_GROWTH = 400 * 2**20  # octets by which a worker grows: the seeds, and whatever 100,000 mails left behind


def report(outcome: Outcome, seconds: float) -> str:
    """What came of it, for people."""
    total = outcome.mails.total()
    lines = [f"  {'':17} {'mails':>8} {'read as bounces':>16} {'turned hard':>12} {'broken':>7}"]
    lines += [
        f"  {kind:17} {number:8} {outcome.bounces[kind]:16} {outcome.turned[kind]:12} {outcome.broke[kind]:7}"
        for kind, number in outcome.mails.items()
    ]
    slow, number, kind, octets = outcome.slowest
    peak, weighed, size = outcome.peak
    read_as = ", ".join(f"{name} {number}" for name, number in outcome.read_as.most_common())
    lines += [
        f"  {'all':17} {total:8} {outcome.bounces.total():16} {outcome.turned.total():12}"
        f" {outcome.broke.total():7}",
        f"Read as: {read_as}",
        f"{total} mails of {outcome.octets / total:.0f} octets on average in {seconds:.0f} s",
        f"Slowest: {slow * 1000:.0f} ms, number {number} ({kind}, {octets} octets)",
        f"Memory: at most {peak / 2**20:.1f} MiB, number {weighed} ({size} octets); "
        f"a worker grew by {outcome.grown / 2**20:.0f} MiB",
    ]
    return "\n".join(lines)


def write(found: Iterable[Found], folder: Path) -> None:
    """Each mail as it is, and beside it why it is there."""
    for one in found:
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{one.mail.number}.eml"
        path.write_bytes(one.mail.raw)
        why = f"{one.why}\n{one.mail.kind}, made of {' and '.join(one.mail.of)}\n"
        path.with_suffix(".txt").write_text(why, encoding="utf-8", errors="replace")


def fuzz(campaign: Campaign, folder: Path) -> int:
    """Run *campaign*, report, write what a person should see; the exit code."""
    outcome, started = Outcome(), monotonic()
    try:
        for piece in campaign.chunks():
            outcome.take(piece)
            if sys.stderr.isatty():
                print(f"\r{outcome.mails.total()} / {campaign.mails}", end="", file=sys.stderr)
    finally:
        write(outcome.broken, folder / "broken")
        write(outcome.hard, folder / "turned-hard")
    print(report(outcome, monotonic() - started))
    for one in outcome.broken:
        print(f"  {folder}/broken/{one.mail.number}.eml ({one.mail.kind}): {one.why}")
    if outcome.grown > MAX_GROWTH:
        print(f"A worker grew by more than {MAX_GROWTH / 2**20:.0f} MiB")
    return 1 if outcome.broken or outcome.grown > MAX_GROWTH else 0


def main(words: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="make fuzz", description=__doc__.split("\n")[0])
    parser.add_argument("--mails", type=int, default=MAILS, metavar="N", help=f"default {MAILS}")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="default 1; the same makes the same")
    parser.add_argument("--folder", type=Path, default=FOLDER, help=f"for broken mails, default {FOLDER}")
    parser.add_argument("--read", type=Path, metavar="FILE", help="examine this mail and nothing else")
    chosen = parser.parse_args(words)
    if chosen.read:
        raw = chosen.read.read_bytes()
        print(examine(raw), f"memory={memory(raw)}")
        return 0
    recorded, corpus = len(recorded_mails()), len(corpus_mails())
    print(f"Seed {chosen.seed}, {os.cpu_count()} processors; {recorded} recorded mails, {corpus} of a corpus")
    return fuzz(Campaign(chosen.seed, chosen.mails), chosen.folder)


if __name__ == "__main__":
    sys.exit(main())
