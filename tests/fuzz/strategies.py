"""Mails made from nothing, as hypothesis strategies: headers, multiparts, delivery-status blocks.

Knows the shapes of RFC 5322, RFC 2046 and RFC 3464, followed closely (reports) or loosely (mails). Does not
know what should be read in them.
"""

import base64
import quopri
from dataclasses import dataclass

from hypothesis import strategies as st

__all__ = ["Recipient", "mails", "recipients", "reported"]

_TEXT = st.text(st.characters(codec="utf-8"), max_size=60)
_LINE = st.text(st.characters(codec="utf-8", exclude_characters="\n\r"), max_size=80)
_NAMES = st.sampled_from(
    [
        *("From", "To", "Subject", "Date", "Message-ID", "Received", "Auto-Submitted", "Precedence"),
        *("Content-Type", "Content-Transfer-Encoding", "X-Failed-Recipients", "Final-Recipient", "Action"),
        *("Status", "Diagnostic-Code", "Original-Recipient", "Remote-MTA", "Return-Path", "MIME-Version"),
    ]
)
_TYPES = st.sampled_from(
    [
        *("text/plain", "text/html", "message/delivery-status", "message/global-delivery-status"),
        *("message/rfc822", "text/rfc822-headers", "application/octet-stream", "message/feedback-report"),
        *("multipart/mixed", "multipart/report; report-type=delivery-status", "multipart/alternative"),
    ]
)
_CHARSETS = st.sampled_from(
    ["", "utf-8", "us-ascii", "utf-7", "utf-16", "iso-2022-jp", "gb2312", "koi8-r", "no"]
)
_WORDS = st.sampled_from(
    [
        *("550 5.1.1 User unknown", "452 4.2.2 Mailbox full", "<a@b.example>: host said:", "a@b.example"),
        *("This is the mail system at host mx.example.", "----- Original message -----", "Hello,", ""),
        *("Your message could not be delivered to", "Subject: again", "  (reason: 550 no)", "<<< 550", "--"),
    ]
)
_PROSE = st.lists(st.one_of(_WORDS, _LINE), max_size=12).map("\n".join)
_LOCAL = st.text("abcdefghijklmnopqrstuvwxyz0123456789.+-_=", min_size=1, max_size=30).filter(
    lambda local: not local.startswith((".", "-")) and not local.endswith(".")
)
_DOMAIN = st.sampled_from(["example.org", "mx.example.net", "b.example", "xn--bcher-kva.example"])


@dataclass(frozen=True)
class Recipient:
    """A block of RFC 3464 section 2.3, and what stands in it."""

    address: str
    action: str
    status: str
    diagnostic: str

    def block(self) -> str:
        lines = [
            f"Final-Recipient: rfc822; {self.address}",
            f"Action: {self.action}",
            f"Status: {self.status}",
        ]
        if self.diagnostic:
            lines.append(f"Diagnostic-Code: smtp; {self.diagnostic}")
        return "\n".join(lines) + "\n"


@st.composite
def fields(draw: st.DrawFn) -> str:
    """Some header fields, known and unknown, folded or not."""
    lines = []
    for _ in range(draw(st.integers(0, 6))):
        name = draw(st.one_of(_NAMES, st.text("abcXYZ-_ ", min_size=1, max_size=12)))
        value = draw(st.one_of(_WORDS, _LINE, _TEXT, _TYPES))
        colon = draw(st.sampled_from([":", ": ", " : ", ":\n "]))
        lines.append(f"{name}{colon}{value}\n")
    return "".join(lines)


@st.composite
def leaves(draw: st.DrawFn) -> bytes:
    """A part that holds no other: text, a status, anything, under any type and encoding."""
    charset = draw(_CHARSETS)
    blocks = recipients().map(lambda some: "\n".join(one.block() for one in some))
    body = draw(st.one_of(_PROSE, fields(), blocks))
    octets = draw(st.one_of(st.just(body.encode()), st.just(body.encode("utf-16")), st.binary(max_size=200)))
    encoding = draw(st.sampled_from(["", "7bit", "base64", "quoted-printable", "no-such"]))
    if encoding == "base64" and draw(st.booleans()):
        octets = base64.encodebytes(octets)
    if encoding == "quoted-printable" and draw(st.booleans()):
        octets = quopri.encodestring(octets)
    head = draw(fields()) + f"Content-Type: {draw(_TYPES)}; charset={charset}\n"
    return (head + f"Content-Transfer-Encoding: {encoding}\n\n").encode() + octets


def _joined(parts: list[bytes], boundary: str, declared: str, kind: str, ended: bool) -> bytes:
    line = f"\n--{boundary}"
    body = b"".join(f"{line}\n".encode() + part for part in parts)
    head = f'Content-Type: {kind}; boundary="{declared}"\n\n'
    return head.encode() + body + (f"{line}--\n".encode() if ended else b"")


@st.composite
def multiparts(draw: st.DrawFn, parts: st.SearchStrategy[bytes]) -> bytes:
    """Some parts, under a boundary that mostly fits."""
    boundary = draw(st.sampled_from(["x", "=_b", "----a", "'()+_,-./:=?", "x x", ".*"]))
    declared = draw(st.one_of(st.just(boundary), st.just(boundary), _LINE))
    some = draw(st.lists(parts, max_size=4))
    return draw(fields()).encode() + _joined(some, boundary, declared, draw(_TYPES), draw(st.booleans()))


def mails() -> st.SearchStrategy[bytes]:
    """Anything with the shape of a mail, several multiparts deep at times."""
    return st.recursive(leaves(), multiparts, max_leaves=8)


@st.composite
def recipients(draw: st.DrawFn) -> list[Recipient]:
    """Recipients with different addresses, at least one."""
    addresses = st.builds("{}@{}".format, _LOCAL, _DOMAIN)
    chosen = draw(st.lists(addresses, min_size=1, max_size=8, unique_by=str.lower))
    return [
        Recipient(
            address,
            draw(st.sampled_from(["failed", "delayed", "delivered", "relayed", "expanded"])),
            draw(st.from_regex(r"[245]\.[0-7]\.[1-9][0-9]?", fullmatch=True)),
            draw(st.sampled_from(["", "550 User unknown", "452 4.2.2 Mailbox full", "451 Try later"])),
        )
        for address in chosen
    ]


@st.composite
def reported(draw: st.DrawFn) -> tuple[bytes, list[Recipient]]:
    """A report as RFC 6522 and RFC 3464 want it, and whom it speaks of."""
    told = draw(recipients())
    blocks = "Reporting-MTA: dns; mx.example.net\n\n" + "\n".join(one.block() for one in told)
    status = b"Content-Type: message/delivery-status\n\n" + blocks.encode()
    prose = b"Content-Type: text/plain; charset=utf-8\n\n" + draw(_PROSE).encode()
    original = b"Content-Type: message/rfc822\n\n" + draw(leaves())
    kind = "multipart/report; report-type=delivery-status"
    report = _joined([prose, status, original], "=_unlikely_b", "=_unlikely_b", kind, ended=True)
    newline = draw(st.sampled_from([b"\n", b"\r\n"]))
    return (b"From: MAILER-DAEMON@mx.example.net\n" + report).replace(b"\n", newline), told
