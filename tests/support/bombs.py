"""Mails that are made to cost their reader much: a shape each, of a size, as chance will have it.

Knows MIME, headers and reports as an attacker uses them. Does not know the reader, nor any door.
"""

import base64
import quopri
from collections.abc import Callable, Mapping
from random import Random

__all__ = ["BOMBS", "Bomb"]

Bomb = Callable[[Random, int], bytes]  #: chance and the size in octets, about which it becomes

HEADER = b"From: MAILER-DAEMON@mx.example\nSubject: Undelivered Mail Returned to Sender\n"
STATUS = b"Content-Type: message/delivery-status\n\nReporting-MTA: dns; mx.example\n\n"
TEXT = b"Your message could not be delivered to the following recipients:\n\n"
#: What expressions and readers like to stumble over; a few of them, over and over.
PIECES = (
    *(b"a", b"@", b"<", b">", b"(", b"[", b'"', b"\\", b"--", b"-", b"=?", b"?=", b"&#", b";", b":", b"."),
    *(b" ", b"\t", b"\n", b"\r", b"\r\n", b"\n ", b"\0", b"\xff", b"\xe3\x81", b"\x1b$B", b"+2AA-", b"=41"),
    *(b"a@b.example ", b"550 5.1.1 ", b"www.", b"http://", b"<br>", b"<style>", b"\\303", b"+40", b"x: y\n"),
    *(b"user unknown ", b"message ", b"-----", b">>> RCPT TO:<", b"said: ", b"Final-Recipient: rfc822;"),
)
FIELDS = (
    *(b"Subject", b"From", b"To", b"Content-Type", b"Content-Transfer-Encoding", b"Auto-Submitted", b"Date"),
    *(b"X-Failed-Recipients", b"Message-ID", b"Return-Path", b"Precedence", b"Delivered-To", b"X"),
)
BOUNDARIES = (b"x", b"-", b"--", b"=_", b"b" * 70, b"-" * 200, b"x y", b"'", b"0")
CHARSETS = (b"utf-8", b"utf-7", b"utf-16", b"iso-2022-jp", b"big5", b"hz", b"koi8-r", b"none")


def _filled(chance: Random, size: int) -> bytes:
    """A few pieces over and over."""
    some = b"".join(chance.choices(PIECES, k=chance.choice((1, 1, 2, 3, 5))))
    return (some * (size // len(some) + 1))[:size]


def _multipart(boundary: bytes, kind: bytes = b"mixed") -> bytes:
    return b'Content-Type: multipart/%b; boundary="%b"\n\n' % (kind, boundary)


def filled(chance: Random, size: int) -> bytes:
    """Nothing but pieces, below a header or without one."""
    return chance.choice((b"", HEADER, HEADER + b"\n" + TEXT)) + _filled(chance, size)


def noise(chance: Random, size: int) -> bytes:
    return chance.choice((b"", HEADER + b"\n" + TEXT)) + chance.randbytes(size)


def parts(chance: Random, size: int) -> bytes:
    """Parts side by side, by the hundred thousand, or lines that look like their delimiters."""
    boundary = chance.choice(BOUNDARIES)
    part = (
        b"--"
        + boundary
        + chance.choice((b"\n", b"y\n", b" " * 100 + b"\n", b"--\n", b"", b"\n\n<a@b.example>\n"))
    )
    kind = chance.choice((b"report", b"mixed", b"alternative"))
    return HEADER + _multipart(boundary, kind) + part * (size // len(part))


def deep(chance: Random, size: int) -> bytes:
    """Multiparts, or mails, within each other, thousands deep."""
    same, level = chance.random() < 0.5, 0
    levels = [HEADER]
    while sum(map(len, levels[-1:])) * len(levels) < size and level < 20_000:
        level += 1
        boundary = b"b" if same else b"b%d" % level
        levels.append(_multipart(boundary) + b"--" + boundary + b"\n")
    if chance.random() < 0.3:
        levels = [HEADER, *[b"Content-Type: message/rfc822\n\n"] * len(levels)]
    return b"".join(levels)[:size] + STATUS + b"Final-Recipient: rfc822; a@b.example\nAction: failed\n"


def wide(chance: Random, size: int) -> bytes:
    """Multiparts of many multiparts, a few levels deep: a part for every few octets."""
    fan, mail = chance.choice((2, 10, 30, 49)), b"\n"
    level = 0
    while len(mail) * fan < size and level < 12:
        level += 1
        boundary = b"%d" % level
        mail = _multipart(boundary) + (b"--" + boundary + b"\n" + mail) * fan
    return HEADER + mail


def fields(chance: Random, size: int) -> bytes:
    """Header fields by the hundred thousand, or scraps of them."""
    name = chance.choice((b"X", b"Received", b"X-Failed-Recipients", b"Content-Type", b"A" * 900))
    value = chance.choice((b": a@b.example\n", b":\n", b"\n", b": x\n y\n", b": =?utf-8?q?=41?=\n"))
    return HEADER + (name + value) * (size // len(name + value)) + b"\n" + TEXT


def field(chance: Random, size: int) -> bytes:
    """One field of megabytes, folded or not."""
    fold = chance.choice((b"", b"\n "))
    value = _filled(chance, 60).replace(b"\n", b" ") + fold
    return chance.choice(FIELDS) + b": " + value * (size // len(value)) + b"\n" + HEADER + b"\n" + TEXT


def continuations(chance: Random, size: int) -> bytes:
    """RFC 2231: a boundary in thousands of pieces, some of them encoded."""
    star = chance.choice((b"", b"*"))
    pieces = (b' boundary*%d%b="b%%41%d";\n' % (number, star, number) for number in range(size // 24))
    return HEADER + b"Content-Type: multipart/report;\n" + b"".join(pieces) + b"\n\n--b\n" + STATUS


def encoded_words(chance: Random, size: int) -> bytes:
    """RFC 2047, over and over, whole and broken."""
    word = chance.choice(
        (b"=?utf-8?q?=41?= ", b"=?utf-8?b?4oCm?= ", b"=?utf-7?b?K0FBLQ==?= ", b"=?x?q?", b"=?")
    )
    name = chance.choice((b"Subject", b"From", b"To"))
    return name + b": " + word * (size // len(word)) + b"\n" + HEADER + b"\n" + TEXT


def encoded(chance: Random, size: int) -> bytes:
    """A body that becomes another: base64 and quoted-printable, in charsets that lie."""
    inner = chance.choice((TEXT, STATUS, b"<p>", b"")) + _filled(chance, size // 2)
    how, body = chance.choice(
        (
            (b"base64", base64.encodebytes(inner)),
            (b"base64", inner),
            (b"quoted-printable", quopri.encodestring(inner[: size // 8])),
            (b"quoted-printable", b"=41" * (size // 3)),
            (b"x-uuencode", b"begin 644 x\n" + inner),
        )
    )
    kind = chance.choice((b"text/plain", b"text/html", b"message/delivery-status", b"message/rfc822"))
    head = b"Content-Type: %b; charset=%b\nContent-Transfer-Encoding: %b\n\n"
    return HEADER + head % (kind, chance.choice(CHARSETS), how) + body[:size]


def reports(chance: Random, size: int) -> bytes:
    """Recipients without end, each with a diagnostic that is hard to judge."""
    diagnostic = _filled(chance, chance.choice((0, 40, 4000))).replace(b"\n", b" ")
    block = b"Final-Recipient: rfc822; a@b.example\nAction: failed\nStatus: 4.0.0\nDiagnostic-Code: smtp; "
    block = chance.choice((block + diagnostic + b"\n\n", b"x\n\n", b"x: y\n", b"Action: failed\n"))
    part = chance.choice((b"", b"--x\n" + STATUS))
    return (
        HEADER
        + _multipart(b"x", b"report")
        + b"--x\n"
        + STATUS
        + (part + block) * (size // len(part + block))
    )


def words(chance: Random, size: int) -> bytes:
    """A notice in words with recipients, rules and replies by the thousand."""
    line = chance.choice((b"<a%d@b.example>: ", b"  a%d@b.example\n", b">>> RCPT TO:<a%d@b.example>\n<<< "))
    reason = _filled(chance, chance.choice((20, 200, 2000)))
    lines = (line % (number % 100) + reason + b"\n" for number in range(size // len(line + reason) + 1))
    return (HEADER + b"\n" + TEXT + b"".join(lines))[:size]


def markup(chance: Random, size: int) -> bytes:
    """HTML and nothing else."""
    tag = chance.choice(
        (b"<p>", b"<a", b"<style>", b"<a b>@", b"&#xD800;", b"<!--", b"<" + b"a" * 21, b"</td>")
    )
    return HEADER + b"Content-Type: text/html\n\n" + tag * (size // len(tag))


#: By name; every size is meant.
BOMBS: Mapping[str, Bomb] = {
    bomb.__name__: bomb
    for bomb in (
        filled, noise, parts, deep, wide, fields, field, continuations, encoded_words, encoded, reports,
        words, markup,
    )
}  # fmt: skip
