"""LMTP (RFC 2033) without a socket: bytes in, replies and deliveries out.

Knows the commands, their order and the limits. Does not know who books a mail or how long that takes.

    command --DATA--> data --CRLF.CRLF--> delivery pending --answer()--> command
       |                |                     |
       +----------------+---- hang_up() ------+----> closed (a pending delivery is answered first)

Each octet is looked at a bounded number of times, however the input is cut into pieces.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

import structlog

from sidecar.edges import envelope, replies
from sidecar.edges.replies import REPLIES, TROUBLE, Reply
from sidecar.services.receipt import Receipt
from sidecar.telemetry import report

__all__ = ["Connection", "Delivery"]

# octets of a mail; above Postfix's message_size_limit (10240000): what is bigger waits in the MTA's queue
SIZE_LIMIT = 10 * 1024 * 1024
COMMAND_LIMIT = 2048  # octets with CRLF; RFC 5321 4.5.3.1.4 asks for 512 and parameters, Postfix has 2048 too
RECIPIENT_LIMIT = 100  # per mail; RFC 5321 4.5.3.1.8 asks for 100; a bounce has one
ERROR_LIMIT = 20  # mistakes of the peer per session, as smtpd_hard_error_limit: it does not speak LMTP

_END = b"\r\n.\r\n"  # and nothing else: a lenient end lets a sender smuggle a second mail into the first

log = structlog.get_logger()


@dataclass(frozen=True)
class Delivery:
    """A whole mail and the recipients that were accepted, in the order of their RCPT."""

    sender: str  #: "" for the null sender
    recipients: tuple[str, ...]
    raw: bytes = field(repr=False)  #: as it was before dot-stuffing; line ends are not touched


class Connection:
    """The server's side of one session.

    `receive` takes what came in and returns a Delivery when one is complete. Input behind it is kept,
    unread, until `answer`, which may return the next. Whatever either of them has to say waits in `output`.
    The caller stops reading from its peer while a delivery is pending, and hangs up when `closed` is true and
    the output is sent.
    """

    def __init__(
        self,
        refusal: Callable[[str], Receipt | None],
        *,
        name: str = "bounce-sidecar",
        size_limit: int = SIZE_LIMIT,
    ) -> None:
        self.closed = False
        self.pending: Delivery | None = None
        self._refusal, self._name, self._size_limit = refusal, name, size_limit
        # Dot-stuffing adds at most one octet to three (".\r\n"): more than this is over the limit.
        self._wire_limit = size_limit + size_limit // 3 + len(_END)
        self._input = bytearray()
        self._scanned = 0  # octets of _input that hold no end of line, or no end of data
        self._swallowing = False  # the rest of an over-long line or mail
        self._in_data = False
        self._output: list[str] = []
        self._farewell: str | None = None
        self._errors = 0
        self._greeted = False
        self._sender: str | None = None
        self._recipients: list[str] = []
        self._say(replies.greeting(name))

    def receive(self, data: bytes) -> Delivery | None:
        """Read on. Input behind a pending delivery is kept, behind a hang-up it is dropped."""
        if self.closed:
            return None
        self._input += data
        return self._read_on() if self.pending is None else None

    def answer(self, answers: Sequence[Reply]) -> Delivery | None:
        """One reply per recipient of the pending delivery, in its order; then read on in what was kept."""
        if self.pending is None or len(answers) != len(self.pending.recipients):
            raise ValueError("one reply per recipient of a pending delivery, please")
        for reply in answers:
            self._say(reply.lmtp)
        self.pending = None
        if self._farewell is not None:
            self.hang_up(self._farewell)
        return self._read_on()

    def hang_up(self, reply: str) -> None:
        """Say so and close: at once, or as soon as the pending delivery is answered."""
        if self.pending is not None:
            self._farewell = reply
        elif not self.closed:
            self._say(reply)
            self.closed = True
            self._input.clear()

    def output(self) -> bytes:
        """What is to be sent now; each octet is given once."""
        if not self._output:
            return b""
        text = "\r\n".join([*self._output, ""])
        self._output.clear()
        return text.encode()

    def _say(self, reply: str) -> None:
        self._output.append(reply)

    def _read_on(self) -> Delivery | None:
        while not self.closed and self.pending is None:
            if not (self._read_data() if self._in_data else self._read_line()):
                break
        return self.pending

    def _read_line(self) -> bool:
        """One command line; false when more input is needed."""
        end = self._input.find(b"\r\n", self._scanned)
        length = end + 2 if end >= 0 else len(self._input) + 1  # at least
        if length > COMMAND_LIMIT and not self._swallowing:
            self._swallowing = True
            self._conclude(replies.LINE_TOO_LONG)
            if self.closed:
                return False
        if end < 0:
            if self._swallowing:
                del self._input[:-1]  # what is left may be the CR of its end
            self._scanned = max(0, len(self._input) - 1)
            return False
        line = bytes(self._input[:end]) if not self._swallowing else None
        self._drop(length)
        if line is not None:
            self._conclude(self._obey(line))
        return True

    def _read_data(self) -> bool:
        """The mail up to its final dot; false when more input is needed."""
        if self._input.startswith(_END[2:]) and not self._swallowing:
            end, after = 0, len(_END) - 2
        else:
            found = self._input.find(_END, self._scanned)
            if found < 0:
                if len(self._input) > self._wire_limit or self._swallowing:
                    self._swallowing = True
                    del self._input[: 1 - len(_END)]
                self._scanned = max(0, len(self._input) + 1 - len(_END))
                return False
            end, after = found + 2, found + len(_END)
        too_big = self._swallowing
        raw = b"" if too_big else _unstuffed(bytes(memoryview(self._input)[:end]))
        self._drop(after)
        self._in_data = False
        sender, recipients = self._sender or "", tuple(self._recipients)
        self._forget_mail()
        if too_big or len(raw) > self._size_limit:
            for _ in recipients:
                self._say(replies.TOO_BIG)
        else:
            self.pending = Delivery(sender, recipients, raw)
        return True

    def _drop(self, length: int) -> None:
        del self._input[:length]  # a bytearray gives up its front without moving the rest
        self._scanned, self._swallowing = 0, False

    def _forget_mail(self) -> None:
        self._sender = None
        self._recipients = []

    def _conclude(self, reply: str) -> None:
        if reply in replies.PEER_ERRORS:
            self._errors += 1
            if self._errors >= ERROR_LIMIT:
                self.hang_up(replies.TOO_MANY_ERRORS)
                return
        self._say(reply)

    def _obey(self, line: bytes) -> str:
        verb, _, rest = line.partition(b" ")
        command = self._COMMANDS.get(verb.upper())
        if command is None or b"\r" in line or b"\n" in line or b"\0" in line:
            return replies.NOT_UNDERSTOOD
        try:
            # Not UTF-8: the sender is only told, and a recipient of that kind is none of ours.
            return command(self, rest.decode("utf-8", "replace").strip())
        except envelope.NotUnderstood as trouble:
            return trouble.reply

    def _lhlo(self, argument: str) -> str:
        if not argument:
            return replies.BAD_ARGUMENT
        self._forget_mail()
        self._greeted = True
        return replies.lhlo(self._name)

    def _mail(self, argument: str) -> str:
        if not self._greeted or self._sender is not None:
            return replies.OUT_OF_ORDER
        self._sender = envelope.sender(argument, self._size_limit)
        return replies.SENDER_OK

    def _rcpt(self, argument: str) -> str:
        if self._sender is None:
            return replies.OUT_OF_ORDER
        recipient = envelope.recipient(argument)
        if len(self._recipients) >= RECIPIENT_LIMIT:
            return replies.TOO_MANY_RECIPIENTS
        try:
            refused = self._refusal(recipient)
            if refused is not None:
                return REPLIES[refused].lmtp
        except Exception as error:  # a door: unforeseen is temporary
            report(log, "recipient could not be judged", error)
            return TROUBLE.lmtp
        self._recipients.append(recipient)
        return replies.RECIPIENT_OK

    def _data(self, argument: str) -> str:
        if argument:
            return replies.BAD_ARGUMENT
        if not self._recipients:  # RFC 2033 section 4.2
            return replies.NO_RECIPIENTS if self._sender is not None else replies.OUT_OF_ORDER
        self._in_data = True
        return replies.GO_AHEAD

    def _rset(self, argument: str) -> str:
        if argument:
            return replies.BAD_ARGUMENT
        self._forget_mail()
        return replies.OK

    def _noop(self, _: str) -> str:
        return replies.OK

    def _vrfy(self, argument: str) -> str:
        return replies.CANNOT_VERIFY if argument else replies.BAD_ARGUMENT

    def _quit(self, _: str) -> str:
        self.closed = True
        self._input.clear()
        return replies.BYE

    def _helo(self, _: str) -> str:
        return replies.SAY_LHLO

    def _not_offered(self, _: str) -> str:
        return replies.NOT_OFFERED

    _COMMANDS: ClassVar[dict[bytes, Callable[["Connection", str], str]]] = {
        b"LHLO": _lhlo,
        b"MAIL": _mail,
        b"RCPT": _rcpt,
        b"DATA": _data,
        b"RSET": _rset,
        b"NOOP": _noop,
        b"VRFY": _vrfy,
        b"QUIT": _quit,
        b"HELO": _helo,
        b"EHLO": _helo,
        **dict.fromkeys((b"EXPN", b"HELP", b"BDAT", b"AUTH", b"STARTTLS", b"TURN", b"ETRN"), _not_offered),
    }


def _unstuffed(wire: bytes) -> bytes:
    """RFC 5321 section 4.5.2: a line's first dot goes. Only CRLF begins a line, here as in the final dot."""
    return wire.removeprefix(b".").replace(b"\r\n.", b"\r\n")
