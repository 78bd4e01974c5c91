"""The mail server that takes our own mail, by SMTP: the digest and canaries.

Knows smtplib and how a mail leaves without being answered. Does not know what is in it. Blocking.
"""

import contextlib
import smtplib
from collections.abc import Iterator
from email.message import EmailMessage

import structlog

from sidecar.domain.wording import without_addresses
from sidecar.services.posting import CannotSend

__all__ = ["MailServer"]

#: How we greet: to ask for the name of this host may last, and it is trusted for its address.
HELLO = "[127.0.0.1]"
PATIENCE = 30.0  # seconds for each step; a mail server that we stand beside answers at once

log = structlog.get_logger()


class MailServer:
    """A mail server on this host."""

    def __init__(self, host: str, port: int, patience: float = PATIENCE) -> None:
        self._host, self._port, self._patience = host, port, patience

    def send(self, mail: EmailMessage) -> None:
        """Hand over *mail* to its To. Raises CannotSend unless it is taken for somebody."""
        with self._talking() as server:
            # The null sender: should it bounce, it bounces to nobody (RFC 5321 section 4.5.5).
            refused = server.send_message(mail, from_addr="")
        if refused:
            facts = {"recipients": len(refused), "of": len(mail["To"].addresses)}
            log.warning("mail refused for some", subject=str(mail["Subject"]), **facts)

    def hand_over(self, recipient: str, raw: bytes) -> None:
        """One bounce, from the null sender. Raises CannotSend, with what the mail server said."""
        with self._talking() as server:
            server.sendmail("", [recipient], raw)

    @contextlib.contextmanager
    def _talking(self) -> Iterator[smtplib.SMTP]:
        try:
            with smtplib.SMTP(self._host, self._port, HELLO, self._patience) as server:
                yield server
        except (OSError, smtplib.SMTPException) as error:
            raise CannotSend(f"{self._host}:{self._port}: {_words(error)}") from error


def _words(error: Exception) -> str:
    """Why, without the addresses that a mail server likes to quote, and that the library adds."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        said = (f"{code} {text.decode(errors='replace')}" for code, text in error.recipients.values())
        return "; ".join(dict.fromkeys(map(without_addresses, said)))
    return without_addresses(str(error)) or type(error).__name__
