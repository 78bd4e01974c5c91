"""The mail server that takes our own mail, by SMTP.

Knows smtplib and how a mail leaves without being answered. Does not know what is in it. Blocking.
"""

import smtplib
from email.message import EmailMessage

import structlog

from sidecar.domain.wording import without_addresses
from sidecar.services.digest import CannotSend

__all__ = ["MailServer"]

PATIENCE = 30.0  # seconds for each step; a mail server that we stand beside answers at once

log = structlog.get_logger()


class MailServer:
    """A mail server on this host."""

    def __init__(self, host: str, port: int) -> None:
        self._host, self._port = host, port

    def send(self, mail: EmailMessage) -> None:
        """Hand over *mail* to its To. Raises CannotSend unless it is taken for somebody."""
        try:
            with smtplib.SMTP(self._host, self._port, timeout=PATIENCE) as server:
                # The null sender: should it bounce, it bounces to nobody (RFC 5321 section 4.5.5).
                refused = server.send_message(mail, from_addr="")
        except (OSError, smtplib.SMTPException) as error:
            raise CannotSend(f"{self._host}:{self._port}: {_words(error)}") from error
        if refused:
            log.warning("digest refused for some", recipients=len(refused), of=len(mail["To"].addresses))


def _words(error: Exception) -> str:
    """Why, without the addresses that a mail server likes to quote, and that the library adds."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        said = (f"{code} {text.decode(errors='replace')}" for code, text in error.recipients.values())
        return "; ".join(dict.fromkeys(map(without_addresses, said)))
    return without_addresses(str(error)) or type(error).__name__
