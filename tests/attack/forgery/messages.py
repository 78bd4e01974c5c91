"""Messages of Amazon SNS that Amazon did not write, or not for us, or long ago; against the endpoint itself.

What must be: none is booked, and whatever it says, nothing is visited but SNS by https. What Amazon signed is
booked all the same in each round, so that an endpoint that refuses everything would be found out.
"""

import asyncio
import json
import random
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

from structlog.testing import capture_logs

from sidecar.edges.delivery import Deliveries
from sidecar.edges.http_sns import SnsEndpoint
from sidecar.edges.http_talk import Asked
from sidecar.telemetry import Metrics
from tests.attack.tally import Tally, rounds
from tests.integration.doors import ScriptedIntake
from tests.support.amazon import TOPIC, Amazon

__all__ = ["FORGERIES", "HOSTS", "House", "campaign"]

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
AMAZONS = re.compile(r"https://sns\.[a-z0-9-]+\.amazonaws\.com(\.cn)?/")
MESSAGE = json.dumps(
    {
        "notificationType": "Bounce",
        "mail": {"source": "one@b", "messageId": "1"},
        "bounce": {
            "bounceType": "Permanent",
            "bouncedRecipients": [{"emailAddress": "ann@remote.example", "status": "5.1.1"}],
        },
    }
)
GIANT = b"-----BEGIN CERTIFICATE-----\n" + b"A" * 64 * 1024
SUBSCRIBE = "/?Action=ConfirmSubscription&Token=1"

#: Where a forger would like us to go: look-alikes, this host, its network, other schemes.
HOSTS = (
    "https://evil.example", "https://sns.eu-west-1.amazonaws.com.evil.example",
    "https://sns-eu-west-1.amazonaws.com", "https://evil.example/sns.eu-west-1.amazonaws.com",
    "http://sns.eu-west-1.amazonaws.com", "https://127.0.0.1", "https://[::1]", "https://localhost",
    "http://169.254.169.254/latest/meta-data", "https://169.254.169.254", "https://2130706433", "https://0x7f.1",
    "https://sns.eu-west-1.amazonaws.com@evil.example", "https://evil.example#@sns.eu-west-1.amazonaws.com",
    "https://evil.example\\@sns.eu-west-1.amazonaws.com", "https://sns.eu-west-1.amazonaws.com:8443",
    "https://u:p@sns.eu-west-1.amazonaws.com", "file:///etc", "gopher://sns.eu-west-1.amazonaws.com",
    "//evil.example", "https://sns.s3.amazonaws.com", "https://sns.s3-us-west-2.amazonaws.com",
    "https://sns.eu-west-1.amazonaws.com.", "https://sns.eu-west-1.\u0430mazonaws.com",
    "https://sns.eu-west-1.amazonaws\u3002com", "https://sns.10.0.0.1", "https://xn--sns-eu.amazonaws.com",
    "HTTPS://SNS.EU-WEST-1.AMAZONAWS.COM", "https://sns.eu-west-1.amazonaws.com\t",
    "https://sns.eu-west-1.amazonaws.co", "https://sns.eu-west-1.notamazonaws.com",
)  # fmt: skip


class House:
    """The endpoint, Amazon, a forger with keys and certificates of their own, and what was visited."""

    def __init__(self) -> None:
        self.amazon, self.evil, self.weak = Amazon(NOW), Amazon(NOW), Amazon(NOW, bits=1024)
        self.expired, self.early = Amazon(NOW - timedelta(days=3)), Amazon(NOW + timedelta(days=3))
        self.served = self.amazon.certificate  #: what stands at SNS' own address
        self.visited: list[str] = []
        self.intake = ScriptedIntake()
        deliveries = Deliveries(self.intake, unfinished=9)
        self._endpoint = SnsEndpoint(self.intake, deliveries, (TOPIC,), lambda: NOW, self._fetch, Metrics())

    async def _fetch(self, url: str) -> bytes:
        self.visited.append(url)
        return self.served if AMAZONS.match(url) else self.evil.certificate

    def post(self, body: bytes) -> int:
        """The status of the answer; no certificate is remembered from before, and nothing is logged."""
        self._endpoint._certificates.clear()
        with capture_logs():
            return self.handle(body)

    def handle(self, body: bytes) -> int:
        """The status of the answer."""
        return asyncio.run(self._endpoint.handle(Asked(body=body))).status


Forge = Callable[[House, random.Random], bytes]


def other_key(house: House, chance: random.Random) -> bytes:
    return house.evil.post(Message=MESSAGE, version=chance.choice("12"))


def other_host(house: House, chance: random.Random) -> bytes:
    url = chance.choice(HOSTS) + "/SimpleNotificationService-1.pem"
    return house.evil.post(Message=MESSAGE, SigningCertURL=url)


def other_times(house: House, chance: random.Random) -> bytes:
    signer = chance.choice((house.expired, house.early, house.weak))
    house.served = signer.certificate
    return signer.post(Message=MESSAGE, Timestamp=f"{NOW:%Y-%m-%dT%H:%M:%S}.000Z")


def no_certificate(house: House, chance: random.Random) -> bytes:
    house.served = chance.choice((b"", b"<html>", GIANT, house.amazon.certificate[:-200], b"\0" * 100))
    return house.amazon.post(Message=MESSAGE)


def changed(house: House, chance: random.Random) -> bytes:
    told = house.amazon.message(Message=MESSAGE, Subject="s")
    names = ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type", "SignatureVersion")
    name = chance.choice(names)
    told[name] = chance.choice((told[name] + " ", told[name][:-1], "", told[name].upper() + "x", "2"))
    return json.dumps(told).encode()


def left_out(house: House, chance: random.Random) -> bytes:
    told = house.amazon.message(Message=MESSAGE, Subject="s")
    del told[chance.choice(list(told))]
    return json.dumps(told).encode()


def signature(house: House, chance: random.Random) -> bytes:
    told = house.amazon.message(Message=MESSAGE)
    good = told["Signature"]
    other = house.amazon.message(Message="another")["Signature"]
    wrong = ("", "AAAA", good[:-4], good[4:], good[::-1], other, good.swapcase(), "=" * 344)
    told["Signature"] = chance.choice(wrong)
    return json.dumps(told).encode()


def other_topic(house: House, chance: random.Random) -> bytes:
    others = (TOPIC + "2", TOPIC.upper(), TOPIC[:-1], TOPIC.replace("123456789012", "210987654321"), "*")
    return house.amazon.post(Message=MESSAGE, TopicArn=chance.choice(others))


def replayed(house: House, chance: random.Random) -> bytes:
    minutes = chance.choice((66, 60 * 24 * 400, -6, -60 * 24 * 9))
    sent = NOW - timedelta(minutes=minutes)
    return house.amazon.post(Message=MESSAGE, Timestamp=f"{sent:%Y-%m-%dT%H:%M:%S}.000Z")


def relabelled(house: House, chance: random.Random) -> bytes:
    """Signed as another type than it says to be."""
    kinds = ["Notification", "SubscriptionConfirmation", "UnsubscribeConfirmation"]
    signed, said = chance.sample(kinds, 2)
    told = house.amazon.message(signed, Message=MESSAGE)
    return json.dumps({"Token": "t", "SubscribeURL": "https://evil.example", **told, "Type": said}).encode()


def subscribed(house: House, chance: random.Random) -> bytes:
    """As if Amazon itself had signed where we should go."""
    return house.amazon.post("SubscriptionConfirmation", SubscribeURL=chance.choice(HOSTS) + SUBSCRIBE)


def damaged(house: House, chance: random.Random) -> bytes:
    octets = bytearray(house.amazon.post(Message=MESSAGE))
    start = octets.index(b'"Message"')
    octets[chance.randrange(start, octets.index(b'"Timestamp"'))] ^= 1 << chance.randrange(7)
    return bytes(octets)


FORGERIES: Mapping[str, Forge] = {
    forge.__name__: forge
    for forge in (
        other_key, other_host, other_times, no_certificate, changed, left_out, signature, other_topic,
        replayed, relabelled, subscribed, damaged,
    )
}  # fmt: skip


def campaign(seed: int, seconds: float) -> Tally:
    tally = Tally()
    house = House()
    for chance in rounds(seed, seconds):
        for name, forge in FORGERIES.items():
            _attack(name, forge, house, chance, tally)
        house.served = house.amazon.certificate
        if house.post(house.amazon.post(Message=MESSAGE, version=chance.choice("12"))) != 200:
            tally.wrong("what Amazon signed is not booked")
    return tally


def _attack(name: str, forge: Forge, house: House, chance: random.Random, tally: Tally) -> None:
    house.served = house.amazon.certificate
    house.visited.clear()
    before = len(house.intake.asked)
    body = forge(house, chance)
    status = house.post(body)
    if len(house.intake.asked) > before or status == 200:
        tally.wrong(f"{name}: booked or believed, {status}", body)
    if any(not AMAZONS.match(url) for url in house.visited):
        tally.wrong(f"{name}: visited {house.visited}", body)
    tally.count(name)
