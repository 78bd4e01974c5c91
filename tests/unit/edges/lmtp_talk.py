"""One LMTP session for the tests: what is said, cut as they like, and what is heard.

Knows the protocol's object and a handful of recipients. Does not know what is expected.
"""

import re
from dataclasses import dataclass, field

import pytest

from sidecar.edges import replies
from sidecar.edges.lmtp import Connection, Delivery
from sidecar.edges.replies import REPLIES
from sidecar.services.receipt import Receipt

SIZE = 1000  # octets; small, so that a test can pass it
HELLO = b"LHLO mx.example.org\r\n"
MAIL = b"MAIL FROM:<>\r\nRCPT TO:<one@b.example>\r\nDATA\r\n"
OFFERS = """\
250-sidecar
250-PIPELINING
250-8BITMIME
250-SMTPUTF8
250-ENHANCEDSTATUSCODES
250 SIZE"""
TAKEN, SENDER_OK, RCPT_OK, GO = (
    REPLIES[Receipt.TAKEN].lmtp,
    replies.SENDER_OK,
    replies.RECIPIENT_OK,
    replies.GO_AHEAD,
)


def judge(recipient: str) -> Receipt | None:
    """Some are refused, one breaks; the rest would be taken."""
    if recipient.startswith("trouble"):
        raise ValueError(recipient)
    found = {"nobody": Receipt.NOT_OURS, "forged": Receipt.FORGED, "old": Receipt.TOO_LATE}
    return found.get(recipient.partition("@")[0])


@dataclass
class Talk:
    """One session whose deliveries are all taken."""

    connection: Connection = field(default_factory=lambda: Connection(judge, name="sidecar", size_limit=SIZE))
    deliveries: list[Delivery] = field(default_factory=list)
    output: bytes = b""

    def say(self, *chunks: bytes) -> "Talk":
        for chunk in chunks:
            delivery = self.connection.receive(chunk)
            while delivery is not None:
                self.deliveries.append(delivery)
                delivery = self.connection.answer([REPLIES[Receipt.TAKEN]] * len(delivery.recipients))
            self.output += self.connection.output()
        return self

    @property
    def heard(self) -> list[str]:
        """All replies behind the greeting."""
        text = self.output.decode()
        assert text.endswith("\r\n")
        first, *rest = re.sub(r"(?m)^(250-.*)\r\n", r"\1\n", text).split("\r\n")
        assert first == "220 sidecar LMTP"
        return rest[:-1]


def octets(data: bytes) -> list[bytes]:
    return [data[at : at + 1] for at in range(len(data))]


def mail(command: str, *more: str) -> bytes:
    return HELLO + "".join(f"{line}\r\n" for line in (command, *more)).encode()


any_cut = pytest.mark.parametrize("cut", [lambda data: [data], octets], ids=["whole", "octets"])
