"""OpenSMTPD.

Knows smtpd.conf. Does not know the cases.
"""

from tests.capture.debian import SMTP, DebianServer
from tests.capture.outgoing import HOST
from tests.capture.server import kind_by_action
from tests.capture.world import LIFETIME, WARNING
from tests.support.process_group import greets

__all__ = ["OpenSmtpd"]

# A mail that is deferred is not tried again before it expires: the first wait is minutes, and built in.
CONFIGURATION = f"""
listen on 127.0.0.1 port {SMTP} hostname {HOST}
queue ttl {LIFETIME}s
bounce warn-interval {WARNING}s
action "relay" relay helo {HOST}
match from any for any action "relay"
"""


class OpenSmtpd(DebianServer):
    packages = ("opensmtpd",)

    def start(self) -> None:
        self.write("/etc/smtpd.conf", CONFIGURATION)
        greets(SMTP, self.host.start("smtpd", "-d"), "OpenSMTPD")

    def kind(self, raw: bytes) -> str:
        # Its last word is worded as a warning of a delay, but for this.
        return "bounce" if b": Envelope expired\r\n" in raw else kind_by_action(raw)
