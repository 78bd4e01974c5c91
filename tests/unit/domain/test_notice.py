"""Reading whole mails: real ones with what is known of them, and anything at all without falling over."""

import tomllib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sidecar.domain.notice import Kind, Notice, read
from sidecar.domain.report import ReportAction

from .rulebook import ROOT, shipped

BOOK = shipped()
MAILS = sorted((ROOT / "fixtures/bounces").glob("*/*.eml"))
RAW = [path.read_bytes() for path in MAILS]
FAILURES = (ReportAction.FAILED, ReportAction.UNSTATED, ReportAction.DELAYED)


def test_there_are_mails_to_read() -> None:
    assert MAILS


def test_every_mail_says_what_is_expected_of_it() -> None:
    for path in MAILS:
        assert {"kind", "hard"} <= facts(path).keys(), path


@pytest.mark.parametrize("path", MAILS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_real_mail_is_read_and_judged(path: Path) -> None:
    expected = facts(path)
    notice = read(path.read_bytes())
    assert notice.kind == expected["kind"]
    assert notice.date is not None
    about = [r for r in notice.reports if r.address.lower() == expected.get("recipient", "").lower()]
    verdicts = [BOOK.judge(report) for report in about if report.action in FAILURES]
    assert any(verdict.hard for verdict in verdicts) == expected["hard"]
    if "category" in expected:
        assert [verdict.category for verdict in verdicts] == [expected["category"]]
    elif notice.kind is Kind.SUCCESS:
        assert about
        assert not verdicts
    else:
        assert not notice.reports


def facts(path: Path) -> dict[str, Any]:
    return tomllib.loads(path.with_suffix(".toml").read_text(encoding="utf-8"))


def test_a_mail_that_went_through_an_mbox_or_another_newline_says_the_same() -> None:
    for raw in RAW:
        expected = read(raw)
        assert read(b"From MAILER-DAEMON Fri Nov 20 10:56:39 2026\n" + raw) == expected
        assert read(raw.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")) == expected


@pytest.mark.parametrize(
    ("field", "date"),
    [
        ("Fri, 20 Nov 2026 10:56:39 +0000", datetime(2026, 11, 20, 10, 56, 39, tzinfo=UTC)),
        ("Fri, 20 Nov 2026 12:56:39 +0200 (CEST)", datetime(2026, 11, 20, 10, 56, 39, tzinfo=UTC)),
        ("Fri, 20 Nov 2026 10:56:39 -0000", datetime(2026, 11, 20, 10, 56, 39, tzinfo=UTC)),
        ("Fri, 20 Nov 2026 10:56:39", datetime(2026, 11, 20, 10, 56, 39, tzinfo=UTC)),
        ("Fri, 31 Dec 9999 23:59:59 -1200", None),
        ("Fri, 20 Nov 2026 10:56:39 +9999999999", None),
        ("Fri, 99 Nov 2026 10:56:39 +0000", None),
        ("yesterday", None),
        ("", None),
    ],
)
def test_a_date_is_aware_or_absent(field: str, date: datetime | None) -> None:
    notice = read(f"Date: {field}\nMessage-ID: <1@example.org>\n\n".encode())
    assert (notice.date, notice.message_id) == (date, "<1@example.org>")


def test_an_empty_mail_is_ordinary() -> None:
    assert read(b"") == Notice(Kind.ORDINARY, (), "", None)


@pytest.mark.parametrize(
    ("actions", "kind"),
    [
        (("failed", "relayed"), Kind.BOUNCE),
        (("delayed", "failed"), Kind.BOUNCE),
        (("delayed", "delivered"), Kind.DELAYED),
        (("relayed", "expanded"), Kind.SUCCESS),
    ],
)
def test_a_notice_is_as_bad_as_its_worst_report(actions: tuple[str, ...], kind: Kind) -> None:
    blocks = "\n".join(f"Final-Recipient: rfc822;a{word}@example.org\nAction: {word}\n" for word in actions)
    assert read(f"Content-Type: message/delivery-status\n\n{blocks}".encode()).kind is kind


@pytest.mark.slow
def test_the_worst_mail_takes_no_long_time() -> None:
    head = b'Content-Type: multipart/report; boundary="x"\n\n'
    status = b"--x\nContent-Type: message/delivery-status\n\n"
    for filler in (
        b"\n",
        b"--x\n",
        b"A: b\n",
        b" ",
        b"<a@b>:\n",
        b"Final-Recipient: a\nAction: b\n\n",
        b"\\303",
    ):
        for raw in (filler * 200_000, head + filler * 200_000, head + status + filler * 200_000):
            started = datetime.now(tz=UTC)
            read(raw)
            assert (datetime.now(tz=UTC) - started).total_seconds() < 5.0, (filler, raw[:60])


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=3000))
def test_reading_never_raises_on_any_bytes(raw: bytes) -> None:
    judge_all(read(raw))


@st.composite
def mutations(draw: st.DrawFn) -> bytes:
    """A real mail with pieces cut out, doubled, swapped for others', or turned into noise."""
    raw = draw(st.sampled_from(RAW))
    for _ in range(draw(st.integers(1, 6))):
        start = draw(st.integers(0, len(raw)))
        end = min(len(raw), start + draw(st.integers(0, 400)))
        other = draw(st.sampled_from(RAW))
        place = draw(st.integers(0, len(other)))
        noise = draw(
            st.sampled_from(
                [b"\n\n", b"\r", b"\x00", b"\xff", b"--", b";", b"<", b'"', b"(", b"=?", b"\\x{FF}"]
            )
        )
        piece = draw(
            st.sampled_from([b"", raw[start:end] * 2, other[place : place + 300], noise * 20, noise])
        )
        raw = raw[:start] + piece + raw[end:]
    return raw


@pytest.mark.slow
@settings(max_examples=500, deadline=None)
@given(mutations())
def test_reading_never_raises_on_a_damaged_mail(raw: bytes) -> None:
    judge_all(read(raw))


def judge_all(notice: Notice) -> None:
    assert (notice.kind in (Kind.AUTO_REPLY, Kind.ORDINARY)) == (not notice.reports)
    assert notice.date is None or notice.date.utcoffset() is not None
    for report in notice.reports:
        verdict = BOOK.judge(report)
        assert not (verdict.hard and report.action is ReportAction.DELAYED)


ANSWERED = "Return-Path: <>\nFrom: A Person <person@example.org>\nSubject: "


@pytest.mark.parametrize(
    ("mail", "kind"),
    [
        # RFC 5965, with the part, with the header alone, and as Hotmail used to write it.
        (
            "From: abuse@example.net\nSubject: FW: hello\nContent-Type: multipart/report; "
            "report-type=feedback-report; boundary=b\n\n--b\n\nThis is an email abuse report.\n\n--b\n"
            "Content-Type: message/feedback-report\n\nFeedback-Type: abuse\n\n--b\n"
            "Content-Type: message/rfc822\n\nTo: a@example.org\n\n--b--\n",
            Kind.COMPLAINT,
        ),
        (
            "From: fbl@example.net\nContent-Type: multipart/mixed; boundary=b\n\n--b\n"
            "Content-Type: message/feedback-report\n\nFeedback-Type: abuse\n\n--b--\n",
            Kind.COMPLAINT,
        ),
        ("From: staff@example.net\nSubject: complaint about message from 192.0.2.1\n\n\n", Kind.COMPLAINT),
        # RFC 8098; deleted unread; without the part; and Sieve's reject, which is a bounce in its clothes.
        (
            "From: a@example.org\nSubject: Read: hello\nContent-Type: multipart/report; "
            "report-type=disposition-notification; boundary=b\n\n--b\n\nYour message was read.\n\n--b\n"
            "Content-Type: message/disposition-notification\n\nFinal-Recipient: rfc822;a@example.org\n"
            "Disposition: manual-action/MDN-sent-manually; displayed\n\n--b--\n",
            Kind.READ_RECEIPT,
        ),
        (
            "From: a@example.org\nSubject: Not read: hello\nContent-Type: multipart/report; "
            "report-type=disposition-notification; boundary=b\n\n--b\n\nYour message was deleted unread.\n\n"
            "--b\nContent-Type: message/disposition-notification\n\nFinal-Recipient: rfc822;a@example.org\n"
            "Disposition: automatic-action/MDN-sent-automatically; deleted\n\n--b--\n",
            Kind.READ_RECEIPT,
        ),
        (
            "From: a@example.org\nSubject: Gelesen: hallo\n\nIhre Nachricht wurde gelesen.\n",
            Kind.READ_RECEIPT,
        ),
        (
            "From: Mail Delivery Subsystem <postmaster@example.org>\nSubject: Automatically rejected mail\n"
            "Content-Type: multipart/report; report-type=disposition-notification; boundary=b\n\n--b\n\n"
            "Your message to <a@example.org> was automatically rejected:\nNo mail, please\n\n--b\n"
            "Content-Type: message/disposition-notification\n\nFinal-Recipient: rfc822;a@example.org\n"
            "Disposition: automatic-action/MDN-sent-automatically; deleted\n\n--b--\n",
            Kind.BOUNCE,
        ),
        # Challenges; a list that wants a subscription confirmed is none.
        (
            ANSWERED + "Please confirm your message\n\nTo release your message for delivery, please send an "
            "empty message to the following address.\n",
            Kind.CHALLENGE,
        ),
        (
            ANSWERED
            + "[verify] hello\nPrecedence: bulk\n\nThe message you sent requires that you verify that "
            "you are a real live human being and not a spam source.\n",
            Kind.CHALLENGE,
        ),
        (
            "From: list@example.net\nSubject: confirm 1234\n\nPlease confirm your subscription.\n",
            Kind.ORDINARY,
        ),
        # Absence, in a field, a subject or only in words.
        (ANSWERED + "Automatic reply: hello\n\nI am away.\n", Kind.AUTO_REPLY),
        (ANSWERED + "=?iso-8859-1?q?R=E9ponse_automatique?= : hello\n\nBonjour\n", Kind.AUTO_REPLY),
        (ANSWERED + "=?utf-8?b?6Ieq5YuV6L+U5L+h?=\n\n\n", Kind.AUTO_REPLY),
        (ANSWERED + "Abwesenheitsnotiz\n\n\n", Kind.AUTO_REPLY),
        (ANSWERED + "hello\n\nI am out of the office until Monday.\n", Kind.AUTO_REPLY),
        (
            ANSWERED + "Out of office\n\nMy mailbox is full and your mail could not be delivered.\n",
            Kind.AUTO_REPLY,
        ),
        ("From: a@example.org\nSubject: Re: hello\n\nI am out of the office until Monday.\n", Kind.ORDINARY),
        ("From: a@example.org\nSubject: thoughts\n\nYour mail could not be delivered.\n", Kind.ORDINARY),
        ("From: postmaster@example.org\nSubject: Maintenance\n\nWe move to a new server.\n", Kind.ORDINARY),
    ],
)
def test_the_kinds_are_told_apart(mail: str, kind: Kind) -> None:
    assert read(mail.encode()).kind is kind
