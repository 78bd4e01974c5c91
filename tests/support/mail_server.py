"""A real mail server on a port of its own, with all its processes.

Knows when it is there, and how it ends. Does not know which one it is: see postfix.py and exim.py.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path

from tests.support.places import free_port
from tests.support.process_group import ProcessGroup, greets

__all__ = ["MailServer"]


class MailServer(ABC):
    """Start, stop, and again. All its files are in *folder*."""

    def __init__(self, folder: Path) -> None:
        self.port, self._folder = free_port(), folder
        self._group: ProcessGroup | None = None

    @abstractmethod
    def start(self) -> None:
        """Returns when it greets; raises RuntimeError or TimeoutError with what it had to say."""

    @abstractmethod
    def log(self) -> str:
        """What it wrote of its work."""

    def stop(self) -> None:
        """Ends all its processes; the queue stays. Repeatable."""
        if self._group is not None:
            self._group.end()
            self._group = None

    def _run(self, command: list[str], environment: Mapping[str, str]) -> None:
        output = self._folder / "output"
        self._group = ProcessGroup(command, output, environment)
        try:
            greets(self.port, self._group, type(self).__name__)
        except Exception as trouble:
            self.stop()
            trouble.add_note(output.read_text() + self.log())
            raise
