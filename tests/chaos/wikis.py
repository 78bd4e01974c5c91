"""The wikis of a campaign from outside: a process that is killed and stopped, and asked what it did.

Knows their control door (wiki_process.py). Does not know who is owed what.
"""

import json
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from tests.chaos.wiki_process import CONTROL
from tests.support.places import free_port
from tests.support.waiting import until
from wiki_adapter.practice_site import PATH

__all__ = ["PracticeWikis", "Wikis"]

ROOT = Path(__file__).parents[2]
PATIENCE = 10.0  # seconds for one answer


class Wikis(Protocol):
    """The wikis of a house."""

    names: list[str]
    real: bool  #: MediaWiki's own code

    @property
    def apis(self) -> dict[str, str]: ...

    def start(self) -> None:
        """Again, after ``kill``."""

    def kill(self) -> None:
        """kill -9. Repeatable."""

    def freeze(self) -> None: ...

    def thaw(self) -> None: ...

    def close(self) -> None:
        """For good. Repeatable."""

    def is_called(self, seconds: float) -> bool:
        """Whether a real one is in the middle of a call; waits for one."""
        ...

    def add(self, users: Sequence[tuple[str, str, str, datetime]]) -> list[int]:
        """Users by wiki, name, address and confirmation; the number of each."""
        ...

    def told(self, users: Sequence[tuple[str, int]]) -> list[tuple[int, bool]]:
        """Of each how many acts the restricted log has, and whether the address is confirmed."""
        ...


class PracticeWikis:
    """Many in one process. Served when made, on one port for ever."""

    real = False

    def __init__(self, folder: Path, names: list[str]) -> None:
        self.names, self._folder, self._port = names, folder, free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    @property
    def apis(self) -> dict[str, str]:
        return {name: f"http://127.0.0.1:{self._port}/{name}{PATH}" for name in self.names}

    def start(self) -> None:
        """Does not wait."""
        book = str(self._folder / "wikis.book")
        command = [sys.executable, "-m", "tests.chaos.wiki_process", book, str(self._port), *self.names]
        with (self._folder / "wikis.log").open("ab") as log:
            self._process = subprocess.Popen(
                command, cwd=ROOT, stdin=subprocess.PIPE, stdout=log, stderr=log, start_new_session=True
            )

    def kill(self) -> None:
        """kill -9. Repeatable."""
        assert self._process is not None
        self._process.kill()
        self._process.communicate()

    def freeze(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def close(self) -> None:
        self.kill()

    def is_called(self, seconds: float) -> bool:
        """They keep connections that nobody uses: nobody can tell from outside."""
        return False

    def add(self, users: Sequence[tuple[str, str, str, datetime]]) -> list[int]:
        told = [(wiki, name, address, at.isoformat()) for wiki, name, address, at in users]
        return list(self._asked({"add": told}))

    def told(self, users: Sequence[tuple[str, int]]) -> list[tuple[int, bool]]:
        said = self._asked({"of": list(users)})
        return [(len(acts), confirmed is not None) for acts, confirmed in said]

    def _asked(self, question: dict[str, Any]) -> Any:
        """Waits for who has just been started."""
        asked = urllib.request.Request(
            f"http://127.0.0.1:{self._port}{CONTROL}", json.dumps(question).encode(), method="POST"
        )

        def ask() -> list[Any] | None:
            with suppress(OSError), urllib.request.urlopen(asked, timeout=PATIENCE) as answer:
                return [json.load(answer)]
            return None

        (said,) = until(ask, f"the wikis: {self._folder}/wikis.log") or ()
        return said
