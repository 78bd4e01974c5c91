"""Mail as a person reads it in a page."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.domain.mime import MAX_READ
from sidecar.domain.readable import MAX_FIELDS, MAX_LEAVES, MAX_MARKUP, MAX_TEXT, readable

MIXED = b"""From: =?utf-8?q?M=C3=BCller?= <postmaster@example.org>
Subject: Undelivered
Content-Type: multipart/mixed; boundary=b

--b
Content-Type: text/plain; charset=iso-8859-1
Content-Transfer-Encoding: quoted-printable

Zur=FCck\x1b[2J
--b
Content-Type: text/html

<p>Hello <img src=https://tracker.example/x.gif><b>you</b><script>steal()</script></p>
--b
Content-Type: message/delivery-status

Final-Recipient: rfc822; ann@example.com
--b
Content-Type: image/png
Content-Transfer-Encoding: base64

aGVsbG8=
--b--
"""
BOUNCES = sorted((Path(__file__).parents[3] / "fixtures" / "bounces").rglob("*.eml"))


def test_the_parts_of_a_mail_are_its_words_and_what_else_is_there_is_named() -> None:
    shown = readable(MIXED)
    assert ("from", "Müller <postmaster@example.org>") in shown.fields
    assert [(one.kind, one.text) for one in shown.texts] == [
        ("text/plain", "Zurück\\x1b[2J"),
        ("text/html", "Hello you"),
        ("message/delivery-status", "Final-Recipient: rfc822; ann@example.com"),
    ]
    assert shown.others == ("image/png, 5 octets",)


def test_what_is_long_is_cut_and_says_so() -> None:
    [text] = readable(b"A: b\n\n" + b"x" * (MAX_TEXT + 1)).texts
    assert (len(text.text), text.cut) == (MAX_TEXT, True)
    [text] = readable(b"A: b\n\n" + b"x" * MAX_TEXT).texts
    assert not text.cut


def test_a_mail_of_a_thousand_fields_and_parts_within_parts_is_bounded() -> None:
    fields = b"".join(b"X-%d: y\n" % number for number in range(1000))
    assert len(readable(fields + b"\nwords").fields) == MAX_FIELDS
    bomb = b"Content-Type: multipart/mixed; boundary=b\n\n" + b"--b\nContent-Type: image/png\n\nx\n" * 1000
    assert len(readable(bomb).others) <= MAX_LEAVES


def test_of_parts_within_parts_no_more_are_cut_than_are_shown() -> None:
    """10 MB of them took 20 s and half a gigabyte."""

    def nested(depth: int, boundary: bytes) -> bytes:
        if not depth:
            return b"\nx\n"
        part = b"--" + boundary + b"\n" + nested(depth - 1, boundary + b"a")
        return b"Content-Type: multipart/mixed; boundary=" + boundary + b"\n\n" + part * 20

    shown = readable(nested(3, b"a"))
    assert len(shown.texts) + len(shown.others) == MAX_LEAVES


def test_of_long_html_only_the_beginning_is_looked_at() -> None:
    head = b"Content-Type: text/html\n\n"
    [text] = readable(head + b"<p>" * MAX_MARKUP + b"the end").texts
    assert ("the end" in text.text, text.cut) == (False, True)
    [text] = readable(head + b"<p>" * 1000 + b"the end").texts
    assert (text.text, text.cut) == ("the end", False)


def test_what_is_not_looked_at_is_told() -> None:
    head = b"Content-Type: image/png\n\n"
    shown = readable(head + b"x" * (MAX_READ - len(head)))
    assert shown.others == (f"image/png, {MAX_READ - len(head):,} octets",)
    shown = readable(head + b"x" * MAX_READ)
    assert shown.others[-1] == f"{len(head)} octets more, which are not looked at"


@pytest.mark.parametrize("path", BOUNCES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_each_of_our_bounces_has_something_to_read(path: Path) -> None:
    shown = readable(path.read_bytes())
    assert shown.fields
    assert any(one.text for one in shown.texts)


@given(st.binary(max_size=500))
def test_nothing_is_too_broken_to_be_shown(raw: bytes) -> None:
    readable(raw)
    readable(MIXED[:200] + raw)
