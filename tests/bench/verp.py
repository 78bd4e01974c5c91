"""The VERP socket beside PostSRSd, which does for forwarded mail what we do for a wiki's: it signs.

Then ours alone while bounces pour in, while the wiki hangs, and while somebody holds the database. Asserts
nothing.
"""

import socket
import sqlite3
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager, nullcontext
from dataclasses import asdict
from functools import partial
from itertools import count
from pathlib import Path

from sidecar.processes.ties import cores
from tests.bench import bounces, lookups
from tests.bench.bounces import SESSIONS, fresh_bounces, write_for_pouring
from tests.bench.figures import Line, Measure, Section
from tests.bench.house import House
from tests.bench.lookups import Server, load
from tests.bench.settings import Settings, rounds_of
from tests.support.practice import load as configuration

__all__ = ["measure"]

PART = "verp"
#: Connections, and how many requests are under way on each; 0: a new connection for each request.
SHAPES = {
    "new connection for each request": (1, 0),
    "1 connection": (1, 1),
    "8 connections": (8, 1),
    "64 connections": (64, 1),
    "8 connections, 16 requests under way": (8, 16),
}
DISTURBED = SHAPES["8 connections"]
MEASURES = (
    Measure("requests/s", "more"),
    Measure("p50 us", "", 1),
    Measure("p99 us", "less", 1),
    Measure("p99.9 us"),
    Measure("CPU us", "less", 1),
)
ACT_AT_ONCE = '\n[wikis.policy]\npreset = "bouncehandler"\nhard_bounces = 1\n'
A_SECOND = 4000  # bounces; more than are taken, so that they pour all the time
TOLD = """\
The daemon's VERP socket (Unix) against PostSRSd's forward lookup: version 1 speaks tcp_table over TCP,
version 2 socketmap over a Unix socket. Every question is another user and address; every answer is looked
at. Both of PostSRSd fork a process for each connection and so use all processors; ours is one thread, or,
with verp_processes, as many as there are processors. There is no syslogd, to which PostSRSd would write a
line for each request. With one connection the figure is mostly the kernel's, which wakes two processes in
turns, on one processor or across two; with verp_processes ours polls instead, for 50 us. CPU is the server's
processor time for an answer."""
TOLD_DISTURBED = """\
Ours, 8 connections, signed by the daemon itself or by processes of their own: alone; while 8 sessions
deliver 5 KB bounces as fast as they are taken; while actions are due and the wiki takes the connection and
says nothing; while another process has begun an exclusive transaction in the database. x is how many times
the first line."""


def measure(settings: Settings) -> Iterator[Section]:
    """Two tables. Each with the daemon that signs itself, and with one that has processes for it."""
    with tempfile.TemporaryDirectory(prefix="bounce-bench-") as place:
        program = lookups.compiled(Path(place))
        with House() as one, House(processes=cores()) as many, lookups.postsrsds() as others:
            servers = [*map(lookups.our_server, (one, many)), *others]
            yield _beside(program, servers, settings)
            yield _disturbed(program, (one, many), bounces.compiled(Path(place)), settings)


def _beside(program: Path, servers: list[Server], settings: Settings) -> Section:
    for server in servers:
        load(program, server, *DISTURBED, settings.seconds)  # what is made at first use
    lines = []
    for case, (connections, depth) in SHAPES.items():
        passes = {
            server.name: partial(_pass, program, server, connections, depth, settings.seconds)
            for server in servers
        }
        taken = rounds_of(passes, settings.rounds)
        lines += [Line(case, who, rounds) for who, rounds in taken.items()]
    versions = {server.name: server.version for server in servers}
    return Section(PART, "Signing a return path, beside PostSRSd", TOLD, MEASURES, lines, "who", versions)


def _pass(program: Path, server: Server, connections: int, depth: int, seconds: float) -> dict[str, float]:
    answered = load(program, server, connections, depth, seconds)
    return dict(zip((one.name for one in MEASURES), asdict(answered).values(), strict=True))


def _disturbed(program: Path, houses: tuple[House, House], pourer: Path, settings: Settings) -> Section:
    users = count(10**6, 10**6)
    conditions: Mapping[str, Callable[[House], AbstractContextManager[House]]] = {
        "nothing else happens": nullcontext,
        "bounces pour in": lambda house: _pouring(house, pourer, next(users), settings.seconds),
        "the wiki hangs": lambda house: _hanging(pourer, house.processes),
        "the database is locked": _locked,
    }

    def one(condition: str, house: House) -> dict[str, float]:
        with conditions[condition](house) as disturbed:
            ours = lookups.our_server(disturbed)
            load(
                program, ours, *DISTURBED, settings.seconds / 5
            )  # one that has only begun is slow for a moment
            return _pass(program, ours, *DISTURBED, settings.seconds)

    cases = [(name, house) for name in conditions for house in houses]
    taken = rounds_of({case: partial(one, *case) for case in cases}, settings.rounds)
    servers = {house: lookups.our_server(house) for house in houses}
    lines = [Line(name, servers[house].name, taken[name, house]) for name, house in cases]
    versions = {server.name: server.version for server in servers.values()}
    measures = [
        Measure(one.name, one.better or "less", one.places) for one in MEASURES[:-1]
    ]  # bounces cost, too
    return Section(
        PART, "Signing while something else happens", TOLD_DISTURBED, measures, lines, "case", versions
    )


@contextmanager
def _pouring(house: House, pourer: Path, first_user: int, seconds: float) -> Iterator[House]:
    mails = house.folder / "mails"
    many = int(A_SECOND * (seconds * 1.2 + 0.5))
    write_for_pouring(fresh_bounces(configuration(house.folder), many, first_user), mails)
    command = [str(pourer), house.lmtp_socket, str(SESSIONS), str(mails)]
    before = house.cpu()
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as pouring:
        try:
            while house.cpu() == before and pouring.poll() is None:
                pass
            yield house
        finally:
            pouring.kill()


@contextmanager
def _hanging(pourer: Path, processes: int) -> Iterator[House]:
    """A daemon of its own: one whose wiki has just begun to hang, for later it leaves that wiki alone."""
    with ExitStack() as stack:
        wiki = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        wiki.settimeout(30)
        api = f"http://127.0.0.1:{wiki.getsockname()[1]}/w/api.php"
        house = stack.enter_context(House(api=api, more=ACT_AT_ONCE, processes=processes))
        mails = house.folder / "mails"
        write_for_pouring(fresh_bounces(configuration(house.folder), SESSIONS, 1), mails)
        bounces.pour(pourer, house.lmtp_socket, mails)
        called, _ = wiki.accept()
        stack.enter_context(called)
        yield house


@contextmanager
def _locked(house: House) -> Iterator[House]:
    path = house.folder / "history.db"
    with closing(sqlite3.connect(path, timeout=30, isolation_level=None)) as connection:
        connection.execute("BEGIN EXCLUSIVE")
        yield house
        connection.execute("ROLLBACK")
