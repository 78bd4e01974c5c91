"""The sidecar on a DebianHost as an operator has it: an account, a configuration and a unit of the system.

Knows what the README's first installation makes and how to look into it. Does not know the mail server.
"""

import json
import re
import shlex
from pathlib import Path
from typing import Any

from tests.support import units
from tests.support.debian_host import DebianHost, Started
from tests.support.readme import steps
from tests.support.waiting import said, until

__all__ = ["DOMAIN", "WIKI", "SidecarInside"]

DOMAIN, WIKI = "bounces.example.org", "mywiki"  # the README's
ACCOUNT, FOLDER = "bounce-sidecar", "/etc/bounce-sidecar"
PROGRAM = "/usr/local/bin/bounce-sidecar"
READABLE = "BOUNCE_SIDECAR_LOG__FORMAT=keyvalue"  # words are looked for in it
UNIT = Path(__file__).parents[2] / "deploy/bounce-sidecar.service"

INSTALL = f"""
set -e
adduser --quiet --system --group --home /var/lib/bounce-sidecar {ACCOUNT}
install -d -o root -g {ACCOUNT} -m 0750 {FOLDER}
for secret in verp.keys bot.password; do
    install -o root -g {ACCOUNT} -m 0640 /dev/null {FOLDER}/$secret
    tr -dc 0-9a-v < /dev/urandom | head -c 48 > {FOLDER}/$secret
done
"""


class SidecarInside:
    """*host* has the program, the account and its configuration; the mail server works in *group*."""

    def __init__(self, host: DebianHost, group: str = "postfix") -> None:
        self._host, self._group = host, group
        self._process: Started | None = None

    @classmethod
    def installed(
        cls, host: DebianHost, group: str = "postfix", more: str = "", **changes: str
    ) -> "SidecarInside":
        """The code of this repository with the README's configuration, *changes* to its lines, and *more*."""
        host.run("sh", "-c", INSTALL)
        (text,) = steps()[3]
        for name, value in {"mta_group": group, **changes}.items():
            text, count = re.subn(rf"(?m)^{name} = .*$", f'{name} = "{value}"', text)
            assert count == 1, name
        host.path(f"{FOLDER}/config.toml").write_text(text + more)
        ours = (*host.interpreter(), "-c", "from sidecar.cli import main; main()")
        host.path(PROGRAM).write_text(f'#!/bin/sh\nexec {shlex.join(ours)} "$@"\n')
        host.path(PROGRAM).chmod(0o755)
        return cls(host, group)

    def start(self) -> None:
        """Returns when it serves; raises RuntimeError with what it said if it does not."""
        unit = UNIT.read_text().replace(" postfix\n", f" {self._group}\n")
        process = units.start(self._host, unit.replace("ExecStart=", f"ExecStart=/usr/bin/env {READABLE} "))
        assert process is not None
        until(lambda: not process.running or "event='serving'" in process.log(), "the sidecar inside")
        if not process.running:
            raise RuntimeError(process.log())
        self._process = process

    def stop(self) -> None:
        """An orderly end."""
        if self._process is not None:
            self._process.end()

    def log(self) -> str:
        """Since the last start."""
        return self._process.log() if self._process is not None else ""

    def says(self, pattern: str, times: int = 1) -> None:
        """Wait until a regular expression is found in the log, so many *times*."""
        said(self.log, pattern, times)

    def command(self, *arguments: str) -> str:
        """What an operator's command prints, said by the sidecar's account."""
        return self._host.run(PROGRAM, *arguments, user=ACCOUNT)

    def issue(self, user_id: int, address: str) -> str:
        """The return path for a mail to *address*."""
        return self.command("verp", "issue", WIKI, str(user_id), address).strip()

    def booked(self, user_id: int) -> dict[str, Any]:
        """The one bounce of this user, as `history` tells it; waits until it is there."""
        self.says(f"user={user_id} ")
        (bounce,) = json.loads(self.command("history", str(user_id), "--json"))["bounces"]
        assert isinstance(bounce, dict)
        return bounce
