"""Amazon SNS for tests: a key, a certificate made with it, and messages signed as Amazon signs.

Knows what Amazon documents, written down a second time on purpose. Does not know the product's code.
"""

import base64
import json
from datetime import datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID

__all__ = ["CERTIFICATE_URL", "TOPIC", "Amazon"]

TOPIC = "arn:aws:sns:eu-west-1:123456789012:ses-events"
CERTIFICATE_URL = "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-0123456789abcdef.pem"


class Amazon:
    """Signs what it is given; its certificate is valid for a day around *now*."""

    def __init__(self, now: datetime, *, bits: int = 2048) -> None:
        self.now = now
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=bits)
        self.certificate = self._certified(now)
        self.visited: list[str] = []

    async def fetch(self, url: str) -> bytes:
        """What Amazon's hosts answer."""
        self.visited.append(url)
        return self.certificate

    def message(self, kind: str = "Notification", *, version: str = "1", **changes: Any) -> dict[str, Any]:
        """A signed message; a change to None leaves a field out."""
        told: dict[str, Any] = {
            "Type": kind,
            "MessageId": "01234567-89ab-cdef-0123-456789abcdef",
            "TopicArn": TOPIC,
            "Message": "A message",
            "Timestamp": self.now.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
            "SignatureVersion": version,
            "SigningCertURL": CERTIFICATE_URL,
        }
        if kind != "Notification":
            told["Token"] = "2336412f37"
            told["SubscribeURL"] = (
                "https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&Token=2336"
            )
        told = {name: value for name, value in {**told, **changes}.items() if value is not None}
        told.setdefault("Signature", self._sign(_text(told), version))
        return told

    def post(self, *arguments: str, **changes: Any) -> bytes:
        """The same as the body of a request."""
        return json.dumps(self.message(*arguments, **changes)).encode()

    def _sign(self, text: str, version: str) -> str:
        kind = hashes.SHA256() if version == "2" else hashes.SHA1()
        signature = self._key.sign(text.encode(), padding.PKCS1v15(), kind)
        return base64.b64encode(signature).decode()

    def _certified(self, now: datetime) -> bytes:
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sns.amazonaws.com")])
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(self._key.public_key())
            .serial_number(1)
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=1))
            .sign(self._key, hashes.SHA256())
        )
        return certificate.public_bytes(serialization.Encoding.PEM)


def _text(told: dict[str, Any]) -> str:
    """As documented: these names in the order of their octets, each name and value with a newline."""
    names = ["Message", "MessageId"]
    if told["Type"] == "Notification":
        names += ["Subject"] if "Subject" in told else []
        names += ["Timestamp", "TopicArn", "Type"]
    else:
        names += ["SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"]
    return "".join(f"{name}\n{told[name]}\n" for name in names)
