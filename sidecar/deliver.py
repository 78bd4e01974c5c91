#!/bin/sh
""":"
# The shell reads down to its last exit; to Python this is the beginning of a text. The shell finds a Python
# (from 3.7 on any will do), and whatever becomes of it ends in a code on which a mail server keeps the mail.
code=75
trap 'exit "$code"' EXIT  # by itself it ends with 2 if it cannot fork
trap : HUP INT QUIT USR1 USR2 ALRM TERM
for python in "${0%/*}/python3" /usr/bin/python3 /usr/local/bin/python3; do
    if [ -x "$python" ]; then
        "$python" -IS "$0" "$@"
        case $? in 0) code=0 ;; 69) code=69 ;; 77) code=77 ;; esac
        exit
    fi
done
echo "bounce-sidecar-deliver: no python3 beside it, in /usr/bin or in /usr/local/bin" >&2
exit

The pipe door: a mail on standard input, handed to the sidecar's LMTP socket.

Knows what mail servers give to a command, LMTP from the client's side, and <sysexits.h>. Does not know what
is in the mail. Imports nothing of ours, and no dataclasses or typing: they take longer than all the rest.

0 means that the sidecar said so: booked. What nobody decided is 75, because a mail server loses a bounce on
most other codes, and on a time-out of its own; so every failure ends in `_end`. What is said never begins
with digits: Postfix believes an enhanced status code there more than the exit code.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
from collections.abc import Mapping, Sequence

NAME = "bounce-sidecar-deliver"
USAGE = f"usage: {NAME} [--socket PATH] [--sender ADDRESS] [--deadline SECONDS] [--refuse] [--] [RECIPIENT]"
SOCKET = "/run/bounce-sidecar/lmtp.sock"
# seconds for everything: twice what the sidecar takes at most before it answers "try again" (60), far below
# what mail servers wait before they lose the mail (Postfix 1000, command_time_limit; Exim 3600, timeout)
DEADLINE = 120.0
LAST_WORDS = 1.0  # seconds that the mail server has for reading ours
CHUNK = 65536  # octets; what a pipe of Linux holds
LINE_LIMIT = 2000  # octets of a reply (RFC 5321 section 4.5.3.1.5 asks for 512), or of an mbox line
LINES_LIMIT = 100  # of one reply
LOOPBACK = {"localhost": "127.0.0.1", "127.0.0.1": "127.0.0.1", "[::1]": "::1"}
# what would end us otherwise; SIGPIPE is ignored by Python
SIGNALS = ("SIGALRM", "SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2")


class Failure(Exception):
    """The mail is not booked. The words are for the mail server's log and name no address."""

    def __init__(self, words: str, code: int = os.EX_TEMPFAIL) -> None:
        super().__init__(words)
        self.code = code


class Options:
    """What the command line says. Raises Failure for what it does not know; --help too, as 0 loses a mail."""

    def __init__(self, arguments: Sequence[str]) -> None:
        given = {"--socket": SOCKET, "--deadline": str(DEADLINE)}
        rest, recipients = list(arguments), [""]
        while rest:
            word = rest.pop(0)
            name, equals, value = word.partition("=")
            if word == "--":
                recipients, rest = recipients + rest, []
            elif word == "--refuse":
                given[word] = "yes"
            elif name in ("--socket", "--sender", "--deadline") and (equals or rest):
                given[name] = value if equals else rest.pop(0)
            elif word.startswith("-"):
                raise Failure(USAGE)
            else:
                recipients.append(word)
        if len(recipients) > 2:
            raise Failure(f"more than one recipient; {USAGE}")
        self.refuse, self.recipient = "--refuse" in given, os.fsencode(recipients[-1])
        self.sender = os.fsencode(given["--sender"]) if "--sender" in given else None
        self.socket, seconds = given["--socket"], given["--deadline"]
        self.deadline = float(seconds) if seconds.replace(".", "", 1).isdecimal() else 0.0
        if not 0.0 < self.deadline <= 86400.0:  # 0 would switch it off
            raise Failure(f"--deadline wants seconds, more than 0; {USAGE}")


def recipient(given: bytes, environment: Mapping[bytes, bytes]) -> bytes:
    """The envelope recipient: the first of three that has an @.

    In Postfix's local(8) ORIGINAL_RECIPIENT is what came, and RECIPIENT what virtual aliases made of it. Exim
    has RECIPIENT alone, and means what came.
    """
    for address in (given, environment.get(b"ORIGINAL_RECIPIENT", b""), environment.get(b"RECIPIENT", b"")):
        if b"@" in address:
            return _bare(address)
    raise Failure("no recipient: neither an argument nor $ORIGINAL_RECIPIENT nor $RECIPIENT is an address")


def sender(given: bytes | None, environment: Mapping[bytes, bytes]) -> bytes:
    """The envelope sender, empty for the null sender."""
    address = _bare(environment.get(b"SENDER", b"") if given is None else given)
    # So Postfix writes the null sender, unless told otherwise (null_sender). A real sender has a domain.
    return b"" if address.upper() == b"MAILER-DAEMON" else address


def _bare(address: bytes) -> bytes:
    if any(octet < 0x20 or octet == 0x7F for octet in address):  # it would end the command
        raise Failure("an address with a control character in it")
    return address[1:-1] if address.startswith(b"<") and address.endswith(b">") else address


class Wire:
    """A mail as it goes by LMTP: lines end with CRLF, a line's first dot is doubled, all else is kept.

    One leading mbox line goes: it tells the time of this attempt, and the next would look like another mail.
    """

    def __init__(self) -> None:
        self.octets = 0  #: of the mail so far
        self._head: bytes | None = b""  # what may be an mbox line
        self._cr = b""  # what may be half of a line's end
        self._line_begins = True

    def feed(self, chunk: bytes) -> bytes:
        """What can be sent now."""
        if self._head is not None:
            self._head += chunk
            if b"\n" not in self._head and len(self._head) <= LINE_LIMIT:
                return b""
            chunk, self._head = _without_mbox_line(self._head), None
        text = (self._cr + chunk).replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
        self._cr = b"\r" if text.endswith(b"\r") else b""
        return self._stuffed(text[: len(text) - len(self._cr)])

    def finish(self) -> bytes:
        """The rest and the final dot."""
        head, self._head = self._head or b"", None
        rest = self.feed(head) + self._stuffed(self._cr)
        return rest + self._stuffed(b"" if self._line_begins else b"\r\n") + b".\r\n"

    def _stuffed(self, text: bytes) -> bytes:
        self.octets += len(text)
        dot = b"." if self._line_begins and text.startswith(b".") else b""
        if text:
            self._line_begins = text.endswith(b"\n")
        return dot + text.replace(b"\r\n.", b"\r\n..")


def _without_mbox_line(head: bytes) -> bytes:
    line, newline, rest = head.partition(b"\n")
    # RFC 822 allowed a header to be spelled "From :".
    mbox = line.startswith(b"From ") and not line[5:].lstrip(b" \t").startswith(b":")
    return rest if mbox and newline and len(line) <= LINE_LIMIT else head


class Delivery:
    """One mail on its way."""

    doing = "starting"  #: how far it came
    _given = Options([])

    def run(self, arguments: Sequence[str], environment: Mapping[bytes, bytes]) -> None:
        """Returns when the sidecar has booked it; raises Failure, OSError, or what nobody foresaw."""
        self._guard_descriptors()
        given = self._given = Options(arguments)
        signal.setitimer(signal.ITIMER_REAL, given.deadline)
        path, origin = recipient(given.recipient, environment), sender(given.sender, environment)
        self.doing = f"connecting to {given.socket}"
        self._socket = _connected(given.socket)
        self._replies = self._socket.makefile("rb")
        self._expect(b"2", "greeting")
        self._ask(b"LHLO localhost", b"2")
        self._ask(b"MAIL FROM:<" + origin + b">", b"2")
        self._ask(b"RCPT TO:<" + path + b">", b"2", final=True)
        self._ask(b"DATA", b"3")
        self._send_mail()
        self._expect(b"2", "mail", final=True)
        # And no QUIT: nothing may come between its yes and our end.

    def interrupted(self, number: int, _: object) -> None:
        """Ends the program. If the mail was booked all the same, it comes again and is a duplicate."""
        late = f"no end within {self._given.deadline:g} s"
        _end(
            os.EX_TEMPFAIL, f"{late if number == signal.SIGALRM else f'signal {number}'}, while {self.doing}"
        )

    def _guard_descriptors(self) -> None:
        self.doing = "looking for standard input"
        os.fstat(0)
        while os.open("/dev/null", os.O_RDWR) <= 2:  # a free number would be the socket's, our last words its
            pass

    def _ask(self, line: bytes, wanted: bytes, *, final: bool = False) -> None:
        verb = line[:4].decode()
        self.doing = f"sending {verb}"
        self._socket.sendall(line + b"\r\n")
        self._expect(wanted, verb, final=final)

    def _expect(self, wanted: bytes, what: str, *, final: bool = False) -> None:
        """A reply that begins with this digit. *final*: a refusal is about the recipient."""
        self.doing = f"waiting for the sidecar's reply ({what})"
        line = self._hear()
        if line.startswith(wanted):
            return
        code = _refusal(line) if final and self._given.refuse else os.EX_TEMPFAIL
        words = line.decode("ascii", "replace").strip()
        clean = words.isprintable() and "@" not in words
        raise Failure(f"the sidecar said ({what}): {words if clean else words[:3]}", code)

    def _hear(self) -> bytes:
        """The last line of a reply."""
        for _ in range(LINES_LIMIT):
            line = self._replies.readline(LINE_LIMIT)
            if not line:
                raise Failure(f"the sidecar hung up, while {self.doing}")
            code, more = line[:3], line[3:4]
            if not (code.isdigit() and code[:1] in b"2345" and more in b"\r\n -" and line.endswith(b"\n")):
                break
            if more != b"-":
                return line
        raise Failure(f"what answers speaks no LMTP, while {self.doing}")

    def _send_mail(self) -> None:
        wire, more = Wire(), True
        while more:
            self.doing = "reading standard input"
            chunk = os.read(0, CHUNK)
            more = bool(chunk)
            converted = wire.feed(chunk) if more else wire.finish()
            if not more and not wire.octets:
                raise Failure("no mail on standard input")
            self.doing = "sending the mail"
            self._socket.sendall(converted)


def _connected(place: str) -> socket.socket:
    host, _, port = place.rpartition(":")
    family = socket.AF_UNIX if "/" in place else socket.AF_INET6 if host == "[::1]" else socket.AF_INET
    if family != socket.AF_UNIX and not (host in LOOPBACK and port.isdecimal()):
        raise Failure("--socket wants a path with a / in it, or 127.0.0.1:PORT")
    connection = socket.socket(family)
    connection.connect(place if family == socket.AF_UNIX else (LOOPBACK[host], int(port)))
    return connection


def _refusal(line: bytes) -> int:
    """By the enhanced code's subject (RFC 3463 section 3): address, mailbox, policy. The rest is trouble."""
    subjects = {b"5.1.": os.EX_UNAVAILABLE, b"5.2.": os.EX_UNAVAILABLE, b"5.7.": os.EX_NOPERM}
    return subjects.get(line[4:8], os.EX_TEMPFAIL) if line.startswith(b"5") else os.EX_TEMPFAIL


def _explained(trouble: OSError) -> str:
    hints = {
        FileNotFoundError: " (does the sidecar run?)",
        ConnectionRefusedError: " (does the sidecar run?)",
        PermissionError: f" (may uid {os.geteuid()} with gid {os.getegid()} enter?)",
    }
    return (trouble.strerror or str(trouble)) + hints.get(type(trouble), "")


def _end(code: int, words: str = "") -> None:
    """Ends the program; not by the interpreter's own end, which may fail and has an exit code for it."""
    try:
        signal.signal(signal.SIGALRM, lambda *_: os._exit(code))
        signal.setitimer(signal.ITIMER_REAL, LAST_WORDS)
        if words:
            os.write(2, f"{NAME}: {words}\n".encode("ascii", "backslashreplace"))
    finally:
        os._exit(code)


def main() -> None:
    """Never returns and never raises."""
    delivery = Delivery()
    try:
        for name in SIGNALS:
            signal.signal(getattr(signal, name), delivery.interrupted)
        signal.pthread_sigmask(signal.SIG_SETMASK, ())  # the mail server's mask is not ours
        signal.setitimer(signal.ITIMER_REAL, DEADLINE)
        delivery.run(sys.argv[1:], os.environb)
    except Failure as failure:
        _end(failure.code, str(failure))
    except OSError as trouble:
        _end(os.EX_TEMPFAIL, f"{_explained(trouble)}, while {delivery.doing}")
    except BaseException as error:  # a door: unforeseen is temporary
        _end(os.EX_TEMPFAIL, f"unforeseen trouble: {type(error).__name__}")
    _end(os.EX_OK)


if __name__ == "__main__":
    main()
