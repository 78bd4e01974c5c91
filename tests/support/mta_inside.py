"""A mail server on a DebianHost, set up by our own script and by nothing else, with the sidecar beside it.

Knows `bounce-sidecar mta`, bounces from outside, and servers that refuse. Does not know which door is tried.
"""

import json
import smtplib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sidecar.recorded import recorded
from tests.support.debian_host import CommandFailed, DebianHost
from tests.support.debian_root import DebianRoot
from tests.support.places import free_port
from tests.support.remote_mx import RemoteMx
from tests.support.sidecar_inside import SidecarInside

__all__ = ["HTTP", "MtaInside", "beside_remote", "dead", "prepared", "submit", "user_of"]

DELIVER = Path(__file__).parents[2] / "sidecar/deliver.py"
OUTSIDE = ("127.0.0.5", 0)  # Debian's Exim relays for 127.0.0.1 alone

#: For the configuration: return paths of both formats, and all doors.
HTTP = """
[verp.bouncehandler]
secret_file = "verp.keys"
[http]
listen = "127.0.0.1:8025"
token_file = "http.token"
"""

PREPARE = """
set -e
cat > /usr/local/bin/bounce-sidecar-deliver
chmod 755 /usr/local/bin/bounce-sidecar-deliver
install -d /etc/bounce-sidecar
tr -dc 0-9a-v < /dev/urandom | head -c 48 > /etc/bounce-sidecar/http.token
"""

#: One return path in each format, and of BounceHandler's one with everything that a mail server might spoil.
ISSUE = """
import sys
from itertools import count
from pathlib import Path
from sidecar import host
verp = host.load_config(Path("/etc/bounce-sidecar/config.toml")).verp
ours, theirs = verp.in_each_format()
first = int(sys.argv[1])
issued = (theirs.issue("mywiki", number, sys.argv[2], host.now()) for number in count(first + 1))
spoilt = (one for one in issued if "/" in one and "+" in one and one != one.lower())
print(ours.issue("mywiki", first, sys.argv[2], host.now()), next(spoilt), next(spoilt))
"""


def dead(name: str = "nouser") -> str:
    """An address whose server says that there is no such user."""
    return f"{name}@remote.example"


@dataclass
class MtaInside:
    """*kind* is "postfix" or "exim"."""

    host: DebianHost
    sidecar: SidecarInside
    kind: str

    def script(self, *options: str) -> str:
        return self.host.run("bounce-sidecar", "mta", self.kind, *options)

    def apply(self, *options: str) -> None:
        """As the manual says: let it be written, read it, run it."""
        self.host.run("sh", "-s", stdin=self.script(*options))

    def check(self) -> list[dict[str, str]]:
        """The findings; asserts that the exit code says what they say."""
        command = ["bounce-sidecar", "mta", self.kind, "--check", "--json"]
        code, said = "0", ""
        try:
            said = self.host.run(*command)
        except CommandFailed as answer:
            code, _, said = str(answer).partition(": exit ")[2].partition("\n")
        findings: list[dict[str, str]] = json.loads(said)
        assert code == ("0" if all(one["state"] == "OK" for one in findings) else "1")
        return findings

    def wrong(self) -> list[str]:
        """What is not OK, and its remedies, a line each."""
        return [
            f"{one['state']} {one['what']} | {one['remedy']}" for one in self.check() if one["state"] != "OK"
        ]

    def issue(self, first: int, address: str) -> list[str]:
        """Three return paths: ours for user *first*, two of BounceHandler's for later ones."""
        return self.host.python("-c", ISSUE, str(first), address, user="bounce-sidecar").split()

    def submit(self, return_path: str, to: str) -> None:
        submit(self.host, return_path, to)

    def bounce(self, return_path: str) -> dict[str, tuple[int, bytes]]:
        """A stranger's mail server sends a bounce; what was refused."""
        mail = recorded("postfix/01-no-such-user").addressed(dead(), return_path)
        with self.host.network(), smtplib.SMTP("127.0.0.1", 25, source_address=OUTSIDE) as server:
            try:
                return server.sendmail("", [return_path], mail)
            except smtplib.SMTPRecipientsRefused as refusal:
                return refusal.recipients

    def troubles(self) -> set[str]:
        """What `status` calls wrong, by kind."""
        said = self.host.run("sh", "-c", "bounce-sidecar status --json || true")
        return {one["kind"] for one in json.loads(said)["troubles"]}

    def replies(self, *addresses: str) -> list[int]:
        """To RCPT, said by a stranger."""
        with self.host.network(), smtplib.SMTP("127.0.0.1", 25, source_address=OUTSIDE) as server:
            server.ehlo()
            server.mail("")
            return [server.rcpt(address)[0] for address in addresses]


@contextmanager
def beside_remote(root: DebianRoot) -> Iterator[tuple[DebianHost, RemoteMx]]:
    """A host of *root*, and in its network the server that refuses."""
    with root.running() as host:
        with host.network():
            remote = RemoteMx(port=free_port())
            remote.start()
        yield host, remote
        remote.stop()


def prepared(host: DebianHost, kind: str) -> MtaInside:
    """The sidecar runs; the mail server was not touched yet."""
    host.run("sh", "-c", PREPARE, stdin=DELIVER.read_text())
    if kind == "postfix":
        sidecar = SidecarInside.installed(host, more=HTTP)
    else:
        sidecar = SidecarInside.installed(host, "Debian-exim", more=HTTP, mta_directory="/run/bounce-sidecar")
    host.run("chgrp", "bounce-sidecar", "/etc/bounce-sidecar/http.token")
    host.run("chmod", "640", "/etc/bounce-sidecar/http.token")
    return MtaInside(host, sidecar, kind)


def submit(host: DebianHost, return_path: str, to: str) -> None:
    """As the wiki does, whose mail() calls sendmail."""
    mail = f"From: Wiki <noreply@wiki.example.org>\nTo: <{to}>\nSubject: Hello\n\nHello.\n"
    host.run("sendmail", "-f", return_path, to, stdin=mail, user="www-data")


def user_of(return_path: str) -> int:
    return int(return_path.split("-")[2], 36)
