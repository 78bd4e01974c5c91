"""The sections of the configuration: every setting with its default, its limits and its meaning.

Knows names and shapes. Does not know files, nor how settings depend on each other; config.py does. What is
wrong with one is told by complaints.py.
docs/configuration.md lists them all, and a test holds it to that.
"""

import hashlib
from pathlib import PurePath
from typing import Literal, Self

from pydantic import Field, field_validator, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from sidecar.configuration.alarm_settings import AlarmsSection, CanarySection
from sidecar.configuration.dashboard_settings import DashboardSection
from sidecar.configuration.farm_settings import FarmSection
from sidecar.configuration.mail_settings import DigestSection, SummarySection
from sidecar.configuration.policy_settings import BrakeSection, PolicySection
from sidecar.configuration.setting_kinds import (
    AbsolutePath,
    Account,
    ApiUrl,
    Contact,
    DatabaseUrl,
    Days,
    FarmName,
    Interface,
    Loopback,
    MailDomain,
    Network,
    NodeUrl,
    Prefix,
    Section,
    Topic,
    WikiId,
)
from sidecar.domain.access import Adapter

__all__ = [
    "ROLES", "HttpSection", "NodeSection", "RulesSection", "Settings", "StorageSection",
    "VerpSection", "WikiSection",
]  # fmt: skip

Role = Literal["issue", "take", "act"]
ROLES: tuple[Role, ...] = ("issue", "take", "act")
LONGEST_SOCKET_PATH = 107  # octets, unix(7)


class NodeSection(Section):
    roles: list[Role] = Field(
        list(ROLES),
        min_length=1,
        description="What this node does: issue return paths, take bounces, act on the wikis",
    )
    notes_to: NodeUrl = Field(
        "",
        description="HTTP door of a node that takes bounces, told of what is issued here, as "
        '"http://192.0.2.7:8025"; for a node that only issues',
    )
    notes_token_file: str = Field("", description="File with the [http] token of that node")
    name: str = Field(
        "", max_length=64, description="What this node is called in `status`; the host's name if not said"
    )


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
    keys_file: str = Field(
        "verp.keys", description="File with the keys, one a line, and their times; `keys` changes it"
    )
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
    verp_processes: int = Field(
        0,
        ge=0,
        le=64,
        description="Processes that sign there and do nothing else; 0: the daemon itself signs",
    )
    mta_directory: str = Field(
        "", description="The same for the MTA's sockets below, if another; Debian's Postfix needs it"
    )
    lmtp: str = Field("lmtp.sock", description="Socket that the MTA delivers bounces to")
    policy: str = Field(
        "policy.sock", description="Socket that the MTA asks at RCPT whether a return path is good"
    )
    socketmap: str = Field(
        "", description='The same question as a socketmap lookup, if wanted: "socketmap.sock"'
    )
    mta_group: str = Field("", description="Group that may connect to the MTA's sockets")
    lmtp_tcp: Loopback = Field("", description='LMTP over TCP as well, as "127.0.0.1:2424"; loopback only')
    max_mail_bytes: int = Field(
        10 * 2**20,
        ge=2**16,
        le=2**30,
        description="Largest mail that is taken, in octets; a larger one waits in the MTA's queue",
    )

    def paths(self) -> dict[str, PurePath]:
        """The sockets that are wanted, by their settings."""
        wikis, mtas = PurePath(self.directory), PurePath(self.mta_directory or self.directory)
        found = {"verp": wikis / self.verp, "lmtp": mtas / self.lmtp, "policy": mtas / self.policy}
        return found | ({"socketmap": mtas / self.socketmap} if self.socketmap else {})

    @model_validator(mode="after")
    def _apart(self) -> Self:
        seen: dict[PurePath, str] = {}
        for name, path in self.paths().items():
            if path in seen:
                raise ValueError(f"{seen[path]} and {name} are the same path")
            if len(str(path).encode()) > LONGEST_SOCKET_PATH:
                raise ValueError(f"{path} is longer than {LONGEST_SOCKET_PATH} octets")
            seen[path] = name
        return self


class SnsSection(Section):
    topics: list[Topic] = Field(
        [], description="Amazon SNS topics whose SES events are taken, as arn:aws:sns:REGION:ACCOUNT:NAME"
    )


class HttpSection(Section):
    listen: Interface = Field(
        "", description='Where bounces are taken over HTTP, as "127.0.0.1:8025"; empty: nowhere'
    )
    token_file: str = Field("", description="File with the bearer token that /bounces and /events want")
    allow: list[Network] = Field(
        ["127.0.0.0/8", "::1/128"], description="Who may hand in bounces: addresses or networks"
    )
    sns: SnsSection = SnsSection()


class MtaSection(Section):
    when_down: Literal["defer", "accept"] = Field(
        "defer",
        description="What `mta` has the MTA do with mail for return paths while the sidecar does not answer",
    )


class StorageSection(Section):
    url: DatabaseUrl = Field(
        "sqlite:////var/lib/bounce-sidecar/history.db",
        description="Database, as an SQLAlchemy URL without a password: sqlite:////absolute/path, "
        "mariadb+pymysql://user@host/name or postgresql+psycopg://user@host/name",
    )
    password_file: str = Field("", description="File with the password of the database's user, if it has one")
    keep_mail_days: Days = Field(14, description="How long the raw mail of a notice is kept")
    keep_aside_days: Days = Field(60, description="How long mail that is set aside waits for a person")
    keep_bounces_days: Days = Field(
        90, description="How long bounces are kept; longer than any policy counts back"
    )
    keep_audit_days: Days = Field(
        365, description="How long it is kept what was decided and done, and what brakes did"
    )


class WikiSection(Section):
    id: WikiId = Field(description="The wiki's id, as siteinfo's general.wikiid")
    api: ApiUrl | None = Field(None, description="Final URL of its api.php, no redirect on the way")
    account: Account | None = Field(None, description='Bot password name, as "BounceBot@sidecar"')
    password_file: str = Field("", description="File with the bot password")
    oauth1_file: str = Field("", description="Instead: file with an owner-only consumer of OAuth 1")
    oauth2_token_file: str = Field("", description="Instead: file with the access token of OAuth 2")
    adapter: Adapter = Field(
        Adapter.MWCLIENT,
        description="mwclient; pywikibot, for families; or bouncehandler, for gate mode",
    )
    family: FarmName = Field("", description="pywikibot, instead of api: its family, as wikipedia")
    code: FarmName = Field("", description="pywikibot: the wiki's code in that family, as de")
    dbname: bool = Field(False, description="pywikibot, instead of api: id is a database of Wikimedia's")
    central: bool = Field(
        False, description="Whether its accounts may be global ones (CentralAuth): one person, one streak"
    )
    policy: PolicySection = Field(PolicySection(), description="What differs from [policy] for this wiki")


class LogSection(Section):
    level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="Least severity that is logged"
    )
    format: Literal["auto", "console", "keyvalue", "json"] = Field(
        "auto", description="json: ECS; auto: console on a terminal, else json"
    )


class RulesSection(Section):
    directory: AbsolutePath = Field(
        "/etc/bounce-sidecar/rules.d", description="Folder of your own *.toml rules; it may be absent"
    )


class MetricsSection(Section):
    listen: Interface = Field("", description='Where Prometheus reads metrics, as "127.0.0.1:9108"')


class Settings(BaseSettings):
    """The whole file. BOUNCE_SIDECAR_VERP__DOMAIN and the like in the environment override it."""

    model_config = SettingsConfigDict(
        extra="forbid", frozen=True, env_prefix="BOUNCE_SIDECAR_", env_nested_delimiter="__"
    )

    contact: Contact = Field(
        "", description="Mail address or URL of the operators, told to the wikis in the User-Agent"
    )
    node: NodeSection = NodeSection()
    verp: VerpSection
    sockets: SocketsSection = SocketsSection()
    mta: MtaSection = MtaSection()
    http: HttpSection = HttpSection()
    storage: StorageSection = StorageSection()
    policy: PolicySection = PolicySection()
    brake: BrakeSection = BrakeSection()
    wikis: list[WikiSection] = []
    farm: FarmSection | None = None
    rules: RulesSection = RulesSection()
    digest: DigestSection = DigestSection()
    summary: SummarySection = SummarySection()
    alarms: AlarmsSection = AlarmsSection()
    canary: CanarySection = CanarySection()
    metrics: MetricsSection = MetricsSection()
    dashboard: DashboardSection = DashboardSection()
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
