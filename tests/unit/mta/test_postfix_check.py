"""Postfix judged by tables of facts; that Postfix says so itself is shown on a real one."""

import dataclasses

import pytest

from sidecar.domain.finding import State, good
from sidecar.mta.asking import Connection, Reply
from sidecar.mta.postfix_check import postfix_findings
from sidecar.mta.postfix_facts import PostfixFacts
from sidecar.mta.postfix_words import Policy, Service, chrooted, policy, seconds, service, words
from tests.unit.mta.sites import (
    ACCESS,
    DOMAIN,
    FORGED,
    GOOD,
    LMTP,
    POLICY,
    POSTFIX,
    PROBES,
    SITE,
    TRANSPORT,
    postfix,
)

DELIVER = "/usr/local/bin/bounce-sidecar-deliver"
LIMIT = {"bounce-sidecar_destination_recipient_limit": "1"}


def pipe(*rest: str, settings: dict[str, str] = LIMIT, program: str = DELIVER) -> PostfixFacts:
    services = (POSTFIX.services[0], Service("bounce-sidecar", "unix", "n", "pipe", rest))
    return postfix(settings, services=services, programs={program: True})


RIGHT = {
    "as the script sets it up": POSTFIX,
    "in capitals, by a parent, by a table": postfix({"relay_domains": "Example.ORG"}),
    "asked without a class": postfix(
        {"smtpd_recipient_restrictions": "check_policy_service unix:bounce-sidecar/policy.sock, permit"}
    ),
    "without a chroot": postfix(
        {"ask": f"check_policy_service unix:{POLICY}"},
        services=tuple(dataclasses.replace(one, chroot="n") for one in POSTFIX.services),
    ),
    "no limit of size but ours": postfix({"message_size_limit": "10485760"}),
    "by a command": pipe("flags=q", "user=bounce-sidecar", f"argv={DELIVER}", "--", "${recipient}"),
    "behind postscreen": postfix(
        services=(
            Service("smtp", "inet", "y", "postscreen", ()),
            Service("smtpd", "pass", "y", "smtpd", ()),
            POSTFIX.services[1],
        )
    ),
}

#: facts -> what is said to be wrong
WRONG = {
    "daemon down": (
        postfix(ourselves={LMTP: Connection.SILENT, POLICY: Connection.MISSING}),
        "the daemon is down",
    ),
    "no socket": (postfix(entered={("postfix", LMTP): Connection.NO_SOCKET}), "is not a socket"),
    "forbidden": (postfix(entered={("postfix", POLICY): Connection.FORBIDDEN}), "may not be opened"),
    "mydestination": (postfix({"mydestination": f"x, {DOMAIN}"}), "is in mydestination"),
    "virtual mailboxes": (postfix({"virtual_mailbox_domains": DOMAIN}), "is in virtual_mailbox_domains"),
    "not relayed": (postfix({"relay_domains": "org.example"}), "is not in relay_domains"),
    "parents do not match": (
        postfix({"relay_domains": "example.org", "parent_domain_matches_subdomains": ""}),
        "is not in relay_domains",
    ),
    "recipients listed": (postfix({"relay_recipient_maps": "hash:/x"}), "knows no recipient"),
    "everything elsewhere": (
        postfix(tables={**POSTFIX.tables, (TRANSPORT, DOMAIN): "", (TRANSPORT, "*"): "smtp:[192.0.2.1]"}),
        "which is not in master.cf",
    ),
    "held back": (
        postfix({"defer_transports": "smtp, bounce-sidecar"}),
        f"defer_transports names bounce-sidecar: mail for {DOMAIN} waits in the queue",
    ),
    "a particular route": (
        postfix(tables={**POSTFIX.tables, (TRANSPORT, GOOD.lower()): "error:no"}),
        "which is not in master.cf",
    ),
    "absolute in a chroot": (
        postfix(tables={**POSTFIX.tables, (TRANSPORT, DOMAIN): f"bounce-sidecar:unix:{LMTP}"}),
        f"goes to /var/spool/postfix{LMTP} (bounce-sidecar works in a chroot",
    ),
    "folded by flags": (
        pipe("flags=Rhu", f"argv={DELIVER}", "${recipient}"),
        "has the flags h and u",
    ),
    "cut": (pipe(f"argv={DELIVER}", "$user@x"), "gives ${user}"),
    "nobody told": (pipe(f"argv={DELIVER}"), "does not tell the command"),
    "many at once": (
        pipe(f"argv={DELIVER}", "${recipient}", settings={}),
        "is not set: it knows one recipient",
    ),
    "no program": (pipe("argv=/no/where", "${recipient}"), "starts /no/where"),
    "http nobody listens": (
        dataclasses.replace(
            pipe(
                "argv=/usr/local/lib/bounce-sidecar/hand-over",
                "${recipient}",
                program="/usr/local/lib/bounce-sidecar/hand-over",
            ),
            http=Connection.SILENT,
        ),
        "nobody listens at [http] listen",
    ),
    "not asked": (postfix({"smtpd_recipient_restrictions": "permit"}), "does not ask the sidecar"),
    "asked too late": (
        postfix(
            {"smtpd_recipient_restrictions": f"permit_sasl_authenticated check_recipient_access {ACCESS}"}
        ),
        "only behind permit_sasl_authenticated",
    ),
    "asked too late in the class": (
        postfix({"ask": "permit_mynetworks, check_policy_service unix:bounce-sidecar/policy.sock"}),
        "only behind permit_mynetworks",
    ),
    "overridden": (
        postfix(overrides={"smtp/inet/smtpd_recipient_restrictions": "permit"}),
        "the option -o smtpd_recipient_restrictions of smtp",
    ),
    "accepting": (
        postfix({"ask": "check_policy_service { unix:bounce-sidecar/policy.sock, default_action=DUNNO }"}),
        "default_action is DUNNO",
    ),
    "long queue": (postfix({"bounce_queue_lifetime": "1w"}), "may come back after 12 days"),
    "large": (postfix({"message_size_limit": "10485761"}), "message_size_limit is 10485761"),
    "unlimited": (postfix({"message_size_limit": "0"}), "message_size_limit is unlimited"),
    "no server": (postfix(replies={}), "no mail server answers at"),
    "good refused": (
        postfix(replies={GOOD: Reply(554, "5.7.1 Relay access denied"), FORGED: Reply(550, "")}),
        'does not take a signed return path with a "/" in it: 554',
    ),
    "forged taken": (
        postfix(replies={GOOD: Reply(250, ""), FORGED: Reply(250, "")}),
        "does not refuse a forged return path: 250",
    ),
}


@pytest.mark.parametrize("name", RIGHT)
def test_what_is_right_is_called_right(name: str) -> None:
    assert [
        one for one in postfix_findings(SITE, PROBES, RIGHT[name], "x:25") if one.state is not State.OK
    ] == []


@pytest.mark.parametrize("name", WRONG)
def test_one_wrong_fact_is_one_finding_with_a_remedy(name: str) -> None:
    facts, words_ = WRONG[name]
    (found,) = [one for one in postfix_findings(SITE, PROBES, facts, "x:25") if one.state is not State.OK]
    assert found.state is State.WRONG
    assert words_ in found.what
    assert found.remedy


UNKNOWN = {
    "not root": postfix(entered={("postfix", LMTP): Connection.UNTRIED}),
    "hung up": postfix(replies={GOOD: Reply(250, "")}),
    "another port": postfix(port=2525),
    "odd lifetime": postfix({"maximal_queue_lifetime": "x"}),
    "folder closed": postfix(ourselves={LMTP: Connection.FORBIDDEN}),
}


@pytest.mark.parametrize("name", UNKNOWN)
def test_what_could_not_be_looked_at_is_not_called_right(name: str) -> None:
    findings = postfix_findings(SITE, PROBES, UNKNOWN[name], "x:25")
    (found,) = [one for one in findings if one.state is not State.OK]
    assert found.state is State.UNKNOWN
    assert not good(findings)


def test_the_daemon_is_told_first() -> None:
    facts = postfix({"relay_domains": ""}, ourselves={LMTP: Connection.MISSING})
    assert "the daemon is down" in postfix_findings(SITE, PROBES, facts, "x:25")[0].what


def test_no_postfix_is_one_finding() -> None:
    (found,) = postfix_findings(SITE, PROBES, None, "x:25")
    assert found.state is State.WRONG


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("a, b\tc", ["a", "b", "c"]),
        ("x inline:{ { a = b }, { c = d } },y", ["x", "inline:{ { a = b }, { c = d } }", "y"]),
        ("", []),
        ("} a", ["}", "a"]),
    ],
)
def test_words_of_main_cf(text: str, parts: list[str]) -> None:
    assert words(text) == parts


def test_policy_services_with_and_without_braces() -> None:
    assert policy("unix:a/b") == Policy("unix:a/b", "")
    assert policy("{ unix:a, timeout=3s, { default_action = DEFER x, y } }") == Policy("unix:a", "DEFER x, y")


def test_a_line_of_master_cf() -> None:
    line = "b unix - n n - 8 pipe flags=Rq, user=x:y argv=/bin/c ${sender} ${recipient}"
    found = service(line)
    assert found is not None
    assert (found.attribute("user"), found.attribute("flags"), found.attribute("sender")) == (
        "x:y",
        "Rq,",
        "",
    )
    assert found.argv == ("/bin/c", "${sender}", "${recipient}")
    assert service("broken line") is None


@pytest.mark.parametrize(
    ("column", "level", "is_"), [("y", "3", True), ("-", "0", True), ("-", "3.6", False), ("n", "", False)]
)
def test_the_chroot_column(column: str, level: str, is_: bool) -> None:
    assert chrooted(Service("a", "unix", column, "lmtp", ()), level) is is_


@pytest.mark.parametrize(
    ("text", "value"), [("5d", 432000), ("5", 432000), ("1w", 604800), ("90s", 90), ("x", None)]
)
def test_times(text: str, value: float | None) -> None:
    assert seconds(text) == value
