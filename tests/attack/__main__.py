"""Every campaign, one after the other: ``make attack``. Ends with 1 if a promise broke, or a campaign did.

Knows the command, the report, and where to put what broke a promise. Does not know what is attacked.
"""

import argparse
import faulthandler
import os
import re
import sys
import time
import traceback
from collections.abc import Sequence
from pathlib import Path

from tests.attack.registry import Campaign, campaigns
from tests.attack.tally import Tally

SECONDS = 300.0  # for all campaigns together
HANGS = 120.0  # seconds beyond its share, after which a campaign is said to hang
FOLDER = Path("build/attack")


def attack(name: str, campaign: Campaign, seed: int, seconds: float) -> Tally:
    """One campaign; one that raises is a broken promise, one that hangs ends the program and says where."""
    faulthandler.dump_traceback_later(seconds + HANGS, exit=True, file=sys.__stderr__)
    try:
        return campaign(seed, seconds)
    except Exception:
        tally = Tally()
        tally.wrong(f"{name} raised", traceback.format_exc().encode())
        return tally
    finally:
        faulthandler.cancel_dump_traceback_later()


def processor() -> float:
    """Seconds of it, those of children that have ended included."""
    return sum(os.times()[:4])


def report(name: str, tally: Tally, took: float, cpu: float) -> str:
    """A line, and one for each kind if there are several."""
    lines = [f"{name:30} {tally.attacks.total():10} {tally.broken:7} {took:8.1f} {cpu:8.1f}"]
    if len(tally.attacks) > 1:
        lines += [f"  {kind:28} {number:10}" for kind, number in sorted(tally.attacks.items())]
    lines += [f"  ({remark})" for remark in tally.remarks]
    return "\n".join([*lines, *(f"  BROKEN: {wrong.why}" for wrong in tally.wrongs)])


def keep(name: str, tally: Tally, folder: Path) -> None:
    """What broke a promise, as it is, and beside it why it is there."""
    for number, wrong in enumerate(tally.wrongs, start=1):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{name}-{number}.bin").write_bytes(wrong.what)
        (folder / f"{name}-{number}.txt").write_text(f"{wrong.why}\n")


def main(words: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="make attack", description=__doc__.split("\n")[0])
    parser.add_argument(
        "--seconds", type=float, default=SECONDS, metavar="N", help=f"in all, default {SECONDS:.0f}"
    )
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="default 1; the same makes the same")
    parser.add_argument("--only", default="", metavar="RE", help="campaigns whose name this finds")
    parser.add_argument(
        "--folder", type=Path, default=FOLDER, help=f"for what broke a promise, default {FOLDER}"
    )
    chosen = parser.parse_args(words)
    mine = {name: one for name, one in campaigns().items() if re.search(chosen.only, name)}
    if not mine:
        parser.error(f"no campaign is called {chosen.only!r}")
    print(f"Seed {chosen.seed}, {len(mine)} campaigns, {chosen.seconds / len(mine):.1f} s each")
    print(f"{'':30} {'attacks':>10} {'broken':>7} {'seconds':>8} {'CPU s':>8}", flush=True)
    attacks = broken = 0
    for name, campaign in mine.items():
        began, cpu = time.monotonic(), processor()
        tally = attack(name, campaign, chosen.seed, chosen.seconds / len(mine))
        print(report(name, tally, time.monotonic() - began, processor() - cpu), flush=True)
        keep(name, tally, chosen.folder)
        attacks, broken = attacks + tally.attacks.total(), broken + tally.broken
    print(f"{'all':30} {attacks:10} {broken:7}")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
