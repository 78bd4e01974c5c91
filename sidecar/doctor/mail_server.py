"""The mail server: whether the one of this host does its part, and where the world sends bounces.

Knows which of the two there is, and the system's name server. Does not know what they must do: sidecar.mta
does.
"""

from collections.abc import Iterator, Sequence

import dns.exception
import dns.resolver

from sidecar.configuration.configured import Config
from sidecar.doctor.patient import NOT_ROOT, Patient
from sidecar.domain.finding import Finding, State, ok, unknown, wrong
from sidecar.mta.exim_check import exim_findings
from sidecar.mta.exim_facts import exim_facts
from sidecar.mta.postfix_check import postfix_findings
from sidecar.mta.postfix_facts import postfix_facts
from sidecar.mta_site import named, probes_of, site_of

__all__ = ["mx_findings", "server_findings", "summed_up"]

PATIENCE = 5.0  # seconds for all of a question


def server_findings(patient: Patient, config: Config) -> list[Finding]:
    """What `mta postfix --check` or `mta exim --check` finds, in short."""
    site, probes = site_of(patient.path, config), probes_of(config, patient.clock)
    asked = (patient.machine, site, probes, patient.smtp)
    if postfix := postfix_facts(*asked):
        return summed_up("postfix", postfix_findings(site, probes, postfix, named(patient.smtp)))
    if exim := exim_facts(*asked):
        return summed_up("exim", exim_findings(site, probes, exim, named(patient.smtp)))
    return [
        unknown(
            "there is neither a Postfix nor an Exim here that answers",
            f"{NOT_ROOT}, on the host of the mail server; of another one only you know whether it is set up",
        )
    ]


def summed_up(server: str, found: Sequence[Finding]) -> list[Finding]:
    """What is not well, and how much is."""
    well = sum(finding.state is State.OK for finding in found)
    rest = [finding for finding in found if finding.state is not State.OK]
    return [
        ok(f"{server}: {well} of {len(found)} things are well; `mta {server} --check` lists all"),
        *rest,
    ]


def mx_findings(domain: str) -> Iterator[Finding]:
    """Where mail for the return paths goes, as this host's own name server has it (RFC 5321 section 5.1)."""
    look = f"dig MX {domain}"
    try:
        answer = dns.resolver.resolve(domain, "MX", lifetime=PATIENCE)
        hosts = [str(one.exchange).rstrip(".") for one in sorted(answer, key=lambda one: one.preference)]
    except dns.resolver.NXDOMAIN:
        yield wrong(f"there is no {domain} in the DNS: no bounce finds its way", f"give it an MX; {look}")
        return
    except dns.resolver.NoAnswer:
        hosts = [domain] if _has_address(domain) else []
    except (dns.exception.DNSException, OSError) as error:
        yield unknown(f"the MX of {domain}: {type(error).__name__}", f"{look}, once the name server answers")
        return
    if not any(hosts):  # RFC 7505: a null MX is the root
        yield wrong(f"{domain} has no MX: no bounce finds its way", f"give it one: this host; {look}")
        return
    yield ok(f"bounces for {domain} go to {', '.join(hosts)}: it must be this mail server, or hand on to it")


def _has_address(domain: str) -> bool:
    for kind in ("A", "AAAA"):
        try:
            if dns.resolver.resolve(domain, kind, lifetime=PATIENCE):
                return True
        except (dns.exception.DNSException, OSError):
            continue
    return False
