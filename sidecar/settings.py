"""The sections of the configuration: every setting with its default, its limits and its meaning.

Knows names and shapes. Does not know files, nor how settings depend on each other; config.py does.
docs/configuration.md lists them all, and a test holds it to that.
"""

import difflib
import hashlib
import ipaddress
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePath
from typing import Annotated, Any, Literal, Self

from email_validator import EmailNotValidError, validate_email
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, HttpUrl, field_validator, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from sidecar.domain.policy import PRESETS, Mode

__all__ = ["PolicySection", "Settings", "VerpSection", "host_and_port", "in_words", "wikis_of"]

LONGEST_SOCKET_PATH = 107  # octets, unix(7)

Days = Annotated[float, Field(gt=0, le=3650)]


def _domain(value: str) -> str:
    try:
        return validate_email(
            f"postmaster@{value}", check_deliverability=False, test_environment=True
        ).ascii_domain
    except EmailNotValidError as error:
        raise ValueError(f"not a mail domain ({error})") from None


def _contact(value: str) -> str:
    if value and not value.startswith(("https://", "http://")):
        try:
            validate_email(value, check_deliverability=False, test_environment=True)
        except EmailNotValidError as error:
            raise ValueError(f"neither a mail address nor a URL ({error})") from None
    return value


def _preset(value: str) -> str:
    if value not in PRESETS:
        raise ValueError(f"not a preset; there are: {', '.join(PRESETS)}")
    return value


def host_and_port(text: str) -> tuple[str, int]:
    """A loopback address and a port, as "127.0.0.1:2424". Raises ValueError."""
    host, _, port = text.rpartition(":")
    host = host.strip("[]")
    if not host or not port.isdecimal() or not 0 < int(port) < 65536:
        raise ValueError("want host:port")
    if host != "localhost" and not ipaddress.ip_address(host).is_loopback:
        raise ValueError("only loopback addresses: LMTP has no authentication")
    return host, int(port)


def _loopback(value: str) -> str:
    if value:
        host_and_port(value)
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


MailDomain = Annotated[str, AfterValidator(_domain)]
Prefix = Annotated[str, _spelled(r"[A-Za-z0-9_]{1,16}", "want 1 to 16 letters, digits or underscores")]
WikiId = Annotated[
    str, _spelled(r"[A-Za-z0-9_](-?[A-Za-z0-9_])*-?", "no wiki id; siteinfo's general.wikiid shows it")
]
Account = Annotated[str, _spelled(r"[^@]+@[^@]+", "want the name of a bot password, as BounceBot@sidecar")]


Loopback = Annotated[str, AfterValidator(_loopback)]
ApiUrl = Annotated[HttpUrl, AfterValidator(_bare)]


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class BounceHandlerSection(Section):
    secret_file: str = Field(description="File with BounceHandler's $wgVERPsecret")
    algorithm: str = Field("md5", description="Its $wgVERPalgorithm")
    prefix: Prefix = Field("wiki", description="Its $wgVERPprefix")
    domain: MailDomain | None = Field(
        None, description="Its $wgVERPdomainPart, if another than [verp] domain"
    )

    @field_validator("algorithm")
    @classmethod
    def _known(cls, value: str) -> str:
        if value not in hashlib.algorithms_available or value.startswith("shake"):
            raise ValueError("not a hash algorithm that is known here")
        return value


class VerpSection(Section):
    domain: MailDomain = Field(
        description="Mail domain of the return paths; the MTA routes it to the LMTP socket"
    )
    prefix: Prefix = Field("wiki", description="First field of each return path")
    keys_file: str = Field("verp.keys", description="File with the signing keys, one a line; the first signs")
    accept_days: Days = Field(
        10, description="How old a return path may be; longer than the MTAs' queues live"
    )
    format: Literal["sidecar", "bouncehandler"] = Field(
        "sidecar", description="How new return paths are spelled"
    )
    bouncehandler: BounceHandlerSection | None = Field(
        None, description="To read BounceHandler's return paths too"
    )

    @model_validator(mode="after")
    def _signable(self) -> Self:
        if self.format == "bouncehandler" and not self.bouncehandler:
            raise ValueError('format = "bouncehandler" needs a section [verp.bouncehandler]')
        return self


class SocketsSection(Section):
    directory: str = Field("/run/bounce-sidecar", description="Where sockets without a path of their own are")
    verp: str = Field("verp.sock", description="Socket that the wiki asks for return paths")
    verp_group: str = Field("", description="Group that may connect to it, as the web server's")
    lmtp: str = Field("lmtp.sock", description="Socket that the MTA delivers bounces to")
    lmtp_group: str = Field("", description="Group that may connect to it, as the MTA's")
    lmtp_tcp: Loopback = Field("", description='LMTP over TCP as well, as "127.0.0.1:2424"; loopback only')
    max_mail_bytes: int = Field(
        10 * 2**20, ge=2**16, le=2**30, description="Largest mail that is taken, in octets"
    )

    @model_validator(mode="after")
    def _two_sockets(self) -> Self:
        paths = [str(PurePath(self.directory) / name) for name in (self.verp, self.lmtp)]
        if paths[0] == paths[1]:
            raise ValueError("verp and lmtp are the same path")
        for path in paths:
            if len(path.encode()) > LONGEST_SOCKET_PATH:
                raise ValueError(f"{path} is longer than {LONGEST_SOCKET_PATH} octets")
        return self


class StorageSection(Section):
    url: str = Field(
        "sqlite:////var/lib/bounce-sidecar/history.db", description="Database, as an SQLAlchemy URL"
    )
    keep_mail_days: Days = Field(14, description="How long the raw mail of a notice is kept")

    @field_validator("url")
    @classmethod
    def _sqlite(cls, value: str) -> str:
        if not re.match("sqlite:////[^/]", value):
            raise ValueError("want sqlite:////absolute/path; other databases are not supported yet")
        return value


class PolicySection(Section):
    preset: Annotated[str, AfterValidator(_preset)] | None = Field(
        None, description="specification (default), bouncehandler or wikimedia"
    )
    mode: Mode | None = Field(
        None, description="shadow (default): decide and record, touch nothing; enforce: act"
    )
    hard_bounces: int | None = Field(None, ge=1, le=10000, description="How many hard bounces it takes")
    span_days: Days | None = Field(None, description="Streak: age of the oldest counted mail, at least")
    forget_days: Days | None = Field(None, description="Streak: failures further apart are no streak")
    period_days: Days | None = Field(None, description="Window: period in which the bounces are counted")


class WikiSection(Section):
    id: WikiId = Field(description="The wiki's id, as siteinfo's general.wikiid")
    api: ApiUrl = Field(description="Final URL of its api.php, no redirect on the way")
    account: Account = Field(description='Bot password name, as "BounceBot@sidecar"')
    password_file: str = Field(description="File with the bot password")
    policy: PolicySection = Field(PolicySection(), description="What differs from [policy] for this wiki")


class LogSection(Section):
    level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="Least severity that is logged"
    )
    format: Literal["auto", "console", "keyvalue", "json"] = Field(
        "auto", description="auto: console on a terminal, else keyvalue"
    )


class Settings(BaseSettings):
    """The whole file. BOUNCE_SIDECAR_VERP__DOMAIN and the like in the environment override it."""

    model_config = SettingsConfigDict(
        extra="forbid", frozen=True, env_prefix="BOUNCE_SIDECAR_", env_nested_delimiter="__"
    )

    contact: Annotated[str, AfterValidator(_contact)] = Field(
        "", description="Mail address or URL of the operators, told to the wikis in the User-Agent"
    )
    verp: VerpSection
    sockets: SocketsSection = SocketsSection()
    storage: StorageSection = StorageSection()
    policy: PolicySection = PolicySection()
    wikis: list[WikiSection] = Field(min_length=1)
    log: LogSection = LogSection()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return env_settings, init_settings


def wikis_of(data: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The entries of [[wikis]], each with the name by which an operator knows it."""
    entries = data.get("wikis")
    for number, wiki in enumerate(entries if isinstance(entries, list) else []):
        if isinstance(wiki, dict):
            yield _place(("wikis", number), data), wiki


#: pydantic's errors whose words or whose input would speak of Python, and ours.
_WORDS = {
    "missing": "is missing",
    "too_short": "is missing",
    "model_type": "is no section; write it in brackets, on a line of its own",
    "list_type": "is no list of sections; write it with two brackets",
}


def in_words(problem: Any, data: Mapping[str, Any]) -> str:
    """A pydantic error as an operator would say it."""
    *where, name = problem["loc"]
    place = _place(problem["loc"], data)
    if problem["type"] in _WORDS:
        return f"{place} {_WORDS[problem['type']]}"
    if problem["type"] == "extra_forbidden":
        close = difflib.get_close_matches(str(name), _names(where), 1)
        return f"{place} is not a setting" + (f"; did you mean {close[0]}?" if close else "")
    message = problem["msg"].removeprefix("Value error, ").removeprefix("Input ")
    if not message[:2].isupper():  # "URL scheme ..."
        message = message[0].lower() + message[1:]
    if isinstance(problem["input"], dict):  # the section as a whole, not one setting
        return f"{place} {message}"
    shown = re.sub("://.*@", "://***@", repr(problem["input"]))  # a URL may hold a password
    return f"{place} = {shown}: {message}"


def _place(where: Sequence[Any], data: Mapping[str, Any]) -> str:
    """Where that stands in the file."""
    match where:
        case ["wikis"]:
            return "[[wikis]]"
        case ["wikis", int(number), *inside]:
            entries = data.get("wikis")
            wiki = entries[number] if isinstance(entries, list) and number < len(entries) else None
            known_as = wiki.get("id") if isinstance(wiki, dict) else None
            return " ".join(["[[wikis]]", str(known_as or f"number {number + 1}"), *map(str, inside)])
        case [name]:
            known = Settings.model_fields.get(name)
            return str(name) if known is None or known.annotation in (None, str) else f"[{name}]"
    return f"[{'.'.join(map(str, where[:-1]))}] {where[-1]}"


def _names(where: list[Any]) -> list[str]:
    """The settings that stand where an unknown one was found."""
    shape: Any = Settings
    for step in where:
        if isinstance(step, str):
            shape = shape.model_fields[step].annotation
        candidates = [shape, *getattr(shape, "__args__", ())]
        shape = next((c for c in candidates if hasattr(c, "model_fields")), shape)
    return list(getattr(shape, "model_fields", {}))
