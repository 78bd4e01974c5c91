"""LMTP's commands, without a socket: dialogs, paths, limits, and the wait for an answer."""

import pytest
from structlog.testing import capture_logs

from sidecar.edges import lmtp, replies
from sidecar.edges.lmtp import Connection, Delivery
from sidecar.edges.replies import REPLIES, TROUBLE
from sidecar.services.receipt import Receipt
from tests.unit.edges.lmtp_talk import (
    GO,
    HELLO,
    MAIL,
    OFFERS,
    RCPT_OK,
    SENDER_OK,
    TAKEN,
    Talk,
    any_cut,
    judge,
    mail,
)

#: what is said -> what is heard behind the greeting
DIALOGS: dict[str, tuple[bytes, list[str]]] = {
    "lhlo": (HELLO, [OFFERS]),
    "lhlo without a name": (b"LHLO\r\n", [replies.BAD_ARGUMENT]),
    "helo": (b"HELO mx\r\nEHLO mx\r\n", [replies.SAY_LHLO] * 2),
    "any case": (b"lhlo mx\r\nmail from:<a@b>\r\nrcpt to:<c@d>\r\n", [OFFERS, SENDER_OK, RCPT_OK]),
    "a whole mail": (
        HELLO + MAIL + b"Subject: x\r\n\r\nbody\r\n.\r\nQUIT\r\n",
        [OFFERS, SENDER_OK, RCPT_OK, GO, TAKEN, replies.BYE],
    ),
    "one reply per accepted recipient": (
        mail("MAIL FROM:<>", "RCPT TO:<one@b>", "RCPT TO:<nobody@b>", "RCPT TO:<two@b>", "DATA", "."),
        [OFFERS, SENDER_OK, RCPT_OK, REPLIES[Receipt.NOT_OURS].lmtp, RCPT_OK, GO, TAKEN, TAKEN],
    ),
    "refused recipients": (
        mail("MAIL FROM:<>", "RCPT TO:<nobody@b>", "RCPT TO:<forged@b>", "RCPT TO:<old@b>", "DATA"),
        [
            OFFERS,
            SENDER_OK,
            *(REPLIES[receipt].lmtp for receipt in (Receipt.NOT_OURS, Receipt.FORGED, Receipt.TOO_LATE)),
            replies.NO_RECIPIENTS,
        ],
    ),
    "a recipient that cannot be judged": (
        mail("MAIL FROM:<>", "RCPT TO:<trouble@b>", "RCPT TO:<one@b>"),
        [OFFERS, SENDER_OK, TROUBLE.lmtp, RCPT_OK],
    ),
    "parameters": (
        mail("MAIL FROM:<ä@b.example> SIZE=1000 BODY=8bitmime smtputf8"),
        [OFFERS, SENDER_OK],
    ),
    "size over the limit": (mail("MAIL FROM:<> SIZE=1001"), [OFFERS, replies.TOO_BIG]),
    "size is no number": (mail("MAIL FROM:<> SIZE=1k"), [OFFERS, replies.BAD_ARGUMENT]),
    "size in other digits": (mail("MAIL FROM:<> SIZE=٣"), [OFFERS, replies.BAD_ARGUMENT]),
    "another body": (mail("MAIL FROM:<> BODY=BINARYMIME"), [OFFERS, replies.BAD_ARGUMENT]),
    "smtputf8 has no value": (mail("MAIL FROM:<> SMTPUTF8=1"), [OFFERS, replies.BAD_ARGUMENT]),
    "unknown parameter": (mail("MAIL FROM:<> RET=FULL"), [OFFERS, replies.UNKNOWN_PARAMETER]),
    "recipient with a parameter": (
        mail("MAIL FROM:<>", "RCPT TO:<one@b> NOTIFY=NEVER"),
        [OFFERS, SENDER_OK, replies.UNKNOWN_PARAMETER],
    ),
    "no recipient address": (mail("MAIL FROM:<>", "RCPT TO:<>"), [OFFERS, SENDER_OK, replies.BAD_RECIPIENT]),
    "no brackets": (
        mail("MAIL FROM:a@b", "MAIL FROM:<>", "RCPT TO:a@b", "RCPT a@b"),
        [OFFERS, replies.BAD_SENDER, SENDER_OK, replies.BAD_RECIPIENT, replies.BAD_ARGUMENT],
    ),
    "order": (
        b"MAIL FROM:<>\r\nRCPT TO:<a@b>\r\nDATA\r\n" + mail("RCPT TO:<a@b>", "MAIL FROM:<>", "MAIL FROM:<>"),
        [*[replies.OUT_OF_ORDER] * 3, OFFERS, replies.OUT_OF_ORDER, SENDER_OK, replies.OUT_OF_ORDER],
    ),
    "data takes no argument": (
        mail("MAIL FROM:<>", "RCPT TO:<a@b>", "DATA now"),
        [OFFERS, SENDER_OK, RCPT_OK, replies.BAD_ARGUMENT],
    ),
    "rset forgets the mail": (
        mail("MAIL FROM:<>", "RCPT TO:<a@b>", "RSET", "DATA", "RSET x"),
        [OFFERS, SENDER_OK, RCPT_OK, replies.OK, replies.OUT_OF_ORDER, replies.BAD_ARGUMENT],
    ),
    "lhlo forgets the mail": (
        mail("MAIL FROM:<>", "LHLO again", "RCPT TO:<a@b>"),
        [OFFERS, SENDER_OK, OFFERS, replies.OUT_OF_ORDER],
    ),
    "the rest": (
        b"NOOP\r\nNOOP x\r\nVRFY a\r\nVRFY\r\nEXPN a\r\nHELP\r\nBDAT 5 LAST\r\nSTARTTLS\r\nXYZZY\r\n\r\n",
        [
            *[replies.OK] * 2,
            replies.CANNOT_VERIFY,
            replies.BAD_ARGUMENT,
            *[replies.NOT_OFFERED] * 4,
            *[replies.NOT_UNDERSTOOD] * 2,
        ],
    ),
    "only CRLF ends a command": (
        b"NOOP x\nNOOP\r\nNOOP x\rNOOP\r\nNOOP\r\r\nNOOP \0\r\nNOOP\r\n",
        [*[replies.NOT_UNDERSTOOD] * 4, replies.OK],
    ),
    "not UTF-8": (
        b"\xff\xfe\r\n" + HELLO + b"MAIL FROM:<\xff@b>\r\n",
        [replies.NOT_UNDERSTOOD, OFFERS, SENDER_OK],
    ),
    "look-alikes are no commands": ("RſET\r\n".encode(), [replies.NOT_UNDERSTOOD]),
    "nothing is read behind quit": (b"QUIT\r\nNOOP\r\n", [replies.BYE]),
    "longest command line": (b"NOOP " + b"x" * 2041 + b"\r\nNOOP\r\n", [replies.OK, replies.OK]),
    "a longer one": (b"NOOP " + b"x" * 2042 + b"\r\nNOOP\r\n", [replies.LINE_TOO_LONG, replies.OK]),
    "a much longer one": (
        b"NOOP " + b"x\r" * 5000 + b"\r\nNOOP\r\n",
        [replies.LINE_TOO_LONG, replies.OK],
    ),
}


@any_cut
@pytest.mark.parametrize("name", DIALOGS)
def test_dialog(name, cut):
    said, heard = DIALOGS[name]
    assert Talk().say(*cut(said)).heard == heard


@pytest.mark.parametrize(
    ("path", "recipient"),
    [
        (
            "<wiki-testwiki-9ix-tosry7-lJ/EuStX+vPc7XXp@b.example>",
            "wiki-testwiki-9ix-tosry7-lJ/EuStX+vPc7XXp@b.example",
        ),
        (" <a@b>", "a@b"),
        ("<@one.example,@two.example:a@b>", "a@b"),
        ('<"a.b"@c>', "a.b@c"),
        (r'<"a\b"@c>', "ab@c"),
        ('<"a b"@c>', '"a b"@c'),
        ('<"a>b"@c>', '"a>b"@c'),
        (r'<"a\"b"@c>', r'"a\"b"@c'),
        ('<"a@b"@c>', '"a@b"@c'),
        ("<ä@ö.example>", "ä@ö.example"),
        ("<postmaster>", "postmaster"),
    ],
)
def test_a_recipient_is_read_from_its_path(path, recipient):
    talk = Talk().say(mail("MAIL FROM:<>", f"RCPT TO:{path}", "DATA", "."))
    assert [delivery.recipients for delivery in talk.deliveries] == [(recipient,)]


@pytest.mark.parametrize(
    "path", ["<a@b", "a@b>", "<a b@c>", '<"a@b>', "<a@b>>", "<<a@b>", "<a@b>x", "<a\tb@c>", "<a\x7f@b>"]
)
def test_a_recipient_without_a_legible_path_is_refused(path):
    talk = Talk().say(mail("MAIL FROM:<>", f"RCPT TO:{path}"))
    assert talk.heard == [OFFERS, SENDER_OK, replies.BAD_RECIPIENT]


def test_too_many_recipients_are_put_off():
    talk = Talk().say(HELLO + b"MAIL FROM:<>\r\n" + b"RCPT TO:<one@b>\r\n" * (lmtp.RECIPIENT_LIMIT + 2))
    assert talk.heard[-3:] == [RCPT_OK, replies.TOO_MANY_RECIPIENTS, replies.TOO_MANY_RECIPIENTS]
    talk.say(b"DATA\r\n.\r\n")
    assert [len(delivery.recipients) for delivery in talk.deliveries] == [lmtp.RECIPIENT_LIMIT]


def test_a_peer_that_makes_too_many_mistakes_is_sent_away():
    talk = Talk().say(b"XYZZY\r\n" * (lmtp.ERROR_LIMIT + 5))
    assert talk.heard == [*[replies.NOT_UNDERSTOOD] * (lmtp.ERROR_LIMIT - 1), replies.TOO_MANY_ERRORS]
    assert talk.connection.closed


def test_refused_recipients_are_no_mistake_however_many():
    forged = b"MAIL FROM:<>\r\nRCPT TO:<forged@b>\r\nDATA\r\nRSET\r\n"
    talk = Talk().say(HELLO + forged * (2 * lmtp.ERROR_LIMIT) + b"NOOP\r\n")
    assert talk.heard[-1] == replies.OK


def test_input_behind_a_pending_delivery_waits_for_the_answer():
    connection = Connection(judge)
    connection.output()
    first = connection.receive(HELLO + MAIL + b"1\r\n.\r\n" + MAIL + b"2\r\n.\r\nNOOP\r\n")
    assert first == connection.pending == Delivery("", ("one@b.example",), b"1\r\n")
    assert connection.output().endswith(f"{GO}\r\n".encode())
    assert connection.receive(b"NOOP\r\n") is None
    assert connection.output() == b""
    second = connection.answer([REPLIES[Receipt.DUPLICATE]])
    assert second == Delivery("", ("one@b.example",), b"2\r\n")
    assert connection.answer([TROUBLE]) is None
    said = [REPLIES[Receipt.DUPLICATE].lmtp, SENDER_OK, RCPT_OK, GO, TROUBLE.lmtp, replies.OK, replies.OK]
    assert connection.output().decode().splitlines() == said


def test_a_hang_up_comes_behind_the_answer_and_nothing_comes_behind_the_hang_up():
    connection = Connection(judge)
    connection.receive(HELLO + MAIL + b".\r\nNOOP\r\n")
    connection.output()
    connection.hang_up(replies.SHUTTING_DOWN)
    assert (connection.output(), connection.closed) == (b"", False)
    assert connection.answer([REPLIES[Receipt.TAKEN]]) is None
    assert connection.output().decode().splitlines() == [TAKEN, replies.SHUTTING_DOWN]
    assert connection.closed
    assert (connection.receive(b"NOOP\r\n"), connection.output()) == (None, b"")


@pytest.mark.parametrize("count", [0, 2])
def test_an_answer_that_does_not_fit_is_the_callers_mistake(count):
    connection = Connection(judge)
    connection.receive(HELLO + MAIL + b".\r\n")
    with pytest.raises(ValueError, match="one reply per recipient"):
        connection.answer([TROUBLE] * count)


def test_no_address_is_logged_above_debug():
    with capture_logs() as logs:
        Talk().say(mail("MAIL FROM:<>", "RCPT TO:<trouble@secret.example>"))
    assert [(line["log_level"], line.get("error")) for line in logs] == [
        ("error", "ValueError"),
        ("debug", None),
    ]
    assert "secret" not in str(logs[0])
