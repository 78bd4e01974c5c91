"""Kinds of values that a setting may have, with the operator's words for what is wrong with one.

Knows addresses, domains, URLs and ids by their looks alone: no DNS, no network. Does not know any setting.
"""

import ipaddress
import re
from importlib.util import find_spec
from typing import Annotated

from email_validator import EmailNotValidError, validate_email
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, HttpUrl
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from sidecar.domain.policy import PRESETS

__all__ = [
    "AbsolutePath",
    "Account",
    "ApiPath",
    "ApiUrl",
    "Contact",
    "DatabaseUrl",
    "Days",
    "Domain",
    "FarmName",
    "HeaderName",
    "Interface",
    "Loopback",
    "MailAddress",
    "MailDomain",
    "Network",
    "NodeUrl",
    "PagesUrl",
    "PlainInterface",
    "Prefix",
    "Preset",
    "Section",
    "Topic",
    "WikiId",
    "host_and_port",
]


class Section(BaseModel):
    """A section of the configuration: nothing in it is unknown, and nothing changes."""

    model_config = ConfigDict(extra="forbid", frozen=True)


Days = Annotated[float, Field(gt=0, le=3650)]


def _domain(value: str) -> str:
    try:
        return validate_email(
            f"postmaster@{value}", check_deliverability=False, test_environment=True
        ).ascii_domain
    except EmailNotValidError as error:
        raise ValueError(f"not a mail domain ({error})") from None


def _contact(value: str) -> str:
    """A mail address or a URL, or nothing. Raises ValueError."""
    if value and not value.startswith(("https://", "http://")):
        try:
            validate_email(value, check_deliverability=False, test_environment=True)
        except EmailNotValidError as error:
            raise ValueError(f"neither a mail address nor a URL ({error})") from None
    return value


def _preset(value: str) -> str:
    """The name of a preset. Raises ValueError."""
    if value not in PRESETS:
        raise ValueError(f"not a preset; there are: {', '.join(PRESETS)}")
    return value


def host_and_port(text: str) -> tuple[str, int]:
    """An address and a port, as "127.0.0.1:2424". Raises ValueError."""
    host, _, port = text.rpartition(":")
    host = host.strip("[]")
    if not host or not port.isdecimal() or not 0 < int(port) < 65536:
        raise ValueError("want host:port")
    if host != "localhost":
        ipaddress.ip_address(host)
    return host, int(port)


def _loopback(value: str) -> str:
    if value:
        host, _ = host_and_port(value)
        if host != "localhost" and not ipaddress.ip_address(host).is_loopback:
            raise ValueError("only loopback addresses: there is no authentication")
    return value


def _one_interface(why: str) -> AfterValidator:
    def check(value: str) -> str:
        if value:
            host, _ = host_and_port(value)
            if host != "localhost" and ipaddress.ip_address(host).is_unspecified:
                raise ValueError(f"name the one address to listen on: {why}")
        return value

    return AfterValidator(check)


def _network(value: str) -> str:
    """An address stands for itself. Raises ValueError."""
    try:
        return str(ipaddress.ip_network(value))
    except ValueError as error:
        raise ValueError(f"neither an address nor a network ({error})") from None


def _mail_address(value: str) -> str:
    try:
        return validate_email(value, check_deliverability=False, test_environment=True).normalized
    except EmailNotValidError as error:
        raise ValueError(f"no mail address ({error})") from None


#: How a database is named, and the library that speaks to it, with the extra that brings it.
DRIVERS = {
    "sqlite": ("sqlite3", ""),
    "mariadb+pymysql": ("pymysql", "mariadb"),
    "postgresql+psycopg": ("psycopg", "postgresql"),
}


def _database(value: str) -> str:
    """A database that is supported, named without its password. Raises ValueError."""
    try:
        url = make_url(value)
    except ArgumentError:
        raise ValueError("not an SQLAlchemy URL, as sqlite:////var/lib/bounce-sidecar/history.db") from None
    if url.password or "password" in url.query:
        raise ValueError("no password in the URL: it belongs into password_file")
    if url.drivername not in DRIVERS:
        raise ValueError(
            "want sqlite:////absolute/path, mariadb+pymysql://user@host/name or "
            "postgresql+psycopg://user@host/name"
        )
    if url.drivername == "sqlite" and not re.match("sqlite:////[^/]", value):
        raise ValueError("want sqlite:////absolute/path")
    if not url.database:
        raise ValueError("it names no database: want ...://user@host/name")
    library, extra = DRIVERS[url.drivername]
    if find_spec(library) is None:
        raise ValueError(f"needs the library {library}: pip install 'bounce-sidecar[{extra}]'")
    return value


def _bare(url: HttpUrl) -> HttpUrl:
    if url.username or url.password:
        raise ValueError("no account in the URL; it has settings of its own")
    if not (url.path or "").endswith("/api.php"):
        raise ValueError("want the URL of api.php, as https://wiki.example.org/w/api.php")
    return url


def _spelled(pattern: str, words: str) -> AfterValidator:
    def check(value: str) -> str:
        if not re.fullmatch(pattern, value):
            raise ValueError(words)
        return value

    return AfterValidator(check)


def _node(value: str) -> str:
    """The beginning of a URL, without a path. Raises ValueError."""
    if value and not re.fullmatch(r"https?://[^/?#@\s]+", value):
        raise ValueError("want http://host:port, without a path")
    return value


def _header(value: str) -> str:
    """The name of a header that no browser sends by itself, or nothing. Raises ValueError."""
    if value and not re.fullmatch(r"[A-Za-z][A-Za-z0-9-]*", value):
        raise ValueError("want the name of a header, as X-Forwarded-User")
    if value.lower() in OF_BROWSERS or value.lower().startswith(("sec-", "accept")):
        raise ValueError("browsers send this one themselves; want one that the web server alone sets")
    return value


def _pages(value: str) -> str:
    """An http(s) URL without anything behind its path, or nothing; without a slash at its end."""
    if value and not re.fullmatch(r"https?://[A-Za-z0-9.:\[\]-]+(/[A-Za-z0-9._~-]+)*/?", value):
        raise ValueError("want https://host/path, with nothing behind the path")
    return value.rstrip("/")


#: What a browser says of itself, and of what it asks.
OF_BROWSERS = frozenset(
    {"authorization", "connection", "cookie", "host", "origin", "referer", "user-agent", "content-type"}
)

MailDomain = Annotated[str, AfterValidator(_domain)]
Prefix = Annotated[str, _spelled(r"[A-Za-z0-9_]{1,16}", "want 1 to 16 letters, digits or underscores")]
WikiId = Annotated[
    str, _spelled(r"[A-Za-z0-9_](-?[A-Za-z0-9_])*-?", "no wiki id; siteinfo's general.wikiid shows it")
]
Account = Annotated[str, _spelled(r"[^@]+@[^@]+", "want the name of a bot password, as BounceBot@sidecar")]
FarmName = Annotated[str, _spelled(r"[a-z0-9_-]*", "want a name of small letters, digits, - and _")]
Loopback = Annotated[str, AfterValidator(_loopback)]
Interface = Annotated[str, _one_interface("there is no authentication")]
PlainInterface = Annotated[str, _one_interface("nothing is encrypted there")]
MailAddress = Annotated[str, AfterValidator(_mail_address)]
NodeUrl = Annotated[str, AfterValidator(_node)]
HeaderName = Annotated[str, AfterValidator(_header)]
PagesUrl = Annotated[str, AfterValidator(_pages)]
Network = Annotated[str, AfterValidator(_network)]
Topic = Annotated[
    str,
    _spelled(
        r"arn:aws[a-z-]*:sns:[a-z0-9-]+:\d{12}:[A-Za-z0-9_.-]{1,256}", "want arn:aws:sns:REGION:ACCOUNT:NAME"
    ),
]
DatabaseUrl = Annotated[str, AfterValidator(_database)]
Contact = Annotated[str, AfterValidator(_contact)]
Preset = Annotated[str, AfterValidator(_preset)]
AbsolutePath = Annotated[str, _spelled("/.*", "want an absolute path")]
ApiPath = Annotated[
    str, _spelled(r"(/[A-Za-z0-9._~-]+)*/api\.php", "want the path of api.php, as /w/api.php")
]
Domain = Annotated[str, AfterValidator(str.lower), _spelled(r"[a-z0-9-]+(\.[a-z0-9-]+)*", "no domain")]
ApiUrl = Annotated[HttpUrl, AfterValidator(_bare)]
