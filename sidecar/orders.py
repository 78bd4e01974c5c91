"""From a configuration to what may change while the daemon runs, and what may not.

Knows which settings wait for a restart. Does not know how anything is taken over: services/reload.py does.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

import structlog

from sidecar.configuration.configured import Config, ConfigError, WikiConfig
from sidecar.domain.classify import RuleError
from sidecar.domain.wiki import Wiki
from sidecar.edges import rule_files
from sidecar.journal import configure_logging
from sidecar.services.lines import Way
from sidecar.services.reload import Orders, Unusable, Wikis

log = structlog.get_logger()

MANY = 20  # wikis in one line of the log
SOME = 5  # of those that are left out are named in the log; `wikis list` names all

__all__ = [
    "OpenWiki",
    "Ways",
    "facts_of",
    "level_of",
    "orders_of",
    "reader",
    "tell_left_out",
    "ways_of",
]

OpenWiki = Callable[[WikiConfig], Wiki]
Ways = Callable[[Wikis], Mapping[str, Way]]


def orders_of(config: Config) -> Orders:
    """Reads the rules, too. Raises RuleError."""
    listen, domain, farm = config.listen, config.verp.domain, config.farm
    kept = (config.keep_mail, config.keep_aside, config.keep_bounces, config.keep_audit)
    return Orders(
        verp=config.verp,
        wikis=Wikis({wiki.id: wiki for wiki in config.wikis}, config.policies),
        limits=config.brake,
        rules=rule_files.load(config.rules_directory),
        log_level=config.log_level,
        fixed={
            "[node]": config.node,
            "contact": config.contact,  # who calls a wiki says so from the first call on
            "[sockets]": replace(listen, metrics=None, http=None, dashboard=None),
            "[http]": listen.http,
            "[storage]": (config.storage_url, config.storage_password, *kept),
            "[digest]": config.digest and (config.digest, domain),  # it signs with the domain's name
            "[summary]": config.summary and (config.summary, domain),
            "[alarms]": replace(config.tolerance, canary=timedelta(0), slow=timedelta(0), canary_every=None),
            "[canary]": (config.canary, config.tolerance.canary, config.tolerance.slow),
            "[metrics]": listen.metrics,
            "[dashboard]": listen.dashboard,
            "[farm]": farm and (farm.sitematrix, farm.refresh, farm.cache),
            "[log] format": config.log_format,
        },
    )


def tell_left_out(config: Config) -> None:
    """Which wikis a sitematrix lists that cannot be used: some of them, with the reason."""
    if config.farm and (notes := config.farm.notes):
        log.warning("wikis left out", number=len(notes), why="; ".join(notes[:SOME]))


def reader(reread: Callable[[], Config], started: Config) -> Callable[[], Orders]:
    """Reads configuration, secrets and rules again; raises Unusable with the problems of all of them."""
    last = started

    def load() -> Orders:
        nonlocal last
        problems: list[str] = []
        try:
            last = reread()
            tell_left_out(last)
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


def ways_of(open_wiki: OpenWiki, wikis: Wikis) -> dict[str, Way]:
    """How each of *wikis* is reached once something is owed to it: as before, where its settings are."""
    ways = {}
    for name, wiki in wikis.ways.items():
        assert isinstance(wiki, WikiConfig)
        ways[name] = Way(partial(open_wiki, wiki), wiki.login, wiki)
    return ways


def facts_of(config: Config) -> dict[str, Any]:
    """What the first line of the log says: each wiki's mode, or of many, how many there are in each."""
    modes = {wiki: str(policy.mode) for wiki, policy in config.policies.items()}
    told = modes if len(modes) <= MANY else dict(Counter(modes.values()))
    return {"wikis": len(modes), "modes": told, "database": config.storage_url}


def level_of(started: Config) -> Callable[[Orders], None]:
    """Has the log follow the orders, from the level with which it was *started*."""
    level = started.log_level

    def follow(orders: Orders) -> None:
        nonlocal level
        if level != orders.log_level:
            level = orders.log_level
            configure_logging(level, started.log_format, started.node.name)

    return follow
