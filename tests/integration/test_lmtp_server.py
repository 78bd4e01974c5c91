"""Deliveries through the LMTP door, on real sockets."""

import asyncio
import smtplib
import socket

import pytest
from structlog.testing import capture_logs

from sidecar.edges import replies
from sidecar.edges.lmtp_server import LmtpServer
from sidecar.edges.replies import REPLIES, TROUBLE
from sidecar.edges.unix_socket import CannotListen
from sidecar.services.receipt import Receipt, Received
from tests.integration.doors import Client, eventually
from tests.support.postfix import Postfix

TAKEN = REPLIES[Receipt.TAKEN].lmtp


async def test_python_s_own_client_hands_in_a_mail(serve_lmtp, intake, lmtp_path):
    await serve_lmtp()
    mail = "Subject: ä\r\n\r\n.dot\r\n" + "x" * 100_000 + "\r\n"

    def send() -> dict[str, tuple[int, bytes]]:
        with smtplib.LMTP(str(lmtp_path)) as client:
            return client.sendmail("", ["one@b.example"], mail.encode(), ["SIZE=100030", "BODY=8BITMIME"])

    assert await asyncio.to_thread(send) == {}
    assert intake.finished == [Received("one@b.example", "", mail.encode())]


async def test_python_s_own_client_hears_of_a_refused_recipient(serve_lmtp, lmtp_path):
    await serve_lmtp()

    def send() -> None:
        with smtplib.LMTP(str(lmtp_path)) as client:
            client.sendmail("", ["nobody@b.example"], b"Subject: x\r\n")

    with pytest.raises(smtplib.SMTPRecipientsRefused, match="No such return path"):
        await asyncio.to_thread(send)


async def test_each_recipient_gets_its_own_reply_in_the_order_of_rcpt(serve_lmtp, intake, connect_lmtp):
    await serve_lmtp()
    intake.receipts = {
        "two@b": Receipt.DUPLICATE,
        "three@b": OSError("disk full"),
        "four@b": Receipt.SET_ASIDE,
        "five@b": Receipt.TOO_LATE,
    }
    intake.open["one@b"]  # comes last
    client = await (await connect_lmtp()).hello()
    await client.hand_in("one@b", "two@b", "three@b", "four@b", "five@b")
    await eventually(lambda: len(intake.finished) == 4, "the others are done")
    intake.open["one@b"].set()
    assert await client.hear(5) == [
        TAKEN,
        REPLIES[Receipt.DUPLICATE].lmtp,
        TROUBLE.lmtp,
        REPLIES[Receipt.SET_ASIDE].lmtp,
        REPLIES[Receipt.TOO_LATE].lmtp,
    ]


async def test_recipients_of_one_mail_are_taken_together(serve_lmtp, intake, connect_lmtp):
    await serve_lmtp()
    intake.open["one@b"], intake.open["two@b"]
    client = await (await connect_lmtp()).hello()
    await client.hand_in("one@b", "two@b")
    await eventually(lambda: len(intake.asked) == 2, "both are asked for")
    assert intake.finished == []


async def test_unforeseen_trouble_is_451_and_logs_no_address(serve_lmtp, intake, connect_lmtp):
    await serve_lmtp()
    intake.receipts["one@secret.example"] = ValueError("one@secret.example")
    client = await (await connect_lmtp()).hello()
    with capture_logs() as logs:
        await client.hand_in("one@secret.example")
        assert await client.hear() == [TROUBLE.lmtp]
    assert [(line["event"], line["error"]) for line in logs if line["log_level"] != "debug"] == [
        ("intake failed", "ValueError")
    ]
    assert "secret" not in str([line for line in logs if line["log_level"] != "debug"])
    client.say("NOOP")
    assert await client.hear() == [replies.OK]


async def test_an_intake_that_is_cancelled_is_451(serve_lmtp, intake, connect_lmtp):
    await serve_lmtp()
    intake.receipts["one@b"] = asyncio.CancelledError()
    client = await (await connect_lmtp()).hello()
    await client.hand_in("one@b", "two@b")
    assert await client.hear(2) == [TROUBLE.lmtp, TAKEN]


async def test_an_intake_that_is_late_is_451_and_finishes_unheard(serve_lmtp, intake, connect_lmtp):
    await serve_lmtp(patience=0.05)
    intake.open["one@b"]
    client = await (await connect_lmtp()).hello()
    await client.hand_in("one@b", "two@b")
    assert await client.hear(2) == [TROUBLE.lmtp, TAKEN]
    intake.open["one@b"].set()
    await eventually(lambda: len(intake.finished) == 2, "the late one is finished")


async def test_an_intake_that_hangs_is_not_asked_for_ever_more(serve_lmtp, intake, connect_lmtp):
    await serve_lmtp(patience=0.01, unfinished=2)
    intake.open["one@b"]
    client = await (await connect_lmtp()).hello()
    for _ in range(4):
        await client.hand_in("one@b")
        assert await client.hear() == [TROUBLE.lmtp]
    assert len(intake.asked) == 2


async def test_a_client_that_dies_in_its_data_leaves_nothing(serve_lmtp, intake, connect_lmtp):
    server = await serve_lmtp(sessions=1)
    client = await (await connect_lmtp()).hello()
    client.say("MAIL FROM:<>", "RCPT TO:<one@b>", "DATA")
    await client.hear(3)
    client.say("half a mail")
    await client.gone()
    await eventually(lambda: not server._sessions, "the session is over")
    await (await (await connect_lmtp()).hello()).hand_in("two@b")
    await eventually(lambda: intake.finished, "the next mail is taken")
    assert [received.recipient for received in intake.asked] == ["two@b"]


async def test_a_client_that_dies_behind_the_dot_stops_nothing(serve_lmtp, intake, connect_lmtp):
    await serve_lmtp()
    intake.open["one@b"]
    client = await (await connect_lmtp()).hello()
    await client.hand_in("one@b")
    await eventually(lambda: intake.asked, "the intake is at work")
    await client.gone()
    intake.open["one@b"].set()
    await eventually(lambda: intake.finished, "the work is finished")


async def test_a_client_that_half_closes_still_gets_its_reply(serve_lmtp, intake, connect_lmtp):
    await serve_lmtp()
    intake.open["one@b"]
    client = await (await connect_lmtp()).hello()
    await client.hand_in("one@b")
    client.writer.write_eof()
    await eventually(lambda: intake.asked, "the intake is at work")
    intake.open["one@b"].set()
    assert await client.rest() == [TAKEN]


async def test_a_stale_socket_file_is_replaced_and_a_live_one_is_not(serve_lmtp, intake, lmtp_path):
    with socket.socket(socket.AF_UNIX) as killed:
        killed.bind(str(lmtp_path))
    await serve_lmtp()
    with pytest.raises(CannotListen, match="in use"):
        await LmtpServer(intake).listen_unix(lmtp_path)


async def test_it_is_served_on_loopback_tcp_too(serve_lmtp, intake):
    server = await serve_lmtp()
    port = await server.listen_tcp("127.0.0.1", 0)
    client = await Client(*await asyncio.open_connection("127.0.0.1", port)).hello()
    await client.hand_in("one@b")
    assert await client.hear() == [TAKEN]
    client.writer.close()
    with pytest.raises(CannotListen, match=f"127.0.0.1 port {port}"):
        await server.listen_tcp("127.0.0.1", port)


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "::", "mx.example.org", ""])
async def test_it_is_served_nowhere_else(serve_lmtp, host):
    server = await serve_lmtp()
    with pytest.raises(CannotListen, match="loopback"):
        await server.listen_tcp(host, 0)


@pytest.mark.servers
async def test_postfix_hands_in_a_bounce_and_keeps_what_meets_trouble(
    intake, postfix: Postfix, short_folder
) -> None:
    server, path = LmtpServer(intake), short_folder / "lmtp.sock"
    await server.listen_unix(path, mode=0o666)
    intake.receipts["one@bounces.example"] = OSError("disk full")
    postfix.configure({"bounces.example": f"lmtp:unix:{path}"})
    await asyncio.to_thread(postfix.start)

    def submit() -> None:
        with smtplib.SMTP("127.0.0.1", postfix.port) as client:
            client.sendmail("", ["one@bounces.example", "two@bounces.example"], b"Subject: x\r\n\r\n.\r\n")

    await asyncio.to_thread(submit)
    await eventually(lambda: len(intake.finished) >= 2, "both recipients are asked for")
    del intake.receipts["one@bounces.example"]
    await eventually(lambda: not postfix.queue(), "the kept one is handed in again")
    assert {received.recipient for received in intake.finished} == {
        "one@bounces.example",
        "two@bounces.example",
    }
    assert all(received.raw.endswith(b"\r\n\r\n.\r\n") for received in intake.finished)
    await server.close()
