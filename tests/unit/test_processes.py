"""A crew's answers come in order; who is lost or goes wrong is told of, and nobody is left behind."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest

from sidecar.processes.crew import AHEAD, LOAD, Crew, HandLost
from tests.support.waiting import until

ROOT = Path(__file__).parents[2]


class Worker:
    """Can be handed to another process."""

    def __init__(self, factor: int) -> None:
        self.factor = factor

    def times(self, number: int) -> tuple[int, int]:
        """And which process has done it."""
        return number * self.factor, os.getpid()

    def fail(self, number: int) -> int:
        return 1 // (number - 40)

    def vanish(self, number: int) -> int:
        """As one that the kernel kills for want of memory."""
        if number == 40:
            os.kill(os.getpid(), signal.SIGKILL)
        return number


@pytest.mark.slow
@pytest.mark.parametrize("hands", [1, 2])
def test_all_is_done_once_and_the_answers_stand_in_order(hands: int) -> None:
    number = 3 * LOAD * AHEAD * hands + 5
    with closing(Crew(hands, Worker(2))) as crew:
        done = list(crew.do(Worker.times, range(number)))
        assert [answer for answer, _ in done] == [2 * n for n in range(number)]
        assert (os.getpid() in {who for _, who in done}) == (hands == 1)
        assert list(crew.do(Worker.times, [])) == []


@pytest.mark.slow
def test_things_are_fetched_only_a_little_ahead() -> None:
    fetched: list[int] = []

    def things() -> Iterator[int]:
        for number in range(10_000):
            fetched.append(number)
            yield number

    with closing(Crew(2, Worker(2))) as crew:
        answers = crew.do(Worker.times, things())
        assert next(answers)[0] == 0
        assert len(fetched) <= (2 * AHEAD + 1) * LOAD
        assert next(answers)[0] == 2


@pytest.mark.slow
def test_what_goes_wrong_there_is_raised_here() -> None:
    with closing(Crew(2, Worker(2))) as crew, pytest.raises(ZeroDivisionError):
        list(crew.do(Worker.fail, range(100)))


@pytest.mark.slow
def test_one_that_is_killed_is_told_of_in_words() -> None:
    with closing(Crew(2, Worker(2))) as crew, pytest.raises(HandLost, match="is memory short"):
        list(crew.do(Worker.vanish, range(1000)))


@pytest.mark.slow
def test_they_end_with_the_first_process_though_it_was_killed() -> None:
    program = (
        "import sys, time; from tests.unit.test_processes import *\n"
        "if __name__ == '__main__':\n"
        "    print(*{who for _, who in Crew(2, Worker(2)).do(Worker.times, range(200))}, flush=True)\n"
        "    time.sleep(60)"
    )
    first = subprocess.Popen([sys.executable, "-c", program], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert first.stdout
    others = [int(who) for who in first.stdout.readline().split()]
    first.kill()
    first.communicate()

    def gone() -> bool:
        for other in others:
            with suppress(ProcessLookupError):
                os.kill(other, 0)
                return False
        return True

    assert others
    until(gone, "the end of the others")
