"""Events of Amazon SES: what they become, and that nothing is hard but what the remote server said.

The objects follow Amazon's documentation of their fields; addresses and ids are made up.
"""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.domain.event import compose
from sidecar.domain.judgement import Decision, Judgement, judge
from sidecar.domain.notice import Kind
from sidecar.domain.ses import NotUnderstood, parse
from tests.unit.domain.rulebook import shipped

RULES = shipped()
PATH = "wiki-enwiki-7-abc-key@bounces.example.org"
UNKNOWN = "smtp; 550 5.1.1 <ann@remote.example>... User unknown"


def bounce(
    sort: str = "Permanent", subtype: str = "General", *, key: str = "notificationType", **recipient: Any
) -> dict[str, Any]:
    """A bounce for one recipient, with the fields that are given."""
    return {
        key: "Bounce",
        "bounce": {
            "bounceType": sort,
            "bounceSubType": subtype,
            "bouncedRecipients": [{"emailAddress": "ann@remote.example", **recipient}],
            "timestamp": "2026-03-01T12:00:00.123Z",
            "feedbackId": "0100-feedback",
            "remoteMtaIp": "192.0.2.7",
            "reportingMTA": "dns; a8-53.smtp-out.amazonses.com",
        },
        "mail": {"source": PATH, "destination": ["ann@remote.example"], "messageId": "0100-mail"},
    }


def judged(told: dict[str, Any]) -> Judgement:
    event = parse(json.dumps(told)).event
    assert event is not None
    assert event.return_path == PATH
    return judge(compose(event), RULES)


@pytest.mark.parametrize("key", ["notificationType", "eventType"])
def test_both_shapes_are_read(key: str) -> None:
    judgement = judged(bounce(key=key, action="failed", status="5.1.1", diagnosticCode=UNKNOWN))
    [one] = judgement.reports
    assert (judgement.kind, one.report.address, one.verdict.category, one.verdict.hard) == (
        Kind.BOUNCE,
        "ann@remote.example",
        "user-unknown",
        True,
    )
    assert one.report.remote_mta == "[192.0.2.7]"


#: type, subtype, status, diagnostic -> category
SOFT = [
    ("Permanent", "General", "5.7.1", "smtp; 550 5.7.1 Message rejected as spam", "spam"),
    ("Permanent", "General", "5.1.1", "", "undefined"),
    ("Permanent", "NoEmail", "5.1.1", "", "undefined"),
    ("Permanent", "Suppressed", "5.1.1", "", "policy"),
    ("Permanent", "OnAccountSuppressionList", "5.1.1", UNKNOWN, "policy"),
    ("Permanent", "General", "", "smtp; 550 zzyzx", "undefined"),
    ("Transient", "General", "5.1.1", UNKNOWN, "user-unknown"),
    ("Transient", "MailboxFull", "5.2.2", "smtp; 552 5.2.2 mailbox is full", "mailbox-full"),
    ("Transient", "General", "5.1.2", "smtp; 550 5.1.2 Host not found: NXDOMAIN", "host-unknown"),
    ("Transient", "General", "5.1.10", "smtp; 556 5.1.10 null MX", "not-accepting"),
    ("Transient", "General", "4.4.7", "", "expired"),
    ("Undetermined", "Undetermined", "5.1.1", UNKNOWN, "user-unknown"),
    ("", "", "5.1.1", UNKNOWN, "user-unknown"),
]


@pytest.mark.parametrize(("sort", "subtype", "status", "words", "category"), SOFT)
def test_what_is_soft(sort: str, subtype: str, status: str, words: str, category: str) -> None:
    fields = {"status": status, "diagnosticCode": words}
    [one] = judged(bounce(sort, subtype, **{key: value for key, value in fields.items() if value})).reports
    assert (one.verdict.category, one.decision) == (category, Decision.SOFT)


@pytest.mark.parametrize("sort", ["Transient", "Undetermined", "", "permanent"])
def test_no_rule_finds_hard_what_is_not_permanent(sort: str) -> None:
    """Tried with the words of every rule."""
    hard = []
    for sample in [sample for rule in RULES.rules for sample in rule.samples]:
        status, words = (part.strip() for part in sample.split("|")[:2])
        judgement = judged(bounce(sort, status=status.replace("4.", "5.", 1), diagnosticCode=words))
        if judgement.decision is Decision.HARD:
            hard.append(sample)
    assert hard == []


@given(
    st.sampled_from(["Permanent", "Transient"]), st.sampled_from(["5.1.1", "5.1.10", "5.2.1", "5.1.2", ""])
)
def test_without_the_servers_words_nothing_is_hard(sort: str, status: str) -> None:
    assert judged(bounce(sort, status=status)).decision is not Decision.HARD


def test_an_answering_machine_is_no_failure() -> None:
    assert judged(bounce("Transient", "General")).kind is Kind.DELAYED


def test_a_complaint_is_one() -> None:
    told = {
        "eventType": "Complaint",
        "complaint": {"complainedRecipients": [{"emailAddress": "ann@remote.example"}]},
        "mail": {"source": PATH},
    }
    assert judged(told).kind is Kind.COMPLAINT


@pytest.mark.parametrize("kind", ["Delivery", "Send", "Open", "DeliveryDelay", "Rendering Failure"])
def test_other_events_are_nothing_to_book(kind: str) -> None:
    found = parse(json.dumps({"eventType": kind, "mail": {"source": PATH}}))
    assert (found.kind, found.event) == (kind.lower(), None)


@pytest.mark.parametrize("text", ["Successfully validated SNS topic.", "[]", "{}", "1", "[" * 100000])
def test_a_greeting_is_nothing_to_book(text: str) -> None:
    assert parse(text).event is None


@pytest.mark.parametrize(
    ("path", "words"),
    [
        (("mail",), "mail is missing"),
        (("mail", "source"), "mail.source is missing"),
        (("bounce",), "bounce is missing"),
        (("bounce", "bouncedRecipients"), "bouncedRecipients must be"),
        (("bounce", "bouncedRecipients", 0, "emailAddress"), "emailAddress is missing"),
    ],
)
def test_what_is_missing_is_named(path: tuple[Any, ...], words: str) -> None:
    told: Any = bounce(status="5.1.1")
    inside = told
    for step in path[:-1]:
        inside = inside[step]
    inside[path[-1]] = None
    with pytest.raises(NotUnderstood, match=words):
        parse(json.dumps(told))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(st.text(max_size=5), inside, max_size=3),
)


@given(JSON, st.sampled_from(["mail", "bounce", "bounceType", "bouncedRecipients", "timestamp", "status"]))
def test_no_value_breaks_it(value: Any, where: str) -> None:
    told = bounce(status="5.1.1", diagnosticCode=UNKNOWN)
    for place in (told, told["bounce"], told["bounce"]["bouncedRecipients"][0]):
        if where in place:
            place[where] = value
            break
    try:
        event = parse(json.dumps(told)).event
    except NotUnderstood:
        return
    assert event
    compose(event)
