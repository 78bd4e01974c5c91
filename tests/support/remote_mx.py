"""The mail server of somebody else's provider, answering as its script says.

Knows SMTP as far as a sending server speaks it, and the answers below. Does not know who sends. The
answer hangs on the first word of the recipient's local part: `nouser`, `nouser-7`, `NoUser.Seven+x` all get
the answer of "nouser". For every other address the mail is accepted and kept.
"""

import asyncio
import re
from dataclasses import dataclass
from enum import Enum, auto

from tests.support.loop_thread import LoopThread
from tests.support.mailbox import Mail, Mailbox
from tests.support.places import free_port
from tests.support.waiting import PATIENCE

__all__ = ["ANSWERS", "Answer", "RemoteMx", "Stage", "answer_for"]

HOST = "mx.remote.example"
GREETING = (f"250-{HOST}", "250-PIPELINING", "250-8BITMIME", "250-SMTPUTF8", "250 ENHANCEDSTATUSCODES")
LONGEST_LINE = 2**20  # bytes; our own mails have short lines


class Stage(Enum):
    """What is answered to."""

    RCPT = auto()
    DATA = auto()  #: after the final dot


@dataclass(frozen=True)
class Answer:
    """Lines of a reply; {address} stands for the recipient as it was written. No line: never answer."""

    stage: Stage
    lines: tuple[str, ...]

    def reply(self, address: str) -> str:
        return "\r\n".join(self.lines).replace("{address}", address)

    @property
    def closes(self) -> bool:
        """RFC 5321 section 3.8: 421 says that the connection ends."""
        return any(line.startswith("421") for line in self.lines)


def _rcpt(*lines: str) -> Answer:
    return Answer(Stage.RCPT, lines)


#: first word of the local part -> answer
ANSWERS = {
    "nouser": _rcpt(
        "550 5.1.1 <{address}>: Recipient address rejected: User unknown in local recipient table"
    ),
    "noenh": _rcpt("550 No such user here"),
    "multi": _rcpt(
        "550-5.1.1 The email account that you tried to reach does not exist. Please try",
        "550-5.1.1 double-checking the recipient's email address for typos or",
        "550-5.1.1 unnecessary spaces. For more information, go to",
        "550 5.1.1  https://support.remote.example/mail/?p=NoSuchUser x15si123456789edr.7 - gsmtp",
    ),
    "utf8": _rcpt("550 5.1.1 Usuário não existe — boîte inconnue"),
    "disabled": _rcpt("550 5.2.1 <{address}>: The email account that you tried to reach is disabled"),
    "quota": _rcpt("552 5.2.2 <{address}>: Mailbox full, quota exceeded"),
    "tquota": _rcpt("452 4.2.2 <{address}>: The recipient's mailbox is over quota, try again later"),
    "grey": _rcpt("450 4.7.1 <{address}>: Recipient address rejected: Greylisted, please try again later"),
    "blocked": _rcpt(
        "550 5.7.1 Service unavailable; client host [192.0.2.1] blocked using bl.dnsbl.example;"
        " https://dnsbl.example/query/ip/192.0.2.1"
    ),
    "sender": _rcpt("554 5.7.1 <wiki.example.org>: Sender address rejected: Access denied"),
    "policy": Answer(
        Stage.DATA, ("554 5.7.1 Message content rejected due to local policy, looks like spam",)
    ),
    "s421": _rcpt("421 4.3.2 Service busy, closing connection, please try again later"),
    "hang": _rcpt(),
}


def answer_for(address: str) -> Answer | None:
    """The answer that an address gets, or None if mail for it is taken."""
    word = re.match(r"[a-z0-9]*", address.lower())
    return ANSWERS.get(word[0]) if word else None


class RemoteMx:
    """Started by start(); `received` keeps what was accepted, also over a stop and a new start."""

    def __init__(self, host: str = "127.0.0.1", port: int = 0) -> None:
        self.host, self.port = host, port or free_port()
        self.mailbox = Mailbox()  #: what was accepted
        self._thread: LoopThread | None = None

    @property
    def received(self) -> list[Mail]:
        """What was accepted so far, oldest first."""
        return self.mailbox.mails

    def wait(self, recipient: str, seconds: float = PATIENCE) -> Mail:
        """The first accepted mail for this recipient; raises TimeoutError."""
        return self.mailbox.wait(recipient, seconds)

    def start(self) -> None:
        self._thread = LoopThread("remote-mx")
        self._thread.serve(asyncio.start_server(self._converse, self.host, self.port, limit=LONGEST_LINE))

    def stop(self) -> None:
        """Connections are cut. Repeatable."""
        if self._thread is not None:
            self._thread.end()
            self._thread = None

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await _Conversation(reader, writer, self.mailbox).run()
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # a sending server may hang up at any time, and so may stop()
        finally:
            writer.close()


class _Conversation:
    """One connection, until either side ends it."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, mailbox: Mailbox) -> None:
        self._reader, self._writer, self._mailbox = reader, writer, mailbox
        self._sender = ""
        self._recipients: list[str] = []
        self._open = True

    async def run(self) -> None:
        await self._say(f"220 {HOST} ESMTP")
        while self._open and (line := await self._reader.readline()):
            text = line.decode(errors="replace")
            path = re.search(r"<(.*?)>", text)
            await self._obey(text[:4].strip().upper(), path[1] if path else "")
        # What the other side still says is read: unread, it would reset the connection, and our last words.
        self._writer.write_eof()
        await self._reader.read()

    async def _obey(self, verb: str, path: str) -> None:
        match verb:
            case "EHLO":
                await self._say("\r\n".join(GREETING))
            case "MAIL":
                self._sender, self._recipients = path, []
                await self._say("250 2.1.0 Ok")
            case "RCPT":
                await self._take_recipient(path)
            case "DATA" if not self._recipients:
                await self._say("554 5.5.1 No valid recipients")
            case "DATA":
                await self._take_mail()
            case "QUIT":
                await self._say("221 2.0.0 Bye")
                self._open = False
            case _:
                await self._say("250 2.0.0 Ok")

    async def _take_recipient(self, address: str) -> None:
        answer = answer_for(address)
        if answer is None or answer.stage is not Stage.RCPT:
            self._recipients.append(address)
            return await self._say("250 2.1.5 Ok")
        if not answer.lines:
            await self._reader.read()  # until the other side has had enough
            self._open = False
            return None
        await self._say(answer.reply(address))
        self._open = not answer.closes
        return None

    async def _take_mail(self) -> None:
        await self._say("354 End data with <CR><LF>.<CR><LF>")
        lines = []
        while (line := await self._reader.readuntil(b"\r\n")) != b".\r\n":
            lines.append(line.removeprefix(b"."))
        for address in self._recipients:
            if answer := answer_for(address):
                return await self._say(answer.reply(address))
        self._mailbox.put(Mail(self._sender, tuple(self._recipients), b"".join(lines)))
        await self._say(f"250 2.0.0 Ok: queued as {len(self._mailbox.mails)}")
        return None

    async def _say(self, reply: str) -> None:
        self._writer.write(reply.encode() + b"\r\n")
        await self._writer.drain()
