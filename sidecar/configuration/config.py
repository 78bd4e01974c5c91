"""Configuration: a TOML text in, frozen values out; every problem at once, none repaired by guessing.

Knows how settings depend on each other. Does not open files, and does not know the single settings: their
names, defaults and limits stand in settings.py, secrets in secrets.py, what comes of it in configured.py.
"""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError
from pydantic_settings import EnvSettingsSource, SettingsError

from sidecar.configuration.alarms import canary_of, tolerance_of
from sidecar.configuration.complaints import in_words
from sidecar.configuration.configured import Config, ConfigError, HttpConfig, Listen, ReadSecret
from sidecar.configuration.dashboard_config import dashboard_config
from sidecar.configuration.farm import ReadCensus, Taken, farm_config, taken
from sidecar.configuration.numbers_together import number_problems
from sidecar.configuration.policies import limits_of, policy_of
from sidecar.configuration.roles import node_of, role_problems, secrets_here
from sidecar.configuration.secrets import Secrets
from sidecar.configuration.setting_kinds import Section, host_and_port
from sidecar.configuration.settings import HttpSection, RulesSection, Settings, VerpSection
from sidecar.configuration.wiki_access import access_problems, within_reach
from sidecar.configuration.wiki_config import bouncehandler_format, only_known, wiki_config
from sidecar.configuration.wiki_ids import wiki_problems
from sidecar.domain import toml_text, verp

__all__ = ["ACCEPT", "Config", "ConfigError", "keys_settings", "parse", "rules_directory"]

#: How old a return path may be where nobody has said so.
ACCEPT = timedelta(days=VerpSection.model_fields["accept_days"].default)


def parse(text: str, read_secret: ReadSecret, read_census: ReadCensus = lambda _name: None) -> Config:
    """The configuration in *text*, with BOUNCE_SIDECAR_* of the environment over it.

    The wikis of a farm are those that are remembered: nothing is fetched. Raises ConfigError with all
    problems.
    """
    data = _toml(text)
    problems: list[str] = []
    secrets = Secrets(read_secret, problems)
    try:
        settings = Settings(**data)
    except ValidationError as error:
        problems += [in_words(problem, data) for problem in error.errors()]
        merged = _merged(data)
        here = secrets_here(merged)
        problems += access_problems(here)
        secrets.check(here)
        problems += wiki_problems(merged) + role_problems(merged)
        raise ConfigError(problems) from None
    except SettingsError as error:
        raise ConfigError([f"environment: {error}"]) from None
    merged = settings.model_dump()
    here = secrets_here(merged)
    problems += access_problems(here)
    secrets.check(here)
    problems += wiki_problems(merged) + role_problems(_merged(data)) + number_problems(settings)
    if problems:
        raise ConfigError(problems)
    farm = taken(settings, read_census)
    return _build(settings.model_copy(update={"wikis": [*settings.wikis, *farm.wikis]}), secrets, farm)


def rules_directory(text: str) -> Path:
    """Where the operator's own rules are, for whoever may not read the secrets. Raises ConfigError."""
    return Path(_alone("rules", RulesSection, text).directory)


def keys_settings(text: str) -> tuple[str, timedelta]:
    """The keys' file as it is named, and how old a return path may be: [verp] alone. Raises ConfigError."""
    section = _alone("verp", VerpSection, text)
    return section.keys_file, timedelta(days=section.accept_days)


S = TypeVar("S", bound=Section)


def _alone(name: str, shape: type[S], text: str) -> S:
    """One section, whatever is wrong with the others. Raises ConfigError."""
    try:
        return shape.model_validate(_merged(_toml(text)).get(name) or {})
    except ValidationError as error:
        raise ConfigError(
            [in_words({**problem, "loc": (name, *problem["loc"])}, {}) for problem in error.errors()]
        ) from None


def _toml(text: str) -> dict[str, Any]:
    try:
        return toml_text.parse(text)
    except toml_text.NotToml as error:
        raise ConfigError([f"this is no TOML: {error}"]) from None


def _build(settings: Settings, secrets: Secrets, farm: Taken) -> Config:
    node = node_of(settings.node, secrets.notes_token)
    return Config(
        verp=_verp(settings.verp, secrets, [wiki.id for wiki in settings.wikis]),
        listen=_listen(settings, secrets),
        when_down=settings.mta.when_down,
        wikis=tuple(
            wiki_config(wiki, settings.verp, secrets) if node.acts else only_known(wiki)
            for wiki in settings.wikis
        ),
        policies={
            wiki.id: replace(
                within_reach(policy_of(settings.policy, wiki.policy), wiki.adapter), central=wiki.central
            )
            for wiki in settings.wikis
        },
        brake=limits_of(settings.brake),
        storage_url=settings.storage.url,
        storage_password=secrets.database_password,
        keep_mail=timedelta(days=settings.storage.keep_mail_days),
        keep_aside=timedelta(days=settings.storage.keep_aside_days),
        keep_bounces=timedelta(days=settings.storage.keep_bounces_days),
        keep_audit=timedelta(days=settings.storage.keep_audit_days),
        rules_directory=Path(settings.rules.directory),
        digest=settings.digest.config(),
        summary=settings.summary.config(),
        contact=settings.contact,
        log_level=settings.log.level,
        log_format=settings.log.format,
        farm=farm_config(settings.farm, farm) if settings.farm else None,
        node=node,
        tolerance=tolerance_of(settings.alarms, settings.canary),
        canary=canary_of(settings.canary),
    )


def _listen(settings: Settings, secrets: Secrets) -> Listen:
    sockets, metrics = settings.sockets, settings.metrics.listen
    paths = {name: Path(path) for name, path in sockets.paths().items()}
    return Listen(
        verp=paths["verp"],
        verp_group=sockets.verp_group,
        verp_processes=sockets.verp_processes,
        lmtp=paths["lmtp"],
        policy=paths["policy"],
        socketmap=paths.get("socketmap"),
        mta_group=sockets.mta_group,
        lmtp_tcp=host_and_port(sockets.lmtp_tcp) if sockets.lmtp_tcp else None,
        max_mail_bytes=sockets.max_mail_bytes,
        metrics=host_and_port(metrics) if metrics else None,
        http=_http(settings.http, secrets),
        dashboard=dashboard_config(settings.dashboard, secrets),
        takes="take" in settings.node.roles,
        issues="issue" in settings.node.roles,
    )


def _http(section: HttpSection, secrets: Secrets) -> HttpConfig | None:
    if not section.listen:
        return None
    address = host_and_port(section.listen)
    return HttpConfig(
        address, secrets.http_token, section.token_file, tuple(section.allow), tuple(section.sns.topics)
    )


def _verp(section: VerpSection, secrets: Secrets, wikis: list[str]) -> verp.Verp:
    formats: list[verp.Format] = [
        verp.SidecarFormat(section.prefix, section.domain, verp.Keyring(secrets.keys))
    ]
    if theirs := bouncehandler_format(section, secrets):
        formats.insert(0 if section.format == "bouncehandler" else 1, theirs)
    return verp.Verp(tuple(formats), wikis, accept=timedelta(days=section.accept_days))


def _merged(data: dict[str, Any]) -> dict[str, Any]:
    """The settings with the environment over them, as far as they can be read."""
    environment = EnvSettingsSource(Settings)()
    return {
        key: {**data[key], **environment[key]}
        if isinstance(data.get(key), dict) and isinstance(environment.get(key), dict)
        else environment.get(key, data.get(key))
        for key in {*data, *environment}
    }
