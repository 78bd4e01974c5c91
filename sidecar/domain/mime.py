"""MIME (RFC 2045, RFC 2046) as far as a notice needs it: fields, parts, transfer encodings.

Knows how to cut raw bytes, however broken, with bounded work. Does not know what a part means, and never
opens a message within a message. Python's own parser is not used: it does not split
message/global-delivery-status, and stops reading fields at the first line that is none.
"""

import binascii
import re
import string
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

__all__ = ["Part", "cut_fields", "decode", "parse", "unfold", "without_mbox_line"]

MAX_READ = 2 * 1024 * 1024  #: octets of a mail that are looked at; a report stands before what it returns
MAX_FIELDS = 500  #: of one header or block; real mail has under a hundred, even after a mail loop
MAX_FIELD = 8192  #: characters of a value; RFC 5322 section 2.1.1 allows 998 a line, long fields are folded
MAX_HEADER = 256 * 1024  #: bytes; Postfix stops at 100 kB by default (header_size_limit)
MAX_ENCODED = 1024 * 1024  #: octets of a body whose transfer encoding is undone; a report has 60 kB
MAX_PARTS = 50  #: of one multipart; a report has three (RFC 6522 section 3)
MAX_PREAMBLE = 16 * 1024  #: octets in which a delimiter is looked for where no boundary fits
MAX_BOUNDARY = 256  #: characters; RFC 2046 section 5.1.1 allows 70

_MBOX = re.compile(rb"\A\s*+>?From (?![ \t]*:)[^\n]*\n")
_FIELD = re.compile(r"([A-Za-z][A-Za-z0-9_-]*)[ \t]*:[ \t]*(.*)")
_TYPE = re.compile(r"\s*([a-z0-9.+-]+/[a-z0-9.+-]+)", re.IGNORECASE)
_BOUNDARY = re.compile(r';\s*boundary\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;"]+))', re.IGNORECASE)
_DELIMITER = re.compile(rb"\n[ ]?--([^\s][^\n]{0,200}?)[ \t]*\n(?=content-[a-z-]+:)", re.IGNORECASE)
_NOT_BASE64 = bytes(range(256)).translate(
    None, string.ascii_letters.encode() + string.digits.encode() + b"+/"
)
_CR_AS_LF = bytes.maketrans(b"\r", b"\n")


@dataclass(frozen=True)
class Part:
    """A header and the bytes below it, newlines being LF."""

    fields: tuple[tuple[str, str], ...]  #: name in lower case and value, unfolded, in order
    body: bytes

    def all(self, name: str) -> list[str]:
        """The values of every field called *name* (in lower case)."""
        return [value for known, value in self.fields if known == name]

    def first(self, name: str) -> str:
        """The value of the first field called *name* (in lower case); "" if there is none."""
        return next((value for known, value in self.fields if known == name), "")

    @cached_property
    def content_type(self) -> str:
        """As "text/plain", which an absent or illegible field means too (RFC 2045 section 5.2)."""
        found = _TYPE.match(self.first("content-type"))
        return found.group(1).lower() if found else "text/plain"

    @cached_property
    def children(self) -> tuple["Part", ...]:
        """The parts of a multipart, at most MAX_PARTS; none of anything else. A missing end is forgiven."""
        return tuple(_children(self)) if self.content_type.startswith("multipart/") else ()

    @cached_property
    def content(self) -> bytes:
        """The body with its transfer encoding undone, as far as it can be."""
        match self.first("content-transfer-encoding").strip().lower():
            case "base64":
                letters = self.body[:MAX_ENCODED].translate(None, _NOT_BASE64)
                if len(letters) % 4 == 1:  # no octet can be made of the last letter
                    letters = letters[:-1]
                plain = binascii.a2b_base64(letters + b"=" * (-len(letters) % 4))
            case "quoted-printable":
                plain = binascii.a2b_qp(self.body[:MAX_ENCODED])
            case _:
                return self.body
        return _newlines(plain)


def parse(raw: bytes) -> Part:
    """A mail as far as MAX_READ, a leading mbox line or blank line taken off. Never raises."""
    return _part(without_mbox_line(_newlines(raw[:MAX_READ])).lstrip(b"\n"))


def without_mbox_line(raw: bytes) -> bytes:
    """*raw* without the line that mailboxes, and MTAs that pipe into programs, put before a mail."""
    return _MBOX.sub(b"", raw, count=1)


def _newlines(raw: bytes) -> bytes:
    """*raw* with LF for every newline, whatever was meant as one: a relay may add a second CR, or a third."""
    if b"\r" not in raw:
        return raw
    for newline in (b"\r\r\r\n", b"\r\r\n", b"\r\n"):
        raw = raw.replace(newline, b"\n")
    return raw.translate(_CR_AS_LF)  # to replace a million of them would hold up every other thread


def _children(part: Part) -> list[Part]:
    cuts = _cut(part.body, _boundary(part.first("content-type")).encode("utf-8"))
    if not cuts:  # rewritten on the way, or never written: the delimiters say it themselves
        found = _DELIMITER.search(b"\n" + part.body[:MAX_PREAMBLE])
        cuts = _cut(part.body, found.group(1)) if found else []
    return cuts


def _cut(body: bytes, boundary: bytes) -> list[Part]:
    if not 0 < len(boundary) <= MAX_BOUNDARY:
        return []
    cuts: list[Part] = []
    start = -1
    for begin, end, closes in _delimiters(body, b"--" + boundary):
        if start >= 0:
            cuts.append(_part(body[start:begin]))
        start = -1 if closes else end
        if start < 0 or len(cuts) == MAX_PARTS:
            return cuts
    if start >= 0:
        cuts.append(_part(body[start:]))
    return cuts


def _delimiters(body: bytes, dashed: bytes) -> Iterator[tuple[int, int, bool]]:
    """Where the lines that hold *dashed* alone begin and end, and whether they close the multipart.

    One blank before it and any behind are forgiven. Every mail has a boundary of its own: to compile an
    expression for it takes longer than to search.
    """
    at = body.find(dashed)
    while at >= 0:
        end = at + len(dashed)
        begin = at - body.count(b" ", max(0, at - 1), at)
        if begin == 0 or body.startswith(b"\n", begin - 1):
            newline = body.find(b"\n", end)
            rest, end = body[end : newline + 1 or None], newline + 1 or len(body)
            closes = rest.startswith(b"--")
            if not rest[2 if closes else 0 :].strip(b" \t\n"):
                yield begin, end, closes
        at = body.find(dashed, end)


def _boundary(content_type: str) -> str:
    found = _BOUNDARY.search(content_type)
    if not found:
        return ""
    return found.group(2) or re.sub(r"\\(.)", r"\1", found.group(1))


def _part(raw: bytes) -> Part:
    if raw.startswith(b"\n"):  # no header at all, as in sendmail's first part
        return Part((), raw[1:])
    header, _, body = raw.partition(b"\n\n")
    return Part(tuple(cut_fields(header[:MAX_HEADER])), body)


def cut_fields(block: bytes) -> list[tuple[str, str]]:
    """Field names in lower case and unfolded values, at most MAX_FIELDS.

    A line that is neither a field nor folded belongs to the field above it: nullmailer does not fold the
    lines of an SMTP reply.
    """
    fields: list[tuple[str, list[str]]] = []
    for line in block.split(b"\n"):
        text = decode(line[:MAX_FIELD])
        found = None if text[:1] in (" ", "\t") else _FIELD.match(text)
        if found and len(fields) == MAX_FIELDS:
            break
        if found:
            fields.append((found.group(1).lower(), [found.group(2)]))
        elif fields and len(fields[-1][1]) < MAX_FIELDS:
            fields[-1][1].append(text)
    return [(name, unfold(" ".join(lines))) for name, lines in fields]


def unfold(text: str) -> str:
    """*text* on one line, with single blanks, at most MAX_FIELD characters."""
    return " ".join(text[:MAX_FIELD].split())


def decode(raw: bytes) -> str:
    """UTF-8 where it is (RFC 6532), even if cut within a character; else Latin-1, which takes every octet."""
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        if error.start >= len(raw) - 3 and error.reason == "unexpected end of data":
            return raw[: error.start].decode("utf-8")
        return raw.decode("latin-1")
