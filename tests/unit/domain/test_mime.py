"""Cutting mail that no standard foresaw."""

import base64
import time

import pytest

from sidecar.domain.mime import MAX_FIELDS, MAX_PARTS, cut_fields, parse
from sidecar.domain.notice import read


def test_an_mbox_line_and_any_newline_are_taken_off() -> None:
    for head in (b"From MAILER-DAEMON Fri Nov 20 10:56:39 2026\n", b"\r\n>From x y\r\n", b"\n\n", b""):
        for newline in (b"\n", b"\r\n", b"\r\r\n", b"\r"):
            mail = parse(head + newline.join([b"Subject: a", b" b", b"", b"body", b""]))
            assert (mail.first("subject"), mail.body) == ("a b", b"body\n")


REPORT = b"Content-Type: multipart/report; boundary=b\n\n--b\nContent-Type: message/delivery-status\n"
REPORT += b"Content-Transfer-Encoding: ENCODING\n\n"


@pytest.mark.parametrize("encoding", [b"8bit", b"base64", b"quoted-printable"])
def test_a_run_of_carriage_returns_costs_no_more_than_its_length(encoding: bytes) -> None:
    def seconds(length: int) -> float:
        body = b"\r" * length if encoding != b"base64" else base64.encodebytes(b"\r" * length)
        raw = REPORT.replace(b"ENCODING", encoding) + body
        start = time.process_time()
        read(raw)
        return time.process_time() - start

    seconds(1000)
    assert seconds(1_000_000) < 100 * max(seconds(100_000), 0.001)  # ten times the length; 100 if quadratic


def test_a_from_field_is_no_mbox_line() -> None:
    assert parse(b"From : a@example.org\nSubject: b\n\n").first("from") == "a@example.org"


def test_parts_are_cut_at_their_boundary_only_and_a_missing_end_is_forgiven() -> None:
    body = b"preamble\n--x\n\none\n--xy\nstill one\n--x  \nA: b\n\ntwo\n"
    for head in (b'boundary="x"', b"boundary=x; charset=us-ascii", b"report-type=a;\n\tBOUNDARY = x"):
        mail = parse(b"Content-Type: multipart/mixed; " + head + b"\n\n" + body)
        assert [part.body for part in mail.children] == [b"one\n--xy\nstill one\n", b"two\n"]
    ended = parse(b"Content-Type: multipart/mixed; boundary=x\n\n" + body + b"--x--\n--x\n\nthree\n")
    assert len(ended.children) == 2


@pytest.mark.parametrize(
    ("line", "cuts"),
    [
        (b"--x", True),
        (b" --x \t ", True),
        (b"  --x", False),
        (b"\t--x", False),
        (b"a --x", False),
        (b"--x-", False),
        (b"--x --", False),
        (b"--x--x", False),
    ],
)
def test_a_delimiter_has_a_line_of_its_own_and_at_most_one_blank_before_it(line: bytes, cuts: bool) -> None:
    head = b"Content-Type: multipart/mixed; boundary=x\n\n"
    inside = parse(head + b"--x\n\none\n" + line + b"\n\ntwo\n" + line + b"--").children
    assert len(inside) == (2 if cuts else 1)
    first = parse(head + line + b"\n\none\n --x-- \n--x\n\nthree").children
    assert [part.body for part in first] == ([b"one\n"] if cuts else [])
    assert len(parse(head + line).children) == cuts


@pytest.mark.parametrize("header", [b"", b"; boundary=", b'; boundary=""', b"; boundary=" + b"x" * 500])
def test_a_multipart_without_a_usable_boundary_has_no_parts(header: bytes) -> None:
    assert parse(b"Content-Type: multipart/mixed" + header + b"\n\n--\n\na\n--\n").children == ()


def test_the_number_of_parts_and_of_fields_is_bounded() -> None:
    mail = parse(b"Content-Type: multipart/mixed; boundary=x\n\n" + b"--x\n\na\n" * (MAX_PARTS * 10))
    assert len(mail.children) == MAX_PARTS
    assert len(cut_fields(b"A: b\n" * (MAX_FIELDS * 10))) == MAX_FIELDS


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        (b"base64", b"U3RhdHVzOiA1LjEuMQo="),
        (b"BASE64", b"U3RhdHVz\n OiA1LjEuMQo"),
        (b"quoted-printable", b"Status: 5.1=\n.1=0A"),
        (b"8bit", b"Status: 5.1.1\n"),
    ],
)
def test_a_transfer_encoding_is_undone(encoding: bytes, body: bytes) -> None:
    assert parse(b"Content-Transfer-Encoding: " + encoding + b"\n\n" + body).content == b"Status: 5.1.1\n"


def test_broken_base64_gives_what_can_be_read() -> None:
    assert parse(b"Content-Transfer-Encoding: base64\n\nU3RhdA=U=\xff!").content[:4] == b"Stat"
