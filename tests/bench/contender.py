"""Whoever reads bounces, in a process of its own: started, given the mails, asked for one pass after another.

Knows who takes part and why somebody cannot. Does not know what the times mean (see figures).
"""

import json
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from tests.bench.figures import OURS

__all__ = ["ROSTER", "Contender", "Entrant", "Pass"]

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
PATIENCE = 10.0  # seconds, to end and to say whether a library is there


@dataclass(frozen=True)
class Entrant:
    """Somebody who may take part."""

    name: str
    command: tuple[str, ...]
    probe: tuple[str, ...]  #: a command that succeeds where the library is installed
    remedy: str  #: what to do where it is not

    def is_here(self) -> bool:
        """Whether it can be started."""
        try:
            done = subprocess.run(self.probe, cwd=ROOT, capture_output=True, timeout=PATIENCE)
        except OSError:
            return False
        return done.returncode == 0


ROSTER = (
    Entrant(OURS, (sys.executable, "-m", "tests.bench.ours"), (sys.executable, "-c", "import sidecar"), ""),
    Entrant(
        "sisimai",
        ("perl", str(HERE / "sisimai.pl")),
        ("perl", "-MSisimai", "-e", "1"),
        "sudo apt-get install libsisimai-perl (as root, make bench does it)",
    ),
    Entrant(
        "flufl.bounce",
        (sys.executable, "-m", "tests.bench.flufl_bounce"),
        (sys.executable, "-c", "import flufl.bounce"),
        "pip install '.[bench]' (make bench does it)",
    ),
)


@dataclass(frozen=True)
class Pass:
    """All mails, read once or several times in a row."""

    seconds: float  #: by the clock on the wall
    cpu: float  #: seconds on a processor; less than *seconds* where others had it
    recognised: int  #: mails that were judged to tell of a recipient


class Contender:
    """An entrant at work, from entering the ``with`` to leaving it. *version* is its own word."""

    def __init__(self, entrant: Entrant, mails: Iterable[bytes]) -> None:
        self.name = entrant.name
        self.version = ""
        self._command = entrant.command
        self._mails = list(mails)

    def __enter__(self) -> "Contender":
        self._process = subprocess.Popen(
            self._command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        try:
            self._say(b"%d\n" % len(self._mails))
            for raw in self._mails:
                self._say(b"%d\n" % len(raw) + raw)
            self.version = self._answer()
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def run(self, repeats: int) -> Pass:
        """Read all mails *repeats* times; blocks until done."""
        self._say(b"%d\n" % repeats)
        return Pass(**json.loads(self._answer()))

    def _say(self, words: bytes) -> None:
        assert self._process.stdin
        self._process.stdin.write(words)
        self._process.stdin.flush()

    def _answer(self) -> str:
        assert self._process.stdout
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.name} ended early; what it said stands above")
        return line.decode().strip()

    def _end(self) -> None:
        self._process.kill()
        self._process.communicate()
