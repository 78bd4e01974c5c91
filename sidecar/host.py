"""The machine that we run on: its clock, the files of the configuration, its groups, its service manager.

The only module that reads the clock, and the only one that opens what the configuration names. Does not know
what any of it is for.
"""

import grp
import os
import shutil
import socket
import stat
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sidecar import __version__
from sidecar import config as config_module
from sidecar.config import Config, ConfigError, parse
from sidecar.edges import census_file
from sidecar.edges.kernel_clock import synchronised
from sidecar.edges.passed_sockets import PassedSockets, WrongSocket
from sidecar.edges.service_manager import ServiceManager
from sidecar.edges.unix_socket import is_deaf
from sidecar.secrets import ReadSecret, SecretError
from sidecar.services.vitals import HostSigns, Watchman
from sidecar.storage import versions
from sidecar.storage.database import Database, NoHistory
from sidecar.telemetry import Metrics

__all__ = [
    "KeysPlace",
    "database_of",
    "host_signs",
    "keys_place",
    "load_config",
    "logins_of",
    "metrics_of",
    "missing_groups",
    "node_name",
    "not_ours",
    "now",
    "passed_sockets",
    "rules_directory",
    "secret_reader",
    "service_manager",
    "watchman",
    "write_secret",
]

SQLITE = "sqlite:///"
FIRST_PASSED = 3  # sd_listen_fds(3), SD_LISTEN_FDS_START


def now() -> datetime:
    """The time, aware, UTC."""
    return datetime.now(UTC)


def load_config(path: Path, note: Callable[[Path], None] = lambda _: None) -> Config:
    """The configuration in *path*; *note* is told each secret's file.

    Raises ConfigError with all problems.
    """
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise _unreadable(error) from None
    secrets = secret_reader(path.parent, os.environ.get("CREDENTIALS_DIRECTORY"), note)
    return parse(text, secrets, lambda cache: census_file.load(Path(cache)))


def database_of(config: Config, metrics: Metrics | None = None) -> Database:
    """The configured database, not opened. Raises NoHistory on a node that only issues: it has none."""
    if not config.node.has_history:
        raise NoHistory("[node] roles = issue: this node has no database; ask a node that takes bounces")
    return Database(config.storage_url, password=config.storage_password, metrics=metrics)


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


def _unreadable(error: OSError | UnicodeDecodeError) -> ConfigError:
    why = error.strerror if isinstance(error, OSError) else "not UTF-8"
    return ConfigError([f"cannot be read: {why}"])


def secret_reader(
    beside: Path, credentials: str | None, note: Callable[[Path], None] = lambda _: None
) -> ReadSecret:
    """Reads a secret by its name: absolute, else in systemd's credentials directory, else beside the file.

    Refuses what others than its owner and group may read or write (systemd.exec(5), "Credentials").
    """

    def read(name: str) -> bytes:
        path = _credential(credentials, name) or beside / name
        note(path)
        try:
            mode = path.stat().st_mode
            if not stat.S_ISREG(mode):
                raise SecretError("not a regular file")
            if mode & stat.S_IRWXO:
                raise SecretError("others may read or write this file; chmod o-rwx it")
            return path.read_bytes()
        except (OSError, ValueError) as error:  # ValueError: a NUL in the name
            raise SecretError(getattr(error, "strerror", None) or "cannot be read") from None

    return read


def _credential(credentials: str | None, name: str) -> Path | None:
    """Where systemd has put it, if it has."""
    path = Path(credentials or "") / name
    return path if credentials and not Path(name).is_absolute() and path.exists() else None


@dataclass(frozen=True)
class KeysPlace:
    """Where the keys are, for whoever changes them."""

    file: Path
    accept: timedelta  #: accept_days
    credential: bool = False  #: systemd's copy, which cannot be changed


def keys_place(path: Path, file: Path | None) -> KeysPlace:
    """The file of the keys: *file* if it is named, else what is configured. Asks for no other secret.

    Without a configuration, the default of accept_days holds for a *file*. Raises ConfigError.
    """
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        if file and isinstance(error, FileNotFoundError):
            return KeysPlace(file, config_module.ACCEPT)
        raise _unreadable(error) from None
    name, accept = config_module.keys_settings(text)
    if file:
        return KeysPlace(file, accept)
    credential = _credential(os.environ.get("CREDENTIALS_DIRECTORY"), name)
    return KeysPlace(credential or path.parent / name, accept, credential is not None)


def write_secret(path: Path, secret: bytes) -> None:
    """Put a secret into a new file that its owner and group alone may read. Raises OSError.

    What is there stays: FileExistsError.
    """
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o640)
    with open(file, "wb") as opened:
        os.fchmod(file, 0o640)  # whatever the umask
        opened.write(secret + b"\n")


def missing_groups(config: Config) -> list[str]:
    """Groups of the sockets that this host does not know."""
    wanted = {config.listen.verp_group, config.listen.mta_group} - {""}
    return sorted(wanted - {group.gr_name for group in grp.getgrall()})


def rules_directory(path: Path) -> Path:
    """Where the operator's own rules are; without a configuration file, where they usually are.

    Reads no secret: whoever may read the rules may ask. Raises ConfigError.
    """
    try:
        return config_module.rules_directory(path.read_text("utf-8"))
    except FileNotFoundError:
        return config_module.rules_directory("")
    except (OSError, UnicodeDecodeError) as error:
        raise _unreadable(error) from None


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
