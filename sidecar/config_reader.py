"""The configuration, read by a process of its own that ends with it.

What reads a configuration is a third of what the daemon would weigh, is needed for a moment at the start and
at a reload, and holds up everybody while it works. Here, another process reads, and hands the values over.
"""

import pickle
import subprocess
import sys
from pathlib import Path
from typing import Self

from sidecar.configuration.configured import Config, ConfigError
from sidecar.processes.apart import command_for

__all__ = ["Reading", "main"]

PATIENCE = 300.0  # seconds; a farm of a thousand wikis takes some 5, and a disk that hangs for ever


class Reading:
    """A configuration that is being read. It can be waited for once."""

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        self._process = process

    @classmethod
    def begin(cls, path: Path) -> Self:
        """Returns at once. Raises OSError if there can be no other process."""
        command = command_for(__name__, str(path))
        return cls(subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE))

    def wait(self) -> Config:
        """Blocks. Raises ConfigError with all problems; also if the reader was killed, or is silent."""
        with self._process as process:
            try:
                said, _ = process.communicate(timeout=PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()
                raise ConfigError([f"it could not be read within {PATIENCE:.0f} seconds"]) from None
        if process.returncode:
            raise ConfigError([f"what reads it ended with {process.returncode}"])
        read: Config | list[str] = pickle.loads(said)  # of our own child alone
        if isinstance(read, list):
            raise ConfigError(read)
        return read


def main(path: str) -> None:
    """The other process: prints what *path* says, for Python to read."""
    from sidecar import config_files

    try:
        read: Config | list[str] = config_files.load(Path(path))
    except ConfigError as error:
        read = error.problems
    sys.stdout.buffer.write(pickle.dumps(read))
