"""From a configuration to what may change while the daemon runs, and what may not.

Knows which settings wait for a restart. Does not know how anything is taken over: services/reload.py does.
"""

from collections.abc import Callable
from dataclasses import replace

from sidecar.config import Config, ConfigError, WikiConfig
from sidecar.domain.classify import RuleError
from sidecar.domain.wiki import Wiki
from sidecar.edges import rule_files
from sidecar.services.reload import Orders, Unusable, Wikis

__all__ = ["OpenWiki", "Ports", "orders_of", "reader"]

OpenWiki = Callable[[WikiConfig], Wiki]


def orders_of(config: Config) -> Orders:
    """Reads the rules, too. Raises RuleError."""
    listen, domain = config.listen, config.verp.domain
    kept = (config.keep_mail, config.keep_aside, config.keep_bounces, config.keep_audit)
    return Orders(
        verp=config.verp,
        wikis=Wikis({wiki.id: wiki for wiki in config.wikis}, config.policies),
        limits=config.brake,
        rules=rule_files.load(config.rules_directory),
        log_level=config.log_level,
        fixed={
            "contact": config.contact,  # who calls a wiki says so from the first call on
            "[sockets]": replace(listen, metrics=None, http=None),
            "[http]": listen.http,
            "[storage]": (config.storage_url, config.storage_password, *kept),
            "[digest]": config.digest and (config.digest, domain),  # it signs with the domain's name
            "[metrics]": listen.metrics,
            "[log] format": config.log_format,
        },
    )


def reader(reread: Callable[[], Config], started: Config) -> Callable[[], Orders]:
    """Reads configuration, secrets and rules again; raises Unusable with the problems of all of them."""
    last = started

    def load() -> Orders:
        nonlocal last
        problems: list[str] = []
        try:
            last = reread()
        except ConfigError as error:
            problems += error.problems
        try:
            orders = orders_of(last)
        except RuleError as error:
            problems += str(error).splitlines()
        if problems:
            raise Unusable(problems)
        return orders

    return load


class Ports:
    """The wikis as they are called: one that is reached as before stays open, with its session."""

    def __init__(self, open_wiki: OpenWiki) -> None:
        self._open_wiki = open_wiki
        self._opened: dict[str, tuple[WikiConfig, Wiki]] = {}

    def of(self, wikis: Wikis) -> dict[str, Wiki]:
        """One for each of *wikis*. Does not connect."""
        opened = {}
        for name, way in wikis.ways.items():
            before = self._opened.get(name)
            assert isinstance(way, WikiConfig)
            opened[name] = before if before and before[0] == way else (way, self._open_wiki(way))
        self._opened = opened
        return {name: wiki for name, (_, wiki) in opened.items()}
