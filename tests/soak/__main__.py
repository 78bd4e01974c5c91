"""Hours of mixed load within minutes: ``make soak``, or ``make soak ARGS="--minutes 60 --seed 2"``.

Prints what the daemon holds over time, and whether it stays flat. Exit code 1 if anything grows (the rule
stands in flatness.py), if the log has an error that nobody expects, or if a door was wrong.
"""

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

from tests.soak.campaign import COLUMNS, Report, soak
from tests.soak.gauge import Sample
from tests.soak.times import DAY

ROWS = 40  # of the table, at most
SHORT = {
    "anonymous_kb": "anon_kb",
    "descriptors": "fds",
    "database_kb": "db_kb",
    "kb_per_notice": "kb/notice",
    "lines": "lines/deed",
}


def row(values: list[str]) -> str:
    return " ".join(f"{value:>11}" for value in values) + "\n"


def head() -> str:
    return row(["day", *(SHORT.get(name, name) for name in COLUMNS)])


def line(sample: Sample) -> str:
    return row(
        [f"{sample['day']:.1f}", *(f"{sample[name]:.6g}" if name in sample else "" for name in COLUMNS)]
    )


def verdict(report: Report) -> str:
    """In words, for people."""
    text = "\nover the second half of the run:\n"
    text += row(["figure", "median", "a day", "growth", "allowed"])
    for one in report.judged():
        numbers = (one.median, one.slope, one.growth, one.allowed)
        text += row([one.name, *(f"{number:.5g}" for number in numbers)])
    for name, counts in (("done", report.done), ("failed", report.failed), ("errors logged", report.loud)):
        told = ", ".join(f"{words} {number}" for words, number in counts.most_common() if number)
        text += f"{name}: {told or 'none'}\n"
    troubles = list(report.troubles())
    return text + "".join(f"NOT GOOD: {trouble}\n" for trouble in troubles) + ("" if troubles else "flat\n")


def main() -> int:
    parser = argparse.ArgumentParser(prog="make soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="soak-", dir="/var/tmp"))
    every, last = arguments.minutes * 60 / ROWS, -1.0
    sys.stdout.write(head())

    def tell(sample: Sample) -> None:
        nonlocal last
        if last < 0 or sample["day"] - last >= every / DAY:
            last = sample["day"]
            sys.stdout.write(line(sample))
            sys.stdout.flush()

    report = soak(folder, arguments.seed, arguments.minutes, tell)
    sys.stdout.write(verdict(report))
    good = not list(report.troubles())
    if good:
        shutil.rmtree(folder)
    else:
        sys.stdout.write(f"its folder: {folder}\n")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
