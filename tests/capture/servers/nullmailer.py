"""nullmailer, which gives everything to one relay: bounces come from what that relay refuses.

Knows its configuration. Does not know the cases.
"""

from tests.capture.debian import SMTP, DebianServer
from tests.capture.outgoing import Outgoing
from tests.capture.world import LIFETIME
from tests.support.bounce_cases import BOUNCES_MX
from tests.support.remote_mx import RemoteMx

__all__ = ["Nullmailer"]

SETTINGS = {
    "defaultdomain": "example.org",
    "remotes": f"{BOUNCES_MX} smtp --port={SMTP}",
    "queuelifetime": str(LIFETIME),
    "pausetime": "1",
    "maxpause": "1",
    "sendtimeout": "2",
}


class Nullmailer(DebianServer):
    packages = ("nullmailer",)
    mx = RemoteMx

    def start(self) -> None:
        for name, value in SETTINGS.items():
            self.write(f"/etc/nullmailer/{name}", value + "\n")
        self.host.start("nullmailer-send", user="mail")

    def send(self, mail: Outgoing) -> None:
        self.host.run("nullmailer-inject", "-f", mail.sender, mail.recipient, stdin=mail.text)

    def kind(self, raw: bytes) -> str:
        return "bounce"  # it knows no other answer, though it words its last one as a warning of a delay
