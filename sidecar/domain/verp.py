"""VERP: who a mail was sent to, signed into its return path.

Knows the spelling, the signature and the age of a return path, in our format and in BounceHandler's.
Does not know who asks, what time it is, or where keys are kept.

    <prefix>-<wiki>-<user id, base 36>-<unix time, base 36>-<key>@<domain>

A return path comes back through foreign MTAs, and some fold its case; hence everything is compared folded.

Errors:

    VerpError
      NotOurs       another domain, prefix or shape
      Forged        our shape, but no key of ours signed it
      Expired       ours, but too old
      UnknownWiki   a wiki that is not configured
      TooLong       would not fit into 64 octets
"""

import base64
import hmac
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Protocol

from .address import fold, routed
from .canary import CANARY
from .digits import base32, base36
from .keyring import Keyring
from .mac import Mac

__all__ = [
    "BOUNCEHANDLER_KEY_CHARACTERS", "KEY_CHARACTERS", "LOCAL_PART_LIMIT", "BounceHandlerFormat", "Expired",
    "Forged", "Format", "Keyring", "NotOurs", "SidecarFormat", "Token", "TooLong", "UnknownWiki", "Verp",
    "VerpError", "longest_local_part", "wire",
]  # fmt: skip

LOCAL_PART_LIMIT = 64  # octets, RFC 5321 section 4.5.3.1.1
PATH_LIMIT = 256  # octets, RFC 5321 section 4.5.3.1.3; longer is nobody's return path
TAG_BYTES = 3  # tells two addresses of one user apart; too short to find an address from
MAC_BYTES = 12  # 96 bits
USER_DIGITS = 6  # base 36: user ids up to 2,176,782,335
TIME_DIGITS = 6  # base 36: until December 2038
KEY_CHARACTERS = (TAG_BYTES + MAC_BYTES) * 8 // 5  # base32 of 15 octets: 24, no padding
BOUNCEHANDLER_KEY_CHARACTERS = 16  # base64 of 12 octets
_BOUNCEHANDLER = "bouncehandler"  # the id of its key
_LABELS = {False: b"return path\0", True: b"confirmation\0"}  # whether the mail asks for a confirmation

_SHAPE = re.compile(r"(?P<wiki>[^-]+)-(?P<user>[0-9a-z]{1,7})-(?P<time>[0-9a-z]{1,7})-(?P<key>[^-@]+)")


class VerpError(Exception):
    """This address tells nothing that may be acted upon."""


class NotOurs(VerpError):
    """Not one of our return paths: another domain, prefix or shape."""


class Forged(VerpError):
    """Shaped like ours but signed by no key that holds: forged, damaged, or a key was removed or revoked."""


class Expired(VerpError):
    """Signed by us, too long ago. If many: accept_days, or a key's until=, is too short for MTAs' queues."""


class UnknownWiki(VerpError):
    """This wiki is not configured. If its mail is to be handled, add it to [[wikis]]."""


class TooLong(VerpError):
    """The local part would exceed 64 octets. Shorten the prefix, or give the wiki a shorter id."""


@dataclass(frozen=True)
class Token:
    """What a return path says."""

    wiki: str
    user_id: int
    sent: datetime  #: aware, UTC, whole seconds; when the return path was issued
    tag: str  #: hex; keyed hash of the address that was written to, "" in BounceHandler's format
    key_id: str  #: which key signed
    confirming: bool = False  #: the mail asked for a confirmation; never known in BounceHandler's format


@dataclass(frozen=True)
class _Fields:
    """The middle of a local part, folded, not yet trusted."""

    wiki: str  #: as spelled in the address
    user: str
    time: str
    key: str


class Format(Protocol):
    """One way to spell and to sign a return path."""

    @property
    def prefix(self) -> str: ...
    @property
    def domain(self) -> str: ...

    def local_part(
        self, wiki: str, user_id: int, address: str, now: datetime, *, confirming: bool
    ) -> str: ...

    def signature(self, local_part: str, made: datetime) -> tuple[str, str]: ...

    def verify(self, fields: _Fields, wiki: str, now: datetime) -> tuple[str, str, bool] | None:
        """(tag, key id, confirming) if a key of ours signed these fields for *wiki*.

        Raises Forged or Expired if that key is one no more.
        """
        ...


@dataclass(frozen=True)
class SidecarFormat:
    """Ours: key = base32(3 octets of address tag + 12 of HMAC-SHA256 over all before it and the tag).

    What the mail asks for is not spelled but signed: another label, hence another HMAC.
    """

    prefix: str
    domain: str
    keyring: Keyring

    def local_part(self, wiki: str, user_id: int, address: str, now: datetime, *, confirming: bool) -> str:
        mac = self.keyring.signer(now).mac
        body = _body(self.prefix, wiki, base36(user_id), base36(int(now.timestamp())))
        return f"{body}-{_sidecar_key(mac, _LABELS[confirming], body, _tag(mac, address))}"

    def signature(self, local_part: str, now: datetime) -> tuple[str, str]:
        key = base64.b32decode(local_part[-KEY_CHARACTERS:].upper())
        return key[:TAG_BYTES].hex(), self.keyring.signer(now).id

    def verify(self, fields: _Fields, wiki: str, now: datetime) -> tuple[str, str, bool] | None:
        if len(fields.key) != KEY_CHARACTERS:
            return None
        try:
            tag = base64.b32decode(fields.key.upper())[:TAG_BYTES]
        except ValueError:
            return None
        body = _body(self.prefix, wiki, fields.user, fields.time)
        for key in self.keyring.newest_first:
            for confirming, label in _LABELS.items():
                if hmac.compare_digest(fields.key, _sidecar_key(key.mac, label, body, tag)):
                    if key.revoked:
                        raise Forged(f"signed by the key {key.id}, which was revoked")
                    if not key.verifies(now):
                        raise Expired(f"signed by the key {key.id}, which verifies no more")
                    return tag.hex(), key.id, confirming
        return None


@dataclass(frozen=True)
class BounceHandlerFormat:
    """BounceHandler's: key = base64 of the first 12 octets of HMAC(algorithm, secret, all before it).

    Compared folded: 16 base64 characters without their case still carry 80 bits. It has no address tag, and
    cannot say that a mail asks for a confirmation.
    """

    prefix: str
    domain: str
    secret: bytes = field(repr=False)
    algorithm: str = "md5"  #: a hashlib name; BounceHandler's VERPalgorithm

    def local_part(self, wiki: str, user_id: int, address: str, now: datetime, *, confirming: bool) -> str:
        body = _body(self.prefix, wiki, base36(user_id), base36(int(now.timestamp())), keep_case=True)
        return f"{body}-{self._key(body)}"

    def signature(self, local_part: str, now: datetime) -> tuple[str, str]:
        return "", _BOUNCEHANDLER

    def verify(self, fields: _Fields, wiki: str, now: datetime) -> tuple[str, str, bool] | None:
        body = _body(self.prefix, wiki, fields.user, fields.time, keep_case=True)
        if hmac.compare_digest(fields.key.encode(), self._key(body).lower().encode()):
            return "", _BOUNCEHANDLER, False
        return None

    def _key(self, body: str) -> str:
        mac = hmac.new(self.secret, body.encode(), self.algorithm).digest()
        return base64.b64encode(mac[:12]).decode()


class Verp:
    """Issues return paths in the first format and recognises those of every format."""

    def __init__(self, formats: tuple[Format, ...], wikis: Iterable[str], *, accept: timedelta) -> None:
        self._formats = formats
        self._wikis = {wire(wiki).lower(): wiki for wiki in wikis}
        self._known = set(self._wikis.values())
        self.accept = accept  #: how old a return path may be
        #: where return paths may lie, folded; in every format
        self.domains = frozenset(form.domain.lower() for form in formats)

    @property
    def domain(self) -> str:
        """Where new return paths lie."""
        return self._formats[0].domain

    def in_each_format(self) -> "list[Verp]":
        """One that issues and recognises in each format alone, for who wants to see them all."""
        return [Verp((form,), self._known, accept=self.accept) for form in self._formats]

    def issue(self, wiki: str, user_id: int, address: str, now: datetime, *, confirming: bool = False) -> str:
        """The return path for one mail to *address*; *confirming* if it asks to confirm that address.

        For a CANARY, too, whatever wikis there are. Raises UnknownWiki or TooLong.
        """
        if wiki not in self._known and (wiki, user_id) != CANARY:
            raise UnknownWiki(f"unknown wiki {wiki}")
        signer = self._formats[0]
        local = signer.local_part(wiki, user_id, address, now, confirming=confirming)
        if len(local) > LOCAL_PART_LIMIT:
            raise TooLong(f"{len(local)} octets for a user of {wiki}; the limit is {LOCAL_PART_LIMIT}")
        return f"{local}@{signer.domain}"

    def signature(self, return_path: str, issued: datetime) -> tuple[str, str]:
        """(tag, key id) of one that was issued here, at that time. Looks, and does not verify."""
        return self._formats[0].signature(return_path.rpartition("@")[0], issued)

    def recognise(self, address: str, now: datetime) -> Token:
        """What a return path of ours says, however it is spelled.

        Raises NotOurs, Forged, Expired or UnknownWiki.
        """
        folded = routed(address)
        local, _, domain = folded.rpartition("@")
        shaped = False
        for form in self._formats:
            # Asked before folding, which makes a "k" of the Kelvin sign.
            if len(folded) > PATH_LIMIT or not address.isascii() or domain != form.domain.lower():
                continue
            found = _SHAPE.fullmatch(local.removeprefix(form.prefix.lower() + "-"))
            if not found or not local.startswith(form.prefix.lower() + "-"):
                continue
            shaped = True
            fields = _Fields(**found.groupdict())
            is_canary = (fields.wiki, int(fields.user, 36)) == CANARY
            wiki = fields.wiki if is_canary else self._wikis.get(fields.wiki)
            if signature := form.verify(fields, wiki or fields.wiki, now):
                return self._token(fields, wiki, signature, now)
        raise Forged("no key of ours signed this") if shaped else NotOurs("no return path of ours")

    def _token(
        self, fields: _Fields, wiki: str | None, signature: tuple[str, str, bool], now: datetime
    ) -> Token:
        sent = datetime.fromtimestamp(int(fields.time, 36), UTC)
        if now - sent > self.accept:
            raise Expired(f"signed {(now - sent).days} days ago, accepted for {self.accept.days}")
        if wiki is None:
            raise UnknownWiki(f"signed for the wiki {fields.wiki}, which is not configured")
        return Token(wiki, int(fields.user, 36), sent, *signature)

    def is_about(self, token: Token, address: str) -> bool | None:
        """Whether *address* is the one that was written to; None if the token cannot tell.

        False for another address: the mail was forwarded, and the failure is not this user's.
        """
        tag = self.tags(address).get(token.key_id)
        return hmac.compare_digest(token.tag, tag) if token.tag and tag else None

    def tags(self, address: str) -> dict[str, str]:
        """What the tag of *address* is under each key, by key id."""
        keys = [key for form in self._formats if isinstance(form, SidecarFormat) for key in form.keyring.keys]
        return {key.id: _tag(key.mac, address).hex() for key in keys}

    def beginnings(self, wiki: str, user_id: int) -> list[str]:
        """How all return paths of a user begin, folded."""
        return [_body(form.prefix, wiki, base36(user_id), "") for form in self._formats]


def wire(wiki: str) -> str:
    """A wiki id as it stands in a return path: "-" is written ".", as by BounceHandler: "-" parts fields."""
    return wiki.replace("-", ".")


def longest_local_part(prefix: str, wiki: str, key_characters: int = KEY_CHARACTERS) -> int:
    """Octets of the longest local part that our format needs for a user of *wiki*; another's with its key."""
    return len(f"{prefix}-{wire(wiki)}---") + USER_DIGITS + TIME_DIGITS + key_characters


def _body(prefix: str, wiki: str, user: str, time: str, *, keep_case: bool = False) -> str:
    body = f"{prefix}-{wire(wiki)}-{user}-{time}"
    return body if keep_case else body.lower()


def _sidecar_key(mac: Mac, label: bytes, body: str, tag: bytes) -> str:
    return base32(tag + mac.digest(label + body.encode() + b"\0" + tag)[:MAC_BYTES])


def _tag(mac: Mac, address: str) -> bytes:
    return mac.digest(b"address\0" + fold(address).encode(errors="surrogatepass"))[:TAG_BYTES]
