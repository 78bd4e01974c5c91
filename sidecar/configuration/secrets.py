"""Secrets: the keys that sign return paths, what the bots act with, the token of the HTTP door.

Knows what makes a secret unfit. Does not open files: a function that the caller brings does, and refuses
those that others may read.
"""

import hashlib
import hmac
import re
from collections.abc import Callable, Mapping
from typing import Any

from sidecar.configuration.complaints import logins_of
from sidecar.configuration.configured import ReadSecret, SecretError
from sidecar.configuration.oauth_files import consumer_in, may_be_secret, token_in
from sidecar.configuration.settings import VerpSection, WikiSection
from sidecar.domain.access import BotPassword, Credentials, OAuth1, OAuth2
from sidecar.domain.key_file import KeyFile, parse
from sidecar.domain.keyring import Key

__all__ = ["Secrets", "key_problems"]

KEY_LENGTH = 32  # octets; HMAC-SHA256 gains nothing beyond its digest's length, RFC 2104 section 3
BOUNCEHANDLER_SECRET_LENGTH = 16  # octets; an existing secret that only verifies for the days of a move
TOKEN_LENGTH = 24  # octets; at least 128 bits if it is made of base64 or the like
BEARER_TOKEN = re.compile(rb"[A-Za-z0-9._~+/-]+=*")  # RFC 6750 section 2.1
WELL_KNOWN = {b"MediawikiVERP"}  # BounceHandler's default, published in its extension.json
DISTINCT = 8  # different octets in a key, at least; "aaaa..." is no key
BOT_PASSWORD = set("0123456789abcdefghijklmnopqrstuvw")  # else MediaWiki takes it for the main password


class Secrets:
    """The secrets that the settings name, read once."""

    def __init__(self, read: ReadSecret, problems: list[str]) -> None:
        self._read, self._problems = read, problems
        self.keys: tuple[Key, ...] = ()
        self.bouncehandler = b""
        self.http_token = self.notes_token = self.dashboard_token = ""
        self.database_password = ""
        self.passwords: dict[str, str] = {}
        self.oauth: dict[str, OAuth1 | OAuth2] = {}  #: by the name of the file

    def check(self, data: Mapping[str, Any]) -> None:
        """Read what *data* names, however incomplete it is; note what is wrong."""
        section = data.get("verp")
        if isinstance(section, dict):
            name = section.get("keys_file", VerpSection.model_fields["keys_file"].default)
            self.keys = self._keys(f"[verp] keys_file = {name!r}", name)
            other = section.get("bouncehandler")
            if isinstance(other, dict):
                self.bouncehandler = self._bouncehandler(other.get("secret_file"))
        http = data.get("http")
        if isinstance(http, dict) and http.get("token_file"):
            self.http_token = self._token("[http] token_file", http["token_file"])
        dashboard = data.get("dashboard")
        if isinstance(dashboard, dict) and dashboard.get("token_file"):
            self.dashboard_token = self._token("[dashboard] token_file", dashboard["token_file"])
        node = data.get("node")
        if isinstance(node, dict) and (name := node.get("notes_token_file")):
            self.notes_token = self._token("[node] notes_token_file", name)
        storage = data.get("storage")
        if isinstance(storage, dict) and (name := storage.get("password_file")):
            content = self._content(f"[storage] password_file = {name!r}", name)
            self.database_password = content.decode("utf-8", "replace").strip()
        for label, wiki in logins_of(data):
            if wiki.get("password_file"):
                self._password(f"{label} password_file", wiki["password_file"])
            for setting, read in (("oauth1_file", consumer_in), ("oauth2_token_file", token_in)):
                if wiki.get(setting):
                    self._oauth(f"{label} {setting}", wiki[setting], read)

    def credentials(self, wiki: WikiSection) -> Credentials:
        """What acts on this wiki, after ``check`` found nothing wrong."""
        if wiki.account:
            return BotPassword(wiki.account, self.passwords[wiki.password_file])
        return self.oauth[wiki.oauth1_file or wiki.oauth2_token_file]

    def fingerprint(self, *login: str) -> str:
        """Tells whether a login is the same as another, and nothing else: it may be kept in a database."""
        said = "\0".join(("login", *login)).encode()
        return hmac.new(self.keys[0].secret, said, hashlib.sha256).hexdigest()[:16]

    def session_key(self) -> bytes:
        """What sessions of the dashboard are sealed with: another token ends them all, on every node."""
        said = f"dashboard\0{self.dashboard_token}".encode()
        return hmac.new(self.keys[0].secret, said, hashlib.sha256).digest()

    def _content(self, label: str, name: object) -> bytes:
        if not isinstance(name, str):
            return b""  # the shape has been complained about
        try:
            content = self._read(name)
        except SecretError as error:
            self._problems.append(f"{label}: {error}")
            return b""
        if not content.strip():
            self._problems.append(f"{label}: the file is empty")
        return content

    def _keys(self, label: str, name: object) -> tuple[Key, ...]:
        content = self._content(label, name)
        if not content.strip():
            return ()
        file, problems = key_problems(content)
        self._problems += [f"{label}: {problem}" for problem in problems]
        return file.keys

    def _bouncehandler(self, name: object) -> bytes:
        label = f"[verp.bouncehandler] secret_file = {name!r}"
        secret = self._content(label, name).strip()
        if secret:
            self._judge(label, secret, BOUNCEHANDLER_SECRET_LENGTH)
        return secret

    def _token(self, setting: str, name: object) -> str:
        label = f"{setting} = {name!r}"
        token = self._content(label, name).strip()
        if not token:
            return ""
        self._judge(label, token, TOKEN_LENGTH)
        if not BEARER_TOKEN.fullmatch(token):
            self._problems.append(f"{label}: a token is letters, digits and -._~+/ alone (RFC 6750)")
            return ""
        return token.decode()

    def _judge(self, label: str, key: bytes, least: int) -> None:
        if problem := _weakness(key, least):
            self._problems.append(f"{label}: {problem}")

    def _password(self, label: str, name: object) -> None:
        if isinstance(name, str) and _may_be_bot_password(name):
            self._problems.append(f"{label} names a file; put the password into one that others cannot read")
            return
        if name in self.passwords:
            return  # read, and complained about, where it was named first
        label = f"{label} = {name!r}"
        password = self._content(label, name).decode("utf-8", "replace").strip()
        if password and not _may_be_bot_password(password):
            self._problems.append(
                f"{label}: not a bot password (32 or more of 0-9 and a-w); make one at Special:BotPasswords"
            )
        if isinstance(name, str):
            self.passwords[name] = password

    def _oauth(self, label: str, name: object, read: Callable[[str], OAuth1 | OAuth2]) -> None:
        if isinstance(name, str) and may_be_secret(name):
            self._problems.append(f"{label} names a file; put the secret into one that others cannot read")
            return
        label = f"{label} = {name!r}"
        text = self._content(label, name).decode("utf-8", "replace")
        if not text.strip():
            return
        try:
            self.oauth[str(name)] = read(text)
        except ValueError as error:
            self._problems.append(f"{label}: {error}")


def key_problems(content: bytes) -> tuple[KeyFile, list[str]]:
    """A file of keys, and all that makes it unfit."""
    file, problems = parse(content)
    if not file.keys and not problems:
        problems.append("no key in it, only comments")
    return file, problems + [problem for key in file.keys if (problem := _weakness(key.secret, KEY_LENGTH))]


def _weakness(key: bytes, least: int) -> str:
    """Why a secret is none; "" if it will do."""
    if key in WELL_KNOWN:
        return "this is BounceHandler's public default; anybody can sign with it"
    if len(key) < least:
        return f"a key of {len(key)} octets is too short, {least} are needed"
    if len(set(key)) < DISTINCT:
        return f"a key of {len(set(key))} different characters can be guessed"
    return ""


def _may_be_bot_password(text: str) -> bool:
    return len(text) >= 32 and set(text) <= BOT_PASSWORD
