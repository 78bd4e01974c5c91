"""The far end of contender.py: the loop that a contender written in Python runs in a process of its own.

Knows the protocol and the clock. Does not know what reading a mail means: it is told a function.

    in    "2\n", then for each mail its length, "\n" and its octets        out   "flufl.bounce 6.0.0\n"
    in    "3\n"   (read all mails three times)    out   {"seconds": .., "cpu": .., "recognised": ..}\n
    in    end of file                             ends
"""

import json
import re
import sys
from collections.abc import Callable
from time import perf_counter, process_time

__all__ = ["serve"]


def serve(name: str, recognise: Callable[[bytes], bool]) -> None:
    """Answer until nobody asks. *recognise* reads a mail, judges it, and says whether it is a bounce."""
    mails = [sys.stdin.buffer.read(int(sys.stdin.buffer.readline())) for _ in range(_number())]
    _once(mails, recognise)  # what is imported and compiled at first use is start-up
    _answer(name)
    for line in sys.stdin.buffer:
        passes = [_once(mails, recognise) for _ in range(int(line))]
        seconds, cpu, recognised = (sum(column) for column in zip(*passes, strict=True))
        _answer(json.dumps({"seconds": seconds, "cpu": cpu, "recognised": recognised // len(passes)}))


def _once(mails: list[bytes], recognise: Callable[[bytes], bool]) -> tuple[float, float, int]:
    # Each new bounce has a boundary of its own; a second look at the same one must not find it compiled.
    re.purge()
    wall, cpu = perf_counter(), process_time()
    recognised = sum(recognise(raw) for raw in mails)
    return perf_counter() - wall, process_time() - cpu, recognised


def _number() -> int:
    return int(sys.stdin.buffer.readline())


def _answer(line: str) -> None:
    print(line, flush=True)
