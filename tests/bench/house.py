"""The daemon as it is installed, in a process of its own, to be measured from outside.

Knows how it is configured, started and ended, and what the kernel says of its memory and its processors. Does
not know what is asked of it.
"""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from time import perf_counter
from types import TracebackType

from tests.support.practice import configured
from tests.support.sidecar import is_served
from tests.support.waiting import until

__all__ = ["House", "Memory", "cpu_seconds"]

ROOT = Path(__file__).resolve().parents[2]
SOCKETS = ("verp.sock", "lmtp.sock", "policy.sock")
GRACE = 30.0  # seconds for an orderly end
START = 180.0  # seconds; with millions of watched users on a busy machine
TICK = os.sysconf("SC_CLK_TCK")


class Memory(dict[str, float]):
    """MiB by name: RSS, and PSS, in which what others share is divided among them."""


class House:
    """A folder with a configuration, and the daemon that lives in it, as long as the ``with``.

    *more* is appended to the configuration; *storage* is the history's URL if it is not SQLite's file;
    *processes* sign, or the daemon itself does.
    *prepare* is called with the folder before the daemon starts.
    """

    def __init__(
        self,
        *,
        more: str = "",
        storage: str = "",
        api: str = "http://127.0.0.1:9/w/api.php",
        processes: int = 0,
        prepare: Callable[[Path], None] = lambda _: None,
    ) -> None:
        self._more, self._storage, self._api, self._prepare = more, storage, api, prepare
        self.processes = processes

    def __enter__(self) -> "House":
        self._place = tempfile.TemporaryDirectory(prefix="bounce-bench-", dir="/var/tmp")
        self.folder = Path(self._place.name)
        self.folder.chmod(0o755)
        path = configured(self.folder, api=self._api)
        text = path.read_text() + self._more
        if self._storage:
            text = text.replace(f"sqlite:///{self.folder}/history.db", self._storage)
        sockets = f"[sockets]\nverp_processes = {self.processes}\n"
        path.write_text(text.replace("[sockets]\n", sockets, 1))
        self._prepare(self.folder)
        try:
            self.start()
        except BaseException:
            self._place.cleanup()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        self._place.cleanup()

    def start(self) -> float:
        """Returns when every socket is served; the seconds that it took."""
        begin = perf_counter()
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [
                    str(Path(sys.executable).with_name("bounce-sidecar")),
                    "--config",
                    str(self.folder / "config.toml"),
                    "run",
                ],
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        until(self._serves, f"the daemon in {self.folder}", seconds=START, step=0.002)
        taken = perf_counter() - begin
        for name in SOCKETS:
            (self.folder / name).chmod(0o666)  # Postfix comes as an account of no group of ours
        return taken

    def stop(self) -> None:
        """An orderly end. Repeatable."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(GRACE)
        self._process.kill()
        self._process.wait()

    @property
    def verp_socket(self) -> str:
        return str(self.folder / "verp.sock")

    @property
    def lmtp_socket(self) -> str:
        return str(self.folder / "lmtp.sock")

    def cpu(self) -> float:
        """Seconds on processors so far, its children's among them."""
        return cpu_seconds(self._process.pid)

    def memory(self) -> Memory:
        """As of now, of the daemon and its children."""
        seen = Memory(RSS=0.0, PSS=0.0)
        for pid in _family(self._process.pid):
            for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
                name, _, rest = line.partition(":")
                if name.upper() in seen:
                    seen[name.upper()] += int(rest.split()[0]) / 1024
        return seen

    def _serves(self) -> bool:
        if self._process.poll() is not None:
            raise RuntimeError((self.folder / "log").read_text()[-3000:])
        return all(is_served(self.folder / name) for name in SOCKETS)


def cpu_seconds(pid: int) -> float:
    """Of a process, those below it, and those that they have waited for."""
    ticks = 0
    for one in _family(pid):
        with suppress(FileNotFoundError, ProcessLookupError):
            fields = Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()
            ticks += sum(map(int, fields[11:15]))
    return ticks / TICK


def _family(pid: int) -> list[int]:
    found = [pid]
    for one in found:
        with suppress(FileNotFoundError, ProcessLookupError):
            for task in Path(f"/proc/{one}/task").iterdir():
                found += map(int, (task / "children").read_text().split())
    return found
