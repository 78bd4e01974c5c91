"""Real mail servers on the way of a bounce: what leaves with our return path comes back to exactly that.

Knows Postfix, Exim and a remote server that refuses. The product takes no part: this shows what it stands on.
"""

import smtplib
from email import message_from_bytes, policy

import pytest

from tests.support.exim import Exim
from tests.support.lmtp_sink import LmtpSink
from tests.support.postfix import Postfix
from tests.support.remote_mx import RemoteMx
from tests.support.waiting import until

pytestmark = pytest.mark.servers

#: In the spelling of BounceHandler, whose base64 holds everything that a mail server might spoil.
RETURN_PATH = "wiki-testwiki-9ix-tosry7-lJ/EuStX+vPc7XXp@bounces.example.org"
BOUNCES = "bounces.example.org"


def submit(port: int, recipient: str) -> None:
    """Send one mail as the wiki does."""
    mail = f"From: Wiki <noreply@wiki.example.org>\r\nTo: {recipient}\r\nSubject: Hello\r\n\r\nHello.\r\n"
    with smtplib.SMTP("127.0.0.1", port) as server:
        server.sendmail(RETURN_PATH, [recipient], mail)


@pytest.fixture
def running_postfix(postfix: Postfix, remote_mx: RemoteMx, lmtp_sink: LmtpSink) -> Postfix:
    remote = f"smtp:[127.0.0.1]:{remote_mx.port}"
    postfix.configure({"remote.example": remote, BOUNCES: f"lmtp:unix:{lmtp_sink.socket}"})
    postfix.start()
    return postfix


@pytest.fixture
def running_exim(exim: Exim, remote_mx: RemoteMx, lmtp_sink: LmtpSink) -> Exim:
    exim.configure(BOUNCES, lmtp_sink.socket, remote_mx.port)
    exim.start()
    return exim


@pytest.fixture(params=["running_postfix", "running_exim"])
def server(request: pytest.FixtureRequest) -> Postfix | Exim:
    return request.getfixturevalue(request.param)


def test_a_refused_mail_comes_back_to_its_return_path_letter_by_letter(
    server: Postfix | Exim, lmtp_sink: LmtpSink
) -> None:
    submit(server.port, "nouser@remote.example")
    bounce = lmtp_sink.mailbox.wait(RETURN_PATH)
    assert (bounce.sender, bounce.recipients) == ("", (RETURN_PATH,))
    report = message_from_bytes(bounce.raw, policy=policy.default)
    assert report.get_content_type() == "multipart/report"
    assert b"Final-Recipient: rfc822;" in bounce.raw
    assert b"550 5.1.1 <nouser@remote.example>" in bounce.raw


def test_a_mail_that_is_taken_arrives_under_its_return_path(
    server: Postfix | Exim, remote_mx: RemoteMx
) -> None:
    submit(server.port, "somebody@remote.example")
    mail = remote_mx.wait("somebody@remote.example")
    assert mail.sender == RETURN_PATH
    assert b"Subject: Hello\r\n" in mail.raw


def test_what_postfix_cannot_deliver_waits_in_its_queue_until_it_can(
    running_postfix: Postfix, lmtp_sink: LmtpSink
) -> None:
    lmtp_sink.stop()
    submit(running_postfix.port, "nouser@remote.example")
    until(
        lambda: [one for one in running_postfix.queue() if one["queue_name"] == "deferred"],
        "a deferred bounce",
    )
    lmtp_sink.start()
    running_postfix.flush()
    assert lmtp_sink.mailbox.wait(RETURN_PATH).sender == ""
    until(lambda: not running_postfix.queue(), "an empty queue")
