"""What it costs to ask for a return path over the socket, with and without users to watch, in one run.

Knows a Unix socket and a client that asks one question after the other. Asserts nothing.
"""

import asyncio
import tempfile
import tracemalloc
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import perf_counter

from sidecar.domain.numbers import Numbers
from sidecar.domain.verp import Keyring, SidecarFormat, Verp
from sidecar.edges.socketmap import netstring
from sidecar.edges.verp_socket import VerpSocket
from sidecar.services.return_path import ReturnPaths
from sidecar.services.watch import Watched
from sidecar.telemetry import Metrics
from tests.bench.figures import Spread

__all__ = ["compare"]

NOW = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
QUESTIONS = 2000  # a pass
WATCHED, UNWATCHED = 7, 10**9  # user ids that are asked for


def crowd(number: int) -> Watched:
    """So many users who are watched."""
    watched = Watched(Metrics())
    watched.users = {"enwiki": Numbers(range(1, number + 1))} if number else {}
    return watched


class Desk:
    """A socket that signs, with its own watched users."""

    def __init__(self, watched: Watched, folder: Path) -> None:
        form = SidecarFormat("wiki", "bounces.example.org", Keyring((b"k" * 32,)))
        verp = Verp((form,), ("enwiki",), accept=timedelta(days=10))
        self._watched, self._path = watched, folder / f"{id(self):x}.sock"
        self._socket = VerpSocket(ReturnPaths(verp, lambda: NOW, Metrics(), watched))

    async def open(self) -> None:
        await self._socket.listen(self._path)
        self._reader, self._writer = await asyncio.open_unix_connection(self._path)

    async def ask(self, user_id: int) -> float:
        """Seconds that a question takes, in the mean of a pass."""
        question = netstring(f"verp enwiki {user_id} user@example.org")
        begin = perf_counter()
        for _ in range(QUESTIONS):
            self._writer.write(question)
            length = int((await self._reader.readuntil(b":"))[:-1])
            await self._reader.readexactly(length + 1)
        taken = perf_counter() - begin
        self._watched.signings.clear()  # as the loop does, once a second
        return taken / QUESTIONS

    async def close(self) -> None:
        self._writer.close()
        await self._socket.close()


async def _race(numbers: list[int], rounds: int) -> dict[tuple[int, int], list[float]]:
    times: dict[tuple[int, int], list[float]] = {}
    with tempfile.TemporaryDirectory(prefix="bounce-bench-") as folder:
        desks = {number: Desk(crowd(number), Path(folder)) for number in numbers}
        for desk in desks.values():
            await desk.open()
        for turn in range(rounds + 1):
            for number in numbers if turn % 2 else reversed(numbers):
                for user_id in (UNWATCHED, WATCHED):
                    times.setdefault((number, user_id), []).append(await desks[number].ask(user_id))
        for desk in desks.values():
            await desk.close()
    return {key: taken[1:] for key, taken in times.items()}


def compare(most: int, rounds: int) -> str:
    """A table for people: nobody watched, and *most* users."""
    times = asyncio.run(_race([0, most], rounds))
    lines = [
        f"signing over the socket, {rounds} rounds of {QUESTIONS}: microseconds (quartiles), ratio to nobody"
    ]
    for (number, user_id), taken in sorted(times.items()):
        who = "who is watched" if number and user_id == WATCHED else "who is not"
        spread = Spread.of([second * 1e6 for second in taken])
        ratio = Spread.of([mine / none for mine, none in zip(taken, times[0, user_id], strict=True)])
        line = f"  {number:9} watched, a user {who:14}"
        line += f" {spread.median:6.1f} ({spread.low:.1f} - {spread.high:.1f})"
        lines.append(f"{line}  x {ratio.median:.2f} ({ratio.low:.2f} - {ratio.high:.2f})")
    return "\n".join([*lines, f"  {_bytes_each(most):.0f} octets for each watched user"])


def _bytes_each(number: int) -> float:
    tracemalloc.start()
    users: set[int] = set()
    for user_id in range(10**6, 10**6 + number):  # small numbers are shared
        users.add(user_id)
    size, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return size / max(number, 1)
