"""A larger collection made by seven mail servers, no part of the project. Skipped where it is absent.

The expectations come from what the remote server was told to answer, not from what the mails say.
"""

import os
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

#: Local part of the recipient -> what the server answered to it.
ANSWERS = {
    "nouser": (True, {Category.USER_UNKNOWN}),  # 550 5.1.1 User unknown in local recipient table
    "noenh": (True, {Category.USER_UNKNOWN}),  # 550 No such user here
    "multi": (True, {Category.USER_UNKNOWN}),  # 550-5.1.1 The email account .. does not exist
    "utf8": (True, {Category.USER_UNKNOWN}),  # 550 5.1.1 Usuário não existe
    "quota": (False, {Category.MAILBOX_FULL}),  # 552 5.2.2 mailbox full
    "blocked": (False, {Category.BLOCKED}),  # 550 5.7.1 client host blocked
    "policy": (False, {Category.BLOCKED}),  # 554 5.7.1 message content rejected due to policy
    "bl554": (False, {Category.BLOCKED}),  # 554 5.7.1 sender blocked, at MAIL FROM
    # sendmail hides the last answer behind "read error" or nothing when it gives up.
    "tquota": (False, {Category.MAILBOX_FULL, Category.NETWORK, Category.EXPIRED}),  # 452 4.2.2
    "grey": (False, {Category.BLOCKED, Category.NETWORK, Category.EXPIRED}),  # 450 4.7.1 Greylisted
    "s421": (False, {Category.OVERLOADED, Category.NETWORK, Category.EXPIRED}),  # 421 4.3.2
    "conn421": (
        False,
        {Category.OVERLOADED, Category.NETWORK, Category.EXPIRED, Category.BLOCKED},
    ),  # 421 4.7.0
    "hang": (False, {Category.NETWORK, Category.EXPIRED, Category.UNDEFINED}),  # no answer to RCPT
    "ok3": (False, {Category.UNDEFINED}),  # 552 5.3.4, or too big for the size that the server announced
}

#: Domain of the recipient u -> what the name server or the network answered.
DOMAINS = {
    "nx.test": (True, {Category.HOST_UNKNOWN}),  # NXDOMAIN
    "nullmx.test": (True, {Category.HOST_UNKNOWN}),  # MX 0 .
    "servfail.test": (False, {Category.NETWORK, Category.EXPIRED, Category.UNDEFINED}),
    "timeout.test": (False, {Category.NETWORK, Category.EXPIRED, Category.UNDEFINED}),
    "remote.test": (False, {Category.NETWORK, Category.EXPIRED, Category.UNDEFINED}),  # connection refused
    "dead.example": (False, {Category.NETWORK, Category.EXPIRED, Category.UNDEFINED}),  # connection refused
    # Our own relay's name was not found. Postfix says so in the words that it has for a dead domain.
    "noname.example": (False, {Category.HOST_UNKNOWN, Category.EXPIRED, Category.UNDEFINED}),
}

FAILURES = (ReportAction.FAILED, ReportAction.UNSTATED, ReportAction.DELAYED)


def answer(report: Report) -> tuple[bool, set[Category]]:
    local, _, domain = report.address.lower().rpartition("@")
    if local == "u":
        return DOMAINS[domain]
    name = local.split("-")[0].split(".")[0].rstrip("ü")
    return ANSWERS[name] if name in ANSWERS else ANSWERS[name.rstrip("0123456789")]


def kind(path: Path) -> Kind:
    if path.stem.startswith("dma-"):
        return Kind.ORDINARY  # free text without any field: not read yet
    if "-DELAY" in path.stem:
        return Kind.DELAYED
    # sendmail tells of both recipients in one mail.
    return (
        Kind.SUCCESS
        if path.stem.endswith("-SUCCESS") and "sendmail-dsn-failed" not in path.stem
        else Kind.BOUNCE
    )


@pytest.mark.parametrize("path", MAILS, ids=lambda path: path.stem)
def test_a_mail_of_the_collection_is_what_its_name_says(path: Path) -> None:
    notice = read(path.read_bytes())
    assert notice.kind is kind(path)
    assert notice.date is not None
    assert notice.message_id


@pytest.mark.parametrize("path", MAILS, ids=lambda path: path.stem)
def test_a_mail_of_the_collection_is_judged_by_what_the_server_answered(path: Path) -> None:
    for report in read(path.read_bytes()).reports:
        if report.action not in FAILURES:
            assert report.address.startswith("ok")
            continue
        if report.address == "u@badmx.test":
            continue  # its MX names a host elsewhere that is not there; only Exim says that it was an MX
        verdict = BOOK.judge(report)
        hard, categories = answer(report)
        assert verdict.hard == (hard and report.action is not ReportAction.DELAYED)
        assert verdict.category in categories
