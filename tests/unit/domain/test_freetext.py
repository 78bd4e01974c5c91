"""Notices in words: who failed and why is found, whatever the system, charset or wrapping."""

import base64
import quopri

import pytest

from sidecar.domain.notice import Kind, Notice, read
from sidecar.domain.phrases import (
    CHALLENGE,
    DELIVERED,
    FAILURE,
    FAILURE_SUBJECT,
    HEADING,
    STILL_TRYING,
    VACATION,
)

from .notices import SAMPLES, Sample


def mail(sample: Sample, charset: str = "utf-8", more: str = "", encoding: str = "8bit") -> bytes:
    body = sample.text.encode(charset, "replace")
    if encoding == "base64":
        body = base64.encodebytes(body)
    elif encoding == "quoted-printable":
        body = quopri.encodestring(body)
    subject = base64.b64encode(sample.subject.encode()).decode()
    header = (
        f"From: {sample.sender}\nTo: wiki@wiki.example.com\nSubject: =?utf-8?b?{subject}?=\n{more}"
        f"Content-Transfer-Encoding: {encoding}\n"
    )
    return header.encode() + b"\n" + body


def check(sample: Sample, raw: bytes) -> None:
    notice = read(raw)
    assert notice.kind == sample.kind
    assert [report.address for report in notice.reports] == [found[0] for found in sample.recipients]
    for report, (_, status, reply, words) in zip(notice.reports, sample.recipients, strict=True):
        assert (report.status, report.reply) == (status, reply)
        assert words in report.diagnostic


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.system)
def test_a_notice_in_words_names_recipients_and_reasons(sample: Sample) -> None:
    check(sample, mail(sample, more="Content-Type: text/plain; charset=utf-8\n"))


NATIVE = {
    "a Japanese carrier": ("iso-2022-jp", "shift_jis", "euc-jp"),
    "a Russian provider": ("koi8-r", "windows-1251"),
    "a Chinese provider": ("gb2312",),
    "a Spanish provider": ("iso-8859-1",),
    "a German provider": ("windows-1252",),
    "a Polish provider": ("iso-8859-2",),
}
CHARSETS = [(sample, charset) for sample in SAMPLES for charset in NATIVE.get(sample.system, ())]


@pytest.mark.parametrize(
    ("sample", "charset"), CHARSETS, ids=lambda value: value if isinstance(value, str) else value.system
)
def test_a_charset_is_found_declared_or_not(sample: Sample, charset: str) -> None:
    check(sample, mail(sample, charset, f'Content-Type: text/plain; charset="{charset}"\n'))
    if charset != "iso-8859-2":  # no way to tell it from iso-8859-1
        check(sample, mail(sample, charset))
        check(sample, mail(sample, charset, "Content-Type: text/plain; charset=us-ascii\n"))
        check(sample, mail(sample, charset, "Content-Type: text/plain; charset=nonsense\n"))


@pytest.mark.parametrize("encoding", ["base64", "quoted-printable"])
@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.system)
def test_a_transfer_encoding_changes_nothing(sample: Sample, encoding: str) -> None:
    check(sample, mail(sample, encoding=encoding))


@pytest.mark.parametrize(
    "broken",
    [
        'Content-Type: multipart/mixed; boundary="b"\n\n--b\n\n{text}\n\n--b--\n',
        'Content-Type: multipart/mixed; boundary="b"\n\n--b\nContent-Type: text/plain\n\n{text}\n',  # no end
        "Content-Type: multipart/mixed\n\n--b\nContent-Type: text/plain\n\n{text}\n\n--b--\n",  # no boundary
        'Content-Type: multipart/report; boundary="c"\n\n--b\nContent-Type: text/plain\n\n{text}\n\n--b--\n',
        'Content-Type: multipart/mixed; boundary="b"\n\n{text}\n',  # no part
        "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: multipart/alternative; boundary=d"
        "\n\n--d\n\n{text}\n\n--d\nContent-Type: text/html\n\n<p>x@example.com</p>\n\n--d--\n\n--b--\n",
        "Content-Type: multipart/mixed; boundary=b\n\n--b\n\n{text}\n\n--b\nContent-Type: message/rfc822\n\n"
        "To: x@example.com\nSubject: hello\n\n<y@example.com>: 550 5.1.1 User unknown\n\n--b--\n",
    ],
)
@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.system)
def test_the_words_are_found_in_parts_that_fit_or_not(sample: Sample, broken: str) -> None:
    header = f"From: {sample.sender}\nTo: wiki@wiki.example.com\nSubject: {sample.subject}\n"
    check(sample, (header + broken.format(text=sample.text)).encode())


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.system)
def test_html_says_the_same(sample: Sample) -> None:
    words = sample.text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    lines = "".join(f"<div>{line or '<br>'}</div>\n" for line in words.split("\n"))
    page = f"<html><head><style>p {{color: red}}</style></head><body>{lines}</body></html>"
    check(sample._replace(text=page), mail(sample._replace(text=page), more="Content-Type: text/html\n"))


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.system)
@pytest.mark.parametrize(
    "header",
    [
        "From: A Person <person@example.net>\nSubject: Re: {subject}\n",
        "From: A Person <person@example.net>\nSubject: Fwd: {subject}\n",
        "From: A Person <person@example.net>\nSubject: what does this mean?\n",
        "From: list-request@example.net\nSubject: bounces Digest, Vol 3, Issue 4\nList-Id: <l.example.net>\n",
    ],
)
def test_a_person_or_a_list_that_quotes_a_notice_is_ordinary(sample: Sample, header: str) -> None:
    subject = header.format(subject=sample.subject)
    quoted = "\n".join(f"> {line}" for line in sample.text.split("\n"))
    for text in (sample.text, f"Hello, I got this:\n\n{quoted}\n", f"Hello, I got this:\n\n{sample.text}"):
        assert read(f"{subject}\n{text}".encode()).kind is Kind.ORDINARY


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.system)
def test_the_returned_original_says_nothing(sample: Sample) -> None:
    header = f"From: {sample.sender}\nSubject: hello\n"
    inner = f"Content-Type: message/rfc822\n\nFrom: {sample.sender}\n\n{sample.text}"
    mixed = f'{header}Content-Type: multipart/mixed; boundary="b"\n\n--b\n\nHello.\n\n--b\n{inner}\n--b--\n'
    assert not read(mixed.encode()).reports


def said(phrase: str, subject: str = "hello") -> Notice:
    """By a mail server that names a recipient."""
    text = f"From: MAILER-DAEMON@example.net\nSubject: {subject}\n\n{phrase}\n\n<a@example.org>\n"
    return read(text.encode())


def test_each_phrase_of_failure_is_one() -> None:
    found = {phrase: [(r.address, r.action) for r in said(phrase.upper()).reports] for phrase in FAILURE}
    right = ([("a@example.org", "failed")], [("a@example.org", "delayed")])
    assert {phrase: reports for phrase, reports in found.items() if reports not in right} == {}


def test_each_subject_of_failure_is_one() -> None:
    spelled = {phrase: base64.b64encode(phrase.upper().encode()).decode() for phrase in FAILURE_SUBJECT}
    kinds = {phrase: said("", f"=?utf-8?b?{subject}?=").kind for phrase, subject in spelled.items()}
    assert {phrase: kind for phrase, kind in kinds.items() if kind not in (Kind.BOUNCE, Kind.DELAYED)} == {}


def test_each_phrase_of_delay_is_one() -> None:
    kinds = {phrase: said(phrase).kind for phrase in STILL_TRYING}
    assert {phrase: kind for phrase, kind in kinds.items() if kind is not Kind.DELAYED} == {}


def test_phrases_are_written_as_they_are_looked_for() -> None:
    for phrase in FAILURE + FAILURE_SUBJECT + STILL_TRYING + DELIVERED + HEADING + CHALLENGE + VACATION:
        assert phrase == " ".join(phrase.lower().split())


@pytest.mark.parametrize("sender", ["Gateway <filter@example.net>", "it-desk@example.net"])
def test_an_empty_return_path_marks_a_notice_under_any_name(sender: str) -> None:
    header = f"Return-Path: <>\nFrom: {sender}\nSubject: your mail\n\n"
    text = "Your message could not be delivered:\n\n<a@example.org>: 550 5.1.1 User unknown\n"
    assert read(f"{header}{text}".encode()).kind is Kind.BOUNCE
    assert read(f"{header}I am on vacation; mail is not delivered.\n".encode()).kind is Kind.AUTO_REPLY
    assert read(f"{header}Thank you. We will answer.\n".encode()).kind is Kind.ORDINARY


def test_a_reply_that_begins_a_line_is_found_and_nobody_else_is_named() -> None:
    header = "From: MAILER-DAEMON@example.net\nSubject: failure notice\n\n"
    named = "<a@example.org>:\nThe server at example.org answered\n550 go away\n"
    (report,) = read(f"{header}{named}".encode()).reports
    assert (report.reply, report.diagnostic) == ("550", "The server at example.org answered : 550 go away")
    nobody = "   ----- Transcript of session follows -----\n421 example.org (smtp)... Deferred\n"
    original = "\n   ----- Unsent message follows -----\nReceived: from x\nTo: b@example.org\n"
    (report,) = read(f"{header}{nobody}{original}".encode()).reports
    assert (report.address, report.reply) == ("b@example.org", "421")


def test_a_sentence_that_announces_the_failure_is_not_the_reason() -> None:
    header = "From: MAILER-DAEMON <>\nSubject: Mail delivery failed\n\n"
    text = "There was an error delivering your mail to <a@example.org>.\n\nCould not connect. Giving up.\n"
    (report,) = read(f"{header}{text}".encode()).reports
    assert report.diagnostic.endswith("Could not connect. Giving up.")
