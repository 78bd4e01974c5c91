"""What the world does to a daemon: mail that leaves and comes back, questions, pages, commands, troubles.

Knows who does what how often. Each of them is a thread with a chance of its own, seeded. What is refused for
now is tried again later, as mail servers do. Does not judge.
"""

import json
import smtplib
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections import Counter, deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from random import Random

from sidecar.recorded import recorded
from tests.soak.house import DOMAIN, TOKEN, USERS, House
from tests.soak.lookups import Lookups
from wiki_adapter.practice_wiki import Trouble

__all__ = ["Traffic"]

DELIVER = Path(__file__).parents[2] / "sidecar" / "deliver.py"
BEARER = {"Authorization": f"Bearer {TOKEN}"}
HARD, SOFT, AWAY = "postfix/01-no-such-user", "postfix/05-mailbox-full", b"Auto-Submitted: auto-replied\r\n"
STRANGE = "From: someone@remote.example\r\nSubject: what is this\r\n\r\nNobody understands number {}.\r\n"
USER = "/user?wiki=enwiki&user=7"
PAGES = ("/", "/rates", "/outbox", "/aside", "/brakes", "/wikis", "/rates/failures.svg", USER)
COMMANDS = (
    ("status",), ("stats",), ("outbox",), ("aside", "list"), ("history", "7", "--wiki", "enwiki"),
    ("db", "status"), ("keys", "list"), ("check-config",), ("summary",), ("aside", "reread"),
)  # fmt: skip
TROUBLES = (
    Trouble.HTTP_503,
    Trouble.HANGING,
    Trouble.READ_ONLY,
    Trouble.SLOW,
    Trouble.NO_RIGHT,
    Trouble.NOT_JSON,
)
BEHIND = 5.0  # seconds
FORGED = f"wiki-enwiki-1-aaaaaa-{'a' * 24}@{DOMAIN}"


@dataclass(frozen=True)
class Mail:
    """One that comes back, to be handed in at any of the doors."""

    return_path: str
    address: str
    raw: bytes


class Traffic:
    """From ``start`` to ``end``."""

    def __init__(self, house: House, seed: int, haste: float = 1.0) -> None:
        """*haste*: how many times as often everything is done."""
        self._house, self._seed, self._over = house, seed, threading.Event()
        self.done: Counter[str] = Counter()
        self.failed: Counter[str] = Counter()
        self.wrongs: deque[str] = deque(maxlen=20)
        self._back: deque[Mail] = deque(maxlen=2000)
        self._returned, self.series = 0, 0
        self.lookups = Lookups(house.verp)
        self._policy = Lookups(house.policy)
        every: dict[Callable[[Random], None], float] = {
            self._send: 0.05,
            self._ask_policy: 0.1,
            self._deliver: 0.03,
            self._post_mail: 0.5,
            self._post_event: 0.5,
            self._pipe: 3.0,
            self._visit: 1.0,
            self._scrape: 1.0,
            self._command: 15.0,
            self._reload: 5.0,
            self._rotate: 20.0,
            self._trouble: 6.0,
            self._confirm: 2.0,
            self._return_canaries: 1.0,
        }
        self._threads = [
            threading.Thread(target=self._repeat, args=(act, pause / haste), name=act.__name__)
            for act, pause in every.items()
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def end(self) -> None:
        """Waits for what is being done."""
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _repeat(self, act: Callable[[Random], None], pause: float) -> None:
        chance, name = Random(f"{self._seed} {act.__name__}"), act.__name__.strip("_")
        due = time.monotonic()
        while not self._over.wait(max(0.0, due - time.monotonic())):
            # What a busy machine held up is made up for, so that days are alike; but not for ever.
            due = max(due, time.monotonic() - BEHIND) + chance.uniform(0.5, 1.5) * pause
            try:
                act(chance)
                self.done[name] += 1
            except (OSError, smtplib.SMTPException, TimeoutError) as error:
                self.failed[f"{name}: {type(error).__name__}"] += 1
            except Exception as error:
                self.wrongs.append(f"{name}: {error!r}")

    def _send(self, chance: Random) -> None:
        """A wiki sends a mail; perhaps it will come back."""
        wiki, user = chance.choice(list(self._house.wikis)), chance.randrange(2, USERS + 2)
        address = f"user{user}@remote.example"
        answer = self.lookups.ask(f"verp {wiki} {user} {address}", keep=chance.random() < 0.7)
        if not answer.startswith("OK "):
            raise AssertionError(f"no return path: {answer}")
        path, kind = answer[3:], user % 10  # of ten, four fail for good, two for now
        if kind < 6:
            mail = recorded(HARD if kind < 4 else SOFT)
            self._back.append(Mail(path, address, mail.addressed(address, path)))
        elif chance.random() < 0.1:
            self._back.append(Mail(path, address, AWAY + mail_of(chance)))
        elif chance.random() < 0.02:
            self._back.append(Mail(path, address, mail_of(chance)))

    def _ask_policy(self, chance: Random) -> None:
        known = [mail.return_path for mail in list(self._back)[:5]]
        recipient = chance.choice([*known, FORGED, "postmaster@elsewhere.example"])
        asked = f"request=smtpd_access_policy\nrecipient={recipient}\n\n"
        said = self._policy.request(asked.encode(), b"\n\n")
        if not said.startswith(b"action="):
            raise AssertionError(f"policy: {said!r}")

    def _deliver(self, chance: Random) -> None:
        if mail := self._next(chance):
            self._hand_in(mail)

    def _hand_in(self, mail: Mail) -> None:
        try:
            with smtplib.LMTP(str(self._house.lmtp), timeout=60) as door:
                door.sendmail("", [mail.return_path], mail.raw)
        except smtplib.SMTPRecipientsRefused as refused:
            codes = {code for code, _ in refused.recipients.values()}
            if max(codes) < 500:
                self._back.append(mail)
            self.failed[f"deliver: {codes}"] += 1
        except (OSError, smtplib.SMTPException):
            self._back.append(mail)
            raise

    def _next(self, chance: Random) -> Mail | None:
        """The oldest that waits; one in ten comes again later."""
        with suppress(IndexError):
            mail = self._back.popleft()
            if chance.random() < 0.1:
                self._back.append(mail)
            return mail
        return None

    def _post_mail(self, chance: Random) -> None:
        if mail := self._next(chance):
            place = f"/bounces?recipient={urllib.parse.quote(mail.return_path)}"
            self._http(self._house.http, place, mail.raw)

    def _post_event(self, chance: Random) -> None:
        if mail := self._next(chance):
            event = {
                "return_path": mail.return_path,
                "address": mail.address,
                "status": chance.choice(["5.1.1", "4.2.2"]),
                "action": "failed",
                "diagnostic": "550 5.1.1 no such user",
            }
            self._http(self._house.http, "/events", json.dumps(event).encode(), "application/json")

    def _pipe(self, chance: Random) -> None:
        if mail := self._next(chance):
            door = ("--socket", str(self._house.lmtp), mail.return_path)
            command = [sys.executable, "-IS", str(DELIVER), *door]
            ran = subprocess.run(command, input=mail.raw, capture_output=True, timeout=130, check=False)
            self.failed["pipe"] += ran.returncode != 0

    def _visit(self, chance: Random) -> None:
        self._http(self._house.dashboard, chance.choice(PAGES))

    def _scrape(self, _chance: Random) -> None:
        text = self._http(self._house.metrics, "/metrics")
        self.series = sum(1 for line in text.splitlines() if line[:1] not in (b"#", b""))

    def _command(self, chance: Random) -> None:
        words = chance.choice(COMMANDS)
        ran = self._house.command(*words)
        if ran.returncode not in (0, 1, 2, 3, 75) or "Traceback" in ran.stderr:
            raise AssertionError(f"{words}: {ran.returncode} {ran.stderr[-500:]}")

    def _reload(self, chance: Random) -> None:
        self._house.reconfigure(chance.randrange(1000))
        self._house.reload()

    def _rotate(self, _chance: Random) -> None:
        self._house.rotate()

    def _trouble(self, chance: Random) -> None:
        wiki, seconds = next(self._house.troubled()), chance.uniform(1, 5)
        if chance.random() < 0.2:
            wiki.vanish()
            self._over.wait(seconds)
            wiki.come_back()
        else:
            with wiki.suffering(chance.choice(TROUBLES)):
                self._over.wait(seconds)

    def _confirm(self, chance: Random) -> None:
        """Whoever was un-confirmed notices."""
        wiki = chance.choice(list(self._house.wikis.values()))
        for user in range(2, USERS + 2):
            if wiki.mailbox(user).confirmed_at is None:
                wiki.confirm(user, self._house.clock())

    def _return_canaries(self, _chance: Random) -> None:
        """The mail server delivers what it was given."""
        mails = self._house.post.mailbox.mails
        for mail in mails[self._returned :]:
            if mail.recipients[0].endswith(f"@{DOMAIN}"):
                self._hand_in(Mail(mail.recipients[0], "", mail.raw))
        self._returned = len(mails)

    def _http(self, port: int, place: str, body: bytes | None = None, kind: str = "message/rfc822") -> bytes:
        headers = BEARER | ({"Content-Type": kind} if body else {})
        request = urllib.request.Request(f"http://127.0.0.1:{port}{place}", body, headers)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return bytes(answer.read())
        except urllib.error.HTTPError as error:
            with error:
                self.failed[f"{place.partition('?')[0]}: {error.code}"] += 1
                return b""


def mail_of(chance: Random) -> bytes:
    """One that nobody has seen before, and nobody understands."""
    return STRANGE.format(chance.random()).encode()
