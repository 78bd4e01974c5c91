"""The mail servers that can be captured, by the name of their folder."""

from tests.capture.server import MailServer
from tests.capture.servers.courier import Courier
from tests.capture.servers.dma import Dma
from tests.capture.servers.exim import Exim
from tests.capture.servers.nullmailer import Nullmailer
from tests.capture.servers.opensmtpd import OpenSmtpd
from tests.capture.servers.postfix import Postfix
from tests.capture.servers.sendmail import Sendmail

__all__ = ["SERVERS"]

SERVERS: dict[str, MailServer] = {
    "postfix": Postfix,
    "exim": Exim,
    "opensmtpd": OpenSmtpd,
    "sendmail": Sendmail,
    "courier": Courier,
    "dma": Dma,
    "nullmailer": Nullmailer,
}
