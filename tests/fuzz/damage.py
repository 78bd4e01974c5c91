"""The kinds of damage that a mail can take: each a function of a mail, a source of chance and another mail.

Knows what has broken readers of mail before. Does not know ours. Chance is an argument: the same chance makes
the same mail again.
"""

import base64
import binascii
import re
from collections.abc import Callable
from random import Random

__all__ = ["KINDS", "damaged"]

MAX_MAIL = 256 * 1024  #: octets of what comes out; test_limits has the large ones
MAX_MORE = 3  #: damages on top of the first

Damage = Callable[[Random, bytes, bytes], bytes]

_HEADER_LINE = re.compile(rb"^[A-Za-z-]+:", re.MULTILINE)
_BOUNDARY = re.compile(rb'boundary="?([^\s";]+)')

#: Fields that decide how a mail is read, with values that lie.
_INJECTED = (
    b'Content-Type: multipart/report; report-type=delivery-status; boundary="%s"',
    b"Content-Type: message/delivery-status",
    b"Content-Type: text/html; charset=%s",
    b"Content-Type: message/rfc822",
    b"Content-Transfer-Encoding: base64",
    b"Content-Transfer-Encoding: quoted-printable",
    b"Final-Recipient: rfc822; %s",
    b"Original-Recipient: rfc822;<@relay.example:%s>",
    b"X-Failed-Recipients: %s, %s",
    b"Action: %s",
    b"Status: 4.%s.99999999999999999999",
    b"Diagnostic-Code: smtp; 452 4.2.2 %s",
    b"Diagnostic-Code: X-Unix; \\303\\%s \\x{D800} \\x{110000}",
    b"Auto-Submitted: auto-replied (%s)",
    b"Subject: =?utf-8?B?%s?= =?x-none?Q?=FF=?=",
    b"Date: Fri, 99 Foo 99999 25:61:61 +%s",
    b"Message-ID: <%s",
    b"From: %s <>",
    b"%s",
)
_CHARSETS = (
    *(b"us-ascii", b"utf-8", b"utf-7", b"utf-16", b"utf-16le", b"utf-32", b"iso-2022-jp", b"gb2312", b"big5"),
    *(b"shift_jis", b"koi8-r", b"windows-1251", b"iso-8859-15", b"x-unknown", b"unicode-escape", b"hex"),
    *(b"idna", b"punycode", b"", b'"', b"\xff", b"a" * 300),
)
#: What UTF-8 forbids: halves of a surrogate pair, overlong, beyond Unicode; and how others spell the like.
_SURROGATES = (
    *(b"\xed\xa0\x80", b"\xed\xbf\xbf", b"\xed\xa0\xbd\xed\xb8\x80", b"\xc0\x80", b"\xf4\x90\x80\x80"),
    *(
        b"+2AA-",
        b"+3gA-",
        b"=ED=A0=80",
        b"\\x{D800}",
        b"\\ud800",
        b"&#xD800;",
        b"&#55296;",
        b"\xff\xfe\x00\xd8",
    ),
)
#: Digits that int() and \d take and no RFC means, and numbers that are too large for anything.
_NUMBERS = (b"5", "٥".encode(), "５".encode(), "²".encode(), b"0005", b"9" * 40, b"-1", b"5e9", b"")
_NEWLINES = (
    b"\n",
    b"\r",
    b"\r\n",
    b"\r\r\n",
    b"\n\r",
    b"\x0b",
    b"\x0c",
    b"\x1c",
    b"\xc2\x85",
    b"\xe2\x80\xa8",
)


def damaged(chance: Random, kind: str, raw: bytes, other: bytes) -> bytes:
    """*raw* with damage of *kind* and, often, some of any kind on top; at most MAX_MAIL octets."""
    raw = KINDS[kind](chance, raw, other)
    for _ in range(chance.choice((0, 0, 0, 1, 2, MAX_MORE))):
        raw = KINDS[chance.choice(_NAMES)](chance, raw[:MAX_MAIL], other)
    return raw[:MAX_MAIL]


def _place(chance: Random, raw: bytes) -> int:
    return chance.randint(0, len(raw))


def _span(chance: Random, raw: bytes, most: int = 400) -> tuple[int, int]:
    start = _place(chance, raw)
    return start, min(len(raw), start + chance.randint(0, most))


def _put(raw: bytes, place: int, piece: bytes) -> bytes:
    return raw[:place] + piece + raw[place:]


def _flip_octets(chance: Random, raw: bytes, other: bytes) -> bytes:
    octets = bytearray(raw)
    for _ in range(chance.randint(1, 40) if octets else 0):
        octets[chance.randrange(len(octets))] ^= 1 << chance.randrange(8)
    return bytes(octets)


def _truncate(chance: Random, raw: bytes, other: bytes) -> bytes:
    return raw[: _place(chance, raw)] if chance.random() < 0.8 else raw[_place(chance, raw) :]


def _double_lines(chance: Random, raw: bytes, other: bytes) -> bytes:
    lines = raw.splitlines(keepends=True)
    for _ in range(chance.randint(1, 5)):
        start = chance.randint(0, len(lines))
        lines[start:start] = lines[start : start + chance.randint(1, 8)] * chance.randint(1, 3)
    return b"".join(lines)


def _remove_lines(chance: Random, raw: bytes, other: bytes) -> bytes:
    lines = raw.splitlines(keepends=True)
    for _ in range(chance.randint(1, 5)):
        start = chance.randint(0, len(lines))
        del lines[start : start + chance.randint(1, 8)]
    return b"".join(lines)


def _reorder_lines(chance: Random, raw: bytes, other: bytes) -> bytes:
    lines = raw.splitlines(keepends=True)
    start = chance.randint(0, len(lines))
    end = min(len(lines), start + chance.choice((2, 5, 20, 1000)))
    some = lines[start:end]
    chance.shuffle(some)
    return b"".join(lines[:start] + some + lines[end:])


def _inject_fields(chance: Random, raw: bytes, other: bytes) -> bytes:
    places = [found.start() for found in _HEADER_LINE.finditer(raw)] or [0]
    for place in sorted(chance.choices(places, k=chance.randint(1, 4)), reverse=True):
        field = chance.choice(_INJECTED)
        value = chance.choice(
            (*_CHARSETS, *_SURROGATES, *_NUMBERS, b"a@b.example", b"<" * 50, b"@" * 50, b" ")
        )
        ending = chance.choice((b"\r\n", b"\n", b"\n ", b"\n\n"))
        raw = _put(raw, place, field.replace(b"%s", value) + ending)
    return raw


def _damage_boundary(chance: Random, raw: bytes, other: bytes) -> bytes:
    found = _BOUNDARY.search(raw)
    if not found:
        return _put(raw, 0, b'Content-Type: multipart/mixed; boundary="--"\n')
    boundary = found.group(1)
    line = b"--" + boundary
    match chance.randrange(7):
        case 0:
            return raw.replace(boundary, chance.choice((b"", b'"', b"(.*)*", b"\\", b"x" * 9999, b"\xff")), 1)
        case 1:
            return raw.replace(line + b"--", b"")
        case 2:
            return raw.replace(line, line + b"--", chance.randint(1, 3))
        case 3:
            return raw.replace(line, line[:-1])
        case 4:
            return raw.replace(b"\n" + line, chance.choice((b" ", b"\r", b"")) + line)
        case 5:
            return _put(raw, _place(chance, raw), (b"\n" + line + b"\n") * chance.choice((1, 2, 300)))
        case _:
            return raw.replace(boundary, b"")


def _lie_about_charset(chance: Random, raw: bytes, other: bytes) -> bytes:
    lie = chance.choice(_CHARSETS)
    if b"charset=" in raw:
        raw = re.sub(rb"charset=[^\s;]*", lambda _: b"charset=" + lie, raw)
    else:
        raw = _put(raw, 0, b"Content-Type: text/plain; charset=" + lie + b"\r\n")
    high = chance.randbytes(chance.randint(1, 200)).translate(bytes(octet | 0x80 for octet in range(256)))
    return _put(
        raw,
        _place(chance, raw),
        chance.choice((high, "Письмо 宛先 Über uns".encode(), b"\x1b$B", b"+AGE-")),
    )


def _garble_transfer(chance: Random, raw: bytes, other: bytes) -> bytes:
    encoding, garbage = chance.choice(
        (
            (b"base64", binascii.b2a_base64(chance.randbytes(chance.randint(0, 300)))),
            (b"base64", chance.choice((b"=", b"A", b"====AAAA", b"-_-_", b"A=A=" * 50))),
            (b"quoted-printable", chance.choice((b"=", b"==", b"=0", b"=\n=\n", b"=FF=00=ZZ=3D", b"=\r"))),
            (b"x-uuencode", b"begin 644 a\n#0V%T\n`\nend\n"),
        )
    )
    head, blank, body = raw.partition(chance.choice((b"\r\n\r\n", b"\n\n")))
    if encoding == b"base64" and chance.random() < 0.5:
        body = base64.encodebytes(body)
    body = _put(body, _place(chance, body), garbage)
    return head + b"\r\nContent-Transfer-Encoding: " + encoding + (blank or b"\r\n\r\n") + body


def _scatter(pieces: tuple[bytes, ...], most: int = 12) -> Damage:
    def scatter(chance: Random, raw: bytes, other: bytes) -> bytes:
        for _ in range(chance.randint(1, most)):
            raw = _put(raw, _place(chance, raw), chance.choice(pieces) * chance.choice((1, 1, 1, 3, 50)))
        return raw

    return scatter


def _change_numbers(chance: Random, raw: bytes, other: bytes) -> bytes:
    share = chance.choice((0.02, 0.2, 1.0))

    def change(found: re.Match[bytes]) -> bytes:
        return chance.choice(_NUMBERS) if chance.random() < share else found.group(0)

    return re.sub(rb"[0-9]", change, raw)


def _change_newlines(chance: Random, raw: bytes, other: bytes) -> bytes:
    mixed = chance.random() < 0.5
    one = chance.choice(_NEWLINES)
    return re.sub(rb"\r?\n", lambda _: chance.choice(_NEWLINES) if mixed else one, raw)


def _nest(chance: Random, raw: bytes, other: bytes) -> bytes:
    within = chance.choice(
        (b"multipart/mixed", b"multipart/report", b"multipart/alternative", b"message/rfc822")
    )
    same = chance.random() < 0.3
    for level in range(chance.choice((1, 2, 5, 30, 100))):
        name = b"b" if same else b"b%d" % level
        head = b"Content-Type: " + within + b"; boundary=" + name + b"\n\n"
        raw = head + (
            raw if within == b"message/rfc822" else b"--" + name + b"\n" + raw + b"\n--" + name + b"--\n"
        )
    return raw


def _splice(chance: Random, raw: bytes, other: bytes) -> bytes:
    start, end = _span(chance, raw, 4000)
    from_, to = _span(chance, other, 4000)
    if chance.random() < 0.3:
        return raw[:start] + other[from_:]
    return raw[:start] + other[from_:to] + raw[end:]


def _repeat(chance: Random, raw: bytes, other: bytes) -> bytes:
    piece = raw[slice(*_span(chance, raw, chance.choice((1, 3, 80, 1000))))] or b"<"
    if chance.random() < 0.3:
        piece = chance.choice(
            (
                b"<",
                b"@",
                b"a@",
                b"(",
                b'"',
                b" ",
                b"\t",
                b"\\",
                b"=?",
                b"550 ",
                b"5.1.1 ",
                b"<a@b>:\n",
                b"&lt;",
            )
        )
    times = int(2 ** chance.uniform(2, 16))
    return _put(raw, _place(chance, raw), (piece * times)[:MAX_MAIL])


KINDS: dict[str, Damage] = {
    "octets flipped": _flip_octets,
    "truncated": _truncate,
    "lines doubled": _double_lines,
    "lines removed": _remove_lines,
    "lines reordered": _reorder_lines,
    "fields injected": _inject_fields,
    "boundary damaged": _damage_boundary,
    "charset a lie": _lie_about_charset,
    "transfer garbled": _garble_transfer,
    "NULs": _scatter((b"\0",)),
    "surrogates": _scatter(_SURROGATES),
    "numbers changed": _change_numbers,
    "newlines changed": _change_newlines,
    "nested": _nest,
    "spliced": _splice,
    "repeated": _repeat,
}
_NAMES = tuple(KINDS)
