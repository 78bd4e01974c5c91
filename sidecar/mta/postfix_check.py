"""Whether Postfix does what bounces need: facts in, findings out.

Pure. Knows how Postfix finds its way and its restrictions. Does not ask Postfix (postfix_facts.py).
"""

from collections.abc import Iterator, Sequence

from sidecar.domain.finding import Finding, ok, unknown, wrong
from sidecar.mta.asking import Connection
from sidecar.mta.postfix_delivery import delivery_findings
from sidecar.mta.postfix_facts import PostfixFacts
from sidecar.mta.postfix_restrictions import restriction_findings
from sidecar.mta.postfix_words import seconds, words
from sidecar.mta.rcpt import Probes, rcpt_findings
from sidecar.mta.site import Site
from sidecar.mta.sockets import daemon_findings, entry_findings

__all__ = ["AGAIN", "postfix_findings"]

AGAIN = "run the script of `bounce-sidecar mta postfix` again"


def postfix_findings(
    site: Site, probes: Probes, facts: PostfixFacts | None, server: str
) -> Sequence[Finding]:
    """In the order in which they are to be mended: the daemon first."""
    if facts is None:
        remedy = "install Postfix, or run this as root on the host that has it"
        return [wrong("there is no Postfix here (postconf does not answer)", remedy)]
    return [
        *daemon_findings(facts.ourselves),
        *_sockets(site, facts),
        *_domains(site, facts),
        *delivery_findings(site, probes, facts, AGAIN),
        *restriction_findings(site, facts, AGAIN),
        *_limits(site, facts),
        *rcpt_findings(probes, facts.replies, server, AGAIN),
    ]


def _sockets(site: Site, facts: PostfixFacts) -> Iterator[Finding]:
    """Only what is in the way of those who listen: that nobody does is said already."""
    owner = facts.settings.get("mail_owner", "postfix")
    tried = {path: how for (name, path), how in facts.entered.items() if name == owner}
    there = (Connection.ANSWERS, Connection.FORBIDDEN, Connection.UNTRIED, Connection.NO_SOCKET)
    yield from entry_findings({path: how for path, how in tried.items() if how in there}, owner, owner)


def _domains(site: Site, facts: PostfixFacts) -> Iterator[Finding]:
    for domain in site.domains:
        for name in ("mydestination", "virtual_alias_domains", "virtual_mailbox_domains"):
            if _listed(facts, name, domain, parents=False):
                yield wrong(
                    f"{domain} is in {name}: Postfix looks for mailboxes there and never asks the sidecar",
                    f"take it out of {name}; it belongs in relay_domains",
                )
        if not _listed(facts, "relay_domains", domain, parents=True):
            yield wrong(f"{domain} is not in relay_domains: strangers hear 'Relay access denied'", AGAIN)
        else:
            yield ok(f"{domain} is in relay_domains")
        yield from _recipients(facts, domain)


def _recipients(facts: PostfixFacts, domain: str) -> Iterator[Finding]:
    maps = words(facts.settings.get("relay_recipient_maps", ""))
    if maps and not any(facts.tables.get((one, f"@{domain}")) for one in maps):
        yield wrong(f"relay_recipient_maps knows no recipient of {domain}: each is unknown", AGAIN)


def _listed(facts: PostfixFacts, name: str, domain: str, *, parents: bool) -> bool:
    """Whether a list of domains has it: by name, by a parent's, by a table."""
    labels = domain.lower().split(".")
    above = [".".join(labels[n:]) for n in range(1, len(labels))]
    subdomains = name in words(facts.settings.get("parent_domain_matches_subdomains", ""))
    for word in words(facts.settings.get(name, "").lower()):
        if word == domain.lower() or (parents and subdomains and word in above):
            return True
        if parents and word.startswith(".") and word[1:] in above:
            return True
    tables = words(facts.settings.get(name, ""))
    return any(facts.tables.get((one, domain)) is not None for one in tables)


def _limits(site: Site, facts: PostfixFacts) -> Iterator[Finding]:
    names = ("maximal_queue_lifetime", "bounce_queue_lifetime")
    lives = [seconds(facts.settings.get(name, "")) for name in names]
    known = [one for one in lives if one is not None]
    accepted = site.accept.total_seconds()
    days = f"{sum(known) / 86400:g}"
    if len(known) != len(names):
        yield unknown("how long mail lives in the queue", f"postconf {' '.join(names)}")
    elif accepted < sum(known):
        yield wrong(
            f"a bounce may come back after {days} days ({' and '.join(names)}), and return paths are "
            f"accepted for {accepted / 86400:g}",
            f"set [verp] accept_days to {days} or more",
        )
    else:
        yield ok(f"return paths are accepted for as long as mail lives in the queue ({days} days)")
    limit = facts.settings.get("message_size_limit", "")
    if limit.isdecimal() and not 0 < int(limit) <= site.max_mail_bytes:
        yield wrong(
            f"message_size_limit is {limit if int(limit) else 'unlimited'}, max_mail_bytes "
            f"{site.max_mail_bytes}: a bounce between the two waits in the queue until it is dropped",
            f"set [sockets] max_mail_bytes to {limit} or more" if int(limit) else "set message_size_limit",
        )
