"""Amazon SNS: its envelope, and the proof that Amazon wrote it.

Knows the fields, the string that is signed, and which certificates and URLs are Amazon's. Does not know what
is in a message (see domain/ses.py), how a certificate is fetched, or what is said over HTTP.

https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html
"""

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from sidecar.domain.event import when
from sidecar.domain.json_text import NotJson, parse_object

__all__ = [
    "MAX_AGE",
    "NOTIFICATION",
    "SUBSCRIPTION",
    "BadEnvelope",
    "Envelope",
    "certificate_url",
    "is_amazons",
]

#: Amazon repeats a message for an hour at most ("The total policy retry time for an HTTP/S endpoint cannot be
#: greater than 3,600 seconds"), always with its first time; the rest is for clocks that differ.
MAX_AGE = timedelta(hours=1, minutes=5)
AHEAD = timedelta(minutes=5)  # that Amazon's clock may be before ours
KEY_BITS = 2048  # of an RSA key, at least; Amazon's have as many

NOTIFICATION, SUBSCRIPTION = "Notification", "SubscriptionConfirmation"

#: Type -> the fields that are signed, in this order; Subject only where there is one.
_SIGNED = {
    NOTIFICATION: ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    SUBSCRIPTION: ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"),
    "UnsubscribeConfirmation": (
        "Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type",
    ),
}  # fmt: skip
_HASHES: Mapping[str, type[hashes.HashAlgorithm]] = {"1": hashes.SHA1, "2": hashes.SHA256}
# The label is a region's, as us-gov-west-1: sns.s3.amazonaws.com and sns.s3-us-west-2.amazonaws.com are
# whatever the owner of a bucket named "sns" puts there, a certificate of his own too.
_HOST = re.compile(r"sns\.[a-z]{2}(?:-[a-z]+)+-[0-9]{1,2}\.amazonaws\.com(?:\.cn)?")
_CERTIFICATE = re.compile(r"/[A-Za-z0-9._-]+\.pem")


class BadEnvelope(ValueError):
    """Not an envelope of SNS, or one that is not to be believed. The words are for the sender."""


@dataclass(frozen=True)
class Envelope:
    """One message of SNS, not yet believed."""

    fields: Mapping[str, str]

    @classmethod
    def parse(cls, body: bytes) -> "Envelope":
        """Raises BadEnvelope."""
        try:
            told = parse_object(body)
        except NotJson as error:
            raise BadEnvelope(f"not an envelope of Amazon SNS: {error}") from None
        kind = told.get("Type")
        if not isinstance(kind, str) or kind not in _SIGNED:
            raise BadEnvelope(f"Type: want one of {', '.join(_SIGNED)}")
        wanted = {*_SIGNED[kind], "Signature", "SignatureVersion", "SigningCertURL"} - {"Subject"}
        for name in sorted(wanted):
            if not isinstance(told.get(name), str):
                raise BadEnvelope(f"{name}: want a string")
        if not isinstance(told.get("Subject", ""), str | None):
            raise BadEnvelope("Subject: want a string")
        return cls({name: _text(told, name) for name in (*wanted, "Subject") if told.get(name) is not None})

    @property
    def kind(self) -> str:
        return self.fields["Type"]

    @property
    def topic(self) -> str:
        return self.fields["TopicArn"]

    @property
    def message(self) -> str:
        return self.fields["Message"]

    def is_fresh(self, now: datetime) -> bool:
        """Whether Amazon may still be sending it. A time that cannot be read is not."""
        try:
            sent = when(self.fields["Timestamp"])
        except ValueError:
            return False
        return -AHEAD <= now - sent <= MAX_AGE

    def signed_text(self) -> bytes:
        """The octets that Amazon signed: each name and each value on a line of its own."""
        names = [name for name in _SIGNED[self.kind] if name in self.fields]
        text = "".join(f"{name}\n{self.fields[name]}\n" for name in names)
        return text.encode("utf-8", "surrogatepass")

    def is_signed_by(self, certificate: bytes, now: datetime) -> bool:
        """Whether the key of *certificate* (PEM), which must be valid *now*, signed this."""
        algorithm = _HASHES.get(self.fields["SignatureVersion"])
        try:
            signature = base64.b64decode(self.fields["Signature"], validate=True)
            found = x509.load_pem_x509_certificate(certificate)
            key = found.public_key()
        except ValueError:
            return False
        if algorithm is None or not found.not_valid_before_utc <= now <= found.not_valid_after_utc:
            return False
        if not isinstance(key, rsa.RSAPublicKey) or key.key_size < KEY_BITS:
            return False
        try:
            key.verify(signature, self.signed_text(), padding.PKCS1v15(), algorithm())
        except InvalidSignature:
            return False
        return True


def certificate_url(envelope: Envelope) -> str:
    """Where its certificate is. Raises BadEnvelope unless that is one of Amazon's own."""
    url = envelope.fields["SigningCertURL"]
    if not is_amazons(url) or not _CERTIFICATE.fullmatch(urlsplit(url).path) or "?" in url or "#" in url:
        raise BadEnvelope("SigningCertURL: not a certificate at sns.REGION.amazonaws.com")
    return url


def is_amazons(url: str) -> bool:
    """Whether *url* leads by https to SNS itself: no other host, no port, no user."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    plain = url.isascii() and url.isprintable() and "\\" not in url and " " not in url
    return plain and parts.scheme == "https" and bool(_HOST.fullmatch(parts.netloc))


def _text(told: Mapping[str, Any], name: str) -> str:
    return str(told[name])
