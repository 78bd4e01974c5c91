"""Whether Exim does what bounces need: facts in, findings out.

Pure. Knows Exim's routers, transports and retry rules, and Debian's names. Does not ask Exim (exim_facts.py).
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePath

from sidecar.domain.finding import Finding, ok, wrong
from sidecar.mta import curl
from sidecar.mta.asking import Connection
from sidecar.mta.exim_facts import EximFacts
from sidecar.mta.exim_pieces import GROUP
from sidecar.mta.rcpt import Probes, rcpt_findings
from sidecar.mta.site import Site
from sidecar.mta.sockets import daemon_findings, entry_findings

__all__ = ["AGAIN", "exim_findings"]

AGAIN = "run the script of `bounce-sidecar mta exim` again"
LEAST_DAYS = 7  #: for which a bounce is tried; a host may be down over a week-end and a holiday


def exim_findings(site: Site, probes: Probes, facts: EximFacts | None, server: str) -> Sequence[Finding]:
    """In the order in which they are to be mended: the daemon first."""
    if facts is None:
        remedy = "install it; `exim4 -bV` says what is wrong with a configuration; run this as root"
        return [wrong("there is no Exim here, or it cannot read its configuration", remedy)]
    return [
        *daemon_findings(facts.ourselves),
        *_sockets(facts),
        *_domains(site, facts),
        *_routes(site, probes, facts),
        *_retries(site, facts),
        *rcpt_findings(probes, facts.replies, server, AGAIN, trusted=facts.trusted),
    ]


def _sockets(facts: EximFacts) -> Iterator[Finding]:
    """Only what is in the way of those who listen: that nobody does is said already."""
    there = (Connection.ANSWERS, Connection.FORBIDDEN, Connection.UNTRIED, Connection.NO_SOCKET)
    tried = {path: how for (name, path), how in facts.entered.items() if name == facts.user and how in there}
    yield from entry_findings(tried, facts.user, GROUP)


def _domains(site: Site, facts: EximFacts) -> Iterator[Finding]:
    for domain in site.domains:
        if facts.member.get(("local_domains", domain)):
            yield wrong(
                f'{domain} is in local_domains: there Debian\'s ACL refuses return paths with a "/"',
                "take it out of dc_other_hostnames in /etc/exim4/update-exim4.conf.conf, "
                f"or give this host another name; then {AGAIN}",
            )
        elif not facts.member.get(("relay_to_domains", domain)):
            yield wrong(f"{domain} is not in relay_to_domains: strangers hear 'relay not permitted'", AGAIN)
        else:
            yield ok(f"{domain} is in relay_to_domains")


def _routes(site: Site, probes: Probes, facts: EximFacts) -> Iterator[Finding]:
    ways = dict.fromkeys((address.rpartition("@")[2], facts.routes.get(address)) for address in probes.good)
    for domain, route in ways:
        if route is None:
            yield wrong(f"Exim finds no way for mail to {domain}", AGAIN)
        else:
            yield from _router(domain, route.router, facts.routers.get(route.router, {}))
            yield from _transport(site, domain, route.transport, facts)


def _router(domain: str, name: str, options: Mapping[str, str]) -> Iterator[Finding]:
    if options.get("caseful_local_part") != "yes":
        yield wrong(
            f"the router {name} folds return paths of {domain} to lower case", "give it caseful_local_part"
        )
    for option in ("local_part_prefix", "local_part_suffix"):
        if options.get(option):
            yield wrong(f"the router {name} cuts return paths: {option}", f"take {option} out")


def _transport(site: Site, domain: str, name: str, facts: EximFacts) -> Iterator[Finding]:
    options = facts.transports.get(name, {})
    driver = options.get("driver", "")
    if driver == "lmtp":
        found = list(_lmtp(site, name, options))
    elif driver == "pipe":
        found = list(_pipe(site, name, options, facts))
    else:
        found = [
            wrong(f"mail for {domain} goes to the transport {name} ({driver}), not to the sidecar", AGAIN)
        ]
    yield from found or [ok(f"mail for {domain} goes to the sidecar by {driver} (transport {name})")]


def _lmtp(site: Site, name: str, options: Mapping[str, str]) -> Iterator[Finding]:
    if PurePath(options.get("socket", "")) != site.lmtp:
        socket = options.get("socket") or "no socket"
        yield wrong(f"the transport {name} goes to {socket}; the sidecar listens on {site.lmtp}", AGAIN)


def _pipe(site: Site, name: str, options: Mapping[str, str], facts: EximFacts) -> Iterator[Finding]:
    command = options.get("command", "")
    program = command.partition(" ")[0]
    if "$local_part" in command or "${local_part" in command:
        yield wrong(
            f"the transport {name} has $local_part in its command: it is tainted, and each bounce freezes",
            "take it out; the command reads RECIPIENT from its environment",
        )
    if options.get("temp_errors") != "*":
        yield wrong(f"the transport {name} loses bounces when its command fails", "give it temp_errors = *")
    if options.get("timeout_defer") != "yes":
        yield wrong(f"the transport {name} loses bounces when its command hangs", "give it timeout_defer")
    if not facts.programs.get(program, False):
        yield wrong(f"the transport {name} starts {program}, which is not there or may not be started", AGAIN)
    user = options.get("user", "")
    if program == curl.PROGRAM:
        if facts.http is not Connection.ANSWERS:
            yield wrong("nobody listens at [http] listen", "set it and start the daemon")
    elif facts.entered.get((user, site.lmtp)) is Connection.FORBIDDEN:
        yield wrong(
            f"{user}, who runs {program}, may not connect to {site.lmtp}", "give it user = bounce-sidecar"
        )


def _retries(site: Site, facts: EximFacts) -> Iterator[Finding]:
    for domain in site.domains:
        rule = facts.retry.get(domain, "")
        days = max((_days(one) for one in re.findall(r"[FGH],(\d+[smhdw])", rule)), default=0.0)
        if days < LEAST_DAYS:
            yield wrong(
                f"a bounce for {domain} is tried for {days:g} days, then dropped ({rule or 'no retry rule'})",
                AGAIN,
            )
        else:
            yield ok(f"a bounce for {domain} is tried for {days:g} days")


def _days(text: str) -> float:
    return int(text[:-1]) * {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}[text[-1]] / 86400
