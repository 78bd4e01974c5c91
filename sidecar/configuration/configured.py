"""What the daemon is made from: the configuration as frozen values.

Knows nothing of how they are written, defaulted or refused: config.py does, with libraries for which a daemon
has no further use.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from sidecar.domain import verp
from sidecar.domain.access import Adapter, Credentials, Farm
from sidecar.domain.admission import Admission
from sidecar.domain.brake import Limits
from sidecar.domain.harmless import unmistakable
from sidecar.domain.policy import Policy
from sidecar.domain.trouble import Tolerance

__all__ = [
    "CanaryConfig",
    "Config",
    "ConfigError",
    "DashboardConfig",
    "DigestConfig",
    "FarmConfig",
    "HttpConfig",
    "Listen",
    "NodeConfig",
    "ReadSecret",
    "SecretError",
    "SummaryConfig",
    "WikiConfig",
]

ReadSecret = Callable[[str], bytes]  #: name of a file -> its content; raises SecretError


class ConfigError(Exception):
    """The daemon does not start with a configuration about which it would have to guess.

    Each problem is one line, with whatever nobody would see or take for what it is spelled.
    """

    def __init__(self, problems: list[str]) -> None:
        self.problems = [unmistakable(problem) for problem in problems]
        super().__init__("\n".join(self.problems))


class SecretError(Exception):
    """A file with a secret cannot be used. The message says why, and never what is in it."""


@dataclass(frozen=True)
class NodeConfig:
    """What this node is for."""

    issues: bool = True  #: return paths
    takes: bool = True  #: bounces
    acts: bool = True  #: on the wikis
    notes_to: str = ""  #: the node that is told of what is issued here; "" if none is
    notes_token: str = field(default="", repr=False)
    name: str = ""  #: "" where it is called as the host is

    @property
    def roles(self) -> str:
        """In one line."""
        given = {"issue": self.issues, "take": self.takes, "act": self.acts}
        return ", ".join(role for role, wanted in given.items() if wanted)

    @property
    def has_history(self) -> bool:
        """Who only issues needs no database."""
        return self.takes or self.acts


@dataclass(frozen=True)
class WikiConfig:
    """How to reach one wiki."""

    id: str
    api: str  #: "" where ``farm`` finds it
    credentials: Credentials | verp.BounceHandlerFormat  #: in gate mode, what signs
    adapter: Adapter = Adapter.MWCLIENT
    farm: Farm | None = None
    #: keyed fingerprint of the credentials: the same for all wikis that share them
    login: str = field(default="", repr=False)


@dataclass(frozen=True)
class FarmConfig:
    """A farm's sitematrix, and what became of the wikis that it listed when it was looked at last."""

    sitematrix: str
    refresh: timedelta
    cache: str  #: its file
    wikis: frozenset[str]  #: ids of those that are taken from it
    notes: tuple[str, ...]  #: which are left out though they were asked for, and why


@dataclass(frozen=True)
class DigestConfig:
    """Who is told, when and by which mail server."""

    to: tuple[str, ...]
    sender: str
    smtp: tuple[str, int]
    hour: int  #: UTC


@dataclass(frozen=True)
class SummaryConfig(DigestConfig):
    """The same, once a week."""

    weekday: int  #: 0 is Monday


@dataclass(frozen=True)
class CanaryConfig:
    """Which mail server takes canaries, and how often."""

    smtp: tuple[str, int]
    every: timedelta


@dataclass(frozen=True)
class DashboardConfig:
    """Where pages are shown, and to whom."""

    address: tuple[str, int]
    admission: Admission


@dataclass(frozen=True)
class HttpConfig:
    """Where bounces are taken over HTTP, and from whom."""

    address: tuple[str, int]
    token: str = field(repr=False)  #: "" if there is none: then nobody may use what wants one
    token_file: str  #: its name, as configured
    allow: tuple[str, ...]  #: networks
    topics: tuple[str, ...]  #: of Amazon SNS


@dataclass(frozen=True)
class Listen:
    """The doors: Unix sockets, and TCP if wanted."""

    verp: Path
    verp_group: str
    lmtp: Path
    policy: Path
    socketmap: Path | None
    mta_group: str
    lmtp_tcp: tuple[str, int] | None
    max_mail_bytes: int
    verp_processes: int = 0  #: that sign; with none, the daemon does
    metrics: tuple[str, int] | None = None
    http: HttpConfig | None = None
    dashboard: DashboardConfig | None = None
    takes: bool = True  #: the mail server's doors are opened
    issues: bool = True  #: the wiki's door is


@dataclass(frozen=True)
class Config:
    """What the daemon is made from."""

    verp: verp.Verp
    listen: Listen
    when_down: str  #: what the MTA does while nobody answers: "defer" or "accept"
    wikis: tuple[WikiConfig, ...]
    policies: Mapping[str, Policy]
    brake: Limits
    storage_url: str
    storage_password: str = field(repr=False)
    keep_mail: timedelta
    keep_aside: timedelta
    keep_bounces: timedelta
    keep_audit: timedelta
    rules_directory: Path
    digest: DigestConfig | None
    contact: str
    log_level: str
    log_format: str
    summary: SummaryConfig | None = None
    farm: FarmConfig | None = None
    node: NodeConfig = field(default_factory=NodeConfig)
    tolerance: Tolerance = field(default_factory=Tolerance)
    canary: CanaryConfig | None = None
