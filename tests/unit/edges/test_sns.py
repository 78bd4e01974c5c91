"""Amazon's signature: what is signed, what is believed, and where a certificate may come from."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.edges.sns import BadEnvelope, Envelope, certificate_url, is_amazons
from tests.support.amazon import CERTIFICATE_URL, Amazon

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
AMAZON = Amazon(NOW)
KINDS = ["Notification", "SubscriptionConfirmation", "UnsubscribeConfirmation"]


def parsed(**changes: Any) -> Envelope:
    return Envelope.parse(AMAZON.post(**changes))


def test_the_text_that_is_signed_is_the_documented_one() -> None:
    told = {
        "Type": "Notification",
        "MessageId": "id-1",
        "TopicArn": "arn:aws:sns:eu-west-1:123456789012:topic",
        "Subject": "A subject",
        "Message": "Words",
        "Timestamp": "2026-03-01T12:00:00.000Z",
        "SignatureVersion": "1",
        "Signature": "",
        "SigningCertURL": CERTIFICATE_URL,
    }
    assert Envelope.parse(json.dumps(told).encode()).signed_text() == (
        b"Message\nWords\nMessageId\nid-1\nSubject\nA subject\nTimestamp\n2026-03-01T12:00:00.000Z\n"
        b"TopicArn\narn:aws:sns:eu-west-1:123456789012:topic\nType\nNotification\n"
    )


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("version", ["1", "2"])
def test_what_amazon_signed_is_believed(kind: str, version: str) -> None:
    for changes in ({}, {"Subject": "ä subject"}, {"Message": 'line\nline\t"ü"\u2028'}):
        assert parsed(kind=kind, version=version, **changes).is_signed_by(AMAZON.certificate, NOW)


@pytest.mark.parametrize("name", ["Message", "MessageId", "Subject", "Timestamp", "TopicArn"])
@pytest.mark.parametrize("version", ["1", "2"])
def test_nothing_may_be_changed(name: str, version: str) -> None:
    told = AMAZON.message(version=version, Subject="s") | {name: "other"}
    assert not Envelope.parse(json.dumps(told).encode()).is_signed_by(AMAZON.certificate, NOW)


@pytest.mark.parametrize(
    "changes",
    [
        {"Type": "SubscriptionConfirmation", "Token": "t", "SubscribeURL": "u"},
        {"Subject": "added"},
        {"SignatureVersion": "2"},
        {"SignatureVersion": "3"},
        {"SignatureVersion": ""},
        {"Signature": ""},
        {"Signature": "not base64!"},
        {"Signature": "AAAA"},
        {"Message": "\ud800"},
    ],
)
def test_nor_anything_else(changes: dict[str, Any]) -> None:
    told = AMAZON.message() | changes
    assert not Envelope.parse(json.dumps(told).encode()).is_signed_by(AMAZON.certificate, NOW)


def test_another_key_is_not_amazons() -> None:
    assert not parsed().is_signed_by(Amazon(NOW).certificate, NOW)


def test_a_short_key_is_not_enough() -> None:
    weak = Amazon(NOW, bits=1024)
    assert not Envelope.parse(weak.post()).is_signed_by(weak.certificate, NOW)


@pytest.mark.parametrize("days", [-2, 2])
def test_a_certificate_has_its_time(days: int) -> None:
    assert not parsed().is_signed_by(AMAZON.certificate, NOW + timedelta(days=days))


@pytest.mark.parametrize("certificate", [b"", b"<html>", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END"])
def test_what_is_no_certificate_proves_nothing(certificate: bytes) -> None:
    assert not parsed().is_signed_by(certificate, NOW)


@pytest.mark.parametrize(
    ("minutes", "fresh"), [(0, True), (60, True), (64, True), (66, False), (-4, True), (-6, False)]
)
def test_amazon_repeats_for_an_hour(minutes: int, fresh: bool) -> None:
    assert parsed().is_fresh(NOW + timedelta(minutes=minutes)) is fresh


@pytest.mark.parametrize("time", ["", "now", "2026-03-01T12:00:00.000Z\n"])
def test_a_time_that_cannot_be_read_is_old(time: str) -> None:
    assert not parsed(Timestamp=time, Signature="").is_fresh(NOW)


@pytest.mark.parametrize(
    ("url", "good"),
    [
        (CERTIFICATE_URL, True),
        ("https://sns.cn-north-1.amazonaws.com.cn/SimpleNotificationService-1.pem", True),
        ("https://sns.us-gov-west-1.amazonaws.com/a.pem", True),
        ("https://sns.s3.amazonaws.com/a.pem", False),  # a bucket named "sns", as the next two
        ("https://sns.s3-us-west-2.amazonaws.com/a.pem", False),
        ("https://sns.s3-accelerate.amazonaws.com/a.pem", False),
        ("http://sns.eu-west-1.amazonaws.com/a.pem", False),
        ("https://sns.eu-west-1.amazonaws.com:443/a.pem", False),
        ("https://sns.eu-west-1.amazonaws.com:/a.pem", False),
        ("https://u@sns.eu-west-1.amazonaws.com/a.pem", False),
        ("https://u:p@sns.eu-west-1.amazonaws.com/a.pem", False),
        ("https://sns.eu-west-1.amazonaws.com.evil.example/a.pem", False),
        ("https://evil.example/sns.eu-west-1.amazonaws.com/a.pem", False),
        ("https://evil.example\\@sns.eu-west-1.amazonaws.com/a.pem", False),
        ("https://evil.example#@sns.eu-west-1.amazonaws.com/a.pem", False),
        ("https://sns.eu.west.amazonaws.com/a.pem", False),
        ("https://sns..amazonaws.com/a.pem", False),
        ("https://SNS.eu-west-1.amazonaws.com/a.pem", False),
        ("https://sns.eu-west-1.amazonaws.com/a.pem?x", False),
        ("https://sns.eu-west-1.amazonaws.com/a.txt#.pem", False),
        ("https://sns.eu-west-1.amazonaws.com/a.txt", False),
        ("https://sns.eu-west-1.amazonaws.com/../a.pem", False),
        ("https://sns.eu-west-1.amazonaws.com/a.pem\n", False),
        (" https://sns.eu-west-1.amazonaws.com/a.pem", False),
        ("https://[::1/a.pem", False),
        ("", False),
    ],
)
def test_a_certificate_comes_from_amazon_alone(url: str, good: bool) -> None:
    envelope = parsed(SigningCertURL=url)
    if good:
        assert certificate_url(envelope) == url
        return
    with pytest.raises(BadEnvelope, match="SigningCertURL: not a certificate at"):
        certificate_url(envelope)


def test_a_subscription_is_confirmed_at_amazon_alone() -> None:
    assert is_amazons("https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&Token=1")
    assert not is_amazons("https://sns.eu-west-1.amazonaws.com.evil.example/?Action=ConfirmSubscription")


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "not JSON"),
        (b"[]", "not a JSON object"),
        (b"\xff", "not JSON"),
        (b'{"notificationType": "Bounce"}', "Type: want one of Notification"),
        (b'{"Type": "Other"}', "Type: want one of Notification"),
        (b'{"Type": "Notification"}', "Message: want a string"),
    ],
)
def test_what_is_no_envelope_is_told(body: bytes, words: str) -> None:
    with pytest.raises(BadEnvelope, match=words):
        Envelope.parse(body)


@given(
    st.dictionaries(st.sampled_from(sorted(AMAZON.message(KINDS[1]))), st.none() | st.integers() | st.text())
)
def test_nothing_breaks_it(changes: dict[str, Any]) -> None:
    try:
        envelope = Envelope.parse(json.dumps(AMAZON.message(KINDS[1]) | changes).encode())
        certificate_url(envelope)
    except BadEnvelope:
        return
    envelope.is_fresh(NOW)
    envelope.is_signed_by(AMAZON.certificate, NOW)
