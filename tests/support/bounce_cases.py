"""Which mails the capture sends and what is right to think of what comes back.

Knows every case, and the small world of domains in which they happen. Does not know a mail server.
"""

from dataclasses import dataclass

import dns.rcode

from tests.support.name_server import Name
from tests.support.remote_mx import answer_for

__all__ = ["BOUNCES_MX", "CASES", "MX_ADDRESSES", "NAMES", "Case"]

REFUSED = "Sent to an address that the remote server refuses at RCPT"
EXPIRED = "until the sending server gave up (days in its queue were made to pass in seconds)"

#: Servers that answer on port 25, one for each domain: a server that hangs must not delay the others' mail.
MX_ADDRESSES = {
    "remote.example": "192.0.2.25",
    "full.example": "192.0.2.26",
    "busy.example": "192.0.2.27",
    "hanging.example": "192.0.2.28",
}

BOUNCES_MX = "192.0.2.35"  #: takes what is sent to the return paths, where that goes by SMTP

#: What the domain name system says. What is not here does not exist.
NAMES = {
    "refused.example": Name(mx="mx.refused.example"),
    "mx.refused.example": Name(a="192.0.2.99"),  # nothing listens there
    "no-address.example": Name(),
    "mx-to-nothing.example": Name(mx="gone.mx-to-nothing.example"),
    "null-mx.example": Name(mx="."),
    "bounces.example.org": Name(mx="mx.bounces.example.org"),
    "mx.bounces.example.org": Name(a=BOUNCES_MX),
    "servfail.example": Name(rcode=dns.rcode.SERVFAIL),
}
for domain, address in MX_ADDRESSES.items():
    NAMES |= {domain: Name(mx=f"mx.{domain}"), f"mx.{domain}": Name(a=address)}


@dataclass(frozen=True)
class Case:
    """One mail that comes back. Two cases with the same recipient are two answers to one mail."""

    name: str
    recipient: str
    made: str  #: how, in one sentence
    category: str = ""  #: the right verdict; empty where there is nothing to judge
    hard: bool = False
    kind: str = "bounce"  #: bounce, delayed, success, auto-reply, ordinary
    answer: str = ""  #: what the other side said; empty: what the remote server's script says
    notify: str = ""  #: RFC 3461 NOTIFY parameter
    only: str = ""  #: the one server that says it

    def remote_answer(self) -> str:
        scripted = answer_for(self.recipient)
        return self.answer or (
            "\n".join(scripted.lines).replace("{address}", self.recipient) if scripted else ""
        )


CASES = (
    Case("no-such-user", "nouser@remote.example", f"{REFUSED}.", "user-unknown", hard=True),
    Case(
        "no-such-user-without-code",
        "noenh@remote.example",
        f"{REFUSED}, without an enhanced status code.",
        "user-unknown",
        hard=True,
    ),
    Case(
        "no-such-user-on-many-lines",
        "multi@remote.example",
        f"{REFUSED}, on four lines, worded as a large provider does.",
        "user-unknown",
        hard=True,
    ),
    Case(
        "no-such-user-in-utf-8",
        "utf8@remote.example",
        f"{REFUSED}, in words that are not ASCII.",
        "user-unknown",
        hard=True,
    ),
    Case("mailbox-full", "quota@remote.example", f"{REFUSED}: 552, over quota.", "mailbox-full"),
    Case(
        "mailbox-full-until-expiry",
        "tquota@full.example",
        f"The remote server said 452, over quota, at each attempt, {EXPIRED}.",
        "mailbox-full",
    ),
    Case("blocklisted", "blocked@remote.example", f"{REFUSED}: our host is on a blocklist.", "blocked"),
    Case(
        "content-policy",
        "policy@remote.example",
        "The remote server took the recipient and refused the content after DATA.",
        "spam",
    ),
    Case(
        "busy-delayed",
        "s421@busy.example",
        "The warning that comes first, while the remote server says 421 at each attempt.",
        "system-error",
        kind="delayed",
    ),
    Case(
        "busy-until-expiry",
        "s421@busy.example",
        f"The remote server said 421 at each attempt, {EXPIRED}.",
        "system-error",
    ),
    Case(
        "refused-until-expiry",
        "somebody@refused.example",
        f"Nothing listened at the address of the domain's mail server, {EXPIRED}.",
        "network",
        answer="connection refused",
    ),
    Case(
        "hanging-until-expiry",
        "hang@hanging.example",
        f"The remote server never answered to RCPT, {EXPIRED}.",
        "network",
        answer="silence after RCPT",
    ),
    Case(
        "name-server-fails-until-expiry",
        "somebody@servfail.example",
        f"The name server said SERVFAIL for the domain, {EXPIRED}.",
        "network",
        answer="DNS: SERVFAIL",
    ),
    Case(
        "no-such-domain",
        "somebody@nxdomain.example",
        "Sent to a domain that does not exist.",
        "host-unknown",
        hard=True,
        answer="DNS: NXDOMAIN",
    ),
    Case(
        "domain-without-address",
        "somebody@no-address.example",
        "Sent to a domain that exists, without MX and without A.",
        "host-unknown",
        hard=True,
        answer="DNS: no MX, no A",
    ),
    Case(
        "mx-to-nothing",
        "somebody@mx-to-nothing.example",
        "Sent to a domain whose only MX names a host that does not exist.",
        "host-unknown",
        hard=True,
        answer="DNS: NXDOMAIN for the host in the MX",
    ),
    Case(
        "success",
        "welcome@remote.example",
        "Sent with NOTIFY=SUCCESS to an address that the remote server takes.",
        kind="success",
        answer="250 2.0.0 Ok",
        notify="SUCCESS",
    ),
    Case(
        "ordinary",
        "anna@people.example",
        "Written by the capture script: a person answers by hand, to the return path instead of From.",
        kind="ordinary",
        only="postfix",
    ),
    Case(
        "auto-reply",
        "away@people.example",
        "Exim's own autoreply to a filter's mail command, addressed to the envelope sender.",
        kind="auto-reply",
        only="exim",
    ),
    Case(
        "null-mx",
        "somebody@null-mx.example",
        "Sent to a domain that says by its MX that it takes no mail (RFC 7505).",
        "not-accepting",
        hard=True,
        answer="DNS: MX 0 .",
    ),
    Case(
        "mailbox-disabled",
        "disabled@remote.example",
        f"{REFUSED}: the account is disabled.",
        "mailbox-disabled",
        hard=True,
    ),
    Case(
        "sender-refused",
        "sender@remote.example",
        f"{REFUSED}: it is the sender that it does not like.",
        "sender-rejected",
    ),
    Case(
        "greylisted-until-expiry",
        "grey@full.example",
        f"The remote server said 450, greylisted, at each attempt, {EXPIRED}.",
        "rate-limited",
    ),
)
