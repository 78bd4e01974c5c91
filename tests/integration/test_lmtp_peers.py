"""The LMTP door and real peers: Postfix, Exim, Python's smtplib; and aiosmtpd's server, asked the same."""

import asyncio
import smtplib
import socket
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from sidecar.edges.lmtp_server import Limits, LmtpServer
from sidecar.edges.replies import REPLIES, TROUBLE
from sidecar.services.receipt import Receipt
from tests.integration.doors import PATIENCE, ScriptedIntake, eventually
from tests.support.exim import Exim
from tests.support.lmtp_sink import LmtpSink
from tests.support.postfix import Postfix

DOMAIN = "bounces.example"
LONG = b"x" * 100_000  # octets in a line; Exim does not fold
MAIL = (
    b"From: somebody@remote.example\r\nSubject: x\r\n\r\n.dot\r\n..\r\n"
    + LONG
    + b"\r\n\xc3\xa4\xff\x80\r\n.\r\n"
)
BODY = MAIL.partition(b"\r\n\r\n")[2]

BATCHED = """
together:
  driver = accept
  domains = {domain}
  caseful_local_part
  transport = together
"""
IN_ONE = "together:\n  driver = lmtp\n  socket = {socket}\n  batch_max = 10\n"


@pytest.fixture
async def door(intake: ScriptedIntake, short_folder: Path) -> AsyncIterator[Path]:
    server, path = LmtpServer(intake), short_folder / "lmtp.sock"
    await server.listen_unix(path, mode=0o666)
    yield path
    await server.close(grace=1)


def submit(port: int, recipients: list[str]) -> None:
    """With a sender: Exim freezes a bounce of which one recipient is refused for good."""
    with smtplib.SMTP("127.0.0.1", port, timeout=PATIENCE) as client:
        client.sendmail("somebody@remote.example", recipients, MAIL)


def handed_in(intake: ScriptedIntake) -> set[str]:
    return {received.recipient for received in intake.finished}


@pytest.mark.servers
async def test_exim_hears_one_reply_for_each_recipient_and_keeps_only_what_met_trouble(
    intake: ScriptedIntake, door: Path, exim: Exim
) -> None:
    recipients = [f"{name}@{DOMAIN}" for name in ("taken", "trouble", "late", "last")]
    intake.receipts = {recipients[1]: OSError("disk full"), recipients[2]: Receipt.TOO_LATE}
    routers, transports = BATCHED.format(domain=DOMAIN), IN_ONE.format(socket=door)
    exim.configure(DOMAIN, door, 9, routers=routers, transports=transports)
    await asyncio.to_thread(exim.start)
    await asyncio.to_thread(submit, exim.port, recipients)
    await eventually(lambda: handed_in(intake) == set(recipients), "all four are handed in")
    await eventually(lambda: "** late" in exim.log(), "Exim has noted them")
    first = exim.log()
    assert TROUBLE.lmtp in first
    assert REPLIES[Receipt.TOO_LATE].lmtp in first
    del intake.receipts[recipients[1]]
    await eventually(lambda: exim.log().count("=> trouble") == 1, "the kept one is handed in again")
    asked = [received.recipient for received in intake.finished]
    assert [asked.count(recipients[0]), asked.count(recipients[2]), asked.count(recipients[3])] == [1, 1, 1]
    assert all(received.raw.endswith(BODY) for received in intake.finished)


@pytest.mark.servers
async def test_postfix_hears_one_reply_for_each_recipient_and_long_lines_arrive(
    intake: ScriptedIntake, door: Path, postfix: Postfix
) -> None:
    recipients = [f"{name}@{DOMAIN}" for name in ("taken", "trouble", "late", "last")]
    intake.receipts = {recipients[1]: OSError("disk full"), recipients[2]: Receipt.TOO_LATE}
    postfix.configure({DOMAIN: f"lmtp:unix:{door}"}, lmtp_line_length_limit="0")
    await asyncio.to_thread(postfix.start)
    await asyncio.to_thread(submit, postfix.port, recipients)
    await eventually(lambda: handed_in(intake) == set(recipients), "all four are handed in")
    await eventually(lambda: "status=deferred" in postfix.log(), "Postfix has noted it")
    assert f"said: {TROUBLE.lmtp}" in postfix.log()
    del intake.receipts[recipients[1]]
    await eventually(lambda: not postfix.queue(), "the kept one is handed in again")
    asked = [received.recipient for received in intake.finished]
    assert [asked.count(recipients[0]), asked.count(recipients[2]), asked.count(recipients[3])] == [1, 1, 1]
    assert all(received.raw.endswith(BODY) for received in intake.finished)


@pytest.mark.servers
async def test_postfix_hands_in_a_mail_whose_sender_and_header_are_utf8(
    intake: ScriptedIntake, door: Path, postfix: Postfix
) -> None:
    postfix.configure({DOMAIN: f"lmtp:unix:{door}"})
    await asyncio.to_thread(postfix.start)

    def send() -> None:
        with smtplib.SMTP("127.0.0.1", postfix.port, timeout=PATIENCE) as client:
            mail = "Subject: ä\r\n\r\nx\r\n".encode()
            client.sendmail("jürgen@bücher.example", [f"one@{DOMAIN}"], mail, ["SMTPUTF8", "BODY=8BITMIME"])

    await asyncio.to_thread(send)
    await eventually(lambda: intake.finished, "it is handed in")
    [received] = intake.finished
    assert received.sender == "jürgen@bücher.example"
    assert "Subject: ä\r\n".encode() in received.raw


@pytest.mark.servers
async def test_postfix_keeps_a_bounce_that_is_larger_than_we_take(
    intake: ScriptedIntake, short_folder: Path, postfix: Postfix
) -> None:
    """Were the limit offered, it would not even try: a bounce, which goes back to nobody, would be lost."""
    server, path = LmtpServer(intake, limits=Limits(size=1000)), short_folder / "lmtp.sock"
    await server.listen_unix(path, mode=0o666)
    postfix.configure({DOMAIN: f"lmtp:unix:{path}"})
    await asyncio.to_thread(postfix.start)
    await asyncio.to_thread(submit, postfix.port, [f"one@{DOMAIN}"])
    await eventually(lambda: "452 4.3.4 Message is bigger" in postfix.log(), "Postfix was told")
    assert "status=deferred" in postfix.log()
    assert intake.asked == []
    await server.close(grace=1)


async def test_python_s_own_client_hears_each_reply_of_a_mail_to_several(
    intake: ScriptedIntake, serve_lmtp: Callable[..., object], lmtp_path: Path
) -> None:
    await serve_lmtp()
    intake.receipts = {"two@b": Receipt.DUPLICATE, "three@b": OSError("disk full")}

    def send() -> list[int]:
        with smtplib.LMTP(str(lmtp_path)) as client:
            client.ehlo("mx.example.org")
            codes = [client.mail("")[0]]
            codes += [client.rcpt(recipient)[0] for recipient in ("one@b", "nobody@b", "two@b", "three@b")]
            codes += [client.data(MAIL)[0], *(client.getreply()[0] for _ in range(2))]
            return [*codes, client.noop()[0]]

    assert await asyncio.to_thread(send) == [250, 250, 550, 250, 250, 250, 250, 451, 250]
    assert {received.raw for received in intake.finished} == {MAIL}


async def test_python_s_own_client_is_told_that_a_mail_is_too_big_before_it_sends_it(
    serve_lmtp: Callable[..., object], lmtp_path: Path
) -> None:
    await serve_lmtp(size=1000)

    def send() -> None:
        with smtplib.LMTP(str(lmtp_path)) as client:
            client.sendmail("", ["one@b"], MAIL, [f"SIZE={len(MAIL)}"])

    with pytest.raises(smtplib.SMTPSenderRefused, match=r"4\.3\.4 Message is bigger"):
        await asyncio.to_thread(send)


#: Each line waits for its reply. aiosmtpd takes what is said here for right or wrong, as we do.
DIALOGUE = [
    "RCPT TO:<one@b.example>",
    "MAIL FROM:<>",
    "LHLO mx.example.org",
    "MAIL FROM:",
    "MAIL FROM:<> SIZE=x",
    "MAIL FROM:<> BODY=8BITMIME SIZE=100",
    "MAIL FROM:<>",
    "DATA",
    "RCPT TO:",
    "RCPT TO:<one@b.example>",
    'RCPT TO:<"a b"@b.example>',
    "DATA now",
    "DATA",
    "Subject: x\r\n\r\n..\r\n.",
    "DATA",
    "MAIL FROM:<a@b.example>",
    "RSET",
    "RSET now",
    "RCPT TO:<one@b.example>",
    "NOOP",
    "VRFY one@b.example",
    "VRFY",
    "HELO mx",
    "EHLO mx",
    "EXPN list",
    "NONSENSE",
    "QUIT",
]


def dialogue(path: Path) -> list[str]:
    """The classes of all replies, with those of one line together."""
    with socket.socket(socket.AF_UNIX) as peer:
        peer.settimeout(PATIENCE)
        peer.connect(str(path))
        replies = peer.makefile("rb")

        def heard(count: int = 1) -> str:
            classes = ""
            for _ in range(count):
                while (line := replies.readline())[3:4] == b"-":
                    pass
                classes += chr(line[0])
            return classes

        found = [heard()]
        for line in DIALOGUE:
            peer.sendall(line.encode() + b"\r\n")
            found.append(heard(2 if line.endswith("\n.") else 1))
        return found


async def test_we_and_aiosmtpd_call_the_same_things_right_and_wrong(
    serve_lmtp: Callable[..., object], lmtp_path: Path, lmtp_sink: LmtpSink
) -> None:
    await serve_lmtp()
    ours = await asyncio.to_thread(dialogue, lmtp_path)
    theirs = await asyncio.to_thread(dialogue, lmtp_sink.socket)
    said = ["", *DIALOGUE]
    assert dict(zip(said, ours, strict=True)) == dict(zip(said, theirs, strict=True))
