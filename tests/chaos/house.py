"""Everything that a campaign strikes: nodes, their wikis, their database and its disk, and a real Postfix.

Knows how each is set up, brought back and taken down. Does not know what is struck when, nor what must hold.
"""

import random
import signal
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import sqlalchemy as sa

from sidecar.domain.send import Send
from tests.chaos.crowd import DOMAIN, Mail
from tests.chaos.people import KINDS, OFTEN, Person, verp_of
from tests.chaos.real_wikis import RealWikis
from tests.chaos.servers import Installed
from tests.chaos.struck_node import StruckNode
from tests.chaos.wikis import PracticeWikis, Wikis
from tests.support.database_server import DatabaseServer
from tests.support.fixtures_databases import PATTERN
from tests.support.forgetful_disk import ForgetfulDisk
from tests.support.fresh_history import fresh_file
from tests.support.postfix import Postfix
from tests.support.preloaded import Switch, library
from tests.support.small_disk import SmallDisk, small_disk
from tests.support.waiting import until

__all__ = ["House", "furnished"]

WIKIS = ("aawiki", "bbwiki", "ccwiki", "ddwiki")
DISK = 160  # MiB; what is left of it is filled, in memory
PATIENCE = 60.0  # seconds until everything serves again


@dataclass
class House:
    """All of it, well when made."""

    url: str
    wikis: Wikis
    nodes: list[StruckNode]
    random: random.Random
    no_threads: Switch  #: while it is on, no node gets any more
    no_memory: Switch  #: likewise
    disk: SmallDisk
    signers: int = 0  #: processes of each node that sign; 0: the node itself does
    server: DatabaseServer | None = None  #: None: SQLite
    no_fsync: Switch | None = None  #: of the server's disk
    forgetful: ForgetfulDisk | None = None  #: below SQLite
    postfix: Postfix | None = None
    people: list[Person] = field(default_factory=list)  #: all who were ever invited
    mails: list[Mail] = field(default_factory=list)  #: all that ever came back
    expected: set[str] = field(default_factory=set)  #: return paths in the history of those not invited yet
    _known: list[Person] = field(default_factory=list)  #: to whom mail has arrived, not invited yet

    def __post_init__(self) -> None:
        self.verp = verp_of(self.wikis.names)
        self._engine = sa.create_engine(self.url, poolclass=sa.NullPool)
        self._number = 0

    def free(self) -> None:
        """Nothing is held up any more, and a server lives."""
        self.wikis.thaw()
        if self.no_fsync:
            self.no_fsync.off()
        if self.server:
            self.server.thaw()
            self.server.revive()

    def mend(self) -> None:
        """Everything serves, whatever was done to it."""
        self.free()
        if self.forgetful:
            self.forgetful.is_well()
        self.no_threads.off()
        self.no_memory.off()
        for node in self.nodes:
            node.clock_wrong_by(0)
            node.send(signal.SIGCONT)
            node.await_serving()

    def invite(self) -> list[Person]:
        """Some of each kind, each at any wiki, new to everybody but the one to whom mail arrives."""
        guests = self._add([
            name for name, kind in KINDS.items() if not kind.arrived for _ in range(OFTEN.get(name, 1))
        ])  # fmt: skip
        if self._known:
            guests.append(self._known.pop())
        self.people += guests
        return guests

    def prove_arrivals(self, rounds: int) -> None:
        """People for so many rounds whose first failure is booked, and of whom a later mail has arrived.

        It must be on the disk: that it arrived may be forgotten when a node is killed within that second.
        """
        names = [name for name, kind in KINDS.items() if kind.arrived]
        self._known = self._add(names * rounds)
        node, sends = self.nodes[0], []
        for one in self._known:
            first = one.mails(self.verp)[0]
            until(lambda first=first: node.deliver(first.return_path, first.raw), "a first failure is taken")  # type: ignore[misc]
            token = self.verp.recognise(one.path(self.verp, one.kind.arrived), one.now)
            self.expected.add(first.return_path)
            sends.append(Send(token.wiki, token.user_id, token.sent, token.tag, token.key_id))
        node.note(sends)
        until(lambda: self.count("SELECT count(*) FROM send") >= len(sends), "what arrived is noted")

    def count(self, query: str) -> int:
        """One number of the history."""
        return int(self.rows(query)[0][0])

    def rows(self, query: str) -> list[sa.Row[tuple[object, ...]]]:
        """Straight from the history. A server that has just ended is started again, as systemd does."""

        def ask() -> list[list[sa.Row[tuple[object, ...]]]]:
            try:
                with self._engine.connect() as connection:
                    return [list(connection.execute(sa.text(query)).all())]
            except sa.exc.OperationalError:
                if self.server:
                    self.server.revive()
                return []

        return until(ask, "the history can be read")[0]

    def _add(self, names: list[str]) -> list[Person]:
        now, told = datetime.now(UTC), []
        for name in names:
            self._number += 1
            wiki = self.random.choice(self.wikis.names)
            address = f"u{self._number}@{wiki}.remote.example"
            told.append((wiki, name, address, now - timedelta(days=KINDS[name].confirmed)))
        users = [(wiki, address, address, at) for wiki, _, address, at in told]
        return [
            Person(wiki, user_id, address, name, now)
            for user_id, (wiki, name, address, _) in zip(self.wikis.add(users), told, strict=True)
        ]


@contextmanager
def furnished(
    folder: Path,
    seed: int,
    installed: Installed | None,
    prefix: Path | None,
    names: Sequence[str] = WIKIS,
    *,
    real: str = "",
    signers: int = 0,
) -> Iterator[House]:
    """A house with SQLite and one node, or two nodes on a server; with a Postfix if *prefix* has one.

    Instead of its practice wikis it may have a *real* MediaWiki of this version. So many *signers* sign for
    each node, or it does so itself.
    """
    folder.mkdir()
    folder.chmod(0o755)
    with ExitStack() as life:
        no_threads, no_memory = Switch(folder / "no-threads"), Switch(folder / "no-memory")
        environment = {"NO_THREADS": str(no_threads.file), "NO_MEMORY": str(no_memory.file)}
        libraries = [str(library("no_threads", folder)), str(library("no_memory", folder))]
        server, no_fsync, forgetful = None, None, None
        if installed:
            server, disk, no_fsync = installed.server, installed.disk, installed.no_fsync
            url, number = server.copy(PATTERN, database := f"house_{seed}"), 2
            life.callback(lambda: installed.server.drop(database))
        else:
            history = folder / "disk" / "history.db"
            history.parent.mkdir()
            disk, number = life.enter_context(small_disk(history.parent, DISK)), 1
            url, forgetful = f"sqlite:///{fresh_file(history)}", ForgetfulDisk(folder, history)
            libraries.append(str(forgetful.library))
            environment |= forgetful.environment
        environment["LD_PRELOAD"] = ":".join(libraries)
        wikis: Wikis = RealWikis(real, names[0]) if real else PracticeWikis(folder, list(names))
        life.callback(wikis.close)
        nodes = []
        for which in range(number):
            nodes.append(StruckNode(folder / f"n{which}", url, wikis.apis, environment, signers))
            life.callback(nodes[-1].close)
        house = House(
            url,
            wikis,
            nodes,
            random.Random(seed),
            no_threads,
            no_memory,
            disk,
            signers,
            server,
            no_fsync,
            forgetful,
        )
        life.callback(house.free)
        if prefix:
            house.postfix = _postfix(prefix, folder / "p", nodes[0].port)
            life.callback(house.postfix.stop)
        for node in nodes:
            node.start()
        house.mend()
        yield house


def _postfix(prefix: Path, folder: Path, port: int) -> Postfix:
    postfix = Postfix(prefix, folder)
    postfix.configure({DOMAIN: f"lmtp:inet:127.0.0.1:{port}"})
    postfix.start()
    return postfix
