"""Whether Postfix asks the sidecar at RCPT, before anything lets the mail in.

Pure. Knows smtpd's restriction lists and classes (SMTPD_ACCESS_README). Does not know delivery.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePath

from sidecar.domain.finding import Finding, ok, unknown, wrong
from sidecar.mta.postfix_facts import PostfixFacts
from sidecar.mta.postfix_words import Policy, Service, chrooted, policy, socket_path, words
from sidecar.mta.site import Site, WhenDown

__all__ = ["restriction_findings"]

_LIST = "smtpd_recipient_restrictions"


@dataclass(frozen=True)
class _Asked:
    policy: Policy
    after: str  #: the permit that stands before it, if one does


def restriction_findings(site: Site, facts: PostfixFacts, again: str) -> Iterator[Finding]:
    server = _smtpd(facts)
    if server is None:
        yield unknown(
            f"which service of master.cf answers at port {facts.port}", "name it with --smtp HOST:PORT"
        )
        return
    option = f"{server.name}/{server.kind}/{_LIST}"
    value = facts.overrides.get(option, facts.settings.get(_LIST, ""))
    where = f"the option -o {_LIST} of {server.name} in master.cf" if option in facts.overrides else _LIST
    for domain in site.domains:
        yield _judged(site, facts, server, domain, value, where, again)


def _judged(
    site: Site, facts: PostfixFacts, server: Service, domain: str, value: str, where: str, again: str
) -> Finding:
    queue = PurePath(facts.settings.get("queue_directory", "/var/spool/postfix"))
    chroot = chrooted(server, facts.settings.get("compatibility_level", ""))
    asked = list(_asked(facts, domain, value))
    ours = [one for one in asked if socket_path(one.policy.endpoint, chroot, queue) == site.policy]
    if ours:
        return _good(site, domain, ours[0], where, again)
    alike = [one for one in asked if PurePath(one.policy.endpoint).name == site.policy.name]
    if alike:
        path = socket_path(alike[0].policy.endpoint, chroot, queue)
        inside = f" ({server.name} works in a chroot, column 5 of master.cf)" if chroot else ""
        remedy = again
        if not site.policy.is_relative_to(queue):
            remedy = (
                f'set [sockets] mta_directory = "{queue}/bounce-sidecar", restart the daemon, then {again}'
            )
        return wrong(f"at RCPT {path}{inside} is asked; the sidecar listens on {site.policy}", remedy)
    remedy = (
        again if where == _LIST else f"put $bounce_sidecar_check in front of {where}, or drop that option"
    )
    return wrong(
        f"{where} does not ask the sidecar about {domain}: forged bounces are taken, then dropped", remedy
    )


def _good(site: Site, domain: str, one: _Asked, where: str, again: str) -> Finding:
    if one.after:
        return wrong(
            f"{where} asks the sidecar about {domain} only behind {one.after}: that lets forged bounces in",
            f"put what asks in front of {one.after}",
        )
    accepts = one.policy.default_action.upper().startswith("DUNNO")
    if accepts is not (site.when_down is WhenDown.ACCEPT):
        action = one.policy.default_action or "none (451)"
        return wrong(f"default_action is {action}, and [mta] when_down is {site.when_down}", again)
    return ok(f"{where} asks the sidecar about {domain}, before any permit")


def _asked(facts: PostfixFacts, domain: str, value: str) -> Iterator[_Asked]:
    """Every policy service that is asked about a recipient of *domain*, in order."""
    restrictions = words(value)
    permit = ""
    for position, word in enumerate(restrictions):
        argument = restrictions[position + 1] if position + 1 < len(restrictions) else ""
        if word == "check_policy_service":
            yield _Asked(policy(argument), permit)
        elif word == "check_recipient_access":
            classes = words(facts.tables.get((argument, domain), ""))
            inner = " ".join(facts.settings.get(one, one) for one in classes)
            yield from (_Asked(one.policy, permit or one.after) for one in _nested(inner))
        elif word in facts.settings and not word.startswith("check_"):
            yield from (_Asked(one.policy, permit or one.after) for one in _nested(facts.settings[word]))
        elif word.startswith("permit") and not permit:
            permit = word


def _nested(value: str) -> Iterator[_Asked]:
    """Of a restriction class."""
    restrictions = words(value)
    permit = ""
    for position, word in enumerate(restrictions[:-1]):
        if word == "check_policy_service":
            yield _Asked(policy(restrictions[position + 1]), permit)
        elif word.startswith("permit") and not permit:
            permit = word


def _smtpd(facts: PostfixFacts) -> Service | None:
    """The service that strangers reach at the port; behind postscreen it is another one."""
    listening = [
        one for one in facts.services if one.kind == "inet" and facts.ports.get(one.name) == facts.port
    ]
    if any(one.command == "postscreen" for one in listening):
        listening = [one for one in facts.services if one.kind == "pass" and one.command == "smtpd"]
    return next((one for one in listening if one.command == "smtpd"), None)
