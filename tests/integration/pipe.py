"""What the tests of the pipe door share: the real program, started as a mail server starts it.

Knows the process and its end. Does not know what is expected of it.
"""

import asyncio
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sidecar import deliver
from tests.integration.doors import PATIENCE

__all__ = ["MAIL", "End", "Started", "hand_over", "installed", "start"]

MAIL = b"Subject: x\n\nhello\n"


@dataclass(frozen=True)
class End:
    """How it ended."""

    code: int
    words: str  #: all that it wrote, on either stream


@dataclass
class Started:
    """A program that runs; one who forgets it finds it ended with its input."""

    process: subprocess.Popen[bytes]  # uvloop's raise where a program ends without having read its input

    async def end(self, mail: bytes | None = MAIL) -> End:
        words, _ = await asyncio.to_thread(self.process.communicate, mail, PATIENCE)
        return End(self.process.returncode, words.decode())


def installed(folder: Path) -> list[str]:
    """As the wheel brings it, beside a Python: the shell begins it."""
    program = folder / "bounce-sidecar-deliver"
    program.write_bytes(Path(deliver.__file__).read_bytes())
    program.chmod(0o755)
    (folder / "python3").symlink_to(sys.executable)
    return [str(program)]


def start(command: list[str], *arguments: str, environment: Mapping[str, str] | None = None) -> Started:
    """In a strange place, with nothing in its environment and in a process group of its own."""
    process = subprocess.Popen(
        [*command, *arguments],
        cwd="/",
        env=environment or {},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    return Started(process)


async def hand_over(
    command: list[str], *arguments: str, mail: bytes = MAIL, environment: Mapping[str, str] | None = None
) -> End:
    return await start(command, *arguments, environment=environment).end(mail)
