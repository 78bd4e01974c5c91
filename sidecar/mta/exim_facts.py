"""What a running Exim says of itself, asked with its own options and frozen.

Knows exim(8)'s -be, -bP, -bt and -brt; asks, and changes nothing. Does not judge (exim_check.py).
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import PurePath

from sidecar.mta.asking import Connection, Machine, Reply
from sidecar.mta.rcpt import Probes
from sidecar.mta.site import Site

__all__ = ["EximFacts", "Route", "exim_facts"]

_PROGRAMS = ("exim4", "exim")

#: An address of this host that Debian's relay_from_hosts does not have: a stranger's mail comes from there.
_STRANGER = "127.0.0.5"


@dataclass(frozen=True)
class Route:
    """Where Exim would deliver an address to."""

    router: str
    transport: str


@dataclass(frozen=True)
class EximFacts:
    """Answers. What could not be asked is absent."""

    user: str
    routes: Mapping[str, Route]  #: of return paths
    routers: Mapping[str, Mapping[str, str]]  #: their options; a switch is "yes" or "no"
    transports: Mapping[str, Mapping[str, str]]
    member: Mapping[tuple[str, str], bool]  #: (name of a domain list, domain)
    retry: Mapping[str, str]  #: domain -> the rule, as Exim tells it
    trusted: bool = False  #: the probe is made from a host that is relayed for
    ourselves: Mapping[PurePath, Connection] = field(default_factory=dict)  #: sockets, as who asks
    entered: Mapping[tuple[str, PurePath], Connection] = field(default_factory=dict)  #: as these accounts
    programs: Mapping[str, bool] = field(default_factory=dict)  #: executable?
    http: Connection | None = None
    replies: Mapping[str, Reply] = field(default_factory=dict)


def exim_facts(machine: Machine, site: Site, probes: Probes, server: tuple[str, int]) -> EximFacts | None:
    """None if there is no Exim here, or it cannot read its configuration."""
    exim = next((one for one in _PROGRAMS if machine.ask(one, "-bV").code == 0), None)
    if exim is None:
        return None
    user = machine.ask(exim, "-bP", "exim_user").output.partition("=")[2].strip()
    routes = {address: route for address in probes.good if (route := _route(machine, exim, address))}
    transports = {
        one.transport: _options(machine, exim, "transport", one.transport) for one in routes.values()
    }
    commands = [
        command for one in transports.values() if (command := one.get("command", "").partition(" ")[0])
    ]
    origin = _STRANGER if server[0].startswith("127.") else None
    sockets = (site.lmtp, site.policy)
    return EximFacts(
        user=user,
        routes=routes,
        routers={one.router: _options(machine, exim, "router", one.router) for one in routes.values()},
        transports=transports,
        member={
            (name, domain): _holds(machine, exim, f"match_domain{{{domain}}}{{+{name}}}")
            for name in ("local_domains", "relay_to_domains")
            for domain in site.domains
        },
        retry={domain: machine.ask(exim, "-brt", domain).output.strip() for domain in site.domains},
        trusted=_holds(machine, exim, f"match_ip{{{origin or server[0]}}}{{+relay_from_hosts}}"),
        ourselves={path: machine.connect(path) for path in sockets},
        entered=dict(_entered(machine, site, user, transports)),
        programs={one: machine.executable(one) for one in commands},
        http=machine.connect_tcp(site.http) if site.http else None,
        replies=machine.recipients(server, [*probes.good, probes.forged], origin=origin),
    )


def _route(machine: Machine, exim: str, address: str) -> Route | None:
    found = re.search(r"router = (\S+), transport = (\S+)", machine.ask(exim, "-bt", address).output)
    return Route(found[1], found[2]) if found else None


def _options(machine: Machine, exim: str, kind: str, name: str) -> dict[str, str]:
    """Of a router or a transport."""
    found: dict[str, str] = {}
    for line in machine.ask(exim, "-bP", kind, name).output.splitlines():
        option, equals, value = line.partition(" =")
        if equals:
            found[option.strip()] = value.strip()
        elif option.startswith("no_"):
            found[option.removeprefix("no_").strip()] = "no"
        elif option:
            found[option.strip()] = "yes"
    return found


def _holds(machine: Machine, exim: str, condition: str) -> bool:
    return machine.ask(exim, "-be", f"${{if {condition}{{yes}}{{no}}}}").output.strip() == "yes"


def _entered(
    machine: Machine, site: Site, user: str, transports: Mapping[str, Mapping[str, str]]
) -> Iterator[tuple[tuple[str, PurePath], Connection]]:
    """While it receives, Exim has all its groups; a transport the one that it names, or its user's."""
    tries = [(user, site.policy, machine.account(user))]
    for options in transports.values():
        name = options.get("user") or user
        tries.append((name, site.lmtp, machine.account(name, options.get("group") or None)))
    for name, path, account in tries:
        yield (name, path), machine.connect(path, account) if account else Connection.UNTRIED
