"""What the daemon needs: memory, time to start, the pipe client's time; signing while many are watched.

Knows how a history is filled, and which daemons are started with it. Asserts nothing.
"""

import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import timedelta
from functools import partial
from pathlib import Path
from time import perf_counter

import sqlalchemy as sa

from sidecar import deliver, host
from tests.bench import bounces, lookups
from tests.bench.bounces import fresh_bounces, write_for_pouring
from tests.bench.figures import OURS, Line, Measure, Section
from tests.bench.house import House
from tests.bench.settings import Settings, rounds_of
from tests.support.fresh_history import fresh_file
from tests.support.long_history import fill
from tests.support.practice import WIKI
from tests.support.practice import load as configuration

__all__ = ["measure"]

PART = "resources"
PATIENCE = 60.0  # seconds for a delivery by pipe
THROUGH = 8  # passes of mails that are delivered before memory is looked at again
MEMORY = (Measure("RSS MiB", "less", 1), Measure("PSS MiB", "less", 1))
STARTING = (Measure("ms", "less"),)
SIGNING = (Measure("requests/s", "more"), Measure("p99 us", "less", 1))
TOLD_MEMORY = """\
The daemon and its children as the kernel tells: RSS counts what is shared in full, PSS divides it among who
shares it. Just started; with a history that was filled before; after bounces came through it over LMTP in 8
sessions; and with as many users who are watched, because their last mail failed. x is how many times the
first line."""
TOLD_STARTING = (
    "From the start of the process until every socket is served: Python, configuration, the tables looked at."
)
TOLD_PIPE = """\
`bounce-sidecar-deliver`, which Postfix or Exim starts for each bounce where LMTP is not wanted, from its
start to its end with the mail booked, beside the same Python that does nothing."""
TOLD_WATCHED = """\
Signing over the socket with 8 connections: while nobody is watched, and while every user is whose mail is
signed, so that each mail is noted for the history as well. x is how many times the first line."""

WATCHED = """
INSERT INTO bounce
  (notice_id, wiki, user_id, sent, tag, key_id, received, category, hard, status, rule, domain, provider)
WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ?1)
SELECT 1, ?2, n, ?3, 'a1b2c3', 'k', ?3, 'user-unknown', 1, '5.1.1', 'r', 'example.com', '' FROM numbers
"""
NOTICE = """
INSERT INTO notice (id, fingerprint, received, return_path, kind, aside) VALUES (1, 'f', ?, 'p', 'bounce', '')
"""


def measure(settings: Settings) -> Iterator[Section]:
    """Four tables."""
    with tempfile.TemporaryDirectory(prefix="bounce-bench-", dir="/var/tmp") as place:
        folder = Path(place)
        filled, watched = _filled(folder, settings.most), _watched(folder, settings.most)
        yield _memory(folder, filled, watched, settings)
        yield _starting(filled, watched, settings)
        yield _by_pipe(settings)
        yield _signing(folder, watched, settings)


def _filled(folder: Path, count: int) -> Path:
    """A history of so many bounces of three months."""
    path = fresh_file(folder / "filled.db")
    engine = sa.create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        fill(connection, count, host.now(), (WIKI,))
    engine.dispose()
    return path


def _watched(folder: Path, count: int) -> Path:
    """A history in which the last mail of so many users has failed."""
    path, yesterday = (
        fresh_file(folder / "watched.db"),
        f"{host.now() - timedelta(days=1):%Y-%m-%d %H:%M:%S.%f}",
    )
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(NOTICE, (yesterday,))
        connection.execute(WATCHED, (count, WIKI, yesterday))
    return path


def _with(history: Path) -> Callable[[Path], None]:
    """Puts a copy of *history* where a daemon will look for it."""
    return lambda folder: (folder / "history.db").hardlink_to(history)


def _memory(folder: Path, filled: Path, watched: Path, settings: Settings) -> Section:
    lines, program, mails = [], bounces.compiled(folder), folder / "mails"
    with House() as house:
        lines.append(_seen("just started", house))
        for number in range(THROUGH):
            first = 1 + number * settings.mails
            write_for_pouring(fresh_bounces(configuration(house.folder), settings.mails, first), mails)
            bounces.pour(program, house.lmtp_socket, mails)
        lines.append(_seen(f"{settings.mails * THROUGH:,} bounces came through", house))
    with House(prepare=_with(filled)) as house:
        lines.append(_seen(f"{settings.most:,} bounces in the history", house))
    with House(prepare=_with(watched)) as house:
        lines.append(_seen(f"{settings.most:,} watched users", house))
    return Section(PART, "Memory", TOLD_MEMORY, MEMORY, lines, "case")


def _seen(case: str, house: House) -> Line:
    return Line(case, OURS, {f"{name} MiB": [size] for name, size in house.memory().items()})


def _starting(filled: Path, watched: Path, settings: Settings) -> Section:
    with House() as fresh, House(prepare=_with(filled)) as full, House(prepare=_with(watched)) as crowd:
        cases = {
            "a new history": fresh,
            f"{settings.most:,} bounces in the history": full,
            f"{settings.most:,} watched users": crowd,
        }
        taken = rounds_of({case: partial(_restart, house) for case, house in cases.items()}, settings.rounds)
    lines = [Line(case, OURS, rounds) for case, rounds in taken.items()]
    return Section(PART, "Start", TOLD_STARTING, STARTING, lines, "case")


def _restart(house: House) -> dict[str, float]:
    house.stop()
    return {"ms": house.start() * 1e3}


def _by_pipe(settings: Settings) -> Section:
    with House() as house:
        mails = fresh_bounces(configuration(house.folder), settings.rounds, 1)

        def delivered() -> dict[str, float]:
            return_path, raw = next(mails)
            return _timed(["-IS", str(deliver.__file__), "--socket", house.lmtp_socket, return_path], raw)

        nothing = partial(_timed, ["-IS", "-c", "pass"], b"")
        taken = rounds_of({OURS: delivered, "nothing": nothing}, settings.rounds)
    lines = [Line("a bounce by pipe", who, rounds) for who, rounds in taken.items()]
    versions = {OURS: "bounce-sidecar-deliver", "nothing": "python3 -IS -c pass"}
    return Section(PART, "The pipe client", TOLD_PIPE, STARTING, lines, "who", versions)


def _timed(arguments: list[str], raw: bytes) -> dict[str, float]:
    begin = perf_counter()
    done = subprocess.run([sys.executable, *arguments], input=raw, capture_output=True, timeout=PATIENCE)
    taken = perf_counter() - begin
    if done.returncode:
        raise RuntimeError(f"{arguments}: exit code {done.returncode}, {done.stderr.decode()}")
    return {"ms": taken * 1e3}


def _signing(folder: Path, watched: Path, settings: Settings) -> Section:
    program = lookups.compiled(folder)
    with House() as nobody, House(prepare=_with(watched)) as crowd:
        cases = {"nobody is watched": nobody, f"{settings.most:,} users are watched": crowd}

        def one(house: House) -> dict[str, float]:
            answered = lookups.load(program, lookups.our_server(house), 8, 1, settings.seconds)
            return {"requests/s": answered.rate, "p99 us": answered.p99}

        taken = rounds_of({case: partial(one, house) for case, house in cases.items()}, settings.rounds)
    lines = [Line(case, OURS, rounds) for case, rounds in taken.items()]
    return Section(PART, "Signing while many users are watched", TOLD_WATCHED, SIGNING, lines, "case")
