"""A mail server that takes what is sent to it, on loopback: aiosmtpd.

Knows how to refuse for a while. Does not judge what it takes.
"""

import asyncio
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.support.loop_thread import LoopThread
from tests.support.mailbox import Mail, Mailbox

__all__ = ["SmtpSink"]


class SmtpSink:
    """Takes all into `mailbox` from start() to stop(), except what `refuses` names: address -> reply."""

    def __init__(self, host: str = "127.0.0.1", port: int = 0) -> None:
        self.mailbox = Mailbox()
        self.refuses: dict[str, str] = {}
        self.host, self.port = host, port
        self._thread: LoopThread | None = None

    def start(self) -> None:
        self._thread = LoopThread("smtp-sink")
        self._thread.serve(self._listen())

    def stop(self) -> None:
        """Repeatable."""
        if self._thread is not None:
            self._thread.end()
            self._thread = None

    async def _listen(self) -> asyncio.AbstractServer:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: _Protocol(self, loop=loop), self.host, self.port)
        self.port = server.sockets[0].getsockname()[1]
        return server

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address in self.refuses:
            return self.refuses[address]
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 Ok"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        raw: Any = envelope.original_content
        # aiosmtpd keeps the brackets of a null sender.
        sender = (envelope.mail_from or "").removeprefix("<>")
        self.mailbox.put(Mail(sender, tuple(envelope.rcpt_tos), raw))
        return "250 2.0.0 Ok"


class _Protocol(SMTP):
    line_length_limit = 2**20  # some mail servers do not fold; the default refuses such a bounce with 500
