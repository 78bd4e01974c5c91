"""Events of mail providers as mail: read as they were meant, and nothing in them passes for a field."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.domain import mime
from sidecar.domain.event import Event, Failure, compose
from sidecar.domain.notice import Kind, read
from sidecar.domain.report import ReportAction

PATH = "wiki-enwiki-7-abc-key@bounces.example.org"
TIME = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
UNKNOWN = Failure("ann@remote.example", status="5.1.1", diagnostic="smtp; 550 5.1.1 User unknown")

#: Everything that a line or a field could be broken with.
NASTY = (
    st.text(st.sampled_from('a@.:;<>()"\\=-\r\n\t\0 \x0b\x0c\x1c\x85\u2028\xa0ä€\ud800\u202e5')) | st.text()
)
SPLITS = st.sampled_from(
    ["\r\nTo: x\r\n\r\n", "\n\nFinal-Recipient: rfc822; b@c\nAction: failed\n", "\n--", ""]
)
TEXT = st.builds(lambda a, split, b: a + split + b, NASTY, SPLITS, NASTY)


def event(**changes: object) -> Event:
    values = {"return_path": PATH, "failures": (UNKNOWN,), "original": '{"id":1}', "time": TIME}
    return Event(**{**values, **changes})  # type: ignore[arg-type]


def test_a_failure_is_read_as_a_report_of_it() -> None:
    notice = read(compose(event(failures=(UNKNOWN,), reporter="mx.provider.example")))
    assert (notice.kind, notice.date) == (Kind.BOUNCE, TIME)
    [report] = notice.reports
    assert (report.address, report.action, report.status, report.reply, report.diagnostic) == (
        "ann@remote.example",
        ReportAction.FAILED,
        "5.1.1",
        "550",
        "550 5.1.1 User unknown",
    )


def test_a_delay_is_no_bounce() -> None:
    assert read(compose(event(failures=(Failure("a@b", ReportAction.DELAYED),)))).kind is Kind.DELAYED


def test_a_complaint_is_a_complaint() -> None:
    notice = read(compose(event(complaint=True)))
    assert (notice.kind, notice.reports) == (Kind.COMPLAINT, ())


def test_each_recipient_has_a_report() -> None:
    failures = tuple(Failure(f"user{number}@remote.example", status="5.1.1") for number in range(100))
    reports = read(compose(event(failures=failures))).reports
    assert [report.address for report in reports] == [failure.address for failure in failures]


def test_the_same_event_makes_the_same_octets_and_another_others() -> None:
    assert compose(event()) == compose(event())
    assert compose(event()) != compose(event(original='{"id":2}'))


def test_the_event_itself_is_the_last_part() -> None:
    original = json.dumps({"words": "ä\n--" + "x" * 5000})
    part = mime.parse(compose(event(original=original))).children[-1]
    assert (part.content_type, part.content.decode()) == ("application/json", original)


def test_words_that_are_not_ascii_are_kept() -> None:
    failure = Failure("jürgen@bücher.example", status="5.1.1", diagnostic="550 Empfänger unbekannt")
    raw = compose(event(failures=(failure,)))
    assert b"message/global-delivery-status" in raw  # RFC 6533
    [report] = read(raw).reports
    assert (report.address, report.diagnostic) == (failure.address, failure.diagnostic)


def test_a_long_diagnostic_is_folded_and_read_in_one() -> None:
    words = "550 5.1.1 " + "word " * 600
    raw = compose(event(failures=(Failure("a@b", diagnostic=words),)))
    assert max(map(len, raw.splitlines())) <= 998
    assert read(raw).reports[0].diagnostic == words.strip()


@pytest.mark.slow
@given(TEXT, TEXT, TEXT, TEXT, TEXT, TEXT, st.booleans())
def test_no_text_gets_out_of_its_field(
    path: str, address: str, status: str, words: str, mta: str, reporter: str, complaint: bool
) -> None:
    failure = Failure(address + "a@b", ReportAction.FAILED, status, words, mta)
    raw = compose(Event(path, (failure,), words, complaint=complaint, reporter=reporter, time=TIME))
    message = mime.parse(raw)
    assert b"\0" not in raw
    assert b"\r" not in raw
    assert raw.partition(b"\n\n")[0].isascii()
    assert [name for name, _ in message.fields] == [
        "from", "to", "subject", "date", "message-id", "auto-submitted", "mime-version", "content-type",
    ]  # fmt: skip
    kind = "feedback-report" if complaint else "delivery-status"
    assert [part.content_type.replace("global-", "") for part in message.children] == [
        "text/plain", f"message/{kind}", "application/json",
    ]  # fmt: skip
    notice = read(raw)
    assert notice.kind in ({Kind.COMPLAINT} if complaint else {Kind.BOUNCE, Kind.SUCCESS})
    assert len(notice.reports) == (0 if complaint else 1)
    fields = mime.cut_fields(message.children[1].body.strip().split(b"\n\n")[-1])
    known = {"final-recipient", "action", "status", "remote-mta", "diagnostic-code"}
    assert complaint or (len(fields) == len(dict(fields)) and {name for name, _ in fields} <= known)
