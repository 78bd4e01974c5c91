"""The generic form of an event: what it says, and how it is told what is wrong."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from sidecar.domain.event import compose
from sidecar.domain.event_form import FIELDS, BadEvent, parse
from sidecar.domain.judgement import Decision, judge
from sidecar.domain.notice import Kind
from tests.unit.domain.rulebook import shipped

RULES = shipped()
PATH = "wiki-enwiki-7-abc-key@bounces.example.org"
GOOD = {"return_path": PATH, "address": "ann@remote.example", "action": "failed", "status": "5.1.1"}


def test_a_whole_one() -> None:
    event = parse(
        GOOD
        | {
            "type": "bounce",
            "diagnostic": "550 5.1.1 User unknown",
            "remote_mta": "mx.remote.example",
            "time": "2026-03-01T13:00:00+01:00",
            "id": "e-1",
        }
    )
    assert event.time == datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
    judgement = judge(compose(event), RULES)
    [one] = judgement.reports
    assert (judgement.kind, judgement.decision) == (Kind.BOUNCE, Decision.HARD)
    assert (one.report.remote_mta, one.report.diagnostic) == ("mx.remote.example", "550 5.1.1 User unknown")


def test_a_complaint_needs_no_action() -> None:
    event = parse({"return_path": PATH, "address": "ann@remote.example", "type": "complaint"})
    assert judge(compose(event), RULES).kind is Kind.COMPLAINT


def test_a_delay_never_counts() -> None:
    judgement = judge(compose(parse(GOOD | {"action": "delayed"})), RULES)
    assert (judgement.kind, judgement.decision) == (Kind.DELAYED, Decision.SOFT)


def test_the_order_of_its_fields_makes_no_other_event() -> None:
    other = dict(reversed(GOOD.items()))
    assert json.dumps(other) != json.dumps(GOOD)
    assert compose(parse(other)) == compose(parse(GOOD))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"return_path": None}, "return_path: is missing"),
        ({"return_path": "nobody"}, "return_path: is no mail address"),
        ({"address": "a b@c"}, "address: is no mail address"),
        ({"address": "a@b\r\nTo: x"}, "address: is no mail address"),
        ({"address": "a@b\u202e"}, "address: is no mail address"),
        ({"address": 7}, "address: want a string"),
        ({"address": "a" * 400 + "@b"}, "address: longer than 320 characters"),
        ({"action": None}, "action: want failed or delayed"),
        ({"action": "delivered"}, "action: want failed or delayed"),
        ({"type": "open"}, "type: want bounce or complaint"),
        ({"status": "550"}, "status: want an enhanced status code"),
        ({"status": "2.0.0"}, "status: want an enhanced status code"),
        ({"status": "5.1.1\n"}, "status: want an enhanced status code"),
        ({"remote_mta": "a b"}, "remote_mta: is no host name"),
        ({"time": "yesterday"}, "time: want ISO 8601"),
        ({"time": "0001-01-01T00:00:00+23:00"}, "time: want ISO 8601"),
        ({"diagnostic": "x" * 4000}, "diagnostic: longer than 3500 characters"),
        ({"email": "x"}, "'email': unknown field; there are: return_path"),
    ],
)
def test_what_is_wrong_is_named(change: dict[str, Any], words: str) -> None:
    with pytest.raises(BadEvent, match=words):
        parse(GOOD | change)


@pytest.mark.parametrize("told", [None, [], "x", 1, [GOOD]])
def test_an_event_is_an_object(told: object) -> None:
    with pytest.raises(BadEvent, match="an event is a JSON object"):
        parse(told)


def test_every_field_is_documented(pytestconfig: pytest.Config) -> None:
    text = (pytestconfig.rootpath / "docs" / "http.md").read_text()
    for name in FIELDS:
        assert f"| `{name}` |" in text
