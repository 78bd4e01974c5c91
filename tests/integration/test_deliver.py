"""The pipe door's program and the sidecar's real LMTP door: each receipt, each octet."""

import pytest

from sidecar.edges.lmtp_server import LmtpServer
from sidecar.edges.replies import REPLIES, TROUBLE
from sidecar.services.receipt import Receipt, Received
from tests.integration.doors import ScriptedIntake
from tests.integration.pipe import MAIL, hand_over
from tests.support.lmtp_sink import LmtpSink

SENT = MAIL.replace(b"\n", b"\r\n")
ODD = b"A: \xff\x00\xe4\rb\r\n\r\n.\r\n..dots\n.\n" + b"x" * 200_000 + b"\r\nFrom here\r\n\r\n"


class Refusing(ScriptedIntake):
    """Says at RCPT what ScriptedIntake says after DATA."""

    def refusal(self, recipient: str) -> Receipt | None:
        said = self.receipts.get(recipient)
        if isinstance(said, Exception):
            raise said
        return said if isinstance(said, Receipt) and REPLIES[said].lmtp.startswith("5") else None


@pytest.mark.parametrize("refuse", [False, True])
@pytest.mark.parametrize("at_rcpt", [False, True])
@pytest.mark.parametrize("receipt", [*Receipt, None])
async def test_each_receipt_has_the_exit_code_of_the_table(
    deliver_command, lmtp_path, receipt: Receipt | None, at_rcpt: bool, refuse: bool
) -> None:
    reply = REPLIES[receipt] if receipt else TROUBLE
    intake = Refusing() if at_rcpt else ScriptedIntake()
    intake.receipts["one@b.example"] = receipt or OSError("disk full")
    server = LmtpServer(intake)
    await server.listen_unix(lmtp_path)
    end = await hand_over(deliver_command, *(["--refuse"] if refuse else []), "one@b.example")
    await server.close()
    expected = reply.exit_code if refuse or reply.exit_code == 0 else TROUBLE.exit_code
    assert end.code == expected
    stage = "RCPT" if at_rcpt else "mail"
    said = f"bounce-sidecar-deliver: the sidecar said ({stage}): {reply.lmtp}\n"
    assert end.words == ("" if expected == 0 else said)


async def test_the_envelope_and_every_octet_arrive(deliver_command, serve_lmtp, intake) -> None:
    await serve_lmtp()
    end = await hand_over(
        deliver_command, "--sender", "ann@a.example", "--", "Wiki-A/b+c@b.example", mail=ODD
    )
    assert (end.code, end.words) == (0, "")
    body = ODD.replace(b"..dots\n.\n", b"..dots\r\n.\r\n")
    assert intake.finished == [Received("Wiki-A/b+c@b.example", "ann@a.example", body)]


async def test_the_envelope_is_taken_from_the_environment(deliver_command, serve_lmtp, intake) -> None:
    await serve_lmtp()
    given = {"SENDER": "", "ORIGINAL_RECIPIENT": "One@b.example", "RECIPIENT": "bounces@wiki.example"}
    mail = b"From MAILER-DAEMON Sat Nov 21 10:58:59 2026\n" + MAIL
    assert (await hand_over(deliver_command, environment=given, mail=mail)).code == 0
    assert intake.finished == [Received("One@b.example", "", SENT)]


async def test_another_lmtp_server_takes_it_too(deliver_command, tmp_path) -> None:
    sink = LmtpSink(tmp_path / "sink.sock")
    sink.start()
    end = await hand_over(deliver_command, "--socket", str(sink.socket), "one@b.example", mail=ODD)
    sink.stop()
    assert (end.code, end.words) == (0, "")
    [mail] = sink.mailbox.mails
    assert (mail.sender, mail.recipients) == ("", ("one@b.example",))
    assert mail.raw.endswith(ODD.replace(b"..dots\n.\n", b"..dots\r\n.\r\n"))


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_it_speaks_on_loopback_tcp_too(deliver_command, serve_lmtp, intake, host) -> None:
    port = await (await serve_lmtp()).listen_tcp("127.0.0.1", 0)
    assert (await hand_over(deliver_command, "--socket", f"{host}:{port}", "one@b.example")).code == 0
    assert intake.finished == [Received("one@b.example", "", SENT)]


@pytest.mark.parametrize("refuse", [[], ["--refuse"]])
async def test_a_mail_that_is_too_big_waits(deliver_command, serve_lmtp, intake, refuse) -> None:
    await serve_lmtp(size=len(SENT))
    assert (await hand_over(deliver_command, *refuse, "one@b.example")).code == 0
    end = await hand_over(deliver_command, *refuse, "one@b.example", mail=MAIL + b"\n")
    assert end.code == 75
    assert "452 4.3.4 Message is bigger than [sockets] max_mail_bytes\n" in end.words
    assert len(intake.asked) == 1
