"""The canary: a bounce that we send to ourselves, to see whether bounces come through.

Knows how it is spelled: as any mail server reports that somebody is unknown, so that it meets whatever a
bounce would meet on its way. Does not know how it is sent, nor who signs its return path.

That names the user 0, whom no wiki has and for whom no door issues anything, and "canary" instead of a wiki.
Unlike a label in the signature, BounceHandler's format can say so, too; a person sees it in the mail server's
log; and no wiki needs to be configured.
"""

from datetime import datetime
from email.utils import format_datetime

from .address import routed

__all__ = ["CANARY", "compose", "token_of"]

CANARY = ("canary", 0)  #: wiki and user id of its return path

_MAIL = """\
From: Mail Delivery System <MAILER-DAEMON@{domain}>
To: {return_path}
Subject: Undelivered Mail Returned to Sender
Date: {date}
Message-ID: <{token}@{domain}>
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="{token}"

--{token}
Content-Type: text/plain; charset=us-ascii

This is no bounce: the bounce sidecar of {node} sends it to itself now and then,
to see whether bounces come through. There is nothing to do about it.

--{token}
Content-Type: message/delivery-status

Reporting-MTA: dns; {domain}

Final-Recipient: rfc822; canary@canary.invalid
Action: failed
Status: 5.1.1
Diagnostic-Code: smtp; 550 5.1.1 This canary has no mailbox

--{token}
Content-Type: text/rfc822-headers

From: Canary <canary@{domain}>
To: canary@canary.invalid
Subject: Canary
Message-ID: <{token}.original@{domain}>

--{token}--
"""


def compose(return_path: str, node: str, now: datetime) -> bytes:
    """The mail for one canary of *node*. Pure."""
    named = "".join(letter if letter.isascii() and letter.isprintable() else "?" for letter in node)
    text = _MAIL.format(
        return_path=return_path,
        domain=return_path.rpartition("@")[2],
        date=format_datetime(now),
        # The key of BounceHandler's format has letters that a boundary would have to fold or quote.
        token="".join(letter for letter in token_of(return_path) if letter.isalnum() or letter == "-"),
        node=named,
    )
    return text.replace("\n", "\r\n").encode()


def token_of(return_path: str) -> str:
    """What tells a canary from every other one, however a mail server has spelled its return path."""
    return routed(return_path).rpartition("@")[0]
