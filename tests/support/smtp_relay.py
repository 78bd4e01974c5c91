"""A mail server as far as canaries need one: takes mail by SMTP and delivers it by LMTP, at once or later.

Knows aiosmtpd and a socket. Does not judge what it takes.
"""

import asyncio
import smtplib
from pathlib import Path

from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.support.mailbox import Mail
from tests.support.smtp_sink import SmtpSink

__all__ = ["SmtpRelay"]


class SmtpRelay(SmtpSink):
    """Delivers to *socket* after it has said 250; what cannot be delivered, or is held, is in `queue`."""

    def __init__(self, socket: Path) -> None:
        super().__init__()
        self.socket, self.holds = socket, False
        self.queue: list[Mail] = []

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        answer = await super().handle_DATA(server, session, envelope)
        mail = self.mailbox.mails[-1]
        if self.holds or not await asyncio.to_thread(self._deliver, mail):
            self.queue.append(mail)
        return answer

    def flush(self) -> None:
        """Deliver all that waits."""
        self.holds = False
        self.queue = [mail for mail in self.queue if not self._deliver(mail)]

    def _deliver(self, mail: Mail) -> bool:
        try:
            with smtplib.LMTP(str(self.socket), timeout=10) as door:
                door.sendmail(mail.sender, list(mail.recipients), mail.raw)
        except (OSError, smtplib.SMTPException):
            return False
        return True
