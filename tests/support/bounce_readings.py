"""What each mail server says of the cases, where that is less than the others say.

Knows what can be known from a mail, and which cases a server cannot be captured at. Does not know how a mail
server is run.
"""

from dataclasses import dataclass

from tests.support.bounce_cases import CASES, Case

__all__ = ["LESS", "NEVER", "Reading", "cases_of", "expected"]


@dataclass(frozen=True)
class Reading:
    """What is right to think of one mail."""

    kind: str
    category: str
    hard: bool


#: What a server cannot say; fixtures/README.md has the reasons.
NEVER = {
    "opensmtpd": {"hanging-until-expiry"},
    "dma": {"busy-delayed", "hanging-until-expiry", "success"},
    "nullmailer": {
        "busy-delayed",
        "refused-until-expiry",
        "hanging-until-expiry",
        "name-server-fails-until-expiry",
        "no-such-domain",
        "domain-without-address",
        "mx-to-nothing",
        "success",
        "null-mx",
    },
}

EXPIRY = Reading("bounce", "expired", False)


def _warning(category: str) -> Reading:
    return Reading("delayed", category, False)


#: What a server's report says less of than the others': server -> case -> all that can be known from it.
LESS = {
    # "retry timeout exceeded", and no cause
    "exim": dict.fromkeys(
        ("refused-until-expiry", "hanging-until-expiry", "name-server-fails-until-expiry"), EXPIRY
    ),
    # "Envelope expired", and no cause; a domain without a mail server is tried until then
    "opensmtpd": dict.fromkeys(
        (
            "mailbox-full-until-expiry",
            "busy-until-expiry",
            "refused-until-expiry",
            "name-server-fails-until-expiry",
            "domain-without-address",
            "mx-to-nothing",
            "null-mx",
            "greylisted-until-expiry",
        ),
        EXPIRY,
    ),
    # "No such domain."
    "courier": {"null-mx": Reading("bounce", "host-unknown", True)},
    # "Could not deliver for the last 432000 seconds", and no cause
    "dma": dict.fromkeys(
        (
            "mailbox-full-until-expiry",
            "busy-until-expiry",
            "refused-until-expiry",
            "name-server-fails-until-expiry",
            "mx-to-nothing",
            "null-mx",
            "greylisted-until-expiry",
        ),
        EXPIRY,
    ),
    # Its last word is a warning that another report will follow.
    "nullmailer": {
        "mailbox-full-until-expiry": _warning("mailbox-full"),
        "busy-until-expiry": _warning("system-error"),
        "greylisted-until-expiry": _warning("rate-limited"),
    },
}


def cases_of(server: str) -> list[Case]:
    """The cases that *server* can be captured at, in their order."""
    never = NEVER.get(server, set())
    return [case for case in CASES if case.only in ("", server) and case.name not in never]


def expected(case: Case, server: str) -> Reading:
    """What is right to think of what *server* says in *case*."""
    return LESS.get(server, {}).get(case.name) or Reading(case.kind, case.category, case.hard)
