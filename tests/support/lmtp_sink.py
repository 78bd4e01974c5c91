"""The place where bounces end when the product is not there: an LMTP server on a Unix socket.

Knows aiosmtpd, which is not the product's own LMTP. Does not judge what it takes.
"""

import asyncio
from pathlib import Path
from typing import Any

from aiosmtpd.lmtp import LMTP
from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.support.loop_thread import LoopThread
from tests.support.mailbox import Mail, Mailbox

__all__ = ["LmtpSink"]


class LmtpSink:
    """Takes everything into `mailbox` from start() to stop()."""

    def __init__(self, socket: Path) -> None:
        self.socket = socket
        self.mailbox = Mailbox()
        self._thread: LoopThread | None = None

    def start(self) -> None:
        self._thread = LoopThread("lmtp-sink")
        self._thread.serve(self._listen())
        self.socket.chmod(0o666)  # mail servers work under accounts of their own

    def stop(self) -> None:
        """Repeatable."""
        if self._thread is not None:
            self._thread.end()
            self._thread = None
            self.socket.unlink(missing_ok=True)

    async def _listen(self) -> asyncio.AbstractServer:
        loop = asyncio.get_running_loop()
        return await loop.create_unix_server(lambda: _Protocol(self, loop=loop), str(self.socket))

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        # aiosmtpd keeps the brackets of a null sender.
        sender = (envelope.mail_from or "").removeprefix("<>")
        raw: Any = envelope.original_content
        self.mailbox.put(Mail(sender, tuple(envelope.rcpt_tos), raw))
        # RFC 2033 section 4.2: one reply for each recipient; aiosmtpd sends what it is given once.
        return "\r\n".join("250 2.0.0 Ok" for _ in envelope.rcpt_tos)


class _Protocol(LMTP):
    line_length_limit = 2**20  # Exim does not fold; the default refuses such a bounce with 500
