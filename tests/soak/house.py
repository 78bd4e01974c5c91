"""What is soaked: a daemon with every door, its folder, its wikis, its mail server.

Knows its configuration and how it is started, told to reload, and ended. Does not know what it is asked.
"""

import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

from tests.soak.times import JumpingClock
from tests.support.leaks import secret
from tests.support.places import free_port
from tests.support.smtp_sink import SmtpSink
from tests.support.waiting import until
from wiki_adapter.practice_http import PracticeServer
from wiki_adapter.practice_wiki import PracticeWiki

__all__ = ["DOMAIN", "TOKEN", "USERS", "House", "Wiki"]

ROOT = Path(__file__).parents[2]
DOMAIN = "bounces.example.org"
TOKEN = secret("a-token-of-the-soak-0123456789")
PASSWORD = secret("practice" * 4)
GRACE = 60.0  # seconds for an orderly end
USERS = 120  # of each wiki
KEYS = 6  # that verify; the first signs

CONFIG = """\
[node]
name = "soaked"
[verp]
domain = "{domain}"
accept_days = 6
[sockets]
directory = "{folder}"
socketmap = "socketmap.sock"
[http]
listen = "127.0.0.1:{http}"
token_file = "token"
[dashboard]
listen = "127.0.0.1:{dashboard}"
token_file = "token"
[metrics]
listen = "127.0.0.1:{metrics}"
[storage]
url = "sqlite:///{folder}/history.db"
keep_mail_days = 2
keep_aside_days = 4
keep_bounces_days = 12
keep_audit_days = 12
[policy]
mode = "enforce"
span_days = 2
settle_days = 1
forget_days = 8
[brake]
delay_minutes = 0
[digest]
to = ["ops@example.org"]
sender = "bounces@example.org"
smtp = "127.0.0.1:{smtp}"
[summary]
to = ["ops@example.org"]
sender = "bounces@example.org"
smtp = "127.0.0.1:{smtp}"
[canary]
smtp = "127.0.0.1:{smtp}"
every_minutes = 360
patience_minutes = 4320
[log]
format = "json"
"""

ENTRY = """\
[[wikis]]
id = "{name}"
api = "{api}"
account = "BounceBot@sidecar"
password_file = "bot.password"
"""

NAMES = ("enwiki", "dewiki", "frwiki")


class Wiki(PracticeWiki):
    """One whose web server may be gone for a while."""

    def vanish(self) -> None:
        """Who connects is refused."""
        self._server.close()

    def come_back(self) -> None:
        """At the same address."""
        self._server = PracticeServer(self.answer, self._server.server_port)


class House:
    """Started when made; close it."""

    def __init__(self, folder: Path, seed: int, days: float) -> None:
        """The soak's clock begins so long ago that it is now after *days*: commands go by the real one."""
        self.folder, self._random = folder, Random(seed)
        self.lmtp, self.verp, self.policy = (folder / f"{name}.sock" for name in ("lmtp", "verp", "policy"))
        self.socketmap = folder / "socketmap.sock"
        self.wikis = {name: Wiki(wiki_id=name) for name in NAMES}
        self.post = SmtpSink()
        self.post.start()
        self.http, self.dashboard, self.metrics = (free_port() for _ in range(3))
        self._keys = [self._new_key()]
        self._write("bot.password", PASSWORD)
        self._write("token", TOKEN)
        self._write("verp.keys", *self._keys)
        self.reconfigure(1)
        start, began = datetime.now(UTC) - timedelta(days=days), time.monotonic()
        (folder / "start").write_text(json.dumps([start.isoformat(), began]))
        self.clock = JumpingClock(start, began)
        for wiki in self.wikis.values():
            for user in range(2, USERS + 2):
                wiki.add_user(f"User {user}", f"user{user}@remote.example", start - timedelta(days=30))
        with (folder / "log").open("ab") as log:
            command = [sys.executable, "-m", "tests.soak.process", str(folder)]
            self.process = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log)
        try:
            until(self._serving, "the soaked daemon", 90)
        except BaseException:
            self.close()
            raise

    def _serving(self) -> bool:
        assert self.process.poll() is None, (self.folder / "log").read_text()
        with suppress(OSError), socket.socket(socket.AF_UNIX) as probe:
            probe.connect(str(self.verp))
            return (self.folder / "inside").exists()
        return False

    def reconfigure(self, brakes: int) -> None:
        """Another file: another number, and one wiki more or less, of which nobody has heard."""
        ports = {"http": self.http, "dashboard": self.dashboard, "metrics": self.metrics}
        text = CONFIG.format(folder=self.folder, domain=DOMAIN, smtp=self.post.port, **ports)
        text = text.replace("delay_minutes = 0", f"delay_minutes = 0\nleast = {100_000 + brakes}")
        apis = {name: wiki.api_url for name, wiki in self.wikis.items()}
        if brakes % 2:
            apis["comesandgoes"] = "http://127.0.0.1:9/w/api.php"
        text += "".join(ENTRY.format(name=name, api=api) for name, api in apis.items())
        self._put("config.toml", text)

    def reload(self) -> None:
        self.process.send_signal(signal.SIGHUP)

    def rotate(self) -> None:
        """A new key signs from the next reload on; the oldest verifies no more."""
        self._keys = [self._new_key(), *self._keys][:KEYS]
        self._write("verp.keys", *self._keys)

    def command(self, *words: str) -> "subprocess.CompletedProcess[str]":
        """What an operator says beside the daemon."""
        program = "from sidecar.cli import main; main()"
        command = [sys.executable, "-c", program, "--config", str(self.folder / "config.toml"), *words]
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)

    def troubled(self) -> Iterator[Wiki]:
        """The wikis, in an order that the seed gives."""
        while True:
            yield self._random.choice(list(self.wikis.values()))

    def close(self) -> int:
        """An orderly end; returns its exit code. Raises TimeoutExpired if it does not end."""
        try:
            self.process.terminate()
            return self.process.wait(GRACE)
        finally:
            self.process.kill()
            self.process.wait()
            self.post.stop()
            for wiki in self.wikis.values():
                wiki.close()

    def _new_key(self) -> str:
        return secret("".join(self._random.choices("abcdefghijklmnopqrstuvwxyz0123456789", k=48)))

    def _write(self, name: str, *lines: str) -> None:
        self._put(name, "".join(line + "\n" for line in lines))

    def _put(self, name: str, text: str) -> None:
        """At one instant: the daemon may be reading."""
        new = self.folder / f"{name}.new"
        new.touch(0o600)
        new.write_text(text)
        new.rename(self.folder / name)
