"""dma, the DragonFly Mail Agent: no daemon, no report in fields, no warning of a delay.

Knows its queue. Does not know the cases.
"""

from tests.capture.debian import DebianServer
from tests.capture.outgoing import HOST, Outgoing

__all__ = ["Dma"]


class Dma(DebianServer):
    packages = ("dma",)

    def start(self) -> None:
        self.write("/etc/dma/dma.conf", f"MAILNAME {HOST}\nDEFER\n")

    def send(self, mail: Outgoing) -> None:
        self.host.run("dma", "-f", mail.sender, mail.recipient, stdin=mail.text)
        # It gives up after five days, a figure that is built in: it measures the age of the file.
        self.host.run("sh", "-euc", "touch -d '6 days ago' /var/spool/dma/*")
        self.host.run("dma", "-q")

    def kind(self, raw: bytes) -> str:
        return "bounce"  # it knows no other answer
