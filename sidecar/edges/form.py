"""HTML forms in a request's body, their values byte for byte.

Knows application/x-www-form-urlencoded (as curl --data-urlencode writes it) and multipart/form-data (RFC
7578). Does not know any field. Python's own readers decode text; here a value may be a mail.
"""

import binascii
import re
from collections.abc import Iterator

__all__ = ["BadForm", "fields"]

MAX_FIELDS = 50  #: of one form; BounceHandler's has three

_BROKEN = re.compile(rb"%(?![0-9A-Fa-f]{2})")
_BOUNDARY = re.compile(r';\s*boundary=(?:"([^"]{1,70})"|([^\s;"]{1,70}))', re.IGNORECASE)  # RFC 2046 5.1.1
_NAME = re.compile(rb'^content-disposition:[^\r\n]*;\s*name="([^"\r\n]*)"', re.IGNORECASE | re.MULTILINE)


class BadForm(ValueError):
    """Not a form, or a damaged one. The words are for the client."""


def fields(content_type: str, body: bytes) -> dict[str, bytes]:
    """The fields by name; of one that comes twice, the first. Raises BadForm."""
    kind = content_type.partition(";")[0].strip().lower()
    if kind == "application/x-www-form-urlencoded":
        pairs = _urlencoded(body)
    elif kind == "multipart/form-data":
        pairs = _multipart(content_type, body)
    else:
        raise BadForm("want a form: application/x-www-form-urlencoded or multipart/form-data")
    found: dict[str, bytes] = {}
    for name, value in pairs:
        if len(found) == MAX_FIELDS:
            raise BadForm("too many fields")
        found.setdefault(name.decode("utf-8", "replace"), value)
    return found


def _urlencoded(body: bytes) -> Iterator[tuple[bytes, bytes]]:
    if _BROKEN.search(body):
        raise BadForm("the form is not percent-encoded; with curl, use --data-urlencode")
    for pair in body.split(b"&", MAX_FIELDS):
        name, _, value = pair.partition(b"=")
        yield _unquoted(name), _unquoted(value)


def _unquoted(text: bytes) -> bytes:
    """Percent-encoding undone.

    Quoted-printable differs from it in one octet only and is undone in C: 10 MiB of any octets in 0.1 s,
    where urllib takes 5 s.
    """
    return binascii.a2b_qp(text.replace(b"+", b" ").replace(b"=", b"%3D").replace(b"%", b"="))


def _multipart(content_type: str, body: bytes) -> Iterator[tuple[bytes, bytes]]:
    found = _BOUNDARY.search(content_type)
    if not found:
        raise BadForm("multipart/form-data without a boundary")
    delimiter = b"\r\n--" + (found.group(1) or found.group(2)).encode("utf-8", "replace")
    parts = (b"\r\n" + body).split(delimiter, MAX_FIELDS + 1)
    if len(parts) < 3 or not parts[-1].startswith(b"--"):
        raise BadForm("the form is cut off, or has too many fields")
    for part in parts[1:-1]:
        header, blank, value = part.partition(b"\r\n\r\n")
        name = _NAME.search(header.replace(b"\r\n", b"\n"))
        if not blank or not name:
            raise BadForm("a part of the form has no name")
        yield name.group(1), value
