"""A configured sidecar for tests without servers: a folder, a configuration, and mails addressed to it.

Knows the recorded bounces and the product's own signing. Does not start anything.
"""

import re
from datetime import datetime
from email.utils import format_datetime
from pathlib import Path

from sidecar import host
from sidecar.configuration.configured import Config
from sidecar.recorded import recorded
from tests.support.fresh_history import fresh_file
from tests.support.leaks import secret

__all__ = [
    "ADDRESS", "ENTRY", "HEAD", "KEY", "PASSWORD", "WIKI", "bounce", "configured", "keep_secrets", "load",
    "start_once",
]  # fmt: skip

WIKI = "enwiki"
ADDRESS = "ann@remote.example"
KEY = secret("a test's key, long enough to be one, 0123456789")
PASSWORD = secret("practice" * 4)

HEAD = """\
[verp]
domain = "bounces.example.org"
[sockets]
directory = "{folder}"
[storage]
url = "sqlite:///{folder}/history.db"
[rules]
directory = "{folder}/rules.d"
[brake]
delay_minutes = 0
[policy]
mode = "{mode}"
"""
ENTRY = """
[[wikis]]
id = "{wiki}"
api = "{api}"
account = "BounceBot@sidecar"
password_file = "{password_file}"
"""


def configured(folder: Path, *, mode: str = "enforce", api: str = "http://127.0.0.1:9/w/api.php") -> Path:
    """Write a configuration and its secrets; returns its path."""
    keep_secrets(folder)
    path = folder / "config.toml"
    entry = ENTRY.format(wiki=WIKI, api=api, password_file="bot.password")
    path.write_text(HEAD.format(folder=folder, mode=mode) + entry)
    return path


def keep_secrets(folder: Path, **others: str) -> None:
    """Write the key and the bot's password, and *others*: as passwords, by their names."""
    files = {"verp.keys": KEY, "bot.password": PASSWORD}
    for name, text in (files | {f"{name}.password": text for name, text in others.items()}).items():
        (folder / name).touch(0o600)
        (folder / name).write_text(secret(text) + "\n")


def bounce(
    config: Config, name: str, user_id: int, sent: datetime, came: datetime, address: str = ADDRESS
) -> bytes:
    """A recorded bounce of a mail to this user, as it lies in an archive: dated, Delivered-To on top."""
    return_path = config.verp.issue(WIKI, user_id, address, sent)
    raw = recorded(name).addressed(address, return_path)
    dated = re.sub(rb"(?m)^Date: .*$", b"Date: " + format_datetime(came).encode(), raw, count=1)
    return b"Delivered-To: " + return_path.encode() + b"\n" + dated


def start_once(folder: Path) -> None:
    """As if the daemon had been started: there is a history."""
    fresh_file(folder / "history.db")


def load(folder: Path) -> Config:
    return host.load_config(folder / "config.toml")
