"""How long the dashboard's pages take over histories of different lengths: ``make bench-dashboard``.

Asks over the socket, as a browser does. Asserts nothing.
"""

import argparse
import asyncio
import os
import platform
import tempfile
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter

from tests.bench.figures import Spread
from tests.support.dashboard import BEARER, DashboardHouse
from tests.support.long_history import fill

PATHS = ("/", "/rates", "/rates?wiki=dewiki", "/rates/failures.svg", "/rates/providers.svg")
MOST, ROUNDS = 10**6, 11


async def measured(bounces: int, rounds: int) -> list[str]:
    """A line of the table for each path."""
    with tempfile.TemporaryDirectory(prefix="bounce-bench-") as folder:
        house = await DashboardHouse(Path(folder)).open()
        try:
            await house.database.write(lambda connection: fill(connection, bounces, house.now))
            return [_told(bounces, path, await _times(house, path, rounds)) for path in PATHS]
        finally:
            await house.close()


async def _times(house: DashboardHouse, path: str, rounds: int) -> list[float]:
    """Milliseconds; the first time, when templates are compiled, is left out."""
    taken = []
    for _ in range(rounds + 1):
        begin = perf_counter()
        said = await house.ask(path, headers=BEARER)
        taken.append((perf_counter() - begin) * 1e3)
        assert said.status == 200, said
    return taken[1:]


def _told(bounces: int, path: str, times: list[float]) -> str:
    spread = Spread.of(times)
    return f"  {bounces:9} {path:24} {spread.median:8.0f} ({spread.low:.0f} - {spread.high:.0f})"


def main(words: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="make bench-dashboard", description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=ROUNDS, metavar="N", help=f"default {ROUNDS}")
    parser.add_argument("--most", type=int, default=MOST, metavar="N", help="bounces of the longest history")
    chosen = parser.parse_args(words)
    print(f"Python {platform.python_version()}, {os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}\n")
    print(f"a page of the dashboard, {chosen.rounds} rounds: milliseconds (quartiles)")
    print(f"  {'bounces':>9} {'page':24} {'median':>8}")
    for bounces in (10**power for power in range(3, 10) if 10**power <= chosen.most):
        print("\n".join(asyncio.run(measured(bounces, chosen.rounds))), flush=True)


if __name__ == "__main__":
    main()
