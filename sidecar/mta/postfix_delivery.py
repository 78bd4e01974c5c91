"""Whether Postfix hands mail for return paths to the sidecar: transport_maps, then master.cf.

Pure. Knows transport(5), lmtp(8) and pipe(8). Does not know how mail is let in.
"""

from collections.abc import Iterator
from pathlib import PurePath

from sidecar.domain.finding import Finding, ok, unknown, wrong
from sidecar.mta import curl
from sidecar.mta.asking import Connection
from sidecar.mta.postfix_facts import PostfixFacts, look_up_keys
from sidecar.mta.postfix_words import Service, chrooted, socket_path, words
from sidecar.mta.rcpt import Probes
from sidecar.mta.site import ACCOUNT, Site

__all__ = ["delivery_findings"]

#: What pipe(8) makes of a recipient, other than what it is.
_SPOILT = ("user", "extension", "mailbox")


def delivery_findings(site: Site, probes: Probes, facts: PostfixFacts, again: str) -> Iterator[Finding]:
    for domain in site.domains:
        answer = _transport(site, probes, facts, domain)
        name, _, nexthop = answer.partition(":")
        found = [one for one in facts.services if one.name == name and one.kind == "unix"]
        if not answer:
            yield wrong(
                f"transport_maps does not say where mail for {domain} goes: it would follow the MX", again
            )
        elif not found:
            yield wrong(f"transport_maps sends {domain} to {name}, which is not in master.cf", again)
        elif name in words(facts.settings.get("defer_transports", "")):
            yield wrong(
                f"defer_transports names {name}: mail for {domain} waits in the queue, and is not tried",
                f"take {name} out of defer_transports; postfix reload; postqueue -f",
            )
        elif found[0].command == "lmtp":
            yield _lmtp(site, facts, domain, found[0], nexthop, again)
        elif found[0].is_pipe:
            yield from _pipe(site, facts, domain, found[0], again)
        else:
            yield wrong(
                f"transport_maps sends {domain} to {answer}, which is {found[0].command}, not lmtp or pipe",
                again,
            )


def _transport(site: Site, probes: Probes, facts: PostfixFacts, domain: str) -> str:
    """The first answer, the most particular key first, as trivial-rewrite(8) looks them up."""
    keys = [key for key in look_up_keys(site, probes) if key[0] in ".*" or key.endswith(domain)]
    tables = words(facts.settings.get("transport_maps", ""))
    for key in keys:
        for table in tables:
            if not key.startswith("@") and (answer := facts.tables.get((table, key))):
                return answer
    return ""


def _lmtp(site: Site, facts: PostfixFacts, domain: str, one: Service, nexthop: str, again: str) -> Finding:
    queue = PurePath(facts.settings.get("queue_directory", "/var/spool/postfix"))
    chroot = chrooted(one, facts.settings.get("compatibility_level", ""))
    path = socket_path(nexthop, chroot, queue)
    if path is None:
        return unknown(
            f"whether {nexthop}, where mail for {domain} goes, is the sidecar", "see [sockets] lmtp_tcp"
        )
    if path == site.lmtp:
        return ok(f"mail for {domain} goes to the sidecar's {path}")
    where = f" ({one.name} works in a chroot, column 5 of master.cf)" if chroot else ""
    remedy = again
    if not site.lmtp.is_relative_to(queue):
        remedy = f'set [sockets] mta_directory = "{queue}/bounce-sidecar", restart the daemon, then {again}'
    return wrong(f"mail for {domain} goes to {path}{where}; the sidecar listens on {site.lmtp}", remedy)


def _pipe(site: Site, facts: PostfixFacts, domain: str, one: Service, again: str) -> Iterator[Finding]:
    found = list(_pipe_faults(site, facts, one, again))
    yield from found
    if not found:
        yield ok(f"mail for {domain} goes to {one.argv[0]}")


def _pipe_faults(site: Site, facts: PostfixFacts, one: Service, again: str) -> Iterator[Finding]:
    line = f"{one.name} in master.cf"
    if folded := set(one.attribute("flags")) & set("hu"):
        flags = " and ".join(sorted(folded))
        yield wrong(
            f"{line} has the flags {flags}: they fold return paths to lower case", f"take {flags} out"
        )
    argv = " ".join(one.argv)
    if spoilt := [name for name in _SPOILT if f"${name}" in argv or f"${{{name}}}" in argv]:
        yield wrong(f"{line} gives ${{{spoilt[0]}}}: it lacks a part of the return path", "give ${recipient}")
    elif "$recipient" not in argv and "${recipient}" not in argv:
        yield wrong(f"{line} does not tell the command for whom the mail is", "give ${recipient}")
    limit = facts.settings.get(f"{one.name}_destination_recipient_limit", "")
    if limit != "1":
        yield wrong(
            f"{one.name}_destination_recipient_limit is {limit or 'not set'}: it knows one recipient",
            f"postconf -e {one.name}_destination_recipient_limit=1",
        )
    program = one.argv[0] if one.argv else ""
    if not facts.programs.get(program, False):
        yield wrong(f"{line} starts {program}, which is not there or may not be started", again)
    yield from _reach(site, facts, one, program)


def _reach(site: Site, facts: PostfixFacts, one: Service, program: str) -> Iterator[Finding]:
    if program == curl.PROGRAM:
        if facts.http is not Connection.ANSWERS:
            yield wrong("nobody listens at [http] listen", "set it and start the daemon")
        return
    user = one.attribute("user").partition(":")[0]
    if facts.entered.get((user, site.lmtp)) is Connection.FORBIDDEN:
        yield wrong(f"{user}, who runs {program}, may not connect to {site.lmtp}", f"give user={ACCOUNT}")
