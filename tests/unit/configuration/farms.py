"""A configuration with a farm, and what is taken of its census."""

from collections.abc import Callable
from datetime import UTC, datetime

from sidecar.configuration.config import parse
from sidecar.configuration.configured import Config, WikiConfig
from sidecar.domain.access import BotPassword
from sidecar.domain.census import Census, Known
from sidecar.domain.sitematrix import Listed

T0 = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
SECRETS = {
    "verp.keys": b"k7Hq2ZfW9sXc4Vb1Nm8Lp3Tj6Ry5Gd0aEuIo",
    "farm.password": b"0a1b2c3d4e5f6g7h8i9j0k1l2m3n4o5p",
    "own.password": b"q5pq5pq5pq5pq5pq5pq5pq5pq5pq5pq5",
}
TEXT = """\
[verp]
domain = "bounces.example.org"
[farm]
sitematrix = "https://meta.example.org/w/api.php"
account = "BounceBot@sidecar"
password_file = "farm.password"
"""
OWN = """
[[wikis]]
id = "enwiki"
api = "https://own.example.net/api.php"
account = "OtherBot@sidecar"
password_file = "own.password"
[wikis.policy]
mode = "shadow"
"""


def listed(id_: str, url: str = "", *kinds: str) -> Known:
    return Known(Listed(id_, url or f"https://{id_}.example.org", frozenset(kinds)), T0, T0)


def config(*known: Known, more: str = "", secrets: Callable[[str], bytes] = SECRETS.__getitem__) -> Config:
    return parse(TEXT + more, secrets, lambda _: Census("https://meta.example.org/w/api.php", T0, known))


def taken(config: Config) -> list[str]:
    return [wiki.id for wiki in config.wikis]


def notes(config: Config) -> tuple[str, ...]:
    assert config.farm
    return config.farm.notes


def account_of(wiki: WikiConfig) -> str:
    assert isinstance(wiki.credentials, BotPassword)
    return wiki.credentials.account
