"""Who answers by machine says so in the header (RFC 3834), and who only resembles it is left alone."""

import pytest

from sidecar.domain.autoreply import is_auto_reply
from sidecar.domain.mime import parse

ANSWERS = [
    "Auto-Submitted: auto-replied",
    "Auto-Submitted: Auto-Replied (vacation)",
    "Auto-Submitted: (by rule) auto-replied; owner-email=a@example.org",
    "X-Autoreply: yes",
    "X-Autorespond: hello",
    "X-Autoreply-From: a@example.org",
    "Precedence: auto_reply",
    "X-Precedence: auto-reply",
    "Auto-Submitted: auto-generated\nSubject: Automatic reply: hello",
    "Auto-Submitted: auto-generated\nSubject: AUTO: A. User is out of the office (returning Monday)",
    "X-Auto-Response-Suppress: All\nSubject: Automatic reply: hello",
]
OTHERS = [
    "Subject: hello",
    "Subject: Automatic reply: hello",
    "X-Auto-Response-Suppress: All",
    "Precedence: bulk",
    "Auto-Submitted: no",
    "Auto-Submitted: no\nX-Autoreply: yes",
    "Auto-Submitted: auto-generated",
    "Auto-Submitted: auto-generated (failure)\nSubject: Returned mail: see transcript for details",
    "Auto-Submitted: auto-notified",
    "X-Autoreply: no",
    "Auto-Submitted: auto-replied\nContent-Type: multipart/report; report-type=delivery-status; boundary=x",
    "Auto-Submitted: auto-replied\nFrom: Mail Delivery System <MAILER-DAEMON@wiki.example.org>",
    "Auto-Submitted: auto-replied\nFrom: <>",
]


@pytest.mark.parametrize("header", ANSWERS)
def test_an_automatic_answer_is_known(header: str) -> None:
    assert is_auto_reply(parse(f"{header}\n\nI am away.\n".encode()))


@pytest.mark.parametrize("header", OTHERS)
def test_other_mail_is_no_automatic_answer(header: str) -> None:
    assert not is_auto_reply(parse(f"{header}\n\nI am away.\n".encode()))
