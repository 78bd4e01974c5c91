"""A campaign: mail servers deliver, wikis ask for return paths, and nodes and the database are killed.

Knows what is done when, by a seed, and what must hold in the end. Does not know how a node is started.
"""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from queue import Empty, SimpleQueue
from random import Random

import sqlalchemy as sa

from tests.chaos.crowd import Crowd, Mail
from tests.chaos.node import Node
from tests.support.database_server import DatabaseServer
from tests.support.waiting import until

__all__ = ["Campaign", "Report"]

CALM = (1.0, 4.0)  # seconds between two blows
DOWN = (0.2, 2.0)  # seconds for which the database stays down
AGAIN = 0.2  # seconds until a mail server tries again what was not taken; real ones wait for minutes
DRAINED = 180.0  # seconds until everything is paid once the blows are over


@dataclass
class Report:
    """What came of it."""

    seed: int
    mails: int = 0
    attempts: int = 0
    kills: Counter[str] = field(default_factory=Counter)  #: and reloads, which nobody should notice
    issued: int = 0
    unanswered: int = 0  #: questions of the wikis; their mail left with its usual return path
    seconds: float = 0.0
    drained: float = 0.0  #: seconds from the last blow until everything was paid
    wrongs: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        killed = ", ".join(f"{name} {number}" for name, number in sorted(self.kills.items()))
        return (
            f"seed {self.seed}: {self.mails} mails in {self.attempts} attempts and {self.seconds:.0f} s, "
            f"{self.issued} return paths ({self.unanswered} unanswered); struck: {killed}; "
            f"paid {self.drained:.0f} s after the last blow; wrong: {len(self.wrongs)}"
        )


class Campaign:
    """*blows* strokes against *nodes* and *server*, while *clients* deliver all mails of *crowd*."""

    def __init__(
        self, crowd: Crowd, nodes: list[Node], server: DatabaseServer, url: str, *, blows: int, clients: int
    ) -> None:
        self.crowd, self.nodes, self.server, self.url = crowd, nodes, server, url
        self._blows, self._clients = blows, clients
        self._random = Random(crowd.seed)
        self.report = Report(crowd.seed)
        self._count = threading.Lock()
        self._over = threading.Event()
        self._failed: list[BaseException] = []
        self._engine = sa.create_engine(url, poolclass=sa.NullPool)

    def run(self) -> Report:
        """Returns when everything is delivered and paid, or raises TimeoutError."""
        began = time.monotonic()
        mails = self.crowd.mails()
        self.report.mails = len(mails)
        waiting: SimpleQueue[Mail] = SimpleQueue()
        for mail in mails:
            waiting.put(mail)
        deliver = partial(self._deliver, waiting)
        with self._working(deliver, self._clients), self._working(self._ask, 1):
            for _ in range(self._blows):
                self._over.wait(self._random.uniform(*CALM))
                self._strike()
            self._raise_all()
            self._over.set()
        if self._failed:
            raise self._failed[0]
        struck = time.monotonic()
        due = sum(member.due for member in self.crowd.members)
        until(lambda: self.crowd.paid >= due and not self._owed(), "everything is paid", DRAINED)
        self.report.drained = time.monotonic() - struck
        self.report.seconds = time.monotonic() - began
        self.report.wrongs = [*self.crowd.wrongs(), *self._booked_wrongly(mails)]
        return self.report

    @contextmanager
    def _working(self, work: Callable[[int], None], number: int) -> Iterator[None]:
        """In so many threads; their end is awaited."""

        def run(which: int) -> None:
            try:
                work(which)
            except BaseException as error:
                self._failed.append(error)

        threads = [threading.Thread(target=run, args=(which,)) for which in range(number)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            for thread in threads:
                thread.join()

    def _deliver(self, waiting: "SimpleQueue[Mail]", number: int) -> None:
        """A mail server: what is not taken is tried again, at whichever node, until it is."""
        own = Random(self.crowd.seed * 1000 + number)
        while True:
            try:
                mail = waiting.get_nowait()
            except Empty:
                return
            while not own.choice(self._having("take")).deliver(mail.return_path, mail.raw):
                self._note(attempts=1)
                time.sleep(AGAIN)
            self._note(attempts=1)

    def _ask(self, number: int) -> None:
        """The wikis: whatever happens, their mail leaves."""
        own = Random(self.crowd.seed * 7 + number)
        while not self._over.is_set():
            member = own.choice(self.crowd.members)
            answer = own.choice(self._having("issue")).ask(
                f"verp {member.wiki} {member.user_id} {member.address}"
            )
            if answer.startswith("OK "):
                assert self.crowd.verp.recognise(answer[3:], self.crowd.now).user_id == member.user_id
                self._note(issued=1)
            else:
                self._note(unanswered=1)
            self._over.wait(0.02)

    def _having(self, role: str) -> list[Node]:
        return [node for node in self.nodes if role in node.roles]

    def _strike(self) -> None:
        chance = self._random.random()
        if chance < 0.25:
            self.report.kills["database"] += 1
            self.server.kill()
            self._over.wait(self._random.uniform(*DOWN))
            self.server.start()
        elif chance < 0.45:
            self.report.kills["reload"] += 1
            self._random.choice(self.nodes).reload()
        else:
            node = self._random.choice(self.nodes)
            self.report.kills[node.folder.name] += 1
            node.kill()
        for node in self.nodes:
            if not node.running:
                node.start()

    def _raise_all(self) -> None:
        for node in self.nodes:
            node.await_serving()

    def _note(self, **more: int) -> None:
        with self._count:
            for name, number in more.items():
                setattr(self.report, name, getattr(self.report, name) + number)

    def _owed(self) -> int:
        return self._counted("SELECT count(*) FROM action WHERE state IN ('waiting', 'held')")

    def _counted(self, query: str) -> int:
        with self._engine.connect() as connection:
            return int(connection.execute(sa.text(query)).scalar_one())

    def _booked_wrongly(self, mails: list[Mail]) -> Iterator[str]:
        """Each mail is in the history once, with one bounce; and each action was carried out once."""
        with self._engine.connect() as connection:
            found = Counter(connection.execute(sa.text("SELECT return_path FROM notice")).scalars())
            bounces = connection.execute(sa.text("SELECT count(*) FROM bounce")).scalar_one()
            done = connection.execute(
                sa.text("SELECT wiki, user_id, state, effect FROM action ORDER BY wiki, user_id")
            ).all()
        wanted = Counter(mail.return_path for mail in mails)
        for path in wanted.keys() | found.keys():
            if wanted[path] != found[path]:
                yield f"{path}: {found[path]} times in the history"
        if bounces != len(mails):
            yield f"{bounces} bounces of {len(mails)} mails"
        owed = sorted((one.wiki, one.user_id) for one in self.crowd.members if one.due)
        if [(row.wiki, row.user_id) for row in done if row.state == "done"] != owed:
            yield f"actions that are done: {len(done)} of {len(owed)}"
        persons = {(one.wiki, one.user_id) for one in self.crowd.members if one.elsewhere}
        for row in done:
            if row.state == "overtaken" and (row.wiki, row.user_id) in persons:
                continue  # before it was known who leads
            if row.state != "done" or row.effect not in ("unconfirmed", "already"):
                yield f"action: {row}"
