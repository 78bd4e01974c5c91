"""The socket between two processes of ours, when one of them has ended."""

import asyncio
import socket
from collections.abc import Callable

import pytest
import uvloop

from sidecar.processes.wire import Wire


@pytest.mark.parametrize("made", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_to_who_has_ended_nothing_is_said_and_no_library_warns(
    made: Callable[[], asyncio.AbstractEventLoop], caplog: pytest.LogCaptureFixture
) -> None:
    async def said_in_vain() -> int:
        ours, theirs = socket.socketpair()
        lost = asyncio.Event()
        wire = await Wire.over(ours, lambda _: None, lost.set)
        theirs.close()
        for _ in range(20):  # before anybody has told us that it is gone
            wire.say(b"a word")
        async with asyncio.timeout(10):
            await lost.wait()
        return len(caplog.records)

    with asyncio.Runner(loop_factory=made) as runner:
        assert runner.run(said_in_vain()) == 0
