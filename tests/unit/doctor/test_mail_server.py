"""Where the world sends bounces, by a real name server; and the mail server's check, summed up."""

import dns.rcode
import pytest

from sidecar.doctor import mail_server
from sidecar.domain.finding import State, ok, unknown, wrong
from tests.support.doctor import resolving
from tests.support.name_server import Name

DOMAIN = "bounces.example.org"
OK, WRONG, UNKNOWN = State.OK, State.WRONG, State.UNKNOWN


@pytest.mark.parametrize(
    ("names", "state", "words"),
    [
        ({DOMAIN: Name(mx="mail.example.org")}, OK, f"bounces for {DOMAIN} go to mail.example.org"),
        ({DOMAIN: Name(a="192.0.2.7")}, OK, f"go to {DOMAIN}"),
        ({DOMAIN: Name(mx=".")}, WRONG, "has no MX"),
        ({DOMAIN: Name()}, WRONG, "has no MX"),
        ({}, WRONG, f"there is no {DOMAIN} in the DNS"),
        ({DOMAIN: Name(rcode=dns.rcode.SERVFAIL)}, UNKNOWN, f"the MX of {DOMAIN}: NoNameservers"),
    ],
)
def test_where_bounces_go(names: dict[str, Name], state: State, words: str) -> None:
    with resolving(names):
        (line,) = mail_server.mx_findings(DOMAIN)
    assert (line.state, words in line.what) == (state, True), line
    assert (f"dig MX {DOMAIN}" in line.remedy) == (state is not OK)


def test_a_check_is_summed_up_and_what_is_not_well_stands_below() -> None:
    bad = [wrong("a", "b"), unknown("c", "d")]
    first, *rest = mail_server.summed_up("exim", [ok("1"), bad[0], ok("2"), bad[1]])
    assert first.what == "exim: 2 of 4 things are well; `mta exim --check` lists all"
    assert rest == bad
    (only,) = mail_server.summed_up("postfix", [ok("1")])
    assert only.what == "postfix: 1 of 1 things are well; `mta postfix --check` lists all"
