"""The machine that we run on: its clock, its groups, its service manager.

Does not know what any of it is for.
"""

import grp
import os
import shutil
import socket
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from sidecar import __version__
from sidecar.clock import now
from sidecar.configuration.configured import Config
from sidecar.edges.kernel_clock import synchronised
from sidecar.edges.passed_sockets import PassedSockets, WrongSocket
from sidecar.edges.service_manager import ServiceManager
from sidecar.edges.unix_socket import is_deaf
from sidecar.services.vitals import HostSigns, Watchman
from sidecar.storage import versions
from sidecar.storage.database import Database, NoHistory
from sidecar.telemetry import Metrics

__all__ = [
    "database_of",
    "host_signs",
    "load_config",
    "logins_of",
    "metrics_of",
    "missing_groups",
    "node_name",
    "not_ours",
    "now",
    "passed_sockets",
    "service_manager",
    "watchman",
]

SQLITE = "sqlite:///"
FIRST_PASSED = 3  # sd_listen_fds(3), SD_LISTEN_FDS_START


def load_config(path: Path, note: Callable[[Path], None] = lambda _: None) -> Config:
    """The configuration in *path*; *note* is told each secret's file. Raises ConfigError with all problems.

    What reads it is large, and comes with the first call.
    """
    from sidecar import config_files

    return config_files.load(path, note)


def database_of(config: Config, metrics: Metrics | None = None, *, logs_trouble: bool = False) -> Database:
    """The configured database, not opened. Raises NoHistory on a node that only issues: it has none."""
    if not config.node.has_history:
        raise NoHistory("[node] roles = issue: this node has no database; ask a node that takes bounces")
    return Database(
        config.storage_url, password=config.storage_password, metrics=metrics, logs_trouble=logs_trouble
    )


def host_signs(config: Config, clock: Callable[[], datetime] = now, *, try_doors: bool = False) -> HostSigns:
    """How this host is asked for its signs of life; *try_doors*: by somebody who is not the daemon itself."""
    listen = config.listen
    doors = [path for path, wanted in ((listen.verp, listen.issues), (listen.lmtp, listen.takes)) if wanted]
    return HostSigns(
        clock,
        lambda: _free(config.storage_url) if config.node.has_history else None,
        synchronised,
        node_name(config),
        lambda: next((str(path) for path in doors if is_deaf(path)), "") if try_doors else "",
    )


def watchman(config: Config, database: Database | None) -> Watchman:
    """For a command: who looks how it is. *database*: not opened; None on a node that only issues."""
    signs = host_signs(config, try_doors=True)
    return Watchman(database, signs, lambda: logins_of(config), config.tolerance, beside=True)


def not_ours(config: Config) -> str:
    """The SQLite file, if whoever asks may not write it, which says nothing of the daemon; else ""."""
    path = Path(config.storage_url.removeprefix(SQLITE))
    if not config.node.has_history or not config.storage_url.startswith(SQLITE):
        return ""
    try:
        owner = path.stat().st_uid
    except PermissionError:
        return str(path)
    except OSError:
        return ""
    ours = os.geteuid() in (0, owner)
    return "" if ours or all(os.access(one, os.W_OK) for one in (path, path.parent)) else str(path)


def logins_of(config: Config) -> dict[str, str]:
    """The wikis, each with the fingerprint of what it is called with."""
    return {wiki.id: wiki.login for wiki in config.wikis}


def node_name(config: Config) -> str:
    """What this node is called."""
    return (config.node.name or socket.gethostname())[:64]


def _free(url: str) -> int | None:
    """Octets that are free where an SQLite file lies, for whoever is not root; None with a server."""
    if not url.startswith(SQLITE) or url == SQLITE:
        return None
    folder = Path(url.removeprefix(SQLITE)).parent
    try:
        return shutil.disk_usage(folder).free
    except OSError:
        return None


def metrics_of(config: Config) -> Metrics:
    """What a daemon counts, with what it is."""
    metrics = Metrics()
    metrics.build.labels(__version__, versions.newest() if config.node.has_history else "").set(1)
    return metrics


def missing_groups(config: Config) -> list[str]:
    """Groups of the sockets that this host does not know."""
    wanted = {config.listen.verp_group, config.listen.mta_group} - {""}
    return sorted(wanted - {group.gr_name for group in grp.getgrall()})


def passed_sockets() -> PassedSockets:
    """What the service manager opened for this process, by its name (sd_listen_fds_with_names(3)).

    Taken out of the environment, so that no child believes that they are its own: the second call finds none.
    Raises WrongSocket.
    """
    process, number, names = (os.environ.pop(f"LISTEN_{name}", "") for name in ("PID", "FDS", "FDNAMES"))
    if process != str(os.getpid()):
        return PassedSockets()
    count = int(number) if number.isdecimal() else 0
    named = names.split(":") if names else ["unknown"] * count
    if count < 1 or len(named) != count:
        raise WrongSocket(f"LISTEN_FDS={number} and LISTEN_FDNAMES={names} do not fit together")
    return PassedSockets([(name, _listener(name, FIRST_PASSED + at)) for at, name in enumerate(named)])


def _listener(name: str, number: int) -> socket.socket:
    try:
        os.set_inheritable(number, False)
        return socket.socket(fileno=number)
    except OSError as error:
        raise WrongSocket(
            f"file descriptor {number}, named {name!r}, is no socket: {error.strerror}"
        ) from None


def service_manager() -> ServiceManager:
    """Who waits to be told how we are (sd_notify(3), sd_watchdog_enabled(3)); out of the environment, too."""
    address = os.environ.pop("NOTIFY_SOCKET", "")
    microseconds, process = (os.environ.pop(f"WATCHDOG_{name}", "") for name in ("USEC", "PID"))
    ours = process in ("", str(os.getpid())) and microseconds.isdecimal()
    return ServiceManager(address, int(microseconds) / 1e6 if ours else 0.0)
