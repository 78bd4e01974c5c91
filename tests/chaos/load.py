"""The load of a round: mail servers that deliver and try again, and wikis that ask for return paths.

Knows what was handed over, and what was said to it. Does not know what is struck meanwhile.
"""

import smtplib
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from random import Random

from tests.chaos.crowd import Mail
from tests.chaos.hook import Hook
from tests.chaos.house import House
from tests.chaos.people import Person

__all__ = ["Issued", "Load"]

CLIENTS = 4
AGAIN = 0.1  # seconds until a mail server tries again what was not taken; real ones wait for minutes
PAUSE = 0.05  # seconds between two mails that have been delivered before, and two questions
SMTP_PATIENCE = 20.0  # seconds


@dataclass(frozen=True)
class Issued:
    """A return path that a node gave out, and for whom it was asked."""

    return_path: str
    wiki: str
    user_id: int
    address: str


class Load:
    """Runs from construction until ``end``; *by_postfix*: mail takes the way through the house's Postfix."""

    def __init__(self, house: House, guests: list[Person], seed: int, *, by_postfix: bool) -> None:
        self._house, self._seed, self.by_postfix = house, seed, by_postfix and house.postfix is not None
        self._asked_for = [one for one in guests if not one.kind.due]  # an answer to a mail may be a proof
        self._waiting: SimpleQueue[tuple[float, Mail]] = SimpleQueue()  # by the time when each comes
        self._count, self._over, self._flows = threading.Lock(), threading.Event(), threading.Event()
        self._flows.set()
        self._taken: list[Mail] = []
        self.handed: Counter[str] = Counter()  #: by return path, how often it was handed to a Postfix
        self.attempts = self.refusals = self.unanswered = self.wanted = 0
        self.issued: list[Issued] = []
        self._hook = Hook()
        self.failed: list[BaseException] = []
        works = [*[self._deliver] * CLIENTS, self._ask]
        self._threads = [threading.Thread(target=self._run, args=(work, at)) for at, work in enumerate(works)]
        for thread in self._threads:
            thread.start()

    def release(self, mails: list[Mail], within: float, random: Random) -> None:
        """These come back, each at some instant within so many seconds."""
        self.wanted += len(mails)
        instants = sorted(time.monotonic() + random.uniform(0, within) for _ in mails)
        for coming in zip(instants, mails, strict=True):
            self._waiting.put(coming)

    @contextmanager
    def held(self) -> Iterator[None]:
        """While the context lasts, no mail server begins anything new; what would have come, comes then."""
        self._flows.clear()
        try:
            yield
        finally:
            self._flows.set()

    @property
    def answered(self) -> int:
        """How many attempts ended with a 250, those among them for what had been taken before."""
        return self.attempts - self.refusals

    @property
    def delivered(self) -> bool:
        """Whether all were answered 250, by Postfix if it is between. Raises what a thread raised."""
        if self.failed:
            raise self.failed[0]
        return len(self._taken) >= self.wanted

    def end(self) -> None:
        """Nobody delivers or asks any more. Repeatable."""
        self._over.set()
        for thread in self._threads:
            thread.join()
        self._hook.close()

    @property
    def waited(self) -> list[float]:
        """Seconds that each mail of the wikis waited for its return path, or for none."""
        return self._hook.waited

    def _run(self, work: Callable[[Random], None], number: int) -> None:
        own = Random(self._seed * 100 + number)
        try:
            while not self._over.is_set():
                work(own)
        except BaseException as error:
            self.failed.append(error)

    def _deliver(self, own: Random) -> None:
        """The next mail until it is taken; without one, an old one, as after a reply that was lost."""
        try:
            comes, mail = self._waiting.get(timeout=PAUSE)
        except Empty:
            if self._taken and not self.by_postfix:
                self._hand_over(own.choice(self._taken), own)
            return
        self._over.wait(comes - time.monotonic())
        self._flows.wait()
        while not self._over.is_set():
            if self._hand_over(mail, own):
                self._taken.append(mail)
                return
            time.sleep(AGAIN)

    def _hand_over(self, mail: Mail, own: Random) -> bool:
        if self.by_postfix:
            taken = self._submit(mail)
        else:
            taken = own.choice(self._house.nodes).deliver(mail.return_path, mail.raw)
        with self._count:
            self.attempts += 1
            self.refusals += not taken
        return taken

    def _submit(self, mail: Mail) -> bool:
        assert self._house.postfix
        with self._count:
            self.handed[mail.return_path] += 1  # it may be in the queue though the answer was lost
        with (
            suppress(OSError, smtplib.SMTPException),
            smtplib.SMTP("127.0.0.1", self._house.postfix.port, timeout=SMTP_PATIENCE) as door,
        ):
            door.sendmail("", [mail.return_path], mail.raw)
            return True
        return False

    def _ask(self, own: Random) -> None:
        """The wiki's hook: whatever happens, its mail leaves."""
        who = own.choice(self._asked_for)
        node = own.choice(self._house.nodes)
        if path := self._hook.ask(node.verp, who.wiki, who.user_id, who.address):
            self.issued.append(Issued(path, who.wiki, who.user_id, who.address))
        else:
            self.unanswered += 1
        time.sleep(PAUSE)
