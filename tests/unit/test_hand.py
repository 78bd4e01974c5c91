"""A hand answers in order; whoever asks one that is lost or hangs is told; it ends with the first process."""

import asyncio
import os
import pickle
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from sidecar.processes import wire
from sidecar.processes.hand import START, Hand, Lost
from tests.support.waiting import until

ROOT = Path(__file__).parents[2]


class Worker:
    """Can be handed to another process."""

    def __init__(self, factor: int) -> None:
        self.factor = factor

    def __call__(self, what: Any) -> Any:
        match what:
            case int(number):
                return number * self.factor, os.getpid()
            case "sleep":
                time.sleep(60)
            case "too much":
                return len(bytes(1 << 60))
            case "no pickle":
                return lambda: None
            case "vanish":
                os.kill(os.getpid(), signal.SIGKILL)
            case bytes(octets):
                return octets * self.factor
        raise ValueError(what)


class Unknown:
    """What the other process cannot find."""

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[str]]:
        return eval, ("no_such_name",)

    def __call__(self, _: object) -> None: ...


@pytest.fixture
async def hand() -> AsyncIterator[Hand]:
    hand = await Hand.begin(pickle.dumps(Worker(2)))
    yield hand
    hand.close()


def is_gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    # Killed, and waited for by nobody: its parent was killed, too.
    return "\nState:\tZ" in Path(f"/proc/{pid}/status").read_text()


@pytest.mark.slow
async def test_all_is_done_elsewhere_and_each_gets_his_own_answer(hand: Hand) -> None:
    done = await asyncio.gather(*(hand.do(number) for number in range(1000)))
    assert done == [(2 * number, hand.pid) for number in range(1000)]
    assert hand.pid != os.getpid()
    assert hand.waiting == 0


@pytest.mark.slow
@pytest.mark.parametrize("size", [0, 1, 65_535, 65_536, 3_000_000])
async def test_things_and_answers_may_be_large(hand: Hand, size: int) -> None:
    assert await hand.do(b"x" * size) == b"x" * size * 2


@pytest.mark.slow
@pytest.mark.parametrize("wrong", ["what is this", "too much", "no pickle"])
async def test_what_goes_wrong_there_is_no_answer_and_it_goes_on(hand: Hand, wrong: str) -> None:
    assert await asyncio.gather(hand.do(wrong), hand.do(3)) == [None, (6, hand.pid)]


@pytest.mark.slow
async def test_who_waits_no_more_does_not_hold_up_the_others(hand: Hand) -> None:
    first, second = (asyncio.ensure_future(hand.do(number)) for number in (1, 2))
    await asyncio.sleep(0)
    first.cancel()
    assert await second == (4, hand.pid)
    assert await hand.do(3) == (6, hand.pid)


async def test_what_could_not_be_asked_is_nobodys_answer(hand: Hand, monkeypatch: pytest.MonkeyPatch) -> None:
    def framed(what: bytes) -> bytes:
        if len(what) > 1000:
            raise MemoryError
        return honest(what)

    honest = wire.framed
    monkeypatch.setattr(wire, "framed", framed)
    asked = [hand.do(1), hand.do(b"x" * 2000), hand.do(2), hand.do(3)]
    first, *others = await asyncio.gather(*asked, return_exceptions=True)
    assert type(first) is Lost
    assert [type(one) for one in others] == [MemoryError, Lost, Lost]


async def test_an_answer_to_another_question_is_nobodys(hand: Hand) -> None:
    asked = [asyncio.ensure_future(hand.do(number)) for number in (1, 2)]
    await asyncio.sleep(0)
    hand._waiting.popleft()
    hand._answered += 1  # as if an answer had been lost on the way
    assert [type(one) for one in await asyncio.gather(*asked[1:], return_exceptions=True)] == [Lost]
    with pytest.raises(Lost):
        await hand.do(4)


@pytest.mark.slow
async def test_all_who_wait_are_told_that_it_was_killed(hand: Hand) -> None:
    asked = [hand.do(number) for number in ("vanish", 1, 2)]
    assert [type(one) for one in await asyncio.gather(*asked, return_exceptions=True)] == [Lost] * 3
    with pytest.raises(Lost):
        await hand.do(4)
    hand.close()
    assert is_gone(hand.pid)


@pytest.mark.slow
@pytest.mark.parametrize("how", ["it is at something without end", "it was stopped"])
async def test_one_that_hangs_is_killed(how: str) -> None:
    hand = await Hand.begin(pickle.dumps(Worker(2)), patience=0.5)
    if how == "it was stopped":
        os.kill(hand.pid, signal.SIGSTOP)
    asked = [hand.do("sleep"), hand.do(1)]
    assert [type(one) for one in await asyncio.gather(*asked, return_exceptions=True)] == [Lost] * 2
    hand.close()
    assert is_gone(hand.pid)


@pytest.mark.slow
async def test_many_that_take_long_together_are_no_hanging() -> None:
    hand = await Hand.begin(pickle.dumps(nap), patience=3.0)
    assert await asyncio.gather(*(hand.do(0.5) for _ in range(10))) == [0.5] * 10
    hand.close()


def nap(seconds: float) -> float:
    time.sleep(seconds)
    return seconds


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
async def test_it_does_not_hear_what_is_said_to_all_of_them(hand: Hand, number: int) -> None:
    os.kill(hand.pid, number)
    assert await hand.do(3) == (6, hand.pid)


@pytest.mark.slow
async def test_closed_it_is_gone(hand: Hand) -> None:
    waiting = asyncio.ensure_future(hand.do("sleep"))
    await asyncio.sleep(0)
    hand.close()
    hand.close()
    assert is_gone(hand.pid)
    with pytest.raises(Lost):
        await waiting


async def test_there_is_none_if_it_cannot_be_started(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "no-such-python"))
    with pytest.raises(OSError):
        await Hand.begin(pickle.dumps(Worker(2)))


async def test_there_is_none_if_it_does_not_find_the_worker(capfd: pytest.CaptureFixture[str]) -> None:
    async with asyncio.timeout(START / 2):  # at once, and not when it should have been ready
        with pytest.raises(Lost):
            await Hand.begin(pickle.dumps(Unknown()))
    assert "no_such_name" in capfd.readouterr().err


@pytest.mark.slow
@pytest.mark.parametrize("at", ["1", "'sleep'"])
def test_it_ends_with_the_first_process_though_that_was_killed(at: str) -> None:
    program = (
        "import asyncio; from tests.unit.test_hand import *\n"
        "async def main():\n"
        "    hand = await Hand.begin(pickle.dumps(Worker(2)))\n"
        f"    asked = asyncio.ensure_future(hand.do({at})); await asyncio.sleep(0.1)\n"
        "    print(hand.pid, flush=True); await asyncio.sleep(60)\n"
        "asyncio.run(main())"
    )
    first = subprocess.Popen([sys.executable, "-c", program], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert first.stdout
    other = int(first.stdout.readline())
    assert not is_gone(other)
    first.kill()
    first.communicate()
    until(lambda: is_gone(other), "the end of the other")
