"""The question at RCPT: whom it concerns, what is answered, what is counted and what the journal bears."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from structlog.testing import capture_logs

from sidecar.domain.verp import BounceHandlerFormat, Keyring, SidecarFormat, Token, Verp
from sidecar.services.receipt import Receipt
from sidecar.services.refusals import TOLD, Refusals
from sidecar.services.return_path import ReturnPaths
from sidecar.telemetry import Metrics

NOW = datetime(2026, 3, 1, tzinfo=UTC)
OURS = SidecarFormat("wiki", "Bounces.example.org", Keyring((b"k" * 40,)))
THEIRS = BounceHandlerFormat("wiki", "old.example.org", b"another secret, 0123456789")
KNOWN = Verp((OURS, THEIRS), ["enwiki"], accept=timedelta(days=10))


class Desk:
    def __init__(self) -> None:
        self.metrics = Metrics()
        self.refusals = Refusals(self.metrics)
        self.paths = ReturnPaths(KNOWN, lambda: NOW, self.metrics, self.refusals)

    def refused(self, receipt: Receipt) -> float | None:
        labels = {"receipt": str(receipt)}
        return self.metrics.registry.get_sample_value("bounce_sidecar_refused_total", labels)


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.mark.parametrize(
    ("address", "concerned"),
    [
        ("anything@bounces.example.org", True),
        ("ANYTHING@BOUNCES.EXAMPLE.ORG", True),
        ("anything@old.example.org", True),
        ("anything@bounces.example.org.", True),
        ("@bounces.example.org", True),
        ("postmaster-x@bounces.example.org", True),
        ("Postmaster@bounces.example.org", False),
        ("abuse@old.example.org", False),
        ("anything@example.org", False),
        ("anything@sub.bounces.example.org", False),
        ("anything@bounces.example.org@example.org", False),
        ("anything%bounces.example.org", True),
        ("bounces.example.org!anything", True),
        ("anything%bounces.example.org@example.org", False),
        ("bounces.example.org!anything@example.org", False),
        ("postmaster%bounces.example.org", False),
        ("anything", False),
        ("bounces.example.org", False),
        ("", False),
    ],
)
def test_a_mail_server_is_answered_about_our_domains_alone(desk: Desk, address: str, concerned: bool) -> None:
    assert desk.paths.concerns(address) is concerned


def test_each_error_has_one_receipt_and_each_refusal_counts_once(desk: Desk) -> None:
    good = KNOWN.issue("enwiki", 7, "ann@example.com", NOW)
    old = KNOWN.issue("enwiki", 7, "ann@example.com", NOW - timedelta(days=11))
    other = Verp((OURS,), ["dewiki"], accept=timedelta(days=10)).issue("dewiki", 7, "a@b.example", NOW)
    found = desk.paths.verify(good)
    assert isinstance(found, Token)
    assert found.user_id == 7
    asked = (good.replace("-7-", "-8-"), old, "x@bounces.example.org", "y@bounces.example.org", other)
    with capture_logs() as lines:
        receipts = [desk.paths.verify(address) for address in asked]
    refused = [Receipt.FORGED, Receipt.TOO_LATE, Receipt.NOT_OURS, Receipt.NOT_OURS]
    assert receipts == [*refused, Receipt.SET_ASIDE]
    assert [(line["event"], line["receipt"]) for line in lines] == [("refused", str(one)) for one in refused]
    assert "@" not in str(lines)
    counted = [desk.refused(one) for one in (Receipt.FORGED, Receipt.TOO_LATE, Receipt.NOT_OURS)]
    assert counted == [1, 1, 2]


@pytest.mark.parametrize(
    "spelled",
    [
        "{0}@{1}",
        "<{0}@{1}>",
        '"{0}"@{1}',
        '"\\{0}"@{1}',
        "@relay.example:{0}@{1}",
        "@one.example,@two.example:{0}@{1}",
        "{0}@{1}.",
        '@relay.example:"{0}"@{1}.',
        "{0}%{1}",
        "{1}!{0}",
    ],
)
def test_one_address_has_one_answer_however_it_is_spelled(desk: Desk, spelled: str) -> None:
    """LMTP takes quotes and routes off, Postfix dots and percents: who is asked before must say the same."""
    good = KNOWN.issue("enwiki", 7, "ann@example.com", NOW)
    for path in (good, good.upper(), good.replace("-7-", "-8-"), good.replace("wiki-enwiki-7", "x")):
        address = spelled.format(*path.split("@"))
        assert desk.paths.concerns(address)
        assert desk.paths.verify(address) == desk.paths.verify(path)


def test_a_flood_is_counted_in_full_and_told_as_a_number(desk: Desk) -> None:
    with capture_logs() as lines:
        for _ in range(1000):
            desk.paths.verify("wiki-enwiki-7-t-forged@bounces.example.org")
        desk.paths.verify("x@bounces.example.org")
        desk.refusals.sum_up()
        desk.refusals.sum_up()
        desk.paths.verify("wiki-enwiki-7-t-forged@bounces.example.org")
    forged = [line for line in lines if line["receipt"] == "forged"]
    assert [line["event"] for line in forged] == ["refused"] * TOLD + ["refused more", "refused"]
    assert forged[TOLD]["number"] == 1000 - TOLD
    assert [line["event"] for line in lines if line["receipt"] == "not ours"] == ["refused"]
    assert desk.refused(Receipt.FORGED) == 1001


async def test_a_flood_that_ends_is_told_too() -> None:
    refusals = Refusals(Metrics(), every=0.01)
    with capture_logs() as lines:
        for _ in range(TOLD + 1):
            refusals.note(Receipt.FORGED, "no key of ours signed this")
        running = asyncio.create_task(refusals.run())
        async with asyncio.timeout(10):
            while lines[-1]["event"] != "refused more":
                await asyncio.sleep(0)
        running.cancel()
    assert lines[-1]["number"] == 1
