"""The files of the configuration: the only module that opens what the configuration names.

Knows where a secret lies and who may read it. Does not know what is in any of them.
"""

import os
import stat
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from sidecar.configuration import config as config_module
from sidecar.configuration.config import parse
from sidecar.configuration.configured import Config, ConfigError, ReadSecret, SecretError
from sidecar.edges import census_file

__all__ = ["KeysPlace", "keys_place", "load", "rules_directory", "secret_reader", "write_secret"]


def load(path: Path, note: Callable[[Path], None] = lambda _: None) -> Config:
    """The configuration in *path*; *note* is told each secret's file.

    Raises ConfigError with all problems.
    """
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise _unreadable(error) from None
    secrets = secret_reader(path.parent, os.environ.get("CREDENTIALS_DIRECTORY"), note)
    return parse(text, secrets, lambda cache: census_file.load(Path(cache)))


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


def secret_reader(
    beside: Path, credentials: str | None, note: Callable[[Path], None] = lambda _: None
) -> ReadSecret:
    """Reads a secret by its name: absolute, else in systemd's credentials directory, else beside the file.

    Refuses what others than its owner and group may read or write (systemd.exec(5), "Credentials"). Links are
    followed: what is judged is what is read.
    """

    def read(name: str) -> bytes:
        path = _credential(credentials, name) or beside / name
        note(path)
        try:
            # Not waiting: a pipe that nobody writes to would keep us here.
            opened = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
            try:
                return _judged(opened)
            finally:
                os.close(opened)
        except (OSError, ValueError) as error:  # ValueError: a NUL in the name
            raise SecretError(getattr(error, "strerror", None) or "cannot be read") from None

    return read


def _judged(opened: int) -> bytes:
    mode = os.fstat(opened).st_mode
    if not stat.S_ISREG(mode):
        raise SecretError("not a regular file")
    if mode & stat.S_IRWXO:
        raise SecretError("others may read or write this file; chmod o-rwx it")
    with open(opened, "rb", closefd=False) as file:
        return file.read()


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


def _credential(credentials: str | None, name: str) -> Path | None:
    """Where systemd has put it, if it has."""
    path = Path(credentials or "") / name
    return path if credentials and not Path(name).is_absolute() and path.exists() else None


def _unreadable(error: OSError | UnicodeDecodeError) -> ConfigError:
    why = error.strerror if isinstance(error, OSError) else "not UTF-8"
    return ConfigError([f"cannot be read: {why}"])
