"""A node as an operator runs it: `bounce-sidecar run` with a file, in a process of its own, to be killed.

Knows its configuration, its sockets and its log. Does not know what it is sent.
"""

import json
import re
import signal
import smtplib
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from tests.chaos.crowd import DOMAIN, KEY, Crowd
from tests.support.leaks import secret
from tests.support.places import free_port
from tests.support.waiting import until

__all__ = ["TOKEN", "Node", "team"]

ROOT = Path(__file__).parents[2]
PASSWORD = secret("practice" * 4)
TOKEN = secret("a-token-of-the-campaign-0123456789")
GRACE = 30.0  # seconds for an orderly end
LMTP_PATIENCE = 120.0  # seconds; a mail server waits for longer

ROLES = ("issue", "take", "act")

CONFIG = """\
[node]
roles = {roles}
[verp]
domain = "{domain}"
{verp}
[sockets]
directory = "{folder}"
{sockets}
[metrics]
listen = "127.0.0.1:{metrics}"
[storage]
url = "{url}"
[policy]
mode = "enforce"
[brake]
delay_minutes = 0
users_per_hour = 1000000
users_per_hour_in_all = 1000000
factor = 1000000
least = 1000000
actions_per_hour = 1000000
actions_per_day = 1000000
[log]
format = "keyvalue"
"""

HTTP = """\
[http]
listen = "127.0.0.1:{port}"
token_file = "http.token"
"""

WIKI = """\
[[wikis]]
id = "{name}"
api = "{api}"
central = {central}
"""

CREDENTIALS = """\
account = "BounceBot@sidecar"
password_file = "bot.password"
"""

ANOTHER = "anotherwiki"  # which comes and goes at a reload, and of which nobody has heard


class Node:
    """Configured when made. *wikis* are their API URLs by name; their accounts may be *central*."""

    def __init__(
        self,
        folder: Path,
        url: str,
        wikis: Mapping[str, str],
        *,
        roles: Sequence[str] = ROLES,
        central: bool = False,
        verp: str = "",
        sockets: str = "",
    ) -> None:
        """*verp* and *sockets*: more lines of these sections."""
        folder.mkdir()
        self.roles = roles
        self.folder, self.lmtp, self.verp = folder, folder / "lmtp.sock", folder / "verp.sock"
        self._process: subprocess.Popen[bytes] | None = None
        for name, content in (("verp.keys", KEY), ("bot.password", PASSWORD), ("http.token", TOKEN)):
            (folder / name).touch(0o600)
            (folder / name).write_text(content + "\n")
        self.http, self.metrics = free_port(), free_port()
        facts = {"metrics": self.metrics, "roles": json.dumps(list(roles)), "verp": verp, "sockets": sockets}
        text = CONFIG.format(folder=folder, url=url, domain=DOMAIN, **facts)
        if "take" in roles:
            text += HTTP.format(port=self.http)
        credentials = CREDENTIALS if "act" in roles else ""

        def listed(wikis: Mapping[str, str]) -> str:
            told = json.dumps(central)
            return "".join(
                WIKI.format(name=name, api=api, central=told) + credentials for name, api in wikis.items()
            )

        text += listed(wikis)
        self._texts = [text + listed({ANOTHER: "http://127.0.0.1:9/w/api.php"}), text]
        self.reload()

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Does not wait; see ``serving``."""
        program = Path(sys.executable).with_name("bounce-sidecar")
        command = [str(program), "--config", str(self.folder / "config.toml"), "run"]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )

    def reload(self) -> None:
        """Another file, and SIGHUP if it runs: one wiki more, or one less."""
        self._texts.reverse()
        (self.folder / "config.toml").write_text(self._texts[0])
        if self._process and self.running:
            self._process.send_signal(signal.SIGHUP)

    def serving(self) -> bool:
        """Whether a mail server may connect, or where none may, whether it acts."""
        if "take" not in self.roles:
            with suppress(OSError, ValueError):
                return self.metric("database_up") == 1
            return False
        with suppress(OSError), socket.socket(socket.AF_UNIX) as probe:
            probe.settimeout(5)
            probe.connect(str(self.lmtp))
            return probe.recv(3) == b"220"
        return False

    def await_serving(self) -> None:
        """Started anew if it has given up, as systemd does."""

        def look() -> bool:
            if not self.running:
                self.start()
            return self.serving()

        try:
            until(look, f"node {self.folder.name} serves", 90)
        except TimeoutError as late:
            late.add_note(self.log()[-2000:])
            raise

    def kill(self) -> None:
        """kill -9. Repeatable."""
        if self._process:
            self._process.kill()
            self._process.wait()

    def stop(self) -> None:
        """An orderly end. Repeatable."""
        if self._process and self.running:
            self._process.terminate()
            self._process.wait(GRACE)

    def deliver(self, return_path: str, raw: bytes) -> bool:
        """As a mail server does: True if it was answered 250, else it is to be tried again."""
        try:
            with smtplib.LMTP(str(self.lmtp), timeout=LMTP_PATIENCE) as door:
                door.sendmail("", [return_path], raw)
                return True
        except smtplib.SMTPRecipientsRefused as refused:
            codes = [code for code, _ in refused.recipients.values()]
        except smtplib.SMTPResponseException as error:
            codes = [error.smtp_code]
        except (OSError, smtplib.SMTPException):
            return False
        if any(code >= 500 for code in codes):
            raise AssertionError(f"a bounce was refused for good: {codes}")
        return False

    def ask(self, question: str) -> str:
        """As the wiki does; "" without an answer."""
        octets = question.encode()
        with suppress(OSError), socket.socket(socket.AF_UNIX) as wiki:
            wiki.settimeout(5)
            wiki.connect(str(self.verp))
            wiki.sendall(b"%d:%s," % (len(octets), octets))
            return wiki.recv(1000).decode().partition(":")[2].rstrip(",")
        return ""

    def ready(self) -> str:
        """What /readyz says; "" if nobody answers."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.http}/readyz", timeout=20) as answer:
                return str(json.load(answer)["words"])
        except urllib.error.HTTPError as error:
            return str(json.load(error)["words"])

    def metric(self, name: str) -> float:
        """As Prometheus reads it."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.metrics}/metrics", timeout=20) as answer:
            [found] = re.findall(rf"^bounce_sidecar_{name} (\S+)$", answer.read().decode(), re.MULTILINE)
            return float(found)

    def log(self) -> str:
        path = self.folder / "log"
        return path.read_text() if path.exists() else ""


def team(folder: Path, url: str, crowd: Crowd, number: int, *, apart: bool = False) -> list[Node]:
    """So many nodes for *crowd*: each does all, or where they stand *apart*, the last acts alone."""
    apis = {name: wiki.api_url for name, wiki in crowd.wikis.items()}
    roles = [ROLES[:-1]] * (number - 1) + [ROLES[-1:]] if apart else [ROLES] * number
    return [
        Node(folder / f"{crowd.seed}-{which}", url, apis, roles=own, central=crowd.persons)
        for which, own in enumerate(roles)
    ]
