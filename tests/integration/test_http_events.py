"""Events of mail providers over HTTP: our own form, and Amazon's."""

import asyncio
import gzip
import json

import pytest

from sidecar.domain.notice import Kind, read
from sidecar.edges.http_listener import HttpLimits
from sidecar.edges.https_fetch import CannotFetch, fetch
from sidecar.services.receipt import Receipt
from tests.integration.http_house import BEARER, NOW, curl, ran
from tests.support.amazon import CERTIFICATE_URL, TOPIC, Amazon

PACKED = gzip.compress(b"a certificate")
EVENT = {"return_path": "one@b", "address": "ann@remote.example", "action": "failed", "status": "5.1.1"}


async def post(house, body, **more):
    more.setdefault("headers", BEARER)
    return await house.ask("/events", json=body, **more)


async def test_an_event_is_taken_as_a_mail(serve_http, intake):
    said = await post(await serve_http(), EVENT)
    assert (said.status, said.body) == (200, {"receipt": "taken", "words": "Taken"})
    [taken] = intake.finished
    assert (taken.recipient, taken.sender, read(taken.raw).kind) == ("one@b", "", Kind.BOUNCE)


async def test_the_same_event_is_the_same_mail(serve_http, intake):
    house = await serve_http()
    await post(house, EVENT)
    await house.ask(
        "/events", json.dumps(EVENT, indent=4), headers={**BEARER, "Content-Type": "application/json"}
    )
    first, second = intake.finished
    assert first == second


async def test_of_several_each_is_told_and_the_worst_is_the_status(serve_http, intake):
    house = await serve_http()
    intake.receipts["trouble@b"] = RuntimeError("disk full")
    refused, bad, trouble = ({**EVENT, "return_path": path} for path in ("nobody@b", "", "trouble@b"))

    async def status(*events):
        said = await post(house, {"events": events})
        assert len(said.body["events"]) == len(events)
        return said.status

    assert await status(EVENT, EVENT) == 200
    assert await status(EVENT, refused) == 404
    assert await status(refused, bad, EVENT) == 400
    assert await status(EVENT, bad, trouble, refused) == 503
    said = await post(house, {"events": [EVENT, bad]})
    assert [one.get("receipt") for one in said.body["events"]] == ["taken", None]
    assert said.body["events"][1]["words"] == "return_path: is missing"


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"status": NaN}', "not JSON"),
        (b'{"status": 1' + b"0" * 5000 + b"}", "not JSON"),
        (b"[]", "an event is a JSON object"),
        (b'{"events": []}', "events: want a list of 1 to 100"),
        (b'{"events": {}}', "events: want a list of 1 to 100"),
        (b'{"events": [1], "more": 1}', "events: want a list of 1 to 100"),
        (b'{"events": [' + b"1," * 100 + b"1]}", "events: want a list of 1 to 100"),
    ],
)
async def test_what_is_no_event_is_told(serve_http, intake, body, words):
    headers = {**BEARER, "Content-Type": "application/json; charset=utf-8"}
    said = await (await serve_http()).ask("/events", body, headers=headers)
    assert (said.status, intake.asked) == (400, [])
    assert words in said.body["words"]


async def test_only_json_only_with_the_token_only_from_a_listed_peer(serve_http, intake):
    house = await serve_http()
    assert (await house.ask("/events", json.dumps(EVENT), headers=BEARER)).status == 400
    assert (await post(house, EVENT, headers={})).status == 401
    assert (await post(house, EVENT, local="127.0.0.2")).status == 403
    assert (await post(house, {**EVENT, "diagnostic": "x" * 2**20})).status == 413
    assert intake.asked == []


async def test_curl_posts_a_file_of_events(serve_http, tmp_path):
    house = await serve_http()
    (tmp_path / "event.json").write_text(json.dumps(EVENT))
    (tmp_path / "header").write_text(f"Authorization: {BEARER['Authorization']}\n")
    code, _ = await ran(
        curl(), "-s", "--fail", "-H", f"@{tmp_path}/header", "-H", "Content-Type: application/json",
        "--data-binary", f"@{tmp_path}/event.json", f"{house.url}/events",
    )  # fmt: skip
    assert code == 0


def bounce(sort="Permanent", source="one@b", kind="Bounce"):
    told = {
        "notificationType": kind,
        "mail": {"source": source, "messageId": "1"},
        kind.lower(): {
            "bounceType": sort,
            "bouncedRecipients": [
                {
                    "emailAddress": "ann@remote.example",
                    "status": "5.1.1",
                    "diagnosticCode": "550 User unknown",
                }
            ],
            "complainedRecipients": [{"emailAddress": "ann@remote.example"}],
        },
    }
    return json.dumps(told)


async def send(house, body, **more):
    return await house.ask(
        "/sns", body, headers={"Content-Type": "text/plain"} | more.pop("headers", {}), **more
    )


@pytest.mark.parametrize("version", ["1", "2"])
async def test_a_bounce_that_amazon_signed_is_taken(serve_http, intake, amazon, version):
    """From any address: neither the list nor the token is asked."""
    house = await serve_http(allow=("192.0.2.1/32",))
    said = await send(house, amazon.post(version=version, Message=bounce()))
    assert (said.status, said.body["receipt"]) == (200, "taken")
    assert read(intake.finished[0].raw).reports[0].diagnostic == "550 User unknown"
    assert house.metrics.events.labels("bounce")._value.get() == 1


async def test_amazon_repeats_and_it_is_the_same_mail(serve_http, intake, amazon):
    house = await serve_http()
    for subject in (None, "again"):
        await send(house, amazon.post(Message=bounce(), Subject=subject))
    first, second = intake.finished
    assert first == second
    assert amazon.visited == [CERTIFICATE_URL]


@pytest.mark.parametrize("message", [bounce(kind="Delivery"), "Successfully validated SNS topic."])
async def test_what_is_no_failure_is_counted_and_not_booked(serve_http, intake, amazon, message):
    house = await serve_http()
    said = await send(house, amazon.post(Message=message))
    assert (said.status, said.body, intake.asked) == (200, {"words": "Nothing to book"}, [])
    kind = "delivery" if message.startswith("{") else "other"
    assert house.metrics.events.labels(kind)._value.get() == 1


@pytest.mark.parametrize(
    ("outcome", "status"),
    [
        (Receipt.FORGED, 403),
        (Receipt.NOT_OURS, 404),
        (Receipt.TOO_LATE, 410),
        (RuntimeError("disk full"), 503),
    ],
)
async def test_what_is_not_booked_is_said(serve_http, intake, amazon, outcome, status):
    intake.receipts["one@b"] = outcome
    house = await serve_http()
    assert (await send(house, amazon.post(Message=bounce()))).status == status
    assert house.metrics.events.labels("bounce")._value.get() == 0


async def test_a_bounce_that_is_not_understood_is_refused_by_name(serve_http, intake, amazon):
    said = await send(await serve_http(), amazon.post(Message=bounce(source="")))
    assert (said.status, said.body["words"], intake.asked) == (400, "mail.source is missing", [])


@pytest.mark.parametrize(
    ("changes", "status", "words"),
    [
        ({"Signature": "AAAA"}, 403, "Not signed by Amazon SNS"),
        ({"TopicArn": TOPIC + "2"}, 403, "Not one of the topics"),
        ({"Timestamp": "2026-03-01T10:00:00.000Z"}, 410, "older than"),
        ({"SigningCertURL": "https://sns.eu-west-1.amazonaws.com.evil.example/a.pem"}, 400, "SigningCertURL"),
    ],
)
async def test_what_amazon_did_not_send_is_refused(serve_http, intake, amazon, changes, status, words):
    said = await send(await serve_http(), amazon.post(**{"Message": bounce(), **changes}))
    assert (said.status, intake.asked) == (status, [])
    assert words in said.body["words"]
    assert status == 403 or amazon.visited == []


async def test_nothing_is_fetched_for_a_topic_that_is_not_configured(serve_http, amazon):
    await send(await serve_http(), amazon.post(TopicArn=TOPIC + "2", Message=bounce()))
    assert amazon.visited == []


async def test_another_key_is_not_amazons(serve_http, intake):
    said = await send(await serve_http(), Amazon(NOW).post(Message=bounce()))
    assert (said.status, intake.asked) == (403, [])


async def test_raw_delivery_is_refused_because_it_is_unsigned(serve_http, intake):
    said = await send(await serve_http(), bounce(), headers={"x-amz-sns-rawdelivery": "true"})
    assert (said.status, "Raw message delivery is unsigned" in said.body["words"]) == (403, True)
    assert (await send(await serve_http(), bounce())).status == 400
    assert intake.asked == []


async def test_a_configured_topic_is_subscribed_to(serve_http, amazon):
    said = await send(await serve_http(), amazon.post("SubscriptionConfirmation"))
    assert (said.status, said.body) == (200, {"words": "Subscribed"})
    assert [url.partition("?")[0] for url in amazon.visited] == [
        CERTIFICATE_URL,
        "https://sns.eu-west-1.amazonaws.com/",
    ]


@pytest.mark.parametrize(
    "changes",
    [
        {"TopicArn": TOPIC + "2"},
        {"Signature": "AAAA"},
        {"SubscribeURL": "https://evil.example/?Action=ConfirmSubscription"},
        {"SubscribeURL": "http://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription"},
    ],
)
async def test_nothing_else_is_visited(serve_http, amazon, changes):
    said = await send(await serve_http(), amazon.post("SubscriptionConfirmation", **changes))
    assert said.status in (400, 403)
    assert set(amazon.visited) <= {CERTIFICATE_URL}


async def test_an_end_of_a_subscription_is_told(serve_http, amazon):
    said = await send(await serve_http(), amazon.post("UnsubscribeConfirmation"))
    assert (said.status, amazon.visited) == (200, [CERTIFICATE_URL])


class Silent(Amazon):
    """Amazon, out of reach for a while."""

    reachable = False

    async def fetch(self, url: str) -> bytes:
        if not self.reachable:
            raise CannotFetch("no route")
        return await super().fetch(url)


async def test_while_amazon_is_out_of_reach_it_is_told_to_come_again(serve_http, intake):
    amazon = Silent(NOW)
    house = await serve_http(amazon=amazon)
    assert (await send(house, amazon.post(Message=bounce()))).status == 503
    amazon.reachable = True
    assert (await send(house, amazon.post(Message=bounce()))).status == 200
    assert len(intake.finished) == 1


async def test_a_certificate_that_proved_nothing_is_not_kept(serve_http, amazon):
    house = await serve_http()
    for _ in range(2):
        await send(house, amazon.post(Message=bounce(), Signature="AAAA"))
    assert len(amazon.visited) == 2


async def test_what_is_fetched_is_bounded_and_not_redirected():
    async def serve(reader, writer):
        path = (await reader.readuntil(b"\r\n\r\n")).split()[1].decode()
        body = {"/small": b"x" * 64 * 1024, "/large": b"x" * (64 * 1024 + 1), "/packed": PACKED}.get(
            path, b""
        )
        start = {
            "/moved": "302 Found\r\nLocation: /small",
            "/gone": "404 Not Found",
            "/packed": "200 OK\r\nContent-Encoding: gzip",
        }.get(path, "200 OK")
        writer.write(
            f"HTTP/1.1 {start}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode() + body
        )
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    assert len(await fetch(url + "/small")) == 64 * 1024
    for path in ("/large", "/moved", "/gone", "/packed"):
        with pytest.raises(CannotFetch):
            await fetch(url + path)
    server.close()
    await server.wait_closed()
    with pytest.raises(CannotFetch):
        await fetch(url + "/small")


async def test_a_slow_message_is_not_waited_for(serve_http, intake):
    house = await serve_http(server_limits=HttpLimits(body=0.05))
    reader, writer = await asyncio.open_connection("127.0.0.1", house.port)
    writer.write(b"POST /sns HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
    assert b" 408 " in await reader.readline()
    writer.close()
    assert intake.asked == []
