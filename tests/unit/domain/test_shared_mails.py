"""A larger collection made by seven mail servers, no part of the project. Skipped where it is absent.

The expectations come from what the remote server was told to answer, not from what the mails say; where a
sending server's report says less than it was told, the tables FORGETFUL and EXIM_SILENT have it.
"""

import os
import re
from pathlib import Path

import pytest

from sidecar.domain.classify import Category
from sidecar.domain.notice import Kind, read
from sidecar.domain.report import Report, ReportAction

from .rulebook import ROOT, shipped

FOLDER = Path(os.environ.get("BOUNCE_SIDECAR_MTA_BOUNCES") or ROOT.parent / "shared/mta_bounces")
MAILS = sorted(FOLDER.glob("*.eml"))
BOOK = shipped()

pytestmark = pytest.mark.skipif(
    not MAILS, reason="no mails: set BOUNCE_SIDECAR_MTA_BOUNCES to the folder of bounces made by mail servers"
)

#: Local part of the recipient -> whether the answer is permanent and the recipient's own, and why.
ANSWERS = {
    "nouser": (True, Category.USER_UNKNOWN),  # 550 5.1.1 User unknown in local recipient table
    "noenh": (True, Category.USER_UNKNOWN),  # 550 No such user here
    "multi": (True, Category.USER_UNKNOWN),  # 550-5.1.1 The email account .. does not exist
    "utf8": (True, Category.USER_UNKNOWN),  # 550 5.1.1 Usuário não existe
    "quota": (False, Category.MAILBOX_FULL),  # 552 5.2.2 mailbox full
    "blocked": (False, Category.BLOCKED),  # 550 5.7.1 client host blocked
    "policy": (False, Category.POLICY),  # 554 5.7.1 message content rejected due to policy
    "bl554": (False, Category.SENDER_REJECTED),  # 554 5.7.1 sender blocked, at MAIL FROM
    "tquota": (False, Category.MAILBOX_FULL),  # 452 4.2.2
    "grey": (False, Category.RATE_LIMITED),  # 450 4.7.1 Greylisted
    "s421": (False, Category.SYSTEM_ERROR),  # 421 4.3.2 service shutting down
    "conn421": (False, Category.RATE_LIMITED),  # 421 4.7.0 too many connections from your host
    "hang": (False, Category.NETWORK),  # no answer to RCPT
    "ok3": (False, Category.TOO_BIG),  # 552 5.3.4, or too big for the size that the server announced
}

#: Domain of the recipient u -> the same for what the name server or the network answered.
DOMAINS = {
    "nx.test": (True, Category.HOST_UNKNOWN),  # NXDOMAIN
    "nullmx.test": (True, Category.NOT_ACCEPTING),  # MX 0 .
    "servfail.test": (False, Category.NETWORK),
    "timeout.test": (False, Category.NETWORK),
    "remote.test": (False, Category.NETWORK),  # connection refused; Postfix: its own address, a loop
    "dead.example": (False, Category.NETWORK),  # connection refused
    # Our own relay's name was not found. Postfix says so in the words that it has for a dead domain.
    "noname.example": (False, Category.HOST_UNKNOWN),
    # The MX names a host elsewhere that is not there. Postfix does not say that it was an MX.
    "badmx.test": (False, Category.HOST_UNKNOWN),
}

#: (server, case) -> what is right to think of that server's report of it.
SINGLE = {
    ("exim", "dns-badmx"): (True, Category.HOST_UNKNOWN),  # Exim does say that it was an MX
}

#: Servers that forget the last answer when they give up, and what they say instead.
FORGETFUL = {
    "sendmail": Category.NETWORK,  # "451 4.4.1 reply: read error"
    "opensmtpd": Category.EXPIRED,  # "Envelope expired"
    "dma": Category.EXPIRED,  # "Could not deliver for the last 432000 seconds. Giving up."
}
#: ... and what Exim has no words for, until it gives up too.
EXIM_SILENT = (
    "conn-refused",
    "dns-mx-refused",
    "dns-servfail",
    "dns-timeout",
    "transport-host",
    "rcpt-timeout",
)

FAILURES = (ReportAction.FAILED, ReportAction.UNSTATED, ReportAction.DELAYED)


def expected(path: Path, report: Report) -> tuple[bool, Category]:
    """Decision and category for a report in the mail *path*."""
    server, _, case = path.stem.partition("-")
    local, _, domain = report.address.lower().rpartition("@")
    name = re.split(r"[-.ü]", local)[0]
    hard, category = (
        DOMAINS[domain] if local == "u" else ANSWERS.get(name) or ANSWERS[name.rstrip("0123456789")]
    )
    hard, category = SINGLE.get((server, case), (hard, category))
    if gave_up(path) and server in FORGETFUL:
        category = FORGETFUL[server]
    if server == "exim" and case.startswith(EXIM_SILENT):
        category = Category.EXPIRED
    return hard and report.action is not ReportAction.DELAYED, category


def gave_up(path: Path) -> bool:
    last = path.stem.startswith("opensmtpd-") and path.stem.endswith("-DELAY-2")
    return "-expired" in path.stem and ("-DELAY" not in path.stem or last)


def kind(path: Path) -> Kind:
    # OpenSMTPD gives up in the words of a second warning.
    if "-DELAY" in path.stem and not gave_up(path):
        return Kind.DELAYED
    # sendmail tells of both recipients in one mail.
    both = path.stem.startswith("sendmail-dsn-failed")
    return Kind.SUCCESS if path.stem.endswith("-SUCCESS") and not both else Kind.BOUNCE


def test_the_collection_is_complete() -> None:
    assert len(MAILS) == 189


@pytest.mark.parametrize("path", MAILS, ids=lambda path: path.stem)
def test_a_mail_of_the_collection_is_what_its_name_says(path: Path) -> None:
    notice = read(path.read_bytes())
    assert notice.kind is kind(path)
    assert notice.date is not None
    assert notice.message_id
    assert notice.reports


@pytest.mark.parametrize("path", MAILS, ids=lambda path: path.stem)
def test_a_mail_of_the_collection_is_judged_by_what_the_server_answered(path: Path) -> None:
    for report in read(path.read_bytes()).reports:
        if report.action not in FAILURES:
            assert report.address.startswith("ok")
            continue
        verdict = BOOK.judge(report)
        assert (verdict.hard, verdict.category) == expected(path, report), verdict
