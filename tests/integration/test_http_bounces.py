"""/bounces: who may hand in what, and what is said for it."""

import asyncio

import pytest

from sidecar.services.receipt import Receipt, Received
from tests.integration.doors import eventually
from tests.integration.http_house import BEARER, PATH, curl, ran

MAIL = b"Subject: x\r\n\r\n" + bytes(range(256))


async def test_a_mail_is_taken_octet_by_octet(serve_http, intake):
    said = await (await serve_http()).hand_in(MAIL)
    assert (said.status, said.body) == (200, {"receipt": "taken", "words": "Taken"})
    assert said.headers["Content-Type"].startswith("application/json")
    assert "aiohttp" not in said.headers["Server"]
    assert intake.finished == [Received(PATH, "", MAIL)]


@pytest.mark.parametrize("kind", ["message/rfc822", "application/x-www-form-urlencoded", "text/plain"])
async def test_any_content_type_will_do(serve_http, intake, kind):
    await (await serve_http()).hand_in(MAIL, headers={**BEARER, "Content-Type": kind})
    assert intake.finished == [Received(PATH, "", MAIL)]


async def test_the_line_of_a_mailbox_is_taken_off(serve_http, intake):
    await (await serve_http()).hand_in(b"From MAILER-DAEMON Sat Nov 21 10:00:00 2026\n" + MAIL)
    assert intake.finished == [Received(PATH, "", MAIL)]


@pytest.mark.parametrize(
    ("sender", "meant"),
    [("a@b", "a@b"), ("<a@b>", "a@b"), ("<>", ""), ("", ""), ("MAILER-DAEMON", "")],
)
async def test_the_envelope_sender_may_be_given(serve_http, intake, sender, meant):
    house = await serve_http()
    said = await house.ask(
        "/bounces", MAIL, params={"recipient": "w-+/=1@b", "sender": sender}, headers=BEARER
    )
    assert said.status == 200
    assert intake.finished == [Received("w-+/=1@b", meant, MAIL)]


async def test_a_recipient_in_angle_brackets_is_the_same(serve_http, intake):
    assert (await (await serve_http()).hand_in(MAIL, f"<{PATH}>")).status == 200
    assert intake.finished == [Received(PATH, "", MAIL)]


@pytest.mark.parametrize(
    ("receipt", "status"),
    [
        (Receipt.TAKEN, 200),
        (Receipt.DUPLICATE, 200),
        (Receipt.SET_ASIDE, 200),
        (Receipt.NOT_OURS, 404),
        (Receipt.FORGED, 403),
        (Receipt.TOO_LATE, 410),
    ],
)
async def test_each_receipt_is_said(serve_http, intake, receipt, status):
    intake.receipts[PATH] = receipt
    said = await (await serve_http()).hand_in(MAIL)
    assert (said.status, said.body["receipt"]) == (status, str(receipt))


async def test_a_refused_recipient_is_told_before_the_mail_is_read(serve_http, intake):
    said = await (await serve_http()).hand_in(MAIL, "nobody@b", expect100=True)
    assert (said.status, said.body) == (404, {"receipt": "not ours", "words": "No such return path"})
    assert intake.asked == []


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("", "want one recipient"),
        ("?recipient=", "want one recipient"),
        ("?recipient=a@b&recipient=c@d", "want one recipient"),
        ("?recipient=a@b&sender=c@d&sender=e@f", "one sender"),
        ("?recipient=a@b&sendr=c@d", "unknown parameter"),
    ],
)
async def test_a_bad_question_is_told(serve_http, intake, query, words):
    said = await (await serve_http()).ask("/bounces" + query, MAIL, headers=BEARER)
    assert said.status == 400
    assert words in said.body["words"]
    assert intake.asked == []


@pytest.mark.parametrize("raw", [b"", b"From MAILER-DAEMON Sat Nov 21 10:00:00 2026\n"])
async def test_no_mail_is_no_bounce(serve_http, intake, raw):
    said = await (await serve_http()).hand_in(raw)
    assert (said.status, intake.asked) == (400, [])


async def test_compressed_mail_is_not_taken(serve_http, intake):
    said = await (await serve_http()).hand_in(MAIL, headers={**BEARER, "Content-Encoding": "gzip"})
    assert (said.status, intake.asked) == (415, [])


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic eDp5"}])
async def test_without_the_token_nobody_comes_in(serve_http, intake, headers):
    said = await (await serve_http()).hand_in(MAIL, headers=headers)
    assert (said.status, intake.asked) == (401, [])
    assert said.headers["WWW-Authenticate"].startswith("Bearer")


async def test_without_a_configured_token_nobody_comes_in(serve_http, intake):
    said = await (await serve_http(token="")).hand_in(MAIL, headers={"Authorization": "Bearer "})
    assert (said.status, intake.asked) == (401, [])


async def test_a_peer_that_is_not_listed_does_not_come_in(serve_http, intake):
    house = await serve_http(allow=("127.0.0.1/32",))
    headers = {**BEARER, "X-Forwarded-For": "127.0.0.1"}
    said = await house.hand_in(MAIL, local="127.0.0.2", headers=headers)
    assert (said.status, intake.asked) == (403, [])
    assert (await house.hand_in(MAIL)).status == 200


@pytest.mark.parametrize("chunked", [False, True])
async def test_too_big_is_too_big(serve_http, intake, chunked):
    async def pieces():
        for _ in range(300):
            yield b"x" * 1000

    said = await (await serve_http(size=100_000)).hand_in(pieces() if chunked else b"x" * 300_000)
    assert (said.status, intake.asked) == (413, [])


async def test_the_largest_mail_fits(serve_http):
    assert (await (await serve_http(size=100_000)).hand_in(b"x" * 100_000)).status == 200
    assert (await (await serve_http(size=100_000)).hand_in(b"x" * 100_001)).status == 413


async def test_an_intake_that_fails_is_temporary_trouble(serve_http, intake):
    intake.receipts[PATH] = RuntimeError("disk full")
    said = await (await serve_http()).hand_in(MAIL)
    assert (said.status, said.body) == (503, {"words": "Temporary trouble, please try again"})
    assert int(said.headers["Retry-After"]) > 0


async def test_an_intake_that_hangs_is_temporary_trouble_and_goes_on(serve_http, intake):
    intake.open[PATH]
    said = await (await serve_http(patience=0.05)).hand_in(MAIL)
    assert (said.status, intake.finished) == (503, [])
    intake.open[PATH].set()
    await eventually(lambda: intake.finished, "the booking went on")


async def test_a_client_that_hangs_up_does_not_stop_a_booking(serve_http, intake):
    intake.open[PATH]
    house = await serve_http()
    asking = asyncio.create_task(house.hand_in(MAIL))
    await eventually(lambda: intake.asked, "the intake is at work")
    asking.cancel()
    await asyncio.wait({asking})
    await eventually(lambda: not house.server._listener._connections, "the client is gone")
    intake.open[PATH].set()
    await eventually(lambda: intake.finished, "the booking went on")


async def test_no_more_than_so_many_are_at_work(serve_http, intake):
    house = await serve_http(unfinished=1)
    intake.open[PATH]
    first = asyncio.create_task(house.hand_in(MAIL))
    await eventually(lambda: intake.asked, "the intake is at work")
    assert (await house.hand_in(MAIL, "two@b")).status == 503
    intake.open[PATH].set()
    assert (await first).status == 200
    assert (await house.hand_in(MAIL, "two@b")).status == 200


@pytest.mark.parametrize(
    ("path", "method", "status"),
    [("/", "GET", 404), ("/bounces", "GET", 405), ("/bounces/", "POST", 404), ("/healthz", "POST", 405)],
)
async def test_other_paths_and_methods_are_refused(serve_http, path, method, status):
    said = await (await serve_http()).ask(path, method=method)
    assert said.status == status
    assert status != 405 or said.headers["Allow"]


async def posted(house, *options: str, recipient: str = PATH, token: str = BEARER["Authorization"]):
    """What the documentation tells a mail server to run."""
    return await ran(
        curl(), "--silent", "--fail", "--header", f"Authorization: {token}",
        "--header", "Content-Type: message/rfc822", "--data-binary", "@-", *options,
        "--url-query", f"recipient={recipient}", f"{house.url}/bounces", stdin=MAIL,
    )  # fmt: skip


@pytest.mark.parametrize(
    "recipient",
    [PATH, "wiki-a.b-1-x-zeo4R2+SEC/iYA9=YR@b", "a&sender=x@y", 'a"b c@d', "@/etc/passwd", "=x@y"],
)
async def test_curl_hands_in_the_very_mail_for_the_very_recipient(serve_http, intake, recipient):
    code, output = await posted(await serve_http(), recipient=recipient)
    assert (code, output[:19]) == (0, b'{"receipt": "taken"')
    assert intake.finished == [Received(recipient, "", MAIL)]


@pytest.mark.slow
async def test_curl_fails_on_whatever_is_not_booked(serve_http, intake):
    house = await serve_http()
    assert (await posted(house, token="Bearer wrong"))[0] == 22
    assert (await posted(house, recipient="nobody@b"))[0] == 22
    intake.receipts[PATH] = RuntimeError("disk full")
    assert (await posted(house))[0] == 22
    intake.open["slow@b"]
    assert (await posted(house, "--max-time", "0.2", recipient="slow@b"))[0] == 28
    intake.open["slow@b"].set()
    await house.server.close(grace=0.1)
    assert (await posted(house))[0] == 7
