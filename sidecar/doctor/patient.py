"""Who is examined: an installation, the accounts that must get in, and what is asked of the doctor.

Knows names. Does not look at anything.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sidecar.mta.asking import Account, Machine
from sidecar.mta.site import ACCOUNT

__all__ = ["NOT_ROOT", "Patient"]

NOT_ROOT = "run this as root"


@dataclass(frozen=True)
class Patient:
    """An installation on this host."""

    path: Path  #: of the configuration
    machine: Machine
    clock: Callable[[], datetime]
    smtp: tuple[str, int]  #: the mail server that is asked
    user: str = ACCOUNT  #: of the daemon
    web_user: str = ""  #: of the web server; "": the one that is called as the group of its socket
    only: Collection[str] = ()  #: wikis; none: all
    login: bool = False  #: also with what a wiki has refused

    @property
    def account(self) -> Account | None:
        """The daemon's, if this host has it."""
        return self.machine.account(self.user)
