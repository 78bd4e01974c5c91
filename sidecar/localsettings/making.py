"""Our configuration, made from what a LocalSettings.php says.

Knows which setting of ours takes which of theirs. What the file does not say is left open, with the place and
the reason, and never guessed. The secret is handed over apart: it does not belong into a configuration.
"""

import json
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from sidecar.configuration.config import ACCEPT
from sidecar.configuration.secrets import WELL_KNOWN
from sidecar.configuration.settings import StorageSection
from sidecar.domain.harmless import harmless

from .found import Found, Settings
from .php_file import PhpFile

__all__ = ["SECRET_FILE", "Made", "made_from"]

SECRET_FILE = "bouncehandler.secret"
DAY = 86_400  # seconds
#: PHP's names of hash algorithms that Python spells otherwise.
ALGORITHMS = {"sha512/256": "sha512_256", "sha512/224": "sha512_224"} | {
    f"sha3-{bits}": f"sha3_{bits}" for bits in (224, 256, 384, 512)
}


@dataclass
class Made:
    """A configuration, and what is not in it."""

    lines: list[str] = field(default_factory=list)
    left_open: list[str] = field(default_factory=list)  #: what somebody has to write by hand, and why
    secret: bytes | None = field(default=None, repr=False)  #: BounceHandler's, if it may be used
    no_secret: str = ""  #: why there is none

    @property
    def toml(self) -> str:
        return "\n".join(self.lines) + "\n"

    def say(self, *lines: str) -> None:
        self.lines += lines

    def comment(self, text: str) -> None:
        self.lines.append(f"# {harmless(text)}")

    def open(self, setting: str, why: str) -> None:
        """A line that is not written."""
        self.left_open.append(f"{setting}: {why}")
        self.lines.append(f"# LOOK {setting} = ?  {harmless(why)}")

    def put(self, setting: str, value: object, whence: str) -> None:
        name = setting.rpartition(" ")[2]
        self.lines.append(f"{name} = {_toml(value)}" + (f"  # {harmless(whence)}" if whence else ""))

    def take(self, setting: str, found: Found, *, required: bool = False) -> None:
        """The value as it is; left open if it is not known, or not there and *required*."""
        if not found.known:
            self.open(setting, found.open)
        elif found.value is not None:
            self.put(setting, found.value, found.whence)
        elif required:
            self.open(setting, found.whence)


def made_from(file: PhpFile, name: str, secret_file: str = SECRET_FILE) -> Made:
    """The configuration; *name* is the file's, *secret_file* where its secret is or will be."""
    made, theirs = Made(), Settings(file)
    made.comment(f"Made from {name}, which was read and not run. What needs you is marked LOOK.")
    for doubt in file.doubts:
        made.comment(f"LOOK line {doubt.line} {doubt.what}: it may set what is said here otherwise.")
    _head(made, theirs)
    _verp(made, theirs)
    _bouncehandler(made, theirs, secret_file, bool(file.doubts))
    _policy(made, theirs)
    _storage(made, theirs)
    _http(made, theirs)
    _digest(made, theirs)
    _wiki(made, theirs)
    return made


def _head(made: Made, theirs: Settings) -> None:
    contact = theirs.text("EmergencyContact")
    if contact.known and contact.value:
        made.put("contact", contact.value, contact.whence)


def _verp(made: Made, theirs: Settings) -> None:
    made.say("", "[verp]")
    domain = theirs.text("VERPdomainPart")
    made.take(
        "[verp] domain", domain if domain.value or not domain.known else _server_name(theirs), required=True
    )
    made.take("[verp] prefix", theirs.text("VERPprefix"), required=True)
    made.say('keys_file = "verp.keys"')
    accept = theirs.number("VERPAcceptTime")
    if accept.known and accept.value > ACCEPT.total_seconds():
        made.put("[verp] accept_days", accept.value / DAY, accept.whence)
    elif accept.known:
        made.comment(
            f"accept_days = {ACCEPT.days}, our default: {accept.value / DAY:g} days are too short for the "
            f"bounces that come last ({accept.whence})."
        )
    else:
        made.comment(f"accept_days = {ACCEPT.days}, our default: {accept.open}")
    signs = theirs.truth("GenerateVERP")
    if signs.known and not signs.value:
        made.comment(
            f"{signs.whence}: BounceHandler signs no mail; install BounceSidecar where mail is to be signed."
        )


def _server_name(theirs: Settings) -> Found:
    """What BounceHandler takes without a VERPdomainPart: $wgServerName, which is the host of $wgServer."""
    name = theirs.text("ServerName")
    if name.value or not name.known:
        return name
    server = theirs.text("Server")
    host = _host(server.value) if server.value else None
    return Found(server.name, host, f"the host of {server.whence}" if host else server.whence, server.open)


def _host(url: str) -> str | None:
    try:
        return urlsplit(url).hostname
    except ValueError:
        return None


def _bouncehandler(made: Made, theirs: Settings, secret_file: str, doubts: bool) -> None:
    secret = theirs.octets("VERPsecret")
    made.say("")
    if secret.known and secret.value in WELL_KNOWN and not (doubts and not secret.set):
        made.no_secret = (
            f"{secret.whence} is BounceHandler's public default: anybody can sign with it, and its return "
            "paths are not believed. Set a secret of your own there, and begin again 10 days later."
        )
        made.comment(f"LOOK no [verp.bouncehandler]: {made.no_secret}")
        return
    if not secret.set:
        why = f"{secret.name} is not set in this file, perhaps where it goes on"
        secret = Found(secret.name, None, secret.whence, why)
    made.say("[verp.bouncehandler]")
    made.put("[verp.bouncehandler] secret_file", secret_file, secret.whence if secret.known else "")
    if not secret.known:
        made.no_secret = secret.open
        made.left_open.append(f"[verp.bouncehandler] secret_file: {secret.open}")
        made.comment(f"LOOK put the secret there by hand: {secret.open}")
    elif secret.value != secret.value.strip() or not secret.value:
        made.no_secret = f"{secret.whence}: empty, or blanks around it, which a file does not keep"
        made.left_open.append(f"[verp.bouncehandler] secret_file: {made.no_secret}")
    else:
        made.secret = secret.value
    algorithm = theirs.text("VERPalgorithm")
    spelled = str(algorithm.value).lower()
    named = ALGORITHMS.get(spelled, spelled) if algorithm.value else None
    made.take(
        "[verp.bouncehandler] algorithm",
        Found(algorithm.name, named, algorithm.whence, algorithm.open),
        required=True,
    )
    made.take("[verp.bouncehandler] prefix", theirs.text("VERPprefix"), required=True)


def _policy(made: Made, theirs: Settings) -> None:
    made.say("", "[policy]")
    acts = theirs.truth("BounceHandlerUnconfirmUsers")
    words = {True: "BounceHandler un-confirms", False: "BounceHandler un-confirms nobody"}
    said = f"{words[acts.value]} ({acts.whence})" if acts.known else acts.open
    made.comment(f'{said}; "enforce" when the shadow report has convinced you.')
    made.say('mode = "shadow"')
    made.comment('Its own rule. "gentle" is recommended instead: see docs/configuration.md.')
    made.say('preset = "bouncehandler"')
    made.take("[policy] hard_bounces", theirs.number("BounceRecordLimit"))
    period = theirs.number("BounceRecordPeriod")
    days = period.value / DAY if period.value is not None else None
    made.take("[policy] period_days", Found(period.name, days, period.whence, period.open))


def _storage(made: Made, theirs: Settings) -> None:
    age = theirs.number("BounceRecordMaxAge")
    if not age.set:
        return
    made.say("", "[storage]")
    if age.known and not age.value:
        made.comment(
            f"{age.whence}: for ever; here everything goes by age. "
            f"keep_bounces_days = {StorageSection().keep_bounces_days:g} is our default."
        )
    else:
        days = age.value / DAY if age.value is not None else None
        made.take("[storage] keep_bounces_days", Found(age.name, days, age.whence, age.open))
    for name in ("BounceHandlerSharedDB", "BounceHandlerCluster"):
        if (found := theirs.truth(name)).set:
            made.comment(f"{found.name}: the records of several wikis; `import bouncehandler --wiki ID=URL`.")


def _http(made: Made, theirs: Settings) -> None:
    allowed = theirs.texts("BounceHandlerInternalIPs")
    if not allowed.set:
        return
    made.say("", "[http]")
    made.comment(
        'listen = "127.0.0.1:8025" if bounces are to come over HTTP; allow means nothing without it.'
    )
    if allowed.known:  # the extension's default comes first (ExtensionRegistry, array_merge)
        every = list(dict.fromkeys(["127.0.0.1", "::1", *allowed.value]))
        allowed = Found(allowed.name, every, allowed.whence)
    made.take("[http] allow", allowed)


def _digest(made: Made, theirs: Settings) -> None:
    told = theirs.texts("UnrecognizedBounceNotify")
    if told.known and not told.value:
        return
    made.say("", "[digest]")
    sender = theirs.text("PasswordSender")
    if not told.known or not sender.value:
        made.open("[digest] to", told.open or sender.open or f"{sender.whence}, and a digest needs a sender")
        return
    made.take("[digest] to", told)
    made.take("[digest] sender", sender)


def _wiki(made: Made, theirs: Settings) -> None:
    made.say("", "[[wikis]]")
    made.take("[[wikis]] id", _wiki_id(theirs), required=True)
    made.take("[[wikis]] api", _api(theirs), required=True)
    made.say('account = "BounceBot@sidecar"', 'password_file = "bot.password"')


def _wiki_id(theirs: Settings) -> Found:
    """As WikiMap::getCurrentWikiId(): the database, and its prefix if there is one."""
    database, prefix = theirs.text("DBname"), theirs.text("DBprefix")
    if not prefix.known:
        return Found(database.name, None, database.whence, prefix.open)
    if not database.value or not prefix.value:
        return database
    return Found(database.name, f"{database.value}-{prefix.value}", f"{database.whence}; {prefix.whence}")


def _api(theirs: Settings) -> Found:
    server, path = theirs.text("Server"), theirs.text("ScriptPath")
    if server.value and server.value.startswith("//"):
        canonical = theirs.text("CanonicalServer")
        why = f"{server.whence}: neither http nor https"
        server = canonical if canonical.value else Found(server.name, None, server.whence, why)
    if not server.known or not server.value:
        return server
    if not path.known:
        return path
    return Found(server.name, f"{server.value}{path.value or ''}/api.php", f"{server.whence}; {path.whence}")


def _toml(value: object) -> str:
    """A value as TOML spells it (toml.io, v1.0.0): JSON's strings are its basic ones, but for DEL."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
