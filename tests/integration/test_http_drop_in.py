"""The endpoint that stands in for BounceHandler's API, asked by the curl line that MTAs run for it."""

import aiohttp
import pytest

from sidecar.services.receipt import Receipt, Received
from tests.integration.http_house import FORM, curl, ran

MAIL = (
    b"From: MAILER-DAEMON\r\nTo: one@b\r\nSubject: 100% & more=less + \xff\r\n\r\n" + bytes(range(256)) * 40
)
JOB = {"submitted": "job"}
FAILURE = {"submitted": "failure"}


async def post(house, raw, *options, path="/w/api.php", fail=True):
    """BounceHandler's own line, with another URL."""
    return await ran(
        curl(), "-s", *(["--fail"] if fail else []), "-H", "Host: wiki.example.org", house.url + path,
        "-d", "action=bouncehandler", "-d", "format=json", "--data-urlencode", "email@-", *options, stdin=raw,
    )  # fmt: skip


@pytest.mark.parametrize("path", ["/w/api.php", "/api.php"])
async def test_the_usual_line_needs_another_url_only(serve_http, intake, path):
    code, output = await post(await serve_http(), MAIL, path=path)
    assert code == 0
    assert output.startswith(b'{"bouncehandler": {"submitted": "job"}')
    [taken] = intake.finished
    assert (taken.recipient, taken.sender) == ("one@b", "")


async def test_every_octet_comes_through_nul_included(serve_http, intake):
    await post(await serve_http(), MAIL)
    assert intake.finished == [Received("one@b", "", MAIL)]


async def test_the_line_of_a_mailbox_is_taken_off(serve_http, intake):
    await post(await serve_http(), b"From MAILER-DAEMON Sat Nov 21 10:00:00 2026\n" + MAIL)
    assert intake.finished == [Received("one@b", "", MAIL)]


async def test_a_mail_of_the_largest_size_fits_however_it_is_encoded(serve_http, intake):
    raw = b"To: one@b\n\n" + b"\xff" * 99_000
    assert (await post(await serve_http(size=100_000), raw))[0] == 0
    assert intake.finished == [Received("one@b", "", raw)]


@pytest.mark.parametrize("octet", [b"\xff", b"x"])
async def test_too_big_is_too_big(serve_http, intake, octet):
    code, output = await post(
        await serve_http(size=100_000), b"To: one@b\n\n" + octet * 150_000, "-w", "%{http_code}", fail=False
    )
    assert (code, output[-3:]) == (0, b"413")
    assert b'"submitted": "failure"' in output
    assert intake.asked == []


async def test_multipart_will_do(serve_http, intake):
    form = aiohttp.FormData(FORM)
    form.add_field("email", MAIL, filename="mail")
    said = await (await serve_http()).ask("/w/api.php", form)
    assert (said.status, said.body["bouncehandler"]) == (200, JOB)
    assert intake.finished == [Received("one@b", "", MAIL)]


@pytest.mark.parametrize(
    ("header", "recipient"),
    [
        ("Delivered-To: one@b\nTo: nobody@b", "one@b"),
        ("Delivered-To: nobody@b\nX-Original-To: two@b\nTo: one@b", "two@b"),
        ("Envelope-To: three@b\nTo: nobody@b", "three@b"),
    ],
)
async def test_the_recipient_stands_in_the_header(serve_http, intake, header, recipient):
    assert (await post(await serve_http(), f"{header}\n\nTo: four@b".encode()))[0] == 0
    assert [received.recipient for received in intake.finished] == [recipient]


async def test_a_mail_that_came_from_somebody_has_that_sender(serve_http, intake):
    """So that it never counts: a delivery report has the null sender."""
    await post(await serve_http(), b"Return-Path: <eve@x.example>\nTo: one@b\n\n")
    await post(await serve_http(), b"Return-Path: <>\nTo: one@b\n\n")
    assert [received.sender for received in intake.finished] == ["eve@x.example", ""]


@pytest.mark.parametrize(
    ("outcome", "status"),
    [
        (Receipt.DUPLICATE, 200),
        (Receipt.SET_ASIDE, 200),
        (Receipt.FORGED, 403),
        (Receipt.NOT_OURS, 404),
        (Receipt.TOO_LATE, 410),
        (RuntimeError("disk full"), 503),
    ],
)
async def test_only_what_is_booked_is_a_job(serve_http, intake, outcome, status):
    intake.receipts["one@b"] = outcome
    house = await serve_http()
    said = await house.ask("/w/api.php", {**FORM, "email": "To: one@b\n\n"})
    assert (said.status, said.body["bouncehandler"]) == (status, JOB if status == 200 else FAILURE)
    assert (await post(house, b"To: one@b\n\n"))[0] == (0 if status == 200 else 22)


async def test_nobodys_mail_is_not_found(serve_http, intake):
    said = await (await serve_http()).ask("/w/api.php", {**FORM, "email": "To: nobody@b\n\n"})
    assert (said.status, said.body["receipt"], intake.asked) == (404, "not ours", [])


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({}, "action is not bouncehandler"),
        ({**FORM, "action": "query"}, "action is not bouncehandler"),
        ({**FORM, "format": "xml"}, "format is not json"),
        ({"action": "bouncehandler", "email": "x"}, "format is not json"),
        (FORM, "no mail in email"),
        ({**FORM, "email": ""}, "no mail in email"),
        (b"action=bouncehandler", "want a form"),
    ],
)
async def test_another_question_is_told_what_this_is(serve_http, intake, form, words):
    said = await (await serve_http()).ask("/w/api.php", form)
    assert (said.status, said.body["bouncehandler"], intake.asked) == (400, FAILURE, [])
    assert words in said.body["words"]
    assert "BounceHandler's requests for bounce-sidecar" in said.body["words"]


async def test_action_and_format_may_stand_in_the_url(serve_http):
    house = await serve_http()
    said = await house.ask("/w/api.php?action=bouncehandler&format=json", {"email": "To: one@b\n\n"})
    assert said.status == 200


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Authorization": "Bearer wrong"}, 401),
        ({"X-Forwarded-For": "127.0.0.1"}, 403),
        ({"X-Forwarded-For": "127.0.0.1", "Authorization": "Bearer a-token-of-some-length-0123456789"}, 200),
    ],
)
async def test_a_token_must_be_right_and_a_proxy_needs_one(serve_http, headers, status):
    house = await serve_http()
    said = await house.ask("/w/api.php", {**FORM, "email": "To: one@b\n\n"}, headers=headers)
    assert (said.status, said.body["bouncehandler"]["submitted"] == "job") == (status, status == 200)


async def test_a_peer_that_is_not_listed_does_not_come_in(serve_http, intake):
    house = await serve_http(allow=("127.0.0.1/32",))
    said = await house.ask("/w/api.php", {**FORM, "email": "To: one@b\n\n"}, local="127.0.0.2")
    assert (said.status, said.body["bouncehandler"], intake.asked) == (403, FAILURE, [])
