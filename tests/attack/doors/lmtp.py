"""LMTP sessions that no honest client holds, smuggling above all, against a reader of our own.

What must be: the deliveries of a reader to whom CRLF alone ends a line and CRLF.CRLF alone a mail, however
the octets are cut; replies of our table alone, spelled as in RFC 5321; none behind a hang-up; little kept.
"""

import re
from dataclasses import dataclass, field

from sidecar.edges import lmtp, replies
from sidecar.edges.lmtp import Delivery
from sidecar.edges.replies import REPLIES
from sidecar.services.receipt import Receipt
from tests.attack.doors.fuzz import Broken, Target, fuzz
from tests.attack.doors.keys import GOOD, return_paths, was_signed
from tests.attack.doors.pieces import cuts
from tests.attack.tally import Tally

__all__ = ["TARGET", "campaign", "mails_of"]

SIZE = 4000  # octets of a mail here, so that the limit is met
KEPT = 2 * SIZE + 65_536  # octets that a session may hold: a mail as it comes, and a packet
_PATHS = return_paths()
_REPLY = re.compile(rb"[2-5][0-9][0-9][ -][ -~]*")


@dataclass
class Heard:
    """What came of one session."""

    deliveries: list[Delivery] = field(default_factory=list)
    output: bytes = b""
    closed: bool = False


def _session(pieces: list[bytes]) -> Heard:
    connection = lmtp.Connection(_PATHS.refusal, size_limit=SIZE)
    heard = Heard()
    for piece in pieces:
        delivery = connection.receive(piece)
        while delivery is not None:
            heard.deliveries.append(delivery)
            delivery = connection.answer([REPLIES[Receipt.TAKEN]] * len(delivery.recipients))
        heard.output += connection.output()
        if len(connection._input) > KEPT:
            raise Broken(f"{len(connection._input)} octets are kept")
    heard.closed = connection.closed
    connection.receive(b"NOOP\r\n")
    if heard.closed and connection.output():
        raise Broken("it speaks behind a hang-up")
    return heard


def mails_of(data: bytes) -> list[bytes]:
    """The most that may be read as mails: whatever stands between a line DATA and CRLF.CRLF, unstuffed.

    Knows nothing of the order of commands: it may find too many, never too few.
    """
    found, at = [], 0
    while match := re.compile(rb"(?:^|\r\n)DATA[ \t\x0b\x0c]*\r\n", re.IGNORECASE).search(data, at):
        begin = match.end()
        end = data.find(b"\r\n.\r\n", begin - 2)
        if end < 0:
            break
        lines = data[begin : max(begin, end)].split(b"\r\n") if end >= begin else []
        found.append(b"".join(line.removeprefix(b".") + b"\r\n" for line in lines))
        at = match.start() + 1
    return found


def _check(data: bytes) -> None:
    first: Heard | None = None
    for pieces in cuts(data):
        heard = _session(pieces)
        if first is not None and heard != first:
            raise Broken("the session depends on the packets")
        first = heard
    assert first is not None
    mails = mails_of(data)
    for delivery in first.deliveries:
        if delivery.raw not in mails:
            raise Broken("a mail that nobody sent")
        if not all(map(was_signed, delivery.recipients)):
            raise Broken(f"taken for {delivery.recipients!r}")
    dots = data.count(b"\r\n.\r\n")
    if len(first.deliveries) > dots:
        raise Broken(f"{len(first.deliveries)} mails from {dots} ends")
    _check_output(first.output)


def _check_output(output: bytes) -> None:
    *lines, rest = output.split(b"\r\n")
    wrong = [line for line in lines if not _REPLY.fullmatch(line)]
    if wrong or rest:
        raise Broken(f"replies that are none: {wrong} {rest!r}")
    known = {reply.lmtp.encode() for reply in REPLIES.values()} | {
        value.encode() for value in vars(replies).values() if isinstance(value, str)
    }
    strays = {line for line in lines if line not in known} - set(
        replies.lhlo("bounce-sidecar").encode().split(b"\r\n")
    )
    if strays - {replies.greeting("bounce-sidecar").encode()}:
        raise Broken(f"replies of no table: {strays}")


def _mail(body: bytes, recipient: str = GOOD[0]) -> bytes:
    return b"LHLO mx\r\nMAIL FROM:<>\r\nRCPT TO:<%b>\r\nDATA\r\n%b" % (recipient.encode(), body)


_INNER = b"MAIL FROM:<>\r\nRCPT TO:<%b>\r\nDATA\r\nSubject: smuggled\r\n\r\nx\r\n.\r\n" % GOOD[1].encode()
ENDS = [
    *(
        b"\n.\n",
        b"\n.\r\n",
        b"\r.\r",
        b"\r.\r\n",
        b"\r\n.\n",
        b"\r\n.\r",
        b"\n.\r",
        b"\r\n\0.\r\n",
        b"\r\n.\0\r\n",
    ),
    *(
        b"\r\r\n.\r\n",
        b"\r\n.\r\r\n",
        b"\r\n..\r\n",
        b"\r\n. \r\n",
        b"\n\n.\n\n",
        b"\r\n\x85.\r\n",
        b"\r\n.\xe2\x80\xa8",
    ),
]

TARGET = Target(
    __name__,
    _check,
    seeds=[
        *(_mail(b"Subject: x\r\n\r\nhello\r\n..dot\r\n.\r\nQUIT\r\n", path) for path in GOOD),
        *(_mail(b"Subject: outer\r\n\r\nx" + end + _INNER) for end in ENDS),
        _mail(b".\r\n") + b"RSET\r\nNOOP x\r\nVRFY x\r\nHELO x\r\nBDAT 10 LAST\r\n0123456789",
        b"LHLO mx\r\nMAIL FROM:<a@b.example> SIZE=100 BODY=8BITMIME SMTPUTF8\r\nRCPT TO:<x@y>\r\nDATA\r\n",
        _mail(b"x" * (2 * SIZE) + b"\r\n.\r\n"),
        b"x" * 5000 + b"\r\nNOOP\r\n" + b"x\r\n" * 25,
    ],
    words=[
        *ENDS,
        *(
            b"DATA\r\n",
            b"RCPT TO:<",
            b"MAIL FROM:<>",
            b"LHLO x\r\n",
            b"RSET\r\n",
            b"QUIT\r\n",
            b"BDAT 1 LAST\r\n",
        ),
        *(
            b"\0",
            b"\r",
            b"\n",
            b"\xff",
            b" SIZE=99999999999999999999",
            b'"',
            b"\\",
            b"@a,@b:",
            b"data \r\n",
            b"DATA\t\r\n",
        ),
    ],
)


def campaign(seed: int, seconds: float) -> Tally:
    return fuzz(TARGET, seed, seconds)
