"""How long the dashboard's pages take over histories of different lengths, asked as by a browser.

Asserts nothing.
"""

import asyncio
import tempfile
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter

from tests.bench.figures import OURS, Line, Measure, Section
from tests.bench.settings import Settings
from tests.support.dashboard import BEARER, DashboardHouse
from tests.support.long_history import fill

__all__ = ["measure"]

PART = "dashboard"
PATHS = ("/", "/rates", "/rates?wiki=dewiki", "/rates/failures.svg", "/rates/providers.svg")
MEASURES = [Measure(f"{path} ms", "less") for path in PATHS]
TOLD = "A page over the dashboard's socket, in histories of 90 days; x is how many times the shortest one."


def measure(settings: Settings) -> Iterator[Section]:
    """A table; a history at a time, as a million bounces take a while to make."""
    lines = []
    for size in settings.sizes():
        lines.append(Line(f"{size:,} bounces", OURS, asyncio.run(_pages(size, settings.rounds))))
    yield Section(PART, "A page of the dashboard", TOLD, MEASURES, lines, "case")


async def _pages(bounces: int, rounds: int) -> dict[str, list[float]]:
    """Milliseconds; the first time, when templates are compiled, is left out."""
    taken: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory(prefix="bounce-bench-", dir="/var/tmp") as folder:
        house = await DashboardHouse(Path(folder)).open()
        try:
            await house.database.write(lambda connection: fill(connection, bounces, house.now))
            for _ in range(rounds + 1):
                for path, measured in zip(PATHS, MEASURES, strict=True):
                    begin = perf_counter()
                    said = await house.ask(path, headers=BEARER)
                    assert said.status == 200, said
                    taken.setdefault(measured.name, []).append((perf_counter() - begin) * 1e3)
        finally:
            await house.close()
    return {name: times[1:] for name, times in taken.items()}
