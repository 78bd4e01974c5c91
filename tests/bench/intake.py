"""Durable intake over LMTP: with each database, beside a listener that forgets all, the disk, and Postfix.

Knows who takes part and how each is asked. Asserts nothing.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from itertools import count
from pathlib import Path
from time import perf_counter

from tests.bench import bounces
from tests.bench.bounces import SESSIONS, fresh_bounces, pour, write_for_pouring
from tests.bench.figures import OURS, Line, Measure, Section
from tests.bench.house import House, cpu_seconds
from tests.bench.settings import Settings, rounds_of
from tests.support.database_server import DatabaseServer
from tests.support.debs import DownloadFailed
from tests.support.fresh_history import make_tables
from tests.support.mariadb_server import MariaDb
from tests.support.postfix import Postfix, install
from tests.support.postgresql_server import PostgreSql
from tests.support.practice import load as configuration
from tests.support.sidecar import DOMAIN, is_served
from tests.support.waiting import until

__all__ = ["measure"]

PART = "intake"
CASE = "8 sessions, 5 KB"
BLOCK = 4096  # octets, a page of SQLite
QUEUES = ("incoming", "active", "deferred", "maildrop")
MEASURES = (
    Measure("mails/s", "more"),
    Measure("p50 ms", "", 1),
    Measure("p99 ms", "less", 1),
    Measure("CPU ms a mail", "", 2),
)
TOLD = """\
Reports of real mail servers (fixtures/bounces), made some 5 KB long, each to a return path of its own that
was signed just now, in 8 sessions that wait for each answer; p50 and p99 are from the final dot to the
answer, which is said after the commit. "nothing" is the same listener with a handler that forgets the mail.
"4 KB and fsync" is a file to which pages are appended, each synced, or 8 of them together: what the disk
lets anybody promise. MariaDB and PostgreSQL sync each commit. Postfix is given the same mails over SMTP in
8 sessions, until its queue is empty; beside its own way to a listener that forgets all, its way to us. CPU
is the processor time of the daemon, and of the database's server, for each mail, in milliseconds: seconds
for 1,000 mails."""


class _DurableMariaDb(MariaDb):
    """With the settings of the product's documentation: each commit is on the disk."""

    def _command(self) -> list[str]:
        left_out = ("--innodb-flush", "--skip-sync")
        return [word for word in super()._command() if not word.startswith(left_out)]


class _DurablePostgreSql(PostgreSql):
    def _command(self) -> list[str]:
        return ["fsync=on" if word == "fsync=off" else word for word in super()._command()]


def measure(settings: Settings) -> Iterator[Section]:
    """One table. MariaDB, PostgreSQL and Postfix only where *settings* wants servers and they can be had."""
    with ExitStack() as stack:
        place = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-", dir="/var/tmp")))
        place.chmod(0o755)
        stage = _Stage(place, settings, stack)
        taken = rounds_of(stage.passes, settings.rounds)
        lines = [Line(CASE, who, rounds) for who, rounds in taken.items()]
        yield Section(PART, "Bounces that are booked, a second", TOLD, MEASURES, lines, "who", stage.versions)


class _Stage:
    """Everybody who takes part, running."""

    def __init__(self, place: Path, settings: Settings, stack: ExitStack) -> None:
        self._place, self._settings, self._stack = place, settings, stack
        self._pourer = bounces.compiled(place)
        self._users = count(1, settings.mails)
        house = self._house = stack.enter_context(House())
        self.passes: dict[str, Callable[[], dict[str, float]]] = {
            OURS: partial(self._ours, house, house.cpu),
            "nothing": partial(self._poured, self._nothing()),
            "4 KB and fsync": partial(self._synced, 1),
            "8 x 4 KB and fsync": partial(self._synced, SESSIONS),
        }
        self.versions = {OURS: "bounce-sidecar, SQLite", "nothing": "the same listener, nothing"}
        if settings.servers:
            self._add(_DurableMariaDb, "MariaDB")
            self._add(_DurablePostgreSql, "PostgreSQL")
            self._add_postfix()

    def _nothing(self) -> str:
        path = self._place / "nothing.sock"
        process = subprocess.Popen([sys.executable, "-m", "tests.bench.nothing", str(path)])
        self._stack.callback(process.wait)
        self._stack.callback(process.kill)
        until(lambda: is_served(path), "the listener that forgets everything")
        return str(path)

    def _add(self, kind: type[DatabaseServer], name: str) -> None:
        try:
            server = kind(self._place / name.lower())
        except (DownloadFailed, OSError) as trouble:
            print(f"{name} is left out: {trouble}", file=sys.stderr)
            return
        self._stack.callback(server.stop)
        make_tables(url := server.create("bench"))
        house = self._stack.enter_context(House(storage=url))
        self.passes[name] = partial(self._ours, house, lambda: house.cpu() + cpu_seconds(server.pid))
        self.versions[name] = f"bounce-sidecar, {name}"

    def _add_postfix(self) -> None:
        try:
            prefix = install()
        except DownloadFailed as trouble:
            print(f"Postfix is left out: {trouble}", file=sys.stderr)
            return
        if os.getuid() != 0:
            print("Postfix is left out: it is started as root", file=sys.stderr)
            return
        for name, socket in (
            ("to nothing", self._place / "nothing.sock"),
            ("to us", self._house.lmtp_socket),
        ):
            postfix = Postfix(prefix, self._place / f"postfix {name}".replace(" ", "-"))
            postfix.configure({DOMAIN: f"lmtp:unix:{socket}"})
            postfix.start()
            self._stack.callback(postfix.stop)
            self.passes[f"Postfix {name}"] = partial(self._through, postfix)
            self.versions[f"Postfix {name}"] = f"Postfix {postfix.version()} {name}"

    def _mails(self, house: House) -> Path:
        """Fresh ones. Written before the clock begins."""
        path, config = self._place / "mails", configuration(house.folder)
        write_for_pouring(fresh_bounces(config, self._settings.mails, next(self._users)), path)
        return path

    def _ours(self, house: House, cpu: Callable[[], float]) -> dict[str, float]:
        path, before = self._mails(house), cpu()
        told = self._told(house.lmtp_socket, path)
        return told | {"CPU ms a mail": (cpu() - before) / self._settings.mails * 1e3}

    def _poured(self, socket: str) -> dict[str, float]:
        return self._told(socket, self._mails(self._house))

    def _told(self, socket: str, path: Path) -> dict[str, float]:
        poured = pour(self._pourer, socket, path)
        return {"mails/s": poured.rate, "p50 ms": poured.p50, "p99 ms": poured.p99}

    def _synced(self, together: int) -> dict[str, float]:
        waits, begin = list[float](), perf_counter()
        with (self._place / "disk").open("wb", buffering=0) as file:
            while perf_counter() - begin < self._settings.seconds:
                at = perf_counter()
                for _ in range(together):
                    file.write(b"x" * BLOCK)
                os.fsync(file.fileno())
                waits.append((perf_counter() - at) * 1e3)
        seconds, waits = perf_counter() - begin, sorted(waits)
        middle, late = (waits[int(share * (len(waits) - 1))] for share in (0.5, 0.99))
        return {"mails/s": len(waits) * together / seconds, "p50 ms": middle, "p99 ms": late}

    def _through(self, postfix: Postfix) -> dict[str, float]:
        path, begin = self._mails(self._house), perf_counter()
        pour(self._pourer, str(postfix.port), path)
        until(lambda: not _waiting(postfix.spool), "an empty queue of Postfix", seconds=300, step=0.02)
        return {"mails/s": self._settings.mails / (perf_counter() - begin)}


def _waiting(spool: Path) -> bool:
    return any(path.is_file() for queue in QUEUES for path in (spool / queue).rglob("*"))
