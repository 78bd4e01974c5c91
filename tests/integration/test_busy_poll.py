"""Busy polling: the loop does not sleep for a moment, and only while a single peer asks."""

import asyncio
import selectors
import time
from pathlib import Path
from typing import Any

import pytest

from sidecar.edges.busy_poll import BusyPoll
from sidecar.edges.socketmap import netstring
from sidecar.edges.verp_socket import VerpSocket
from tests.integration.doors import PATIENCE
from tests.integration.return_paths import ScriptedReturnPaths

MOMENT = 0.1  # seconds
QUESTION = netstring("verp testwiki 1 user@example.org")


class Selector(selectors.SelectSelector):
    """Remembers how long the loop was ready to sleep."""

    def __init__(self) -> None:
        super().__init__()
        self.slept: list[float | None] = []

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        self.slept.append(timeout)
        return super().select(timeout)


def test_the_loop_sleeps_again_when_the_moment_is_over() -> None:
    selector = Selector()
    with asyncio.Runner(loop_factory=lambda: asyncio.SelectorEventLoop(selector)) as runner:
        runner.run(_through_a_moment(selector.slept))


async def _through_a_moment(slept: list[float | None]) -> None:
    began = time.perf_counter()
    busy_poll = BusyPoll(asyncio.get_running_loop(), MOMENT)
    busy_poll.begin(began - MOMENT / 2)
    busy_poll.begin(began)  # moves the end
    await asyncio.sleep(0)
    slept.clear()
    async with asyncio.timeout(PATIENCE):
        await asyncio.sleep(MOMENT * 2)
        while not any(slept):
            await asyncio.sleep(MOMENT)
    looked = next(number for number, timeout in enumerate(slept) if timeout)
    assert looked > 10
    assert len(slept) - looked < 10  # and nothing polls on


class Noted(BusyPoll):
    """Says when it was begun, and does not poll."""

    def __init__(self, *of_a_busy_poll: Any) -> None:
        super().__init__(*of_a_busy_poll)
        self.begun = 0

    def begin(self, now: float) -> None:
        self.begun += 1


@pytest.mark.asyncio
async def test_with_a_second_peer_nobody_polls(tmp_path: Path) -> None:
    busy_poll = Noted(asyncio.get_running_loop(), MOMENT)
    door = VerpSocket(ScriptedReturnPaths(), busy_poll=busy_poll)
    await door.listen(tmp_path / "verp.sock")
    one = await _asked(tmp_path)
    assert busy_poll.begun == 1
    other = await _asked(tmp_path)
    assert busy_poll.begun == 1
    for _, writer in (one, other):
        writer.close()
    await door.close()


async def _asked(folder: Path) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_unix_connection(folder / "verp.sock")
    writer.write(QUESTION)
    async with asyncio.timeout(PATIENCE):
        assert await reader.readuntil(b",")
    return reader, writer
