"""What a mail server must know of this installation, and what it could never be told.

Knows domains, sockets and limits. Does not know where they are configured, nor any mail server's language.
"""

import re
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from pathlib import PurePath

__all__ = ["ACCOUNT", "Door", "Site", "Unsuitable", "WhenDown", "plain"]

ACCOUNT = "bounce-sidecar"  #: of the daemon, and of the commands that a mail server starts for it

# A path goes through a shell, Postfix's braces and Exim's expansion. These characters mean nothing to any.
_PLAIN_PATH = re.compile(r"(/[A-Za-z0-9._+-]+)+")
_PLAIN_DOMAIN = re.compile(r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*")
_PLAIN_GROUP = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")


class Door(StrEnum):
    """How a bounce comes in."""

    LMTP = "lmtp"
    PIPE = "pipe"
    HTTP = "http"


class WhenDown(StrEnum):
    """What becomes of mail for return paths while the sidecar does not answer."""

    DEFER = "defer"
    ACCEPT = "accept"


class Unsuitable(Exception):
    """The mail server could not work with this configuration; each problem names the setting to change."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


@dataclass(frozen=True)
class Site:
    """An installation, as far as its mail server is concerned."""

    version: str
    configuration: str  #: the file that all this comes from
    domains: tuple[str, ...]  #: of the return paths of every format
    lmtp: PurePath
    policy: PurePath
    mta_group: str
    when_down: WhenDown
    max_mail_bytes: int
    accept: timedelta
    deliver: PurePath  #: the program of the pipe door
    http: tuple[str, int] | None = None
    token_file: PurePath | None = None  #: what the HTTP door wants to see

    def problems(self, door: Door) -> list[str]:
        """What no mail server could be told, in the operator's words."""
        wrong = [
            f'[sockets] {name}: {path}: a path for a mail server wants letters, digits and "/._+-" only'
            for name, path in (("lmtp", self.lmtp), ("policy", self.policy))
            if not plain(path)
        ]
        wrong += [
            f"[verp] domain: {domain}: no domain that mail can be routed for"
            for domain in self.domains
            if not _PLAIN_DOMAIN.fullmatch(domain)
        ]
        if self.mta_group and not _PLAIN_GROUP.fullmatch(self.mta_group):
            wrong.append(f"[sockets] mta_group: {self.mta_group}: no name of a group")
        if door is Door.PIPE and not plain(self.deliver):
            wrong.append(f"{self.deliver}: install the program where its path is plain, as /usr/local/bin")
        if door is Door.HTTP:
            wrong += self._http_problems()
        return wrong

    def _http_problems(self) -> list[str]:
        if self.http is None:
            return ['--door http: nobody listens; set [http] listen = "127.0.0.1:8025"']
        if self.token_file is None:
            return ["--door http: bounces need a token; set [http] token_file"]
        if not plain(self.token_file):
            return [f"[http] token_file: {self.token_file}: choose a plain path"]
        return []


def plain(path: PurePath) -> bool:
    """Whether every mail server and shell reads this path as it is."""
    return bool(_PLAIN_PATH.fullmatch(str(path)))
