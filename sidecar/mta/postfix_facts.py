"""What a running Postfix says of itself, asked with its own commands and frozen.

Knows postconf(1), postmap(1) and what must be asked to judge; asks, and changes nothing. Does not judge
(postfix_check.py). Words of main.cf are cut apart by postfix_words.py.
"""

import socket
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import PurePath

from sidecar.mta.asking import Connection, Machine, Reply
from sidecar.mta.postfix_words import Service, maps_in, service, words
from sidecar.mta.rcpt import Probes
from sidecar.mta.site import ACCOUNT, Site

__all__ = ["LISTS", "PostfixFacts", "look_up_keys", "postfix_facts"]

#: Lists of domains.
LISTS = ("relay_domains", "mydestination", "virtual_alias_domains", "virtual_mailbox_domains")

_ASKED = (
    *LISTS,
    "queue_directory",
    "mail_owner",
    "compatibility_level",
    "transport_maps",
    "defer_transports",
    "relay_recipient_maps",
    "smtpd_recipient_restrictions",
    "smtpd_relay_restrictions",
    "smtpd_restriction_classes",
    "parent_domain_matches_subdomains",
    "message_size_limit",
    "maximal_queue_lifetime",
    "bounce_queue_lifetime",
)


@dataclass(frozen=True)
class PostfixFacts:
    """Answers. A parameter that could not be asked is not in `settings`."""

    settings: Mapping[str, str]  #: expanded
    services: tuple[Service, ...]  #: of master.cf
    overrides: Mapping[str, str]  #: "smtp/inet/parameter" -> value, from the options in master.cf
    tables: Mapping[tuple[str, str], str]  #: (map, key) -> what postmap -q finds
    port: int  #: of the SMTP server that is probed
    ports: Mapping[str, int | None] = field(default_factory=dict)  #: of the services that listen
    ourselves: Mapping[PurePath, Connection] = field(default_factory=dict)  #: sockets, as who asks
    entered: Mapping[tuple[str, PurePath], Connection] = field(default_factory=dict)  #: as these accounts
    programs: Mapping[str, bool] = field(default_factory=dict)  #: executable?
    http: Connection | None = None
    replies: Mapping[str, Reply] = field(default_factory=dict)


def postfix_facts(
    machine: Machine, site: Site, probes: Probes, server: tuple[str, int]
) -> PostfixFacts | None:
    """None if there is no Postfix here, or nobody may read its configuration."""
    if machine.ask("postconf", "-h", "mail_version").code:
        return None
    settings = dict(_settings(machine, _ASKED))
    # Restriction classes are parameters that the operator names.
    settings |= dict(_settings(machine, words(settings.get("smtpd_restriction_classes", ""))))
    services = tuple(_services(machine))
    settings |= dict(
        _settings(machine, [f"{one.name}_destination_recipient_limit" for one in services if one.is_pipe])
    )
    overrides = dict(_overrides(machine))
    maps = {one for value in [*settings.values(), *overrides.values()] for one in maps_in(value)}
    tables = {
        (one, key): found
        for one in sorted(maps)
        for key in look_up_keys(site, probes)
        if (found := machine.ask("postmap", "-q", key, one).output.strip())
    }
    owner = settings.get("mail_owner", "postfix")
    sockets = (site.lmtp, site.policy)
    pipes = [one for one in services if one.is_pipe and one.argv]
    return PostfixFacts(
        settings=settings,
        services=services,
        overrides=overrides,
        tables=tables,
        port=server[1],
        ports={one.name: _port(one.name) for one in services if one.kind == "inet"},
        ourselves={path: machine.connect(path) for path in sockets},
        entered=dict(_entered(machine, sockets, [owner, ACCOUNT])),
        programs={one.argv[0]: machine.executable(one.argv[0]) for one in pipes},
        http=machine.connect_tcp(site.http) if site.http else None,
        replies=machine.recipients(server, [*probes.good, probes.forged]),
    )


def look_up_keys(site: Site, probes: Probes) -> list[str]:
    """What Postfix itself looks up for a return path, most particular first.

    A lookup by hand folds no case, as Postfix does for recipients: hence the folded spelling.
    """
    keys = [probes.good[0].lower()] if probes.good else []
    for domain in site.domains:
        labels = domain.split(".")
        keys += [f"@{domain}", domain, *(f".{'.'.join(labels[n:])}" for n in range(1, len(labels)))]
    return [*keys, "*"]


def _settings(machine: Machine, names: "tuple[str, ...] | list[str]") -> Iterator[tuple[str, str]]:
    if names:
        for line in machine.ask("postconf", "-x", *names).output.splitlines():
            name, equals, value = line.partition(" =")
            if equals:
                yield name.strip(), value.strip()


def _services(machine: Machine) -> Iterator[Service]:
    for line in machine.ask("postconf", "-M").output.splitlines():
        if found := service(line):
            yield found


def _overrides(machine: Machine) -> Iterator[tuple[str, str]]:
    for line in machine.ask("postconf", "-Px").output.splitlines():
        name, equals, value = line.partition(" = ")
        if equals:
            yield name.strip(), value.strip()


def _entered(
    machine: Machine, sockets: tuple[PurePath, ...], names: list[str]
) -> Iterator[tuple[tuple[str, PurePath], Connection]]:
    for name in names:
        account = machine.account(name)
        for path in sockets:
            tried = machine.connect(path, account) if account else Connection.UNTRIED
            yield (name, path), tried


def _port(service: str) -> int | None:
    """Of "smtp", "2525" or "127.0.0.1:smtp"."""
    name = service.rpartition(":")[2]
    if name.isdecimal():
        return int(name)
    try:
        return socket.getservbyname(name, "tcp")  # /etc/services
    except OSError:
        return None
