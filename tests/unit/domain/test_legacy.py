"""X-Failed-Recipients with words: Exim's form, and Gmail's old one."""

from sidecar.domain.notice import read
from sidecar.domain.report import ReportAction

EXIM = """\
X-Failed-Recipients: a@example.org, b@example.org,
  c@example.org
Auto-Submitted: auto-replied
From: Mail Delivery System <Mailer-Daemon@wiki.example.org>
Subject: Mail delivery failed: returning message to sender

This message was created automatically by mail delivery software.

A message that you sent could not be delivered to one or more of its
recipients. This is a permanent error. The following address(es) failed:

  a@example.org
    SMTP error from remote mail server after RCPT TO:<a@example.org>:
    host mx.example.org [192.0.2.5]: 550 5.1.1 <a@example.org>:
    User unknown
  b@example.org
    mailbox is full: retry timeout exceeded

------ This is a copy of the message, including all the headers. ------

Return-path: <wiki@wiki.example.org>
Subject: hello

  c@example.org
    550 5.1.1 words of whoever wrote the original
"""


def test_each_recipient_gets_its_own_reason() -> None:
    first, second, third = read(EXIM.encode()).reports
    assert (first.address, first.status, first.reply) == ("a@example.org", "5.1.1", "550")
    assert first.diagnostic.endswith("User unknown")
    assert (second.address, second.diagnostic) == ("b@example.org", "mailbox is full: retry timeout exceeded")
    assert third.address == "c@example.org"
    assert {report.action for report in (first, second, third)} == {ReportAction.FAILED}


def test_the_returned_original_gives_no_reason() -> None:
    assert read(EXIM.encode()).reports[2].diagnostic == ""


def test_words_that_name_nobody_are_about_the_only_one() -> None:
    mail = (
        "X-Failed-Recipients: a@example.org\nSubject: Mail delivery failed: returning message to sender\n\n"
        "The following address(es) failed:\n\n  save to /var/mail/a\n    mailbox is full\n"
    )
    (report,) = read(mail.encode()).reports
    assert report.diagnostic.endswith("mailbox is full")
    first, second = read(mail.replace("org\n", "org, b@example.org\n", 1).encode()).reports
    assert (first.diagnostic, second.diagnostic) == ("", "")


def test_gmail_set_its_reason_in_a_paragraph_of_its_own() -> None:
    mail = (
        "X-Failed-Recipients: a@example.org\nSubject: Delivery Status Notification (Failure)\n\n"
        "Delivery to the following recipient failed permanently:\n\n     a@example.org\n\n"
        "Technical details of permanent failure:\nThe error that the other server returned was:\n"
        "550 550 5.1.1 User unknown (state 14).\n\n----- Original message -----\n\n552 5.2.2 full\n"
    )
    (report,) = read(mail.encode()).reports
    assert (report.status, report.reply) == ("5.1.1", "550")
    assert "full" not in report.diagnostic


def test_a_warning_is_a_delay() -> None:
    mail = (
        "X-Failed-Recipients: a@example.org\n\nDelivery to the following recipient has been delayed:\n\n"
        "     a@example.org\n\nMessage will be retried for 2 more day(s)\n"
    )
    (report,) = read(mail.encode()).reports
    assert report.action is ReportAction.DELAYED


def test_the_words_may_stand_in_a_part() -> None:
    mail = (
        "X-Failed-Recipients: a@example.org\nContent-Type: multipart/mixed; boundary=x\n\n"
        "--x\nContent-Type: text/plain\n\n  a@example.org\n    Unknown user\n\n--x\n"
        "Content-Type: message/rfc822\n\nSubject: hello\n\n--x--\n"
    )
    assert read(mail.encode()).reports[0].diagnostic == "Unknown user"


def test_without_the_field_the_words_name_the_recipients() -> None:
    first, second = read(EXIM.replace("X-Failed-Recipients", "X-Other").encode()).reports
    assert (first.address, first.status, second.address) == ("a@example.org", "5.1.1", "b@example.org")


def test_without_a_mailer_or_an_address_there_is_no_report() -> None:
    assert read(b"X-Failed-Recipients: nobody, ,<>\n\nI am sorry.\n").reports == ()
