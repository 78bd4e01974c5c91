"""Return paths that we issued, and those that others would like to be ours.

Knows every path that was issued, and the spelling of both formats a second time, on purpose: what is altered
here is not altered by the product's own code. Does not know how any is recognised.
"""

import base64
import hashlib
import hmac
import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from sidecar.domain.keyring import Key, Keyring
from sidecar.domain.verp import BounceHandlerFormat, SidecarFormat, Token, Verp
from tests.support.leaks import secret

__all__ = [
    "ACCEPT",
    "DOMAIN",
    "FOREIGN",
    "KEYS",
    "NOW",
    "OLD_SECRET",
    "RETIRED",
    "REVOKED",
    "WIKIS",
    "Mint",
    "signed",
    "signed_as_php",
]

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
ACCEPT = timedelta(days=10)
DOMAIN = "bounces.example.org"
WIKIS = ("enwiki", "dewiki", "zh-min-nanwiki", "my_wiki-mw_")
KEYS = tuple(secret(f"a key that signs in the campaign {n}").encode() for n in range(2))
REVOKED = secret("a key that was stolen and revoked").encode()
RETIRED = secret("an old key, retired until yesterday").encode()
FOREIGN = (
    secret("the key of another sidecar's wikis").encode(),
    b"MediawikiVERP",
    b"",
    b"0" * 32,
    DOMAIN.encode(),
)
OLD_SECRET = secret("BounceHandler's secret here").encode()
LABELS = (b"return path\0", b"confirmation\0")
POOL = 60  # paths of each sort


def signed(key: bytes, label: bytes, body: str, tag: bytes) -> str:
    """The last field in our format."""
    mac = hmac.new(key, label + body.encode() + b"\0" + tag, hashlib.sha256).digest()
    return base64.b32encode(tag + mac[:12]).decode().lower()


def signed_as_php(key: bytes, algorithm: str, body: str) -> str:
    """The last field in BounceHandler's."""
    return base64.b64encode(hmac.new(key, body.encode(), algorithm).digest()[:12]).decode()


class Mint:
    """A farm that has sent mail: what is good *now*, and what was once."""

    def __init__(self, chance: random.Random) -> None:
        retired = Key(RETIRED, retired=NOW - ACCEPT - timedelta(days=1), until=NOW - timedelta(days=1))
        keyring = Keyring([*KEYS, Key(REVOKED, revoked=NOW), retired])
        old = BounceHandlerFormat("wiki", DOMAIN, OLD_SECRET)
        self.verp = Verp((SidecarFormat("wiki", DOMAIN, keyring), old), WIKIS, accept=ACCEPT)
        gone = [
            Verp((SidecarFormat("wiki", DOMAIN, Keyring([key])),), WIKIS, accept=ACCEPT)
            for key in (REVOKED, RETIRED)
        ]
        php = Verp((old,), WIKIS, accept=ACCEPT)
        self.good = [issued(one, chance, NOW) for one in (self.verp, php) for _ in range(POOL)]
        late = NOW - ACCEPT - timedelta(seconds=1)
        self.expired = [issued(one, chance, late) for one in (self.verp, php) for _ in range(POOL)]
        self.by_gone_keys = [issued(one, chance, NOW) for one in gone for _ in range(POOL)]
        self._said = {path.lower(): self.verp.recognise(path, NOW) for path in self.good}

    def said(self, path: str) -> Token | None:
        """What this very path says, in any case of its ASCII letters; None if it was never issued.

        As chance may write "%" for its "@", or blanks and brackets around it, which say nothing else.
        """
        plain = path.strip().removeprefix("<").removesuffix(">").strip().lower()
        return self._said.get(plain.replace(f"%{DOMAIN}", f"@{DOMAIN}")) if path.isascii() else None


def issued(verp: Verp, chance: random.Random, latest: datetime, wikis: Sequence[str] = WIKIS) -> str:
    """One of a mail to somebody at one of *wikis*, sent in the days before *latest*."""
    sent = latest - timedelta(seconds=chance.randrange(int(ACCEPT.total_seconds())))
    wiki, user = chance.choice(wikis), chance.randrange(1, 36**6)
    return verp.issue(wiki, user, f"user{user}@example.com", sent, confirming=chance.random() < 0.3)
