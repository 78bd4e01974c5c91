"""The extension's own code asking a node for return paths, in a PHP of its own.

Knows how it is asked (hook.php). Does not know what makes a node silent.
"""

import shutil
import subprocess
from pathlib import Path

from tests.support.places import missing

__all__ = ["Hook"]

SCRIPT = Path(__file__).with_suffix(".php")
INCLUDES = Path(__file__).parents[2] / "wiki_adapter/BounceSidecar/includes"


class Hook:
    """For one thread. ``waited`` has the seconds of every question."""

    def __init__(self) -> None:
        if not (php := shutil.which("php")):
            missing("PHP: nobody else can run the wiki's hook")
        self.waited: list[float] = []
        self._php = subprocess.Popen(
            [php, "-n", str(SCRIPT), str(INCLUDES)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def ask(self, socket: Path, wiki: str, user_id: int, address: str) -> str:
        """The return path, "" if the mail leaves without one of ours."""
        assert self._php.stdin
        assert self._php.stdout
        self._php.stdin.write(f"{socket} {wiki} {user_id} {address}\n")
        self._php.stdin.flush()
        path, _, microseconds = self._php.stdout.readline().partition(" ")
        self.waited.append(int(microseconds) / 1e6)
        return path.removeprefix("-")

    def close(self) -> None:
        """Repeatable."""
        if self._php.poll() is None:
            self._php.communicate()
